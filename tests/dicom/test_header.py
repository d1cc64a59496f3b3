from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import is_dicom, read_header
from tests.dicom.samples import image_file, polar_file, polar_frames


def small(path: Path, **attributes: object) -> Path:
    return image_file(path, np.zeros((2, 8, 8), dtype=np.uint8), **attributes)


def test_per_frame_attributes(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(3))
    dataset = dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    del shared.IntravascularOCTFrameContentSequence
    for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        content, distance = Dataset(), Dataset()
        content.OCTZOffsetCorrection = -index
        content.SeamLineIndex = 2 * index
        content.NumberOfPaddedALines = 4
        distance.IntravascularLongitudinalDistance = 0.2
        group.IntravascularOCTFrameContentSequence = [content]
        group.IntravascularFrameContentSequence = [distance]
    dataset.save_as(path)
    acquisition = read_header(path).acquisition
    assert acquisition.z_offsets_px == (0, -1, -2)
    assert acquisition.seam_indices == (0, 2, 4)
    assert acquisition.padded_a_lines == 4
    assert acquisition.longitudinal_mm == (0.2, 0.2, 0.2)


def test_largest_ultrasound_region_gives_the_spacing_in_mm(tmp_path: Path) -> None:
    def region(size: int, delta_cm: float, units: int = 3) -> Dataset:
        item = Dataset()
        item.RegionLocationMinX0 = item.RegionLocationMinY0 = 0
        item.RegionLocationMaxX1 = item.RegionLocationMaxY1 = size
        item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
        item.PhysicalDeltaX = item.PhysicalDeltaY = delta_cm
        return item

    regions = [region(4, 0.5), region(8, 0.0014225), region(9, 0.7, units=4)]
    path = small(tmp_path / "us.dcm", Modality="US", SequenceOfUltrasoundRegions=regions)
    spacing = read_header(path).acquisition.region_spacing_mm
    assert spacing == pytest.approx((0.014225, 0.014225))


def test_frame_rate_from_rotation_before_a_line_rate_before_cine(tmp_path: Path) -> None:
    rates = {"CineRate": 30, "ALineRate": 50_000.0, "ALinesPerFrame": 500}
    path = small(tmp_path / "a.dcm", **rates)
    assert read_header(path).acquisition.frames_per_second == 100
    path = small(tmp_path / "a.dcm", **rates, CatheterRotationalRate=180.0)
    assert read_header(path).acquisition.frames_per_second == 180
    path = small(tmp_path / "a.dcm", CineRate=30)
    assert read_header(path).acquisition.frames_per_second == 30


@pytest.mark.parametrize(
    ("modality", "sop_class"),
    [
        ("CT", CTImageStorage),
        ("MR", MRImageStorage),
        ("SR", "1.2.840.10008.5.1.4.1.1.88.33"),
        ("RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3"),
        ("RTDOSE", "1.2.840.10008.5.1.4.1.1.481.2"),
    ],
)
def test_other_modalities_are_refused_by_name(
    tmp_path: Path, modality: str, sop_class: str
) -> None:
    path = small(tmp_path / "x.dcm", Modality=modality, SOPClassUID=sop_class)
    with pytest.raises(UnreadableInputError, match=rf"x\.dcm holds modality {modality}"):
        read_header(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "0 bytes"), (b"this is a text, not an image\n" * 30, "not a readable DICOM file")],
)
def test_files_that_are_no_dicom(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=fault) as caught:
        read_header(path)
    assert str(path) in caught.value.message


def test_header_cut_off_at_any_byte_is_a_clear_error(tmp_path: Path) -> None:
    whole = polar_file(tmp_path / "p.dcm", polar_frames(1)).read_bytes()
    path = tmp_path / "cut.dcm"
    for length in range(1, 3000, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableInputError, match=r"cut\.dcm"):
            DicomFrames(read_header(path)).check()


@pytest.mark.parametrize("name", ["Rows", "Columns", "BitsAllocated"])
def test_missing_pixel_attributes_are_named(tmp_path: Path, name: str) -> None:
    path = small(tmp_path / "x.dcm", **{name: None})
    with pytest.raises(UnreadableInputError, match=f"lacks {name}"):
        read_header(path)


@pytest.mark.parametrize(
    ("name", "value"), [("Rows", 60000), ("BitsAllocated", 32), ("SamplesPerPixel", 4)]
)
def test_impossible_formats_are_refused(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(UnreadableInputError, match="no OCT pullback has"):
        read_header(small(tmp_path / "x.dcm", **{name: value}))


def test_damaged_palette(tmp_path: Path) -> None:
    path = small(
        tmp_path / "x.dcm",
        RedPaletteColorLookupTableDescriptor=[256, 0, 8],
        RedPaletteColorLookupTableData=bytes(10),
    )
    with pytest.raises(UnreadableInputError, match="damaged colour palette"):
        read_header(path)


def test_is_dicom_by_preamble_or_name(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(1))
    bare = path.rename(tmp_path / "IM0001")
    assert is_dicom(bare)
    other = tmp_path / "notes.txt"
    other.write_text("text")
    assert not is_dicom(other)
