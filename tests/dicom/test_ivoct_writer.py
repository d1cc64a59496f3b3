from __future__ import annotations

import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import Intensity
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import FOR_PRESENTATION, FOR_PROCESSING, read_header
from calcviewer.dicom.ivoct_writer import (
    RAMP_FIRST,
    RAMP_LAST,
    Identity,
    console_palette,
    write_for_presentation,
    write_for_processing,
    write_true_colour,
)
from tests.dicom.samples import GRID, polar_file, polar_frames

GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def dicom_errors(path: Path) -> list[str]:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian dicom3tools) is not installed")
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    report = (done.stdout + done.stderr).splitlines()
    assert any("Image" in line for line in report), report
    return [line for line in report if line.startswith("Error")]


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("intensity", list(Intensity))
def test_for_processing_returns_every_sample(
    tmp_path: Path, bits: int, intensity: Intensity
) -> None:
    frames = polar_frames(3, top=2**bits - 1)
    stored = frames.astype(np.uint8) if bits == 8 else frames
    path = polar_file(tmp_path / "p.dcm", stored, bits_stored=bits, intensity=intensity)

    header = read_header(path)
    assert header.sop_class_uid == FOR_PROCESSING
    assert header.simulated
    assert header.acquisition.intensity_relationship == (
        "LOG" if intensity is Intensity.LOG else "LIN"
    )
    assert header.acquisition.a_line_spacing_mm == GRID.sample_spacing_mm
    reader = DicomFrames(header)
    for index, frame in enumerate(stored):
        np.testing.assert_array_equal(reader.frame(index), frame)
    assert dicom_errors(path) == []


def test_for_presentation_keeps_indices_palette_and_scale(tmp_path: Path) -> None:
    palette = console_palette(GREY)
    frames = np.random.default_rng(1).integers(0, 256, (3, 30, 31)).astype(np.uint8)
    path = tmp_path / "shown.dcm"
    write_for_presentation(
        path,
        iter(frames),
        shape=(30, 31),
        palette=palette,
        pixel_spacing_mm=0.0142,
        frame_pitch_mm=0.1,
        frame_count=3,
    )
    header = read_header(path)
    assert header.sop_class_uid == FOR_PRESENTATION
    assert header.palette is not None
    assert header.palette.first == RAMP_FIRST
    np.testing.assert_array_equal(header.palette.colours, palette[RAMP_FIRST:])
    assert header.acquisition.pixel_spacing_mm == (0.0142, 0.0142)
    np.testing.assert_array_equal(DicomFrames(header).frame(2), frames[2])
    assert dicom_errors(path) == []


def test_true_colour_round_trip(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (2, 9, 11, 3)).astype(np.uint8)
    path = tmp_path / "rgb.dcm"
    write_true_colour(path, iter(frames), shape=(9, 11), pixel_spacing_mm=None, frame_count=2)
    header = read_header(path)
    assert header.acquisition.pixel_spacing_mm is None
    np.testing.assert_array_equal(DicomFrames(header).frame(1), frames[1])
    assert dicom_errors(path) == []


def test_objects_of_one_pullback_share_the_study(tmp_path: Path) -> None:
    identity = Identity(study_uid="2.25.42", patient_id="P1")
    headers = [
        read_header(polar_file(tmp_path / f"{k}.dcm", polar_frames(1), identity=identity))
        for k in range(2)
    ]
    assert {header.study_instance_uid for header in headers} == {"2.25.42"}
    assert len({header.sop_instance_uid for header in headers}) == 2
    assert all(header.sop_instance_uid.startswith("2.25.") for header in headers)
    assert headers[0].printed["patient_id"] == "P1"


@pytest.mark.parametrize("given", [2, 4])
def test_wrong_number_of_frames_leaves_nothing(tmp_path: Path, given: int) -> None:
    with pytest.raises(CalcViewerError, match=f"3 frames were announced, {given} were given"):
        write_for_processing(
            tmp_path / "p.dcm",
            iter(polar_frames(given)),
            grid=GRID,
            frame_pitch_mm=0.2,
            frame_count=3,
            intensity=Intensity.LOG,
        )
    assert list(tmp_path.iterdir()) == []


def test_wrong_shape_and_failing_source_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="must have shape"):
        polar_file(tmp_path / "p.dcm", polar_frames(2, (24, 39)))

    def failing() -> Iterator[np.ndarray]:
        yield polar_frames(1)[0]
        raise RuntimeError("the simulation stopped")

    with pytest.raises(RuntimeError):
        write_for_processing(
            tmp_path / "p.dcm",
            failing(),
            grid=GRID,
            frame_pitch_mm=0.2,
            frame_count=2,
            intensity=Intensity.LOG,
        )
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_survives_a_failed_write(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(1))
    before = path.read_bytes()
    with pytest.raises(CalcViewerError):
        polar_file(path, polar_frames(2, (3, 3)))
    assert path.read_bytes() == before


def test_unwritable_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="could not be written"):
        polar_file(tmp_path / "nowhere" / "p.dcm", polar_frames(1))


def test_writing_streams(tmp_path: Path) -> None:
    grid = PolarGrid(200, 500, 0.01)
    frame = np.zeros(grid.shape, dtype=np.uint16)
    tracemalloc.start()
    write_for_processing(
        tmp_path / "p.dcm",
        (frame for _ in range(100)),
        grid=grid,
        frame_pitch_mm=0.1,
        frame_count=100,
        intensity=Intensity.LINEAR,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.25 * 100 * frame.nbytes


def test_console_palette_has_the_ramp_between_drawing_colours() -> None:
    palette = console_palette(GREY)
    assert tuple(palette[RAMP_FIRST]) == (0, 0, 0)
    assert tuple(palette[RAMP_LAST]) == (255, 255, 255)
    assert np.all(np.diff(palette[RAMP_FIRST : RAMP_LAST + 1, 0].astype(int)) >= 0)
    assert tuple(palette[RAMP_LAST + 2]) == (0, 255, 255)
