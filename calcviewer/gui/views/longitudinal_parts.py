"""What the longitudinal view is drawn from: picture, borders, marks of frames, VOI handles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from calcviewer.app.session import IvoctStudy
from calcviewer.gui.cut import CutStore, Side, bands, border_lines
from calcviewer.gui.frame_scale import FrameScale, runs
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.look_up_tables import coloured
from calcviewer.gui.theme import (
    BACKGROUND,
    GUIDEWIRE,
    HIT_PX,
    QUIET,
    RAISED,
    TEXT,
    THICKNESS,
    VOI,
    WARNING,
)
from calcviewer.gui.view_state import Display
from calcviewer.gui.views.drawing import draw_calcium, draw_lumen, draw_shadow, path_through

_GRIP_WIDTH_PX = 12.0
_SEGMENTED_COLOUR = "#4b6a8f"
_CASING = QColor(0, 0, 0, 160)


class FrameState(IntEnum):
    """How far a frame has come."""

    WAITING = 0
    SEGMENTED = 1
    EXCLUDED = 2
    FAILED = 3


def frame_states(study: IvoctStudy, pictures: FramePictures) -> NDArray[np.uint8]:
    """Return the `FrameState` of every frame, shape ``(frames,)``."""
    count = study.pullback.frame_count
    states = np.full(count, FrameState.WAITING, dtype=np.uint8)
    for frame, annotation in {**study.predictions, **study.review.edits}.items():
        states[frame] = FrameState.FAILED if annotation.failure else FrameState.SEGMENTED
    for frame in range(count):
        if pictures.fault(frame):
            states[frame] = FrameState.FAILED
    states[list(study.review.excluded)] = FrameState.EXCLUDED
    return states


@dataclass(frozen=True)
class Section:
    """Where the cut lies on screen: frames along x, mm from the catheter up and down.

    Parameters
    ----------
    radii_mm
        Radii at which the picture begins and ends.
    half_mm
        Radius at the upper and lower edge of the area.
    """

    area: QRectF
    scale: FrameScale
    radii_mm: tuple[float, float]
    half_mm: float

    @property
    def px_per_mm(self) -> float:
        """Scale across the vessel."""
        return self.area.height() / 2 / self.half_mm

    def y_px(self, sign: float, radius_mm: float) -> float:
        """Return where a radius lies, above (sign 1) or below (-1) the catheter."""
        return self.area.center().y() - sign * radius_mm * self.px_per_mm

    def on_screen(self, points: NDArray[np.float64], sign: float) -> NDArray[np.float64]:
        """Return points (position, mm) in pixels, each ``(N, 2)``."""
        y = self.area.center().y() - sign * self.px_per_mm * points[:, 1]
        return np.stack([self.scale.xs_px(points[:, 0]), y], axis=1)

    def columns(self, first: int, last: int) -> QRectF:
        """Return the part of the area that some frames fill; at least wide enough to be seen."""
        left, right = sorted((self.scale.x_px(first), self.scale.x_px(last + 1)))
        part = QRectF(left, self.area.top(), max(right - left, 1.5), self.area.height())
        return part.intersected(self.area)


def thinned(grey: NDArray[np.uint8], wanted: float) -> NDArray[np.uint8]:
    """Return ``[frame, radius]`` averaged along the radius, to not much more than wanted."""
    factor = max(1, int(grey.shape[1] / max(wanted, 1.0)))
    if factor == 1:
        return grey
    rows = grey.shape[1] // factor
    blocks = grey[:, : rows * factor].reshape(len(grey), rows, factor)
    return np.asarray(blocks.mean(axis=2, dtype=np.float32), dtype=np.uint8)


def draw_half(
    painter: QPainter,
    section: Section,
    store: CutStore,
    *,
    sign: float,
    angle_deg: float,
    display: Display,
    ratio: float,
) -> None:
    """Draw the picture along one direction of the cut; ``ratio`` is the device's pixel ratio."""
    scale = section.scale
    first, last = int(np.floor(scale.first)), int(np.ceil(scale.last))
    nearest_mm, farthest_mm = section.radii_mm
    rows_px = section.px_per_mm * (farthest_mm - nearest_mm) * ratio
    grey = thinned(store.along(angle_deg)[first:last], rows_px)
    edges_mm = np.linspace(nearest_mm, farthest_mm, grey.shape[1] + 1)
    inner = int(np.searchsorted(edges_mm, 0.0))  # samples before the catheter's centre
    picture = grey[:: -1 if scale.flipped else 1, inner:].T
    top, bottom = sorted(
        (section.y_px(sign, float(edges_mm[inner])), section.y_px(sign, farthest_mm))
    )
    left, right = sorted((scale.x_px(first), scale.x_px(last)))
    image = coloured(picture[:: -1 if sign > 0 else 1], display)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(left, top, right - left, bottom - top), image)


