from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import CartesianLayout, Intensity, Origin, PolarLayout, Pullback
from calcviewer.dicom.ivoct_writer import console_palette, write_for_presentation
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from calcviewer.modalities.ivoct.read_arrays import LoadedFrames
from calcviewer.modalities.ivoct.read_dicom import Negative
from tests.dicom.samples import GRID, cross_sections, image_file, polar_file, polar_frames


def altered(path: Path, **attributes: Any) -> Path:
    """Change attributes of a file as another manufacturer's; None takes one away."""
    dataset = dcmread(path)
    dataset.Manufacturer = "Maker"
    for name, value in attributes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def processing(tmp_path: Path, **attributes: Any) -> Pullback:
    path = polar_file(tmp_path / "p.dcm", polar_frames(3))
    return read_pullback(altered(path, **attributes))


def export(tmp_path: Path, count: int = 4, **attributes: Any) -> Pullback:
    frames = gold_table()[cross_sections(count)]
    return read_pullback(image_file(tmp_path / "e.dcm", frames, **attributes))


@pytest.mark.parametrize("intensity", list(Intensity))
def test_simulated_pullback_comes_back_as_it_was(tmp_path: Path, intensity: Intensity) -> None:
    frames = polar_frames(3)
    pullback = read_pullback(polar_file(tmp_path / "p.dcm", frames, intensity=intensity))
    assert pullback.frame_count == 3
    assert pullback.layout == PolarLayout(GRID.a_lines, GRID.samples)
    assert pullback.grid == GRID
    assert pullback.intensity is intensity
    calibration = pullback.calibration
    assert calibration.missing() == ()
    for value in (
        calibration.sample_spacing_mm,
        calibration.frame_pitch_mm,
        calibration.zero_radius_mm,
    ):
        assert value is not None
        assert value.origin is Origin.SIMULATED
    assert calibration.frame_pitch_mm.value == pytest.approx(0.2)  # type: ignore[union-attr]
    for index in range(3):
        np.testing.assert_array_equal(pullback.frames.intensity(index), frames[index])
        assert pullback.frames.display(index).dtype == np.uint8


def test_spacing_in_air_is_divided_by_the_refractive_index(tmp_path: Path) -> None:
    pullback = processing(
        tmp_path,
        RefractiveIndexApplied="NO",
        ALinePixelSpacing=0.0075,
        EffectiveRefractiveIndex=1.5,
    )
    spacing = pullback.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.value == pytest.approx(0.005)
    assert spacing.origin is Origin.DICOM
    assert "1.5" in spacing.note


def test_spacing_from_the_ranging_depth(tmp_path: Path) -> None:
    pullback = processing(
        tmp_path, ALinePixelSpacing=None, RangingDepth=6.0, EffectiveRefractiveIndex=1.5
    )
    spacing = pullback.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.value == pytest.approx(6.0 / 1.5 / GRID.samples)
    assert "Ranging Depth" in spacing.note


@pytest.mark.parametrize(
    "attributes",
    [
        {"RefractiveIndexApplied": None},
        {"RefractiveIndexApplied": "NO", "EffectiveRefractiveIndex": None},
        {"ALinePixelSpacing": None, "RangingDepth": None},
        {"ALinePixelSpacing": -1.0, "RangingDepth": 0.0},
    ],
)
def test_a_missing_spacing_is_never_guessed(tmp_path: Path, attributes: dict[str, object]) -> None:
    pullback = processing(tmp_path, **attributes)
    assert pullback.calibration.sample_spacing_mm is None
    assert pullback.calibration.missing() == ("sample spacing",)
    assert pullback.working_spacing_mm * GRID.samples == pytest.approx(5.0)


@pytest.mark.parametrize("spacing_mm", [1e300, 1e-300])
def test_an_impossible_spacing_is_noted_and_not_used(tmp_path: Path, spacing_mm: float) -> None:
    pullback = processing(tmp_path, ALinePixelSpacing=spacing_mm)
    assert pullback.calibration.sample_spacing_mm is None
    assert any("mm is impossible and not used" in note for note in pullback.notes)
    pullback = export(tmp_path, PixelSpacing=[spacing_mm, spacing_mm], SpacingBetweenSlices=1e9)
    assert pullback.calibration.missing() == ("sample spacing", "frame pitch")


