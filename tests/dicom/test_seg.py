"""Segmentations hold the labels bit by bit, on the frames of their source."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom import dcmread

from calcviewer.core.annotation import Label, Provenance
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.study import ModelReference
from calcviewer.dicom.seg import PixelPlanes, algorithm_type, write_seg
from calcviewer.dicom.seg_reader import is_seg, read_seg_header
from calcviewer.dicom.source import ResultSource, no_source, source_of
from tests.dicom.samples import GRID, polar_file, polar_frames
from tests.result_studies import assert_valid

MODEL = ModelReference("segnet", "2", "a" * 64, "cpu")
PLANES = PixelPlanes(pixel_spacing_mm=0.1, frame_pitch_mm=0.2, first_pixel_mm=(0.25, 0.0))
MADE = {
    Label.LUMEN: Provenance.AUTOMATIC,
    Label.CALCIUM: Provenance.SEMIAUTOMATIC,
    Label.GUIDEWIRE_SHADOW: Provenance.MANUAL,
}
# Frames 1 and 4 are empty; 7 x 9 pixels make frames that do not end at a whole byte.
LABELS = np.random.default_rng(0).integers(0, 4, (5, 7, 9)).astype(np.uint8)
LABELS[[0, 3]] = 0


def written(folder: Path, labels: np.ndarray, source: ResultSource) -> Path:
    path = folder / "a.seg.dcm"
    write_seg(
        path,
        labels,
        source=source,
        planes=PLANES,
        provenance=MADE,
        model=MODEL,
        reading_aids="{}",
        exact_contours=b"odd",
    )
    return path


@pytest.mark.parametrize("referenced", [True, False])
def test_labels_come_back_bit_by_bit(tmp_path: Path, *, referenced: bool) -> None:
    source = (
        source_of([polar_file(tmp_path / "a.dcm", polar_frames(5))]) if referenced else no_source()
    )
    header = read_seg_header(written(tmp_path, LABELS, source))
    assert header.frame_count == 5
    for index, labels in enumerate(LABELS):
        np.testing.assert_array_equal(header.labels(index), labels)
    assert header.polar is referenced
    assert (header.frame_pitch_mm, header.pixel_spacing_mm) == (0.2, (0.1, 0.1))
    assert header.first_pixel_mm == (0.25, 0.0)
    assert (header.reading_aids, header.exact_contours) == ("{}", b"odd\0")


def test_it_says_who_made_what_and_from_which_frame(tmp_path: Path) -> None:
    source = source_of([polar_file(tmp_path / "a.dcm", polar_frames(5))])
    path = written(tmp_path, LABELS, source)
    assert_valid(path)
    seg = highdicom.seg.segread(path)
    described = [seg.get_segment_description(number) for number in (1, 2, 3)]
    assert [one.algorithm_type.value for one in described] == [
        "AUTOMATIC",
        "SEMIAUTOMATIC",
        "MANUAL",
    ]
    algorithm = described[0].algorithm_identification
    assert (algorithm.name, algorithm.version) == ("segnet", "2")
    assert algorithm.parameters == {"sha256": "a" * 64}
    assert described[2].algorithm_identification is None
    assert [one.segmented_property_type.value for one in described] == [
        "91747007",
        "237897009",
        "GUIDEWIRE_SHADOW",
    ]
    frames = seg.get_pixels_by_source_frame(
        source.frames[0].sop_instance_uid, [2, 5], combine_segments=True
    )
    np.testing.assert_array_equal(frames, LABELS[[1, 4]])


def test_an_empty_segmentation_can_be_written(tmp_path: Path) -> None:
    path = written(tmp_path, np.zeros((3, 7, 9), dtype=np.uint8), no_source())
    assert_valid(path)
    assert not read_seg_header(path).labels(1).any()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([Provenance.MANUAL] * 2, Provenance.MANUAL),
        ([Provenance.AUTOMATIC], Provenance.AUTOMATIC),
        ([Provenance.AUTOMATIC, Provenance.MANUAL], Provenance.SEMIAUTOMATIC),
        ([], Provenance.AUTOMATIC),
    ],
)
def test_mixed_frames_are_semiautomatic(made: list[Provenance], said: Provenance) -> None:
    assert algorithm_type(made) is said


def test_segments_of_others_are_known_by_code_or_word(tmp_path: Path) -> None:
    path = written(tmp_path, LABELS, no_source())
    dataset = dcmread(path)
    for item, (value, label) in zip(
        dataset.SegmentSequence,
        (("1", "Vessel LUMEN"), ("129759000", "X"), ("3", "stent")),
        strict=True,
    ):
        item.SegmentedPropertyTypeCodeSequence[0].CodeValue = value
        item.SegmentLabel = label
    dataset.save_as(path)
    labels = read_seg_header(path).labels(1)
    np.testing.assert_array_equal(labels, np.where(LABELS[1] == 3, 0, LABELS[1]))
    for item in dataset.SegmentSequence:
        item.SegmentLabel = "stent"
        item.SegmentedPropertyTypeCodeSequence[0].CodeValue = "1"
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match=r"neither lumen nor calcium .*stent"):
        read_seg_header(path)


def test_what_is_no_segmentation_is_named(tmp_path: Path) -> None:
    image = polar_file(tmp_path / "image.dcm", polar_frames(1, GRID.shape))
    with pytest.raises(UnreadableInputError, match=r"image\.dcm is no DICOM Segmentation"):
        read_seg_header(image)
    assert not is_seg(image)
    path = written(tmp_path, LABELS, no_source())
    assert is_seg(path)
    whole = path.read_bytes()
    for length in (0, 200, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableInputError, match=r"a\.seg\.dcm"):
            read_seg_header(path).labels(4)


def test_a_header_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, LABELS, no_source())
    dataset = dcmread(path)
    dataset.Rows = dataset.Columns = 60000
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match="60000 x 60000"):
        read_seg_header(path)