def draw_side(painter: QPainter, section: Section, side: Side, sign: float) -> None:
    """Draw shadow, calcium and lumen along one direction of the cut."""
    nothing = np.float32(np.nan)
    hidden = np.where(side.shadow, np.nan_to_num(side.lumen_mm), nothing)
    shadows = bands(hidden, np.full_like(hidden, section.radii_mm[1]))
    layers = [side.calcium_mm[:, layer] for layer in range(side.calcium_mm.shape[1])]
    calcium = [ring for layer in layers for ring in bands(layer[:, 0], layer[:, 1])]
    lumen = border_lines(side.lumen_mm)
    if shadows:
        draw_shadow(painter, path_through(section.on_screen(ring, sign) for ring in shadows))
    if calcium:
        path = path_through(section.on_screen(ring, sign) for ring in calcium)
        draw_calcium(painter, path, path)
    if lumen:
        draw_lumen(painter, path_through(section.on_screen(line, sign) for line in lumen))


def draw_unread(painter: QPainter, section: Section, filled: NDArray[np.bool_]) -> None:
    """Leave frames that were not read yet empty."""
    for first, last in runs(~filled):
        painter.fillRect(section.columns(first, last), QColor(BACKGROUND))


def draw_faults(painter: QPainter, section: Section, states: NDArray[np.uint8]) -> None:
    """Mark frames that do not count: excluded ones hatched, failed ones yellow."""
    for first, last in runs(states == FrameState.EXCLUDED):
        part = section.columns(first, last)
        painter.fillRect(part, QColor(14, 17, 23, 170))
        painter.setBrush(QColor(GUIDEWIRE))
        painter.fillRect(part, Qt.BrushStyle.FDiagPattern)
    warning = QColor(WARNING)
    warning.setAlphaF(0.35)
    for first, last in runs(states == FrameState.FAILED):
        painter.fillRect(section.columns(first, last), warning)


def draw_strip(
    painter: QPainter, section: Section, states: NDArray[np.uint8], confirmed: Iterable[int]
) -> None:
    """Draw how far each frame has come, into a strip: ``section.area``."""
    painter.fillRect(section.area, QColor(RAISED))
    colours = {
        FrameState.SEGMENTED: _SEGMENTED_COLOUR,
        FrameState.EXCLUDED: QUIET,
        FrameState.FAILED: WARNING,
    }
    for state, colour in colours.items():
        for first, last in runs(states == state):
            painter.fillRect(section.columns(first, last), QColor(colour))
    seen = np.zeros(states.shape, dtype=np.bool_)
    seen[list(confirmed)] = True
    for first, last in runs(seen):
        painter.fillRect(section.columns(first, last), QColor(THICKNESS))


def draw_grips(painter: QPainter, area: QRectF, ends_px: Iterable[float], *, faint: bool) -> None:
    """Draw the handles of the VOI; faint where there is none yet."""
    colour = QColor(VOI)
    if faint:
        colour = colour.darker(150)
    middle = area.center().y()
    for x in ends_px:
        if not area.left() - 1 <= x <= area.right() + 1:
            continue
        grip = QRectF(x - _GRIP_WIDTH_PX / 2, middle - HIT_PX / 2, _GRIP_WIDTH_PX, HIT_PX)
        painter.setPen(QPen(_CASING, 1.0))
        painter.setBrush(colour)
        painter.drawRoundedRect(grip, 4, 4)
        for step in (-4, 0, 4):
            painter.drawLine(QPointF(x - 2.5, middle + step), QPointF(x + 2.5, middle + step))


def draw_bookmarks(painter: QPainter, section: Section, bookmarks: Iterable[int]) -> None:
    """Draw a ribbon over every bookmarked frame."""
    painter.setPen(QPen(_CASING, 1.0))
    painter.setBrush(QColor(TEXT))
    area = section.area
    ribbon = ((-5, 0), (5, 0), (5, 14), (0, 9), (-5, 14))
    for frame in bookmarks:
        x = section.scale.x_px(frame + 0.5)
        if area.left() <= x <= area.right():
            shape = [QPointF(x + right, area.top() + down) for right, down in ribbon]
            painter.drawPolygon(QPolygonF(shape))