def test_a_spacing_that_no_console_has_is_doubted(tmp_path: Path) -> None:
    assert not any("check the cal" in note for note in processing(tmp_path).notes)
    doubtful = processing(tmp_path, ALinePixelSpacing=1.0)
    assert doubtful.calibration.sample_spacing_mm is not None
    assert any("which no console shows: check the cal" in note for note in doubtful.notes)


def test_a_z_offset_longer_than_an_a_line_is_not_used(tmp_path: Path) -> None:
    path = altered(polar_file(tmp_path / "p.dcm", polar_frames(2)))
    dataset = dcmread(path)
    content = dataset.SharedFunctionalGroupsSequence[0].IntravascularOCTFrameContentSequence[0]
    content.OCTZOffsetCorrection = 40
    dataset.save_as(path)
    pullback = read_pullback(path)
    assert pullback.calibration.zero_radius_mm is None
    assert any("longer than an A-line and not used" in note for note in pullback.notes)


def test_z_offset_becomes_the_zero_radius(tmp_path: Path) -> None:
    path = altered(polar_file(tmp_path / "p.dcm", polar_frames(3)))
    dataset = dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    del shared.IntravascularOCTFrameContentSequence
    for group, offset in zip(dataset.PerFrameFunctionalGroupsSequence, (3, 5, 4), strict=True):
        content = Dataset()
        content.OCTZOffsetCorrection = offset
        content.SeamLineIndex = 0
        group.IntravascularOCTFrameContentSequence = [content]
    dataset.save_as(path)
    pullback = read_pullback(path)
    zero = pullback.calibration.zero_radius_mm
    assert zero is not None
    assert zero.value == pytest.approx(4 * GRID.sample_spacing_mm)
    assert zero.origin is Origin.DICOM
    stored = polar_frames(3)
    np.testing.assert_array_equal(pullback.frames.intensity(0)[:, :-1], stored[0][:, 1:])
    np.testing.assert_array_equal(pullback.frames.intensity(1)[:, 1:], stored[1][:, :-1])
    np.testing.assert_array_equal(pullback.frames.intensity(2), stored[2])


def test_applied_z_offset_is_zero_and_unknown_one_is_none(tmp_path: Path) -> None:
    zero = processing(tmp_path, OCTZOffsetApplied="YES").calibration.zero_radius_mm
    assert zero is not None
    assert zero.value == 0
    assert processing(tmp_path, OCTZOffsetApplied=None).calibration.zero_radius_mm is None


@pytest.mark.parametrize(
    ("location_deg", "direction", "expected"),
    [
        (90.0, "CW", [0, 1, 2]),
        (180.0, "CW", [6, 7, 8]),
        (0.0, "CW", [18, 19, 20]),
        (90.0, "CC", [0, 23, 22]),
        (180.0, "CC", [6, 5, 4]),
    ],
)
def test_a_lines_are_turned_to_where_they_are_displayed(
    tmp_path: Path, location_deg: float, direction: str, expected: list[int]
) -> None:
    """24 A-lines of 15 degrees; locations count clockwise from vertical, A-lines from +x."""
    pullback = processing(
        tmp_path, FirstALineLocation=location_deg, CatheterDirectionOfRotation=direction
    )
    stored, frame = polar_frames(3)[0], pullback.frames.intensity(0)
    for line, place in enumerate(expected):
        np.testing.assert_array_equal(frame[place], stored[line])


def test_padded_a_lines_are_dropped(tmp_path: Path) -> None:
    path = altered(polar_file(tmp_path / "p.dcm", polar_frames(2)))
    dataset = dcmread(path)
    content = dataset.SharedFunctionalGroupsSequence[0].IntravascularOCTFrameContentSequence[0]
    content.NumberOfPaddedALines = 4
    dataset.save_as(path)
    pullback = read_pullback(path)
    assert pullback.layout == PolarLayout(20, GRID.samples)
    np.testing.assert_array_equal(pullback.frames.intensity(1), polar_frames(2)[1][:20])


