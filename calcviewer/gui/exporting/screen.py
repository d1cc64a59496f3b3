"""Writes pictures and animations of what is on screen, for an export."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from calcviewer.app.animation import AnimationSource, write_animation
from calcviewer.app.export import FileWriter
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import CartesianGrid, to_polar
from calcviewer.gui.exporting.snapshot import write_png
from calcviewer.gui.look_up_tables import colour_table, shows_own_colours
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import Display


def picture_writer(picture: QImage) -> FileWriter:
    """Return what writes a picture as PNG."""

    def write(path: Path) -> Iterator[float]:
        write_png(path, picture)
        yield 1.0

    return write


def animation_writer(
    shown: ShownStudy,
    display: Display,
    frames: range,
    *,
    speed: int,
    overlay: bool,
    field_only: bool,
) -> FileWriter:
    """Return what writes frames of the study as it is now, in the colours of the screen.

    Parameters
    ----------
    speed
        Frames a second.
    field_only
        Leave out what lies beside the round image field, where consoles write names.
    """
    study, pictures = shown.session.study, shown.pictures

    def annotation(frame: int) -> FrameAnnotation | None:
        return study.annotation(frame) if overlay else None

    grid = pictures.cartesian_grid
    beyond = _beyond(grid, pictures.field_radius_mm) if field_only else None
    source = AnimationSource(
        picture=partial(_coloured_frame, shown, display, beyond),
        annotation=annotation,
        grid=grid,
        frame_count=study.pullback.frame_count,
        scaled=study.calibration.scaled,
    )

    def write(path: Path) -> Iterator[float]:
        for done, total in write_animation(path, source, frames, frames_per_second=speed):
            yield done / total

    return write


def _beyond(grid: CartesianGrid, radius_mm: float) -> NDArray[np.bool_]:
    """Return the mask of the pixels outside the image field."""
    y_px, x_px = np.mgrid[: grid.rows, : grid.columns]
    _, distance_mm = to_polar(grid.to_mm(np.stack([x_px, y_px], axis=-1)))
    return np.asarray(distance_mm > radius_mm)


def _coloured_frame(
    shown: ShownStudy, display: Display, beyond: NDArray[np.bool_] | None, frame: int
) -> NDArray[np.uint8]:
    """Return a frame in the colours it has on screen, uint8 ``[row, column, 3]``."""
    own = shown.pictures.original(frame) if shows_own_colours(display) else None
    coloured: NDArray[np.uint8] = (
        colour_table(display)[shown.pictures.cartesian(frame)] if own is None else own
    )
    if beyond is not None:
        coloured = np.where(beyond[..., None], np.uint8(0), coloured)
    return coloured
