"""Writes IVOCT DICOM objects frame by frame, so that a pullback never lies in memory.

Intravascular Optical Coherence Tomography Image IOD, PS3.3 A.66: For Processing (polar) and For
Presentation (Cartesian, with a colour table as supplemental palette). Multi-frame True Color
Secondary Capture, PS3.3 A.8.5: a pullback as many consoles export it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import Intensity
from calcviewer.dicom.header import FOR_PRESENTATION, FOR_PROCESSING
from calcviewer.dicom.ivoct_modules import (
    FRAMES_PER_SECOND,
    REFRACTIVE_INDEX,
    Identity,
    acquisition,
    common,
    decimal,
    grey_pixels,
    ivoct,
    linear_lut,
    new_uid,
    pixel_measures,
)

__all__ = [
    "RAMP_FIRST",
    "RAMP_LAST",
    "Identity",
    "console_palette",
    "new_uid",
    "write_for_presentation",
    "write_for_processing",
    "write_true_colour",
]

PolarValues: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]

TRUE_COLOUR_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.4"
RAMP_FIRST, RAMP_LAST = 10, 245
"""Palette indices of the ramp, as consoles have them; the others are drawing colours."""

_LARGEST_BYTES = 0xFFFFFFFE
_PALETTE_ENTRIES = 256 - RAMP_FIRST


def write_for_processing(
    path: Path,
    frames: Iterable[PolarValues],
    *,
    grid: PolarGrid,
    frame_pitch_mm: float,
    frame_count: int,
    intensity: Intensity,
    bits_stored: int = 16,
    log_range_db: float = 40.0,
    identity: Identity | None = None,
) -> None:
    """Write a polar pullback as an IVOCT For Processing image.

    A-line 0 is given as lying along +x and A-lines as running clockwise, so that the program reads
    the frames back as they were.

    Parameters
    ----------
    frames
        ``[a_line, sample]``, uint16, or uint8 with ``bits_stored`` 8; asked for one at a time.
    grid
        Its sample spacing is that in tissue; its zero radius is rounded to whole samples.
    bits_stored
        8, 12 or 16.
    log_range_db
        What the whole range of log values stands for; written as the way back to intensity.

    Raises
    ------
    CalcViewerError
        When a frame has another shape or type, there are more or fewer frames than said, or the
        file cannot be written; nothing is left behind then.
    """
    dataset = ivoct(FOR_PROCESSING, identity or Identity(), frame_count, frame_pitch_mm)
    dataset.PresentationIntentType = "FOR PROCESSING"
    dataset.PixelPresentation = "MONOCHROME"
    grey_pixels(dataset, grid.shape, bits_stored)
    acquisition(dataset, grid.a_lines, grid.end_radius_mm)
    dataset.EffectiveRefractiveIndex = REFRACTIVE_INDEX
    dataset.OCTZOffsetApplied = "NO"
    dataset.RefractiveIndexApplied = "YES"
    dataset.ALinePixelSpacing = grid.sample_spacing_mm
    dataset.PixelIntensityRelationship = "LOG" if intensity is Intensity.LOG else "LIN"
    dataset.FirstALineLocation = 90.0
    shared = dataset.SharedFunctionalGroupsSequence[0]
    content = Dataset()
    content.OCTZOffsetCorrection = round(grid.zero_radius_mm / grid.sample_spacing_mm)
    content.SeamLineIndex = 0
    shared.IntravascularOCTFrameContentSequence = [content]
    if intensity is Intensity.LOG:
        shared.PixelIntensityRelationshipLUTSequence = [linear_lut(bits_stored, log_range_db)]
    kind = np.dtype(np.uint8 if bits_stored == 8 else np.uint16)
    _write(path, dataset, frames, shape=grid.shape, kind=kind, frame_count=frame_count)


def write_for_presentation(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    shape: tuple[int, int],
    palette: NDArray[np.uint8],
    pixel_spacing_mm: float,
    frame_pitch_mm: float,
    frame_count: int,
    identity: Identity | None = None,
) -> None:
    """Write a Cartesian pullback as an IVOCT For Presentation image.

    Parameters
    ----------
    frames
        Palette indices ``[row, column]``, uint8, asked for one at a time.
    shape
        Rows and columns.
    palette
        Colours of all indices, uint8 ``(256, 3)``; those below `RAMP_FIRST` are stored as grey.

    Raises
    ------
    CalcViewerError
        As `write_for_processing`.
    """
    dataset = ivoct(FOR_PRESENTATION, identity or Identity(), frame_count, frame_pitch_mm)
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.PixelPresentation = "COLOR"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.InterpolationType = "BILINEAR"
    grey_pixels(dataset, shape, bits_stored=8)
    acquisition(dataset, 504, min(shape) / 2 * pixel_spacing_mm)
    for channel, name in enumerate(("Red", "Green", "Blue")):
        wide = palette[RAMP_FIRST:, channel].astype("<u2") * 257
        setattr(
            dataset,
            f"{name}PaletteColorLookupTableDescriptor",
            [_PALETTE_ENTRIES, RAMP_FIRST, 16],
        )
        setattr(dataset, f"{name}PaletteColorLookupTableData", wide.tobytes())
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence = [pixel_measures(pixel_spacing_mm, frame_pitch_mm)]
    content = Dataset()
    content.SeamLineLocation = 90.0
    shared.IntravascularFrameContentSequence = [content]
    _write(path, dataset, frames, shape=shape, kind=np.dtype(np.uint8), frame_count=frame_count)


def write_true_colour(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    shape: tuple[int, int],
    pixel_spacing_mm: float | None,
    frame_count: int,
    identity: Identity | None = None,
) -> None:
    """Write RGB frames as a Multi-frame True Color Secondary Capture, as consoles export them.

    Parameters
    ----------
    frames
        RGB ``[row, column, 3]``, uint8, asked for one at a time.
    pixel_spacing_mm
        None leaves it out, as many exports do.

    Raises
    ------
    CalcViewerError
        As `write_for_processing`.
    """
    dataset = common(TRUE_COLOUR_CAPTURE, identity or Identity(), frame_count)
    dataset.Modality = "OCT"
    dataset.Laterality = ""
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ""
    dataset.BurnedInAnnotation = "YES"
    dataset.FrameTime = f"{1000 / FRAMES_PER_SECOND:.6f}"
    dataset.FrameIncrementPointer = 0x00181063
    dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    if pixel_spacing_mm is not None:
        dataset.PixelSpacing = [decimal(pixel_spacing_mm)] * 2
        dataset.PixelSpacingCalibrationType = "GEOMETRY"
        dataset.PixelSpacingCalibrationDescription = "Simulated"
    _write(
        path, dataset, frames, shape=(*shape, 3), kind=np.dtype(np.uint8), frame_count=frame_count
    )


def console_palette(ramp: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a console's palette: a ramp at indices 10 to 245, drawing colours around it.

    Parameters
    ----------
    ramp
        Look-up table, uint8 ``(256, 3)``.

    Returns
    -------
    uint8 ``(256, 3)``; 246 is white, 247 cyan, 248 yellow.
    """
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    at = np.rint(np.linspace(0, 255, RAMP_LAST - RAMP_FIRST + 1)).astype(int)
    palette[RAMP_FIRST : RAMP_LAST + 1] = ramp[at]
    drawing = [(255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0), (255, 0, 0)]
    palette[RAMP_LAST + 1 :] = [drawing[k % len(drawing)] for k in range(255 - RAMP_LAST)]
    return palette