def distances(*values: float) -> dict[str, Any]:
    groups = []
    for value in values:
        group, content = Dataset(), Dataset()
        content.IntravascularLongitudinalDistance = value
        group.IntravascularFrameContentSequence = [content]
        groups.append(group)
    return {"PerFrameFunctionalGroupsSequence": groups}


@pytest.mark.parametrize(
    ("attributes", "pitch_mm", "origin"),
    [
        (distances(0.0, 0.125, 0.125, 0.125), 0.125, Origin.DICOM),
        (distances(0.0, 0.3, 0.6, 0.9), 0.3, Origin.DICOM),
        ({"SpacingBetweenSlices": 0.15}, 0.15, Origin.DICOM),
        ({"IVUSPullbackRate": 36, "CatheterRotationalRate": 180.0}, 0.2, Origin.DICOM),
        ({"IVUSPullbackRate": 20, "ALineRate": 5e4, "ALinesPerFrame": 500}, 0.2, Origin.DICOM),
        ({"IVUSPullbackRate": 20, "FrameTime": 10}, 0.2, Origin.DICOM),
        ({"IVUSPullbackRate": 20, "CineRate": 160}, 0.125, Origin.DICOM),
        ({"IVUSPullbackRate": 20, "CineRate": 30}, 0.2, Origin.VENDOR_RULE),
        ({"IVUSPullbackRate": 18, "FrameTime": 100}, 0.1, Origin.VENDOR_RULE),
        ({"IVUSPullbackRate": 36, "FrameTime": 100}, 0.2, Origin.VENDOR_RULE),
        ({"IVUSPullbackRate": 25}, 0.25, Origin.VENDOR_RULE),
        ({"IVUSPullbackRate": 17, "FrameTime": 100}, None, None),
        ({"FrameTime": 100}, None, None),
    ],
)
def test_frame_pitch_and_its_origin(
    tmp_path: Path, attributes: dict[str, Any], pitch_mm: float | None, origin: Origin | None
) -> None:
    pitch = export(tmp_path, **attributes).calibration.frame_pitch_mm
    if pitch_mm is None:
        assert pitch is None
        return
    assert pitch is not None
    assert pitch.value == pytest.approx(pitch_mm)
    assert pitch.origin is origin
    assert pitch.note


@pytest.mark.parametrize(
    ("acquisition", "motorised"),
    [("MOTORIZED", True), ("MEASURED", True), ("MANUAL", False), ("SELECTIVE", False)],
)
def test_acquisitions_without_a_motor_have_no_length(
    tmp_path: Path, acquisition: str, motorised: bool
) -> None:
    pullback = export(tmp_path, IVUSAcquisition=acquisition)
    assert pullback.motorised is motorised
    assert any("not motorised" in note for note in pullback.notes) is not motorised


def test_true_colour_export(tmp_path: Path) -> None:
    grey = cross_sections(6)
    pullback = export(tmp_path, 6, PixelSpacing=[0.0142, 0.0142], PatientID="A1")
    assert isinstance(pullback.layout, CartesianLayout)
    assert pullback.layout.centre_px == pytest.approx((79.5, 79.5), abs=0.7)
    assert pullback.intensity is Intensity.LOG
    assert pullback.source.header["patient_id"] == "A1"
    spacing = pullback.calibration.sample_spacing_mm
    assert spacing is not None
    assert (spacing.value, spacing.origin) == (0.0142, Origin.DICOM)
    found = pullback.frames.intensity(4)
    inside = found > 0
    assert inside.mean() > 0.6
    assert np.abs(found - grey[4])[inside].max() < 1.5
    np.testing.assert_array_equal(pullback.frames.display(4), gold_table()[grey[4]])


@pytest.mark.parametrize("modality", ["OCT", "OPT", "US", "OT", "IVOCT"])
def test_modalities_of_exports(tmp_path: Path, modality: str) -> None:
    assert export(tmp_path, Modality=modality).frame_count == 4


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
    frames = np.zeros((2, 8, 8), dtype=np.uint8)
    path = image_file(tmp_path / "x.dcm", frames, Modality=modality, SOPClassUID=sop_class)
    with pytest.raises(UnreadableInputError, match=rf"x\.dcm holds modality {modality} \("):
        read_pullback(path)


