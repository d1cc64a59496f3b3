from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import CartesianLayout, Intensity, Origin, PolarLayout
from calcviewer.dicom.ivoct_writer import write_for_processing
from calcviewer.modalities.ivoct.assemble import sheath_of
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from tests.dicom.samples import cross_sections, polar_file, polar_frames

REAL = Path(__file__).parents[4] / "shared" / "data" / "ivoct-real-001" / "frames"


def write_folder(folder: Path, frames: np.ndarray) -> Path:
    folder.mkdir(exist_ok=True)
    for index, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"f_{index}.png")
    return folder


def test_folder_of_colour_frames(tmp_path: Path) -> None:
    grey = cross_sections(12)
    folder = write_folder(tmp_path / "case 7", gold_table()[grey])
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("patient was calm")
    pullback = read_pullback(folder)
    assert pullback.name == "case 7"
    assert pullback.frame_count == 12
    assert pullback.source.frame_names[9:] == ("f_10", "f_11", "f_12")
    assert isinstance(pullback.layout, CartesianLayout)
    assert pullback.calibration.missing() == ("sample spacing", "frame pitch")
    assert any("circular field" in note for note in pullback.notes)
    assert any("1 other file" in note for note in pullback.notes)
    found = pullback.frames.intensity(10)
    assert np.abs(found - grey[10])[found > 0].max() < 1.5


