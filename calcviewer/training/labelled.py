"""Training data from real frames whose lumen somebody drew, but not the calcium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calcviewer.app.voi_file import (
    LUMEN,
    NOT_LUMEN,
    OTHER,
    Labels,
    VoiMetadata,
    label_beyond,
    write_voi,
)
from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.geometry import resample
from calcviewer.core.pullback import Pullback
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, model_frame
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback


def write_labelled_vois(
    directory: Path,
    frames: Path,
    masks: Path,
    *,
    first: int,
    last: int,
    read_options: ReadOptions,
    frames_per_voi: int = 10,
    stride: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write consecutive real frames as VOIs with partial labels.

    Parameters
    ----------
    frames
        A folder of frames, as `read_pullback` opens it.
    masks
        A folder with one TIFF a frame, of the same stem: planes of 0 or 255, ``[row, column,
        plane]``. The first plane is the lumen; the others are tissue known not to be calcium (in
        the public data set of Danilov et al. 2025, doi 10.1016/j.compbiomed.2025.111061: fibrous
        cap, lipid core, vasa vasorum).
    first, last
        Frames to take, 0-based, inclusive. All VOIs name the folder as their source, so that a
        split never parts them.

    Returns
    -------
    The paths of the VOIs.

    Raises
    ------
    CalcViewerError
        A frame without a mask, or masks of another size.
    """
    pullback = read_pullback(frames, options=read_options)
    names = pullback.source.frame_names
    if not names or not 0 <= first <= last < len(names):
        raise CalcViewerError(f"{frames} does not hold frames {first + 1} to {last + 1}.")
    paths = []
    for start in range(first, last + 1, frames_per_voi):
        taken = range(start, min(start + frames_per_voi, last + 1))
        images = [model_frame(pullback, index) for index in taken]
        labels = [_partial_labels(pullback, _mask_of(masks, names[index])) for index in taken]
        name = f"{frames.resolve().parent.name}-{start + 1:04d}"
        metadata = VoiMetadata(
            name, "real", source=str(frames.resolve().parent.name), stride=stride, frame_step=1
        )
        stacked = np.stack(images).astype(np.float16)
        paths.append(write_voi(directory, metadata, images=stacked, labels=np.stack(labels)))
        if progress:
            progress(taken[-1] + 1 - first, last + 1 - first)
    return paths


def _mask_of(masks: Path, frame_name: str) -> NDArray[np.bool_]:
    """Read the planes that belong to a frame, bool ``[row, column, plane]``."""
    path = masks / f"{Path(frame_name).stem}.tiff"
    try:
        with BoundedFile(path) as stream, Image.open(stream) as picture:
            planes = np.asarray(picture)
    except Exception as error:  # a damaged file makes the parser fail in arbitrary ways
        raise UnreadableInputError(
            f"{path} cannot be read: {error}", "Every frame needs a mask of the same name."
        ) from error
    return np.asarray(planes.reshape(*planes.shape[:2], -1) > 0)


def _partial_labels(pullback: Pullback, planes: NDArray[np.bool_]) -> Labels:
    """Return lumen, "not lumen", and "other" where calcium is ruled out, on the model's grid."""
    grid = pullback.grid
    if planes.shape[:2] != grid.shape:
        raise CalcViewerError(f"A mask of {planes.shape[:2]} does not fit frames of {grid.shape}.")
    marked = np.full(grid.shape, NOT_LUMEN, dtype=np.uint8)
    marked[planes[..., 1:].any(axis=-1)] = OTHER
    marked[planes[..., 0]] = LUMEN
    labels = resample(marked, grid, MODEL_GRID, order=0).astype(np.uint8)
    beyond = int(np.searchsorted(MODEL_GRID.radii_mm(), pullback.field_radius_mm))
    return label_beyond(labels, beyond)