def _write(
    path: Path,
    dataset: Dataset,
    frames: Iterable[NDArray[np.generic]],
    *,
    shape: tuple[int, ...],
    kind: np.dtype[np.generic],
    frame_count: int,
) -> None:
    """Write header and frames to a temporary file beside the target, then rename it."""
    length = frame_count * math.prod(shape) * kind.itemsize
    if length > _LARGEST_BYTES:
        raise CalcViewerError(
            f"{path} would need {length / 1e9:.1f} GB of pixels; DICOM holds 4.2 GB.",
            "Write fewer frames.",
        )
    with staged_file(path) as stage, stage.open("wb") as stream:
        dcmwrite(stream, dataset, enforce_file_format=True)
        representation = b"OB" if kind.itemsize == 1 else b"OW"
        stream.write(struct.pack("<HH2sHL", 0x7FE0, 0x0010, representation, 0, length + length % 2))
        _append(stream, frames, shape, kind, frame_count)
        stream.write(b"\0" * (length % 2))


def _append(
    stream: BinaryIO,
    frames: Iterable[NDArray[np.generic]],
    shape: tuple[int, ...],
    kind: np.dtype[np.generic],
    frame_count: int,
) -> None:
    written = 0
    for frame in frames:
        if frame.shape != shape or frame.dtype != kind:
            raise CalcViewerError(
                f"Frame {written + 1} must have shape {shape} and type {kind}, got {frame.shape} "
                f"and {frame.dtype}."
            )
        if written < frame_count:
            stream.write(np.ascontiguousarray(frame, dtype=kind.newbyteorder("<")).tobytes())
        written += 1
    if written != frame_count:
        raise CalcViewerError(f"{frame_count} frames were announced, {written} were given.")