def test_images_without_a_circular_field_are_refused(tmp_path: Path) -> None:
    path = image_file(tmp_path / "e.dcm", polar_frames(2, (120, 160)).astype(np.uint8))
    with pytest.raises(UnreadableInputError, match=r"e\.dcm shows no circular image field"):
        read_pullback(path)


def palette_attributes(palette: np.ndarray, bits: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        attributes[f"{name}PaletteColorLookupTableDescriptor"] = [len(palette), 0, bits]
        column = palette[:, channel]
        data = column.tobytes() if bits == 8 else (column.astype("<u2") * 257).tobytes()
        attributes[f"{name}PaletteColorLookupTableData"] = data
    return attributes


@pytest.mark.parametrize("bits", [8, 16])
def test_palette_export_is_inverted_and_its_drawings_filled(tmp_path: Path, bits: int) -> None:
    palette = console_palette(gold_table())
    grey = cross_sections(4)
    indices = np.rint(10 + grey * (235 / 255)).astype(np.uint8)
    drawn = indices.copy()
    drawn[:, 120:123, 40:120] = 247
    path = image_file(
        tmp_path / "e.dcm", drawn, photometric="PALETTE COLOR", **palette_attributes(palette, bits)
    )
    pullback = read_pullback(path)
    assert tuple(pullback.frames.display(0)[121, 80]) == (0, 255, 255)
    found = pullback.frames.intensity(0)
    line = np.zeros(found.shape, bool)
    line[120:123, 40:120] = True
    inside = (found > 0) & ~line
    assert np.abs(found - grey[0])[inside].max() < 2.5
    assert abs(found[line & (found > 0)].mean() - grey[0][line].mean()) < 15


def test_palette_of_more_than_256_colours(tmp_path: Path) -> None:
    frames = cross_sections(4).astype(np.uint16) * 4
    colours = np.repeat(gold_table(), 4, axis=0)
    path = image_file(
        tmp_path / "e.dcm",
        frames,
        photometric="PALETTE COLOR",
        **palette_attributes(colours, 8),
    )
    pullback = read_pullback(path)
    np.testing.assert_array_equal(pullback.frames.display(1), colours[frames[1]])
    found = pullback.frames.intensity(1)
    assert np.abs(found - frames[1] // 4)[found > 0].max() < 1.5


def test_high_values_may_be_dark(tmp_path: Path) -> None:
    bright = cross_sections(4)
    path = image_file(tmp_path / "e.dcm", 255 - bright, photometric="MONOCHROME1")
    pullback = read_pullback(path)
    np.testing.assert_array_equal(pullback.frames.display(1), bright[1])
    found = pullback.frames.intensity(1)
    assert found[80, 120] > 0
    np.testing.assert_array_equal(found[found > 0], bright[1][found > 0])


def test_high_values_may_be_dark_in_twelve_bits_of_sixteen(tmp_path: Path) -> None:
    bright = cross_sections(4).astype(np.uint16) * 16
    path = image_file(
        tmp_path / "e.dcm", 4095 - bright, photometric="MONOCHROME1", BitsStored=12, HighBit=11
    )
    found = read_pullback(path).frames.intensity(1)
    assert found[80, 120] > 0
    np.testing.assert_array_equal(found[found > 0], bright[1][found > 0])


@pytest.mark.parametrize(
    ("signed", "bits", "stored", "expected"),
    [
        (False, 8, [[0, 255], [55, 200]], [[255, 0], [200, 55]]),
        (True, 16, [[-32768, 32767]], [[65535, 0]]),
        (True, 12, [[-2048, 2047]], [[4095, 0]]),
        (False, 200, [[0, 65535]], [[65535, 0]]),  # no file means this, but it can be written
    ],
)
def test_negatives(signed: bool, bits: int, stored: list[list[int]], expected: Any) -> None:
    kind = "i2" if signed else "u1" if bits == 8 else "u2"
    form = SimpleNamespace(signed=signed, bits_stored=bits, bits_allocated=8 * int(kind[1]))
    negative = Negative(LoadedFrames(np.array([stored], kind)), form)
    assert negative.count == 1
    np.testing.assert_array_equal(negative.frame(0), expected)
    assert negative.frame(0).dtype.kind == "u"


def test_a_spacing_that_differs_between_rows_and_columns_is_not_used(tmp_path: Path) -> None:
    pullback = export(tmp_path, PixelSpacing=[0.02, 0.03])
    assert pullback.calibration.sample_spacing_mm is None
    assert "Pixel Spacing differs between rows and columns and is not used." in pullback.notes


def test_for_presentation_of_the_simulator(tmp_path: Path) -> None:
    grey = cross_sections(4)
    path = tmp_path / "shown.dcm"
    write_for_presentation(
        path,
        iter(np.rint(10 + grey * (235 / 255)).astype(np.uint8)),
        shape=(160, 160),
        palette=console_palette(gold_table()),
        pixel_spacing_mm=0.05,
        frame_pitch_mm=0.2,
        frame_count=4,
    )
    pullback = read_pullback(path)
    assert pullback.calibration.missing() == ()
    found = pullback.frames.intensity(1)
    inside = found > 0
    assert np.abs(found - grey[1])[inside].max() < 2.5
    assert pullback.frames.display(1).shape == (160, 160, 3)


def test_suggestions_stay_suggestions(tmp_path: Path) -> None:
    frames = np.zeros((2, 704, 704), dtype=np.uint8)
    frames[:] = np.kron(cross_sections(1, size=88)[0], np.ones((8, 8), np.uint8))
    pullback = read_pullback(image_file(tmp_path / "e.dcm", frames))
    assert pullback.calibration.sample_spacing_mm is None
    assert sum("confirm it: 0.014225 mm per pixel" in note for note in pullback.notes) == 1
    assert sum("confirm it: 0.014936 mm per pixel" in note for note in pullback.notes) == 1
    frames = np.repeat(cross_sections(1, size=64), 270, axis=0)
    pullback = read_pullback(image_file(tmp_path / "f.dcm", frames))
    assert pullback.calibration.frame_pitch_mm is None
    assert any(
        "confirm it: pullback of 54 mm, 0.200 mm per frame" in note for note in pullback.notes
    )


def test_folder_of_single_frame_instances(tmp_path: Path) -> None:
    grey = cross_sections(5)
    for index, name in enumerate(["e", "a", "d", "b", "c"]):
        image_file(tmp_path / f"{name}.dcm", grey[index : index + 1], InstanceNumber=index + 1)
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    pullback = read_pullback(tmp_path)
    assert pullback.frame_count == 5
    assert pullback.source.frame_names == ("e", "a", "d", "b", "c")
    for index in range(5):
        np.testing.assert_array_equal(pullback.frames.display(index), grey[index])


def test_folder_of_several_pullbacks_is_refused(tmp_path: Path) -> None:
    polar_file(tmp_path / "a.dcm", polar_frames(2))
    polar_file(tmp_path / "b.dcm", polar_frames(2))
    with pytest.raises(UnreadableInputError, match=r"several pullbacks, among them a.dcm and b"):
        read_pullback(tmp_path)


def test_folder_of_mixed_sizes_is_refused(tmp_path: Path) -> None:
    image_file(tmp_path / "a.dcm", cross_sections(1, size=100))
    image_file(tmp_path / "b.dcm", cross_sections(1, size=120))
    with pytest.raises(UnreadableInputError, match=r"b\.dcm has 120 x 120 pixels"):
        read_pullback(tmp_path)


def test_operator_overrides_the_header(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(2))
    options = ReadOptions(sample_spacing_mm=0.05, frame_pitch_mm=0.1)
    calibration = read_pullback(path, options=options).calibration
    assert calibration.sample_spacing_mm is not None
    assert calibration.sample_spacing_mm.origin is Origin.OPERATOR
    assert calibration.frame_pitch_mm is not None
    assert calibration.frame_pitch_mm.value == 0.1
    # The offset is a number of samples and scales with them.
    assert calibration.zero_radius_mm is not None
    assert calibration.zero_radius_mm.value == pytest.approx(2 * 0.05)
