from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from calcviewer.app.cohort.found import Found, find_pullbacks
from calcviewer.app.labels_file import write_labels
from calcviewer.core.errors import CalcViewerError
from tests.app.cohort.cohorts import pullback
from tests.dicom.samples import image_file, polar_file, polar_frames
from tests.phantoms import GRID, label_map


def find(*paths: Path, leave_out: Path | None = None) -> Found:
    return find_pullbacks(paths, leave_out=leave_out or Path("/nowhere"))


def names(found: Found) -> list[str]:
    return [member.name for member in found.members]


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(folder / f"{number}.png")
    return folder


def test_every_multi_frame_image_below_a_folder_is_one(tmp_path: Path) -> None:
    for name in ("P2/b.dcm", "P1/a.dcm", "P1/deep/1.2.840.113"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        polar_file(tmp_path / name, polar_frames(2))
    assert names(find(tmp_path)) == ["P1-a", "P1-deep-1.2.840.113", "P2-b"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["in"], ["P1-a", "P2-a", "P3"]),
        (["in/P1", "in/P2", "in/P3"], ["P1-a", "P2-a", "P3"]),
        (["in/P1/a.dcm", "in/P2/a.dcm"], ["P1-a", "P2-a"]),
        (["in/P1"], ["P1-a"]),
        (["in/P2/../P1"], ["P1-a"]),
        (["in/P3"], ["P3"]),
        (["in", "else"], ["in-P1-a", "in-P2-a", "in-P3", "else-b"]),
    ],
)
def test_names_tell_what_is_what(tmp_path: Path, given: list[str], expected: list[str]) -> None:
    for name in ("in/P1/a.dcm", "in/P2/a.dcm", "else/b.dcm"):
        (tmp_path / name).parent.mkdir(parents=True)
        polar_file(tmp_path / name, polar_frames(2))
    pictures(tmp_path / "in" / "P3", 2)
    assert names(find(*(tmp_path / one for one in given))) == expected


def test_frames_in_one_folder_are_one(tmp_path: Path) -> None:
    for number in range(3):
        polar_file(tmp_path / f"{number}.dcm", polar_frames(1))
    found = find(tmp_path)
    assert names(found) == [tmp_path.name]
    assert found.members[0].path == tmp_path
    assert names(find(pictures(tmp_path / "png", 3))) == ["png"]


def test_a_pullback_stored_both_ways_is_taken_for_processing(tmp_path: Path) -> None:
    path = pullback(tmp_path, frames=2)
    found = find(tmp_path)
    assert [member.path for member in found.members] == [path]
    assert [one.path.name for one in found.passed_over] == ["presentation.dcm"]
    path.unlink()
    assert names(find(tmp_path)) == [f"{tmp_path.name}-presentation"]


def test_others_are_passed_over_with_a_reason(tmp_path: Path) -> None:
    polar_file(tmp_path / "oct.dcm", polar_frames(2))
    image_file(tmp_path / "angio.dcm", polar_frames(2, (60, 60)), Modality="XA")
    polar_file(tmp_path / "still.dcm", polar_frames(1))
    pictures(tmp_path / "shot", 1)
    found = find(tmp_path)
    assert names(found) == [f"{tmp_path.name}-oct"]
    reasons = {one.path.name: one.reason for one in found.passed_over}
    assert reasons.keys() == {"angio.dcm", "still.dcm", "0.png"}
    assert "modality XA" in reasons["angio.dcm"]
    assert "single frame" in reasons["still.dcm"]


def test_damaged_images_are_not_forgotten(tmp_path: Path) -> None:
    whole = polar_file(tmp_path / "whole.dcm", polar_frames(2)).read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:400])
    (tmp_path / "empty.dcm").touch()
    assert [one.path.stem for one in find(tmp_path).members] == ["cut", "empty", "whole"]


def test_tiffs_of_many_pages_are_one_each(tmp_path: Path) -> None:
    pages = np.zeros((3, 8, 8), dtype=np.uint8)
    for name in ("a.tif", "b.tiff"):
        tifffile.imwrite(tmp_path / name, pages, photometric="minisblack")
    assert [one.path.name for one in find(tmp_path).members] == ["a.tif", "b.tiff"]
    (tmp_path / "a.tif").write_bytes(b"II*")
    assert [one.path.name for one in find(tmp_path).members] == ["a.tif", "b.tiff"]
    (tmp_path / "b.tiff").unlink()
    tifffile.imwrite(tmp_path / "a.tif", pages[0], photometric="minisblack")
    with pytest.raises(CalcViewerError, match="No pullback"):
        find(tmp_path)


def test_arrays_but_not_labels(tmp_path: Path) -> None:
    write_labels(
        tmp_path / "labels.npz",
        iter([label_map()]),
        grid=GRID,
        frame_count=1,
        frame_pitch_mm=0.2,
    )
    np.save(tmp_path / "frames.npy", np.zeros((2, 8, 8)))
    assert names(find(tmp_path)) == [f"{tmp_path.name}-frames"]


def test_results_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("in/a.dcm", "in/.trash/b.dcm", "in/out/c.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        polar_file(tmp_path / name, polar_frames(2))
    assert names(find(tmp_path / "in", leave_out=tmp_path / "in" / "out")) == ["in-a"]


def test_what_cannot_be_opened_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    polar_file(tmp_path / "oct.dcm", polar_frames(2))
    (tmp_path / "dangling.dcm").symlink_to(tmp_path / "nowhere")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find(tmp_path)
    assert names(found) == [f"{tmp_path.name}-oct"]
    reasons = {one.path.name: one.reason for one in found.passed_over}
    assert "No such file" in reasons["dangling.dcm"]
    assert "Permission denied" in reasons["closed"]


def test_the_same_file_counts_once(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "a.dcm", polar_frames(2))
    (tmp_path / "link.dcm").symlink_to(path)
    assert names(find(path, tmp_path, tmp_path / "link.dcm")) == [f"{tmp_path.name}-a"]


def test_a_missing_file_counts_and_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    assert names(find(tmp_path / "missing.dcm")) == [f"{tmp_path.name}-missing"]
    with pytest.raises(CalcViewerError, match="No pullback was found"):
        find(tmp_path)


def test_names_are_not_endless(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 90) / ("b" * 90 + ".dcm")
    path.parent.mkdir()
    polar_file(path, polar_frames(2))
    (name,) = names(find(tmp_path))
    assert len(name) == 100
    assert name.endswith("b" * 90)
