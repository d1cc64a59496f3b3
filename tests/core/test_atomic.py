"""Files and folders that receive everything or nothing."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

import pytest

from calcviewer.core.atomic import staged_file, staged_folder
from calcviewer.core.errors import CalcViewerError


def fail_half_way(target: Path) -> None:
    with staged_folder(target) as stage:
        (stage / "a.txt").write_text("new")
        raise RuntimeError


def test_everything_arrives_and_nothing_else_stays(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "out") as stage:
        (stage / "a.txt").write_text("a")
        (stage / "labels").mkdir()
        (stage / "labels" / "b.png").write_text("b")
        assert not (tmp_path / "out" / "a.txt").exists()
    written = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {"out/a.txt", "out/labels/b.png"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.txt", "labels"}


def test_after_a_failure_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_half_way(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_after_a_failure_older_results_are_untouched(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError):
        fail_half_way(tmp_path)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(CalcViewerError, match=r"Cannot write to .*out"),
        staged_folder(tmp_path / "out"),
    ):
        pass


def test_a_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_text("old")
    with staged_file(target) as stage:
        assert stage.parent == tmp_path
        assert stage.suffix == ".png"
        stage.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_after_a_failure_the_older_file_is_untouched(tmp_path: Path) -> None:
    target = tmp_path / "old.txt"
    target.write_text("old")

    def fail() -> None:
        with staged_file(target) as stage:
            stage.write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_said_and_the_older_file_is_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "old.txt"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(CalcViewerError, match=r"old\.txt could not be written: No space left"),
        staged_file(target) as stage,
    ):
        stage.write_text("new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_reason_that_a_library_wrapped_is_still_said(tmp_path: Path) -> None:
    def write() -> None:
        with staged_file(tmp_path / "a.dcm"):
            try:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                raise OSError("With tag (0099,1002) got exception\nTraceback") from error

    with pytest.raises(CalcViewerError, match=r"could not be written: No space left on device\."):
        write()


@pytest.mark.parametrize("name", ["missing/a.txt", "file/a.txt"])
def test_a_folder_that_cannot_receive_a_file_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(CalcViewerError, match=r"a\.txt could not be written"),
        staged_file(tmp_path / name),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="the permissions of POSIX")
def test_a_file_has_the_permissions_that_files_of_the_user_have(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with staged_file(tmp_path / "a.txt"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_when_one_file_cannot_be_replaced_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "a.txt").write_text("old")
    (target / "c.txt").write_text("open elsewhere")
    replace = os.replace

    def refusing(source: Path, place: Path) -> None:
        if Path(place).name == "c.txt":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        replace(source, place)

    monkeypatch.setattr(os, "replace", refusing)

    def write() -> None:
        with staged_folder(target) as stage:
            for name in ("a.txt", "b.txt", "c.txt"):
                (stage / name).write_text("new")

    with pytest.raises(PermissionError):
        write()
    contents = {one.name: one.read_text() for one in target.iterdir()}
    assert contents == {"a.txt": "old", "c.txt": "open elsewhere"}


def test_what_a_killed_write_left_goes_a_day_later(tmp_path: Path) -> None:
    target = tmp_path / "a[1].pdf"
    old = [tmp_path / ".a[1]-0123abcd.pdf", tmp_path / ".calcviewer-abcd1234"]
    kept = [tmp_path / ".a[1]-notes123.pdf", tmp_path / ".b-0123abcd.pdf"]
    fresh = tmp_path / ".a[1]-76543210.pdf"
    for path in (*old[:1], *kept, fresh):
        path.write_text("half")
    old[1].mkdir()
    (old[1] / "half.txt").write_text("half")
    then = time.time() - 2 * 86400
    for path in (*old, *kept):
        os.utime(path, (then, then))
    with staged_file(target) as stage:
        stage.write_text("whole")
    with staged_folder(tmp_path) as folder:
        (folder / "b.txt").write_text("whole")
    assert sorted(tmp_path.iterdir()) == sorted([target, tmp_path / "b.txt", *kept, fresh])
