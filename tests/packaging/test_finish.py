from __future__ import annotations

import tarfile
from pathlib import Path

import finish
import pytest
from licences import Component


def _folder(place: Path) -> Path:
    for name, size in (("calcviewer", 1000), ("_internal/numpy/core.so", 3_000_000)):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    (place / "_internal/link.so").symlink_to("numpy/core.so")
    return place


def test_sizes_are_summed_by_component_and_links_count_nothing(tmp_path: Path) -> None:
    source = Path("/env/numpy/core.so")
    owner = {source: Component("numpy", "2", "BSD", {})}
    report = finish.size_report(_folder(tmp_path), {"numpy/core.so": str(source)}, owner)
    assert report.splitlines()[0] == "     3.0 MB  numpy"
    assert "     3.0 MB  in all, of 450 MB" in report


def test_a_folder_that_is_too_large_is_not_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "LARGEST_MB", 2)
    with pytest.raises(finish.PackagingError, match="too large"):
        finish.size_report(_folder(tmp_path), {}, {})


def test_an_unknown_library_of_the_system_is_refused() -> None:
    assert finish.packages_for({"libc.so.6", "libGL.so.1"}) == ["libgl1"]
    with pytest.raises(finish.PackagingError, match=r"libodd\.so\.1"):
        finish.packages_for({"libc.so.6", "libodd.so.1"})


def test_the_archive_has_one_folder_owned_by_root(tmp_path: Path) -> None:
    archive = finish.write_archive(_folder(tmp_path / "frozen"), tmp_path)
    with tarfile.open(archive) as opened:
        entries = opened.getmembers()
    (top,) = {entry.name.split("/")[0] for entry in entries}
    assert archive.name == f"{top}.tar.gz"
    assert {entry.uname for entry in entries} == {"root"}
    assert list(tmp_path.glob("*.partial")) == []


def test_menu_entry_icons_and_readme_are_added(tmp_path: Path) -> None:
    finish.add_linux_files(_folder(tmp_path))
    assert (tmp_path / "share/icons/calcviewer.svg").is_file()
    assert (tmp_path / "share/applications/calcviewer.desktop").is_file()
    text = (tmp_path / "README.txt").read_text(encoding="utf-8")
    assert "Not for diagnostic use" in text
    assert "LGPL" in text or "Lesser General Public License" in text
    assert "{" not in text
