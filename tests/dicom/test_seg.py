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
from calcviewer.dicom.codes import EEL_SEGMENT
from calcviewer.dicom.seg import PixelPlanes, SegPixels, algorithm_type, write_seg
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
    EEL_SEGMENT.number: Provenance.MANUAL,
}
# Frames 1 and 4 are empty; 7 x 9 pixels make frames that do not end at a whole byte.
LABELS = np.random.default_rng(0).integers(0, 4, (5, 7, 9)).astype(np.uint8)
LABELS[[0, 3]] = 0


def written(
    folder: Path, labels: np.ndarray, source: ResultSource, eel: np.ndarray | None = None
) -> Path:
    path = folder / "a.seg.dcm"
    write_seg(
        path,
        SegPixels(labels=labels, eel=eel),
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


@pytest.mark.parametrize("shape", [(7, 9), (8, 16)], ids=["within bytes", "whole bytes"])
@pytest.mark.parametrize("labelled", [True, False])
def test_what_covers_the_others_is_a_segment_of_its_own(
    tmp_path: Path, shape: tuple[int, int], *, labelled: bool
) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (5, *shape)).astype(np.uint8) * np.uint8(labelled)
    labels[[0, 3]] = 0
    eel = np.zeros_like(labels)
    eel[[1, 3]] = EEL_SEGMENT.number * rng.integers(0, 2, (2, *shape))
    source = source_of([polar_file(tmp_path / "a.dcm", polar_frames(5))])
    path = written(tmp_path, labels, source, eel)
    assert_valid(path)
    header = read_seg_header(path)
    for index in range(5):
        np.testing.assert_array_equal(header.labels(index), labels[index])
        back = header.eel(index)
        assert (back is None) == (index not in (1, 3))
        assert back is None or np.array_equal(back, eel[index])
    seg = highdicom.seg.segread(path)
    assert seg.SegmentsOverlap == ("YES" if labelled else "NO")
    described = seg.get_segment_description(EEL_SEGMENT.number)
    assert described.segmented_property_type.value == "414165007"
    assert described.algorithm_type.value == "MANUAL"
    frames = seg.get_pixels_by_source_frame(
        source.frames[0].sop_instance_uid, [2, 4], segment_numbers=[4]
    )
    np.testing.assert_array_equal(frames[..., 0] * EEL_SEGMENT.number, eel[[1, 3]])
    # Its planes are counted together with those of the other segments.
    places = {}
    for group in seg.PerFrameFunctionalGroupsSequence:
        depth = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
        places.setdefault(depth, set()).add(group.FrameContentSequence[0].DimensionIndexValues[1])
    assert [places[depth] for depth in sorted(places, reverse=True)] == [
        {rank} for rank in range(1, len(places) + 1)
    ]


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


@pytest.mark.parametrize(
    ("name", "known"),
    [("External Elastic Lamina", True), ("EEM_area", True), ("eel", True), ("Steel stent", False)],
)
def test_the_eel_of_others_is_known_by_a_word(tmp_path: Path, name: str, *, known: bool) -> None:
    path = written(tmp_path, LABELS, no_source())
    dataset = dcmread(path)
    item = dataset.SegmentSequence[2]
    item.SegmentedPropertyTypeCodeSequence[0].CodeValue = "1"
    item.SegmentLabel = name
    dataset.save_as(path)
    eel = read_seg_header(path).eel(1)
    assert (eel is not None) is known
    assert eel is None or np.array_equal(eel == EEL_SEGMENT.number, LABELS[1] == 3)


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
