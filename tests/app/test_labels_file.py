"""Label files: round trip, and what is said about files that are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calcviewer.app.labels_file import read_labels, write_labels
from calcviewer.app.workflows import write_study_labels
from calcviewer.core.annotation import annotation_from_labels, labels_of_annotation
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import GRID, PITCH_MM, label_map, make_pullback


def write(path: Path, **members: object) -> Path:
    np.savez(path, **members)
    return path


@pytest.fixture
def maps() -> np.ndarray:
    return np.stack([label_map((20, 60)), label_map((350, 40), wire=(100, 30))])


def test_round_trip_keeps_every_label(tmp_path: Path, maps: np.ndarray) -> None:
    path = tmp_path / "labels.npz"
    hidden = np.zeros(maps.shape[:2], dtype=np.bool_)
    hidden[0, 30:50] = True
    write_labels(path, maps, grid=GRID, frame_count=2, frame_pitch_mm=PITCH_MM, back_hidden=hidden)
    study = read_labels(path, Protocol())
    for index, labels in enumerate(maps):
        np.testing.assert_array_equal(labels_of_annotation(study.predictions[index], GRID), labels)
    (sector,) = study.predictions[0].hidden_back
    assert (sector.start_deg, sector.extent_deg) == (30.0, 20.0)
    assert study.calibration.sample_spacing_mm is not None
    assert study.calibration.sample_spacing_mm.origin is Origin.FILE
    np.testing.assert_array_equal(np.load(path)["labels"], maps)


def test_display_shows_the_frame_asked_for(tmp_path: Path, maps: np.ndarray) -> None:
    path = write(tmp_path / "labels.npz", labels=maps, sample_spacing_mm=0.01)
    frames = read_labels(path, Protocol()).pullback.frames
    for index in (1, 0, 1):
        shown = frames.display(index)
        assert shown.shape == maps[index].shape
        for label in np.unique(maps[index]):
            (level,) = np.unique(shown[maps[index] == label])
            assert ((shown == level) == (maps[index] == label)).all()


def test_pitch_and_zero_radius_are_optional(tmp_path: Path, maps: np.ndarray) -> None:
    path = write(tmp_path / "labels.npz", labels=maps, sample_spacing_mm=0.01)
    study = read_labels(path, Protocol())
    assert study.calibration.frame_pitch_mm is None
    assert study.calibration.missing() == ("frame pitch",)


def test_labels_without_calibration_give_no_millimetres(tmp_path: Path, maps: np.ndarray) -> None:
    path = tmp_path / "labels.npz"
    write_labels(path, maps, grid=GRID, frame_count=2, frame_pitch_mm=None, calibrated=False)
    assert read_labels(path, Protocol()).calibration.sample_spacing_mm is None


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"sample_spacing_mm": 0.01}, "labels is missing"),
        ({"labels": np.zeros((2, 8, 8), np.uint8)}, "sample_spacing_mm is missing"),
        ({"labels": np.zeros((8, 8), np.uint8), "sample_spacing_mm": 0.01}, "must be uint8"),
        ({"labels": np.zeros((2, 8, 8)), "sample_spacing_mm": 0.01}, "must be uint8"),
        ({"labels": np.full((2, 8, 8), 9, np.uint8), "sample_spacing_mm": 0.01}, "label 9"),
        (
            {
                "labels": np.zeros((2, 8, 8), np.uint8),
                "sample_spacing_mm": 0.01,
                "back_hidden": np.zeros((2, 9), np.bool_),
            },
            r"back_hidden must be bool \(2, 8\)",
        ),
        ({"labels": np.zeros((2, 8, 8), np.uint8), "sample_spacing_mm": -1.0}, "positive"),
        ({"labels": np.zeros((2, 8, 8), np.uint8), "sample_spacing_mm": np.nan}, "one number"),
        ({"labels": np.zeros((2, 8, 8), np.uint8), "sample_spacing_mm": "x"}, "one number"),
        ({"labels": np.array([{}], dtype=object), "sample_spacing_mm": 0.01}, "labels"),
    ],
)
def test_wrong_members_are_named(tmp_path: Path, members: dict[str, object], reason: str) -> None:
    path = write(tmp_path / "labels.npz", **members)
    with pytest.raises(UnreadableInputError, match=reason):
        read_labels(path, Protocol())


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="no such file"):
        read_labels(tmp_path / "none.npz", Protocol())


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.npz"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError, match="not a readable label file"):
        read_labels(path, Protocol())


def test_truncated_file(tmp_path: Path, maps: np.ndarray) -> None:
    path = write(tmp_path / "labels.npz", labels=maps, sample_spacing_mm=0.01)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableInputError):
        read_labels(path, Protocol())


def test_header_that_claims_more_than_there_is(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "labels.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("labels.npy", "w") as member:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 480, 960)}
        np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(path, "a") as archive, archive.open("sample_spacing_mm.npy", "w") as one:
        np.lib.format.write_array(one, np.array(0.01))
    with pytest.raises(UnreadableInputError, match="cut short or too large"):
        read_labels(path, Protocol())


def test_labels_are_written_on_the_scale_in_force(tmp_path: Path) -> None:
    maps = [label_map((20, 60))]
    pullback = make_pullback(1)
    predictions = {0: annotation_from_labels(maps[0], GRID)}
    spacing = CalibratedValue(2 * GRID.sample_spacing_mm, Origin.OPERATOR)
    calibration = replace(pullback.calibration, sample_spacing_mm=spacing)
    study = Study(pullback, Protocol(), predictions, review=Review(calibration=calibration))
    write_study_labels(tmp_path / "labels.npz", study)
    again = read_labels(tmp_path / "labels.npz", Protocol())
    assert again.calibration.sample_spacing_mm is not None
    assert again.calibration.sample_spacing_mm.value == spacing.value
    deposit = again.predictions[0].calcium[0]
    assert deposit.area_mm2 == pytest.approx(4 * predictions[0].calcium[0].area_mm2, rel=0.01)