def test_unknown_scale_works_on_the_catheter_but_is_not_reported(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", cross_sections(9, size=320, sheath_px=32))
    pullback = read_pullback(folder)
    assert pullback.calibration.sample_spacing_mm is None
    assert pullback.working_spacing_mm == pytest.approx(0.45 / 32, rel=0.03)


def test_frames_are_centred_on_rings_off_the_field_s_centre(tmp_path: Path) -> None:
    frames = cross_sections(9, size=320, sheath_px=32, centre=(166.5, 159.5))
    y, x = np.mgrid[:320, :320]
    frames[:, np.hypot(x - 159.5, y - 159.5) > 140] = 0
    pullback = read_pullback(write_folder(tmp_path / "f", frames))
    assert isinstance(pullback.layout, CartesianLayout)
    assert pullback.layout.centre_px == pytest.approx((166.5, 159.5), abs=1)
    assert any("Centred on the catheter's rings" in note for note in pullback.notes)


def test_unknown_scale_without_catheter_takes_a_field_of_five_mm(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", polar_frames(2, (90, 250)))
    pullback = read_pullback(tmp_path / "p.npy")
    assert pullback.working_spacing_mm == pytest.approx(5.0 / 250)
    assert pullback.calibration.missing() == ("sample spacing", "frame pitch")


def test_catheter_calibration_of_cartesian_frames(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", cross_sections(9, size=320, sheath_px=32))
    options = ReadOptions(calibrate_on_catheter=True, catheter_diameter_mm=1.2)
    spacing = read_pullback(folder, options=options).calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.origin is Origin.CATHETER
    assert spacing.value == pytest.approx(0.6 / 32, rel=0.03)
    assert "1.20 mm" in spacing.note


def polar_catheter(count: int) -> np.ndarray:
    """Polar frames with a sheath that ends at sample 40 of 300."""
    rng = np.random.default_rng(0)
    frame = np.full((90, 300), 10.0)
    frame[:, 30:40] = 120
    frame[:, 120:] = 150 * np.exp(-np.arange(180) / 90)
    return (frame * rng.gamma(20, 0.05, (count, 90, 300))).astype(np.float32)


def test_catheter_calibration_of_polar_frames(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=polar_catheter(4), geometry="polar")
    np.savez(tmp_path / "b.npz", frames=polar_catheter(4), sample_spacing_mm=0.01)
    options = ReadOptions(calibrate_on_catheter=True)
    unknown = read_pullback(tmp_path / "a.npz", options=options).calibration
    assert unknown.sample_spacing_mm is not None
    assert unknown.sample_spacing_mm.value == pytest.approx(0.45 / 40, rel=0.03)
    known = read_pullback(tmp_path / "b.npz", options=options).calibration
    assert known.sample_spacing_mm is not None
    assert known.sample_spacing_mm.origin is Origin.FILE
    assert known.zero_radius_mm is not None
    assert known.zero_radius_mm.origin is Origin.CATHETER
    assert known.zero_radius_mm.value == pytest.approx(0.45 - 0.40, abs=0.012)


def test_catheter_calibration_without_catheter_is_a_clear_error(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", polar_frames(2, (90, 250)))
    with pytest.raises(CalcViewerError, match=r"p\.npy cannot be calibrated on the catheter"):
        read_pullback(tmp_path / "p.npy", options=ReadOptions(calibrate_on_catheter=True))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_polar_npz_with_its_calibration(tmp_path: Path, save: Any) -> None:
    frames = polar_frames(3)
    save(
        tmp_path / "p.npz",
        frames=frames,
        sample_spacing_mm=0.0052,
        frame_pitch_mm=0.2,
        zero_radius_mm=0.1,
        intensity="linear",
    )
    pullback = read_pullback(tmp_path / "p.npz")
    assert pullback.grid == PolarGrid(24, 40, 0.0052, 0.1)
    assert pullback.intensity is Intensity.LINEAR
    assert pullback.calibration.frame_pitch_mm is not None
    assert pullback.calibration.frame_pitch_mm.origin is Origin.FILE
    np.testing.assert_array_equal(pullback.frames.intensity(2), frames[2])


def test_another_spacing_scales_the_zero_radius_too(tmp_path: Path) -> None:
    """The zero radius is a number of samples, given in mm."""
    np.savez(
        tmp_path / "p.npz", frames=polar_frames(2), sample_spacing_mm=0.005, zero_radius_mm=0.1
    )
    options = ReadOptions(sample_spacing_mm=0.006)
    calibration = read_pullback(tmp_path / "p.npz", options=options).calibration
    assert calibration.sample_spacing_mm is not None
    assert calibration.sample_spacing_mm.origin is Origin.OPERATOR
    assert calibration.zero_radius_mm is not None
    assert calibration.zero_radius_mm.value == pytest.approx(0.12)
    assert calibration.zero_radius_mm.origin is Origin.FILE


def test_cartesian_npz(tmp_path: Path) -> None:
    frames = cross_sections(3)
    np.savez(tmp_path / "p.npz", frames=frames, geometry="cartesian", pixel_spacing_mm=0.03)
    pullback = read_pullback(tmp_path / "p.npz")
    assert isinstance(pullback.layout, CartesianLayout)
    spacing = pullback.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.value == 0.03


@pytest.mark.parametrize(
    ("extras", "fault"),
    [
        ({"geometry": "round"}, "geometry in .* is 'round'"),
        ({"intensity": "loud"}, "intensity in .* is 'loud'"),
        ({"frame_pitch_mm": "wide"}, "frame_pitch_mm in .* is no number"),
        ({"frame_pitch_mm": -1.0}, "frame_pitch_mm must be a positive number"),
        ({"sample_spacing_mm": 0.0}, "sample_spacing_mm must be a positive number"),
        ({"sample_spacing_mm": np.nan}, "sample_spacing_mm must be a positive number"),
    ],
)
def test_npz_with_wrong_extras(tmp_path: Path, extras: dict[str, Any], fault: str) -> None:
    np.savez(tmp_path / "p.npz", frames=polar_frames(1), **extras)
    with pytest.raises(CalcViewerError, match=fault):
        read_pullback(tmp_path / "p.npz")


def test_geometry_is_decided_from_the_picture_unless_given(tmp_path: Path) -> None:
    round_ones = write_folder(tmp_path / "round", cross_sections(3))
    flat = write_folder(tmp_path / "flat", polar_frames(3, (90, 140)).astype(np.uint8))
    assert isinstance(read_pullback(round_ones).layout, CartesianLayout)
    polar = read_pullback(flat)
    assert polar.layout == PolarLayout(90, 140)
    assert any("Taken as polar" in note for note in polar.notes)
    given = read_pullback(round_ones, options=ReadOptions(geometry="polar"))
    assert given.layout == PolarLayout(160, 160)
    assert not given.notes
    whole = read_pullback(flat, options=ReadOptions(geometry="cartesian"))
    assert isinstance(whole.layout, CartesianLayout)
    assert any("No circular image field" in note for note in whole.notes)


def test_two_formats_of_one_name_keep_their_endings(tmp_path: Path) -> None:
    grey = cross_sections(2)
    Image.fromarray(grey[0]).save(tmp_path / "a.bmp")
    Image.fromarray(grey[1]).save(tmp_path / "a.png")
    assert read_pullback(tmp_path).source.frame_names == ("a.bmp", "a.png")


def test_a_folder_with_one_tiff_is_its_pages(tmp_path: Path) -> None:
    pages = [Image.fromarray(frame) for frame in cross_sections(5)]
    pages[0].save(tmp_path / "pullback.tif", save_all=True, append_images=pages[1:])
    assert read_pullback(tmp_path).frame_count == 5


def test_a_geometry_that_the_file_contradicts_is_ignored_and_said(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(2))
    pullback = read_pullback(path, options=ReadOptions(geometry="cartesian"))
    assert isinstance(pullback.layout, PolarLayout)
    assert any("polar; the geometry given is ignored" in note for note in pullback.notes)


def test_a_catheter_in_frames_that_cannot_be_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", cross_sections(3))
    pullback = read_pullback(folder)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CalcViewerError, match="No frame of"):
        sheath_of(pullback)


def test_spacing_of_the_other_geometry_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", cross_sections(3))
    with pytest.raises(CalcViewerError, match="A sample spacing was given, but the frames are car"):
        read_pullback(folder, options=ReadOptions(sample_spacing_mm=0.01))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_impossible_options(value: float) -> None:
    with pytest.raises(CalcViewerError, match="frame_pitch_mm must be a positive number"):
        ReadOptions(frame_pitch_mm=value)


def test_a_single_image_is_a_single_frame(tmp_path: Path) -> None:
    Image.fromarray(cross_sections(1)[0]).save(tmp_path / "one.jpg")
    pullback = read_pullback(tmp_path / "one.jpg")
    assert pullback.frame_count == 1
    assert pullback.frames.intensity(0).shape == (160, 160)


def test_one_bad_frame_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", gold_table()[cross_sections(9)])
    path = folder / "f_5.png"
    path.write_bytes(path.read_bytes()[:3000])
    pullback = read_pullback(folder)
    assert pullback.frames.intensity(3).max() > 100
    with pytest.raises(UnreadableInputError, match=r"f_5\.png"):
        pullback.frames.intensity(4)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("missing.dcm", None, "does not exist"),
        ("empty.dcm", b"", "is empty"),
        ("empty.npz", b"", "is empty"),
        ("text.dcm", b"no image\n" * 60, "not a readable DICOM"),
        ("text.npz", b"no image\n" * 60, "not a readable NPZ"),
        ("text.npy", b"no image\n" * 60, "not a readable NPY"),
        ("text.png", b"no image\n" * 60, "cannot be read as an image"),
        ("text.tif", b"no image\n" * 60, "cannot be read as a TIFF"),
        ("text.doc", b"no image\n" * 60, "no file that holds a pullback"),
    ],
)
def test_damaged_inputs_name_file_and_fault(
    tmp_path: Path, name: str, content: bytes | None, fault: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=fault) as caught:
        read_pullback(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_folders_without_frames(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="holds no frames"):
        read_pullback(tmp_path)
    np.save(tmp_path / "a.npy", polar_frames(1))
    assert read_pullback(tmp_path).frame_count == 1
    np.save(tmp_path / "b.npy", polar_frames(1))
    with pytest.raises(UnreadableInputError, match="holds 2 arrays"):
        read_pullback(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(1))

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(UnreadableInputError, match=r"p\.dcm cannot be read: Permission denied"):
        read_pullback(path)


def test_bytes_damaged_at_random_never_escape_as_other_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = polar_file(tmp_path / "p.dcm", polar_frames(2)).read_bytes()
    path = tmp_path / "damaged.dcm"
    for _ in range(120):
        data = bytearray(whole)
        for place in rng.integers(0, 6000, 12):
            data[place] = rng.integers(0, 256)
        path.write_bytes(data)
        with contextlib.suppress(CalcViewerError):
            read_pullback(path).frames.intensity(0)


_OPEN = """
import re, sys, time
from pathlib import Path
from calcviewer.modalities.ivoct.read import read_pullback
start = time.perf_counter()
pullback = read_pullback(Path(sys.argv[1]))
pullback.frames.display(0)
first = time.perf_counter() - start
later = []
for index in (539, 200, 77):
    start = time.perf_counter()
    pullback.frames.intensity(index)
    later.append(time.perf_counter() - start)
# The high-water mark of this process alone; getrusage starts with that of the parent.
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1)
print(first, max(later), int(peak) / 1000, pullback.frame_count)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_large_pullback_opens_at_its_first_frame(tmp_path: Path) -> None:
    """540 frames of 16 bit, 523 MB: under 150 MB of memory, the interpreter included."""
    grid = PolarGrid(504, 960, 0.0052)
    frame = polar_frames(1, grid.shape)[0]
    path = tmp_path / "large.dcm"
    write_for_processing(
        path,
        (frame for _ in range(540)),
        grid=grid,
        frame_pitch_mm=0.1,
        frame_count=540,
        intensity=Intensity.LOG,
    )
    assert path.stat().st_size > 520e6
    done = subprocess.run(
        [sys.executable, "-c", _OPEN, str(path)], capture_output=True, text=True, check=True
    )
    path.unlink()
    first_s, later_s, peak_mb, count = (float(value) for value in done.stdout.split())
    print(
        f"first frame after {1000 * first_s:.0f} ms, any later one within {1000 * later_s:.0f} ms, "
        f"peak {peak_mb:.0f} MB"
    )
    assert count == 540
    assert peak_mb < 150


@pytest.mark.skipif(not REAL.is_dir(), reason="the real sequence is not on this machine")
def test_real_sequence() -> None:
    options = ReadOptions(calibrate_on_catheter=True)
    pullback = read_pullback(REAL, options=options)
    assert pullback.frame_count == 186
    layout = pullback.layout
    assert isinstance(layout, CartesianLayout)
    assert layout.centre_px == pytest.approx((373.7, 373.8), abs=1.0)
    assert layout.field_radius_px == pytest.approx(372, abs=1.5)
    spacing = pullback.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.value == pytest.approx(0.45 / 67.9, rel=0.015)
    frame = pullback.frames.intensity(0)
    assert frame.shape == (750, 750)
    assert 100 < frame.max() < 256
