from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import is_dicom, lossy_compression, read_header
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


def test_frame_rate_from_rotation_before_a_line_rate_never_from_cine(tmp_path: Path) -> None:
    rates = {"CineRate": 30, "ALineRate": 50_000.0, "ALinesPerFrame": 500}
    path = small(tmp_path / "a.dcm", **rates)
    assert read_header(path).acquisition.frames_per_second == 100
    path = small(tmp_path / "a.dcm", **rates, CatheterRotationalRate=180.0)
    assert read_header(path).acquisition.frames_per_second == 180
    path = small(tmp_path / "a.dcm", CineRate=30)
    acquisition = read_header(path).acquisition
    assert (acquisition.frames_per_second, acquisition.cine_rate) == (None, 30)


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


@pytest.mark.filterwarnings("ignore")  # of pydicom, as it writes what it should not
def test_odd_texts_are_shown_in_one_short_line(tmp_path: Path) -> None:
    path = small(tmp_path / "x.dcm", Manufacturer="A\x1b[31m\nB" + "c" * 200)
    shown = read_header(path).manufacturer
    assert shown.startswith("A?[31m?B")
    assert len(shown) < 70


def test_a_number_of_frames_that_is_none(tmp_path: Path) -> None:
    path = small(tmp_path / "x.dcm")
    data = path.read_bytes()
    at = data.index(b"(\0\x08\0IS\x02\x00") + 8
    path.write_bytes(data[:at] + b"x?" + data[at + 2 :])
    with pytest.raises(UnreadableInputError, match="Number of Frames is no number"):
        read_header(path)


@pytest.mark.parametrize(
    ("stated", "syntax", "said"),
    [
        ({}, "1.2.840.10008.1.2.1", ""),
        (
            {"LossyImageCompression": "00"},
            "1.2.840.10008.1.2.4.91",
            "JPEG 2000, which may be lossy",
        ),
        ({"LossyImageCompression": "01"}, "1.2.840.10008.1.2.1", "lossy"),
        (
            {"LossyImageCompression": "01", "LossyImageCompressionRatio": [8, 2.5]},
            "1.2.840.10008.1.2.4.91",
            "lossy, JPEG 2000, 8 : 1, 2.5 : 1",
        ),
        ({}, "1.2.840.10008.1.2.4.50", "lossy, JPEG"),
        ({}, "1.2.840.10008.1.2.4.90", ""),
    ],
)
def test_what_compression_may_have_lost(stated: dict[str, object], syntax: str, said: str) -> None:
    dataset = Dataset()
    for name, value in stated.items():
        setattr(dataset, name, value)
    assert lossy_compression(dataset, syntax) == said
