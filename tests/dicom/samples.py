"""DICOM files and pictures of known content, for tests of the readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.pixels import get_encoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    generate_uid,
)

from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import Intensity
from calcviewer.dicom.ivoct_writer import write_for_processing

GRID = PolarGrid(a_lines=24, samples=40, sample_spacing_mm=0.1, zero_radius_mm=0.2)


def polar_frames(
    count: int, shape: tuple[int, int] = GRID.shape, *, seed: int = 0, top: int = 65535
) -> NDArray[np.uint16]:
    """Return random frames, ``[frame, a_line, sample]``."""
    values = np.random.default_rng(seed).integers(0, top, (count, *shape), endpoint=True)
    return values.astype(np.uint16)


def polar_file(path: Path, frames: NDArray[np.uint16], **options: Any) -> Path:
    """Write frames as a For Processing image."""
    settings: dict[str, Any] = {"frame_pitch_mm": 0.2, "intensity": Intensity.LOG, **options}
    write_for_processing(path, iter(frames), grid=GRID, frame_count=len(frames), **settings)
    return path


def image_file(
    path: Path,
    frames: NDArray[np.generic],
    *,
    syntax: str = ExplicitVRLittleEndian,
    photometric: str | None = None,
    **attributes: Any,
) -> Path:
    """Write frames, ``[frame, row, column]`` or with a colour axis, as a console's export.

    Attributes given as None are left out.
    """
    colour = frames.ndim == 4
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = dataset.StudyInstanceUID = "2.25.1"
    dataset.Modality = "OCT"
    dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = frames.shape[1:3]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = photometric or ("RGB" if colour else "MONOCHROME2")
    if colour:
        dataset.PlanarConfiguration = 0
    bits = 8 * frames.dtype.itemsize
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 0
    for name, value in attributes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    _write(path, dataset, frames, UID(syntax))
    return path


def _write(path: Path, dataset: Dataset, frames: NDArray[np.generic], syntax: UID) -> None:
    if syntax.is_compressed and not syntax.is_deflated:
        assert get_encoder(syntax).is_available
        dataset.compress(syntax, frames, generate_instance_uid=False)
    elif syntax == ExplicitVRBigEndian:
        dataset.PixelData = frames.astype(frames.dtype.newbyteorder(">")).tobytes()
        dataset["PixelData"].VR = "OB" if frames.dtype.itemsize == 1 else "OW"
    else:
        dataset.PixelData = frames.tobytes()
        dataset["PixelData"].VR = "OB" if frames.dtype.itemsize == 1 else "OW"
    dcmwrite(path, dataset, enforce_file_format=True)


def cross_sections(
    count: int = 6,
    *,
    size: int = 160,
    sheath_px: float = 24.0,
    centre: tuple[float, float] | None = None,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Return grey Cartesian frames: sheath rings, dark lumen, speckled tissue, black corners.

    The field's radius is ``0.48 * size``; shape ``(count, size, size)``.
    """
    rng = np.random.default_rng(seed)
    middle = (size - 1) / 2
    x_c, y_c = centre or (middle, middle)
    y, x = np.mgrid[:size, :size]
    radius, angle = np.hypot(x - x_c, y - y_c), np.arctan2(y - y_c, x - x_c)
    frames = []
    for index in range(count):
        lumen = 0.27 * size + 0.03 * size * np.cos(angle - index)
        depth = np.maximum(radius - lumen, 0)
        tissue = 190 * np.exp(-depth / (0.15 * size)) * (radius > lumen) + 30
        grey = np.where(radius < lumen, 12.0, tissue) * rng.gamma(12, 1 / 12, radius.shape)
        wall = (radius < sheath_px) & (radius > 0.75 * sheath_px)
        grey = np.where(radius < sheath_px, 25.0, grey)
        grey = np.where(wall, 110.0, grey)
        grey[radius > 0.48 * size] = 0
        frames.append(np.clip(grey, 0, 255).astype(np.uint8))
    return np.stack(frames)
