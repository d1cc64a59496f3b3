"""Phantoms whose picture says where it was taken, and a mouse, for tests of the image views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import (
    Calibration,
    CartesianLayout,
    Intensity,
    Pullback,
    SourceReference,
)
from calcviewer.core.study import Study
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.image_view import ImageView
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import GRID, label_map, make_pullback

SPOT_RADIUS_MM = 2.0
_NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def spot_frames(count: int) -> NDArray[np.float32]:
    """Return frames with a bright spot at 2 mm; frame k has it at 10 k degrees."""
    angle = GRID.angles_deg()[:, None]
    in_depth = np.abs(GRID.radii_mm()[None, :] - SPOT_RADIUS_MM) < 0.15
    frames = np.zeros((count, *GRID.shape), dtype=np.float32)
    for index in range(count):
        away = (angle - 10.0 * index + 180) % 360 - 180
        frames[index] = 0.05 + 0.95 * ((np.abs(away) < 4) & in_depth)
    return frames


def make_shown(
    pullback: Pullback, predictions: Mapping[int, FrameAnnotation] | None = None
) -> ShownStudy:
    """Open a study of a pullback."""
    known = MappingProxyType(dict(predictions or {}))
    study = Study(pullback, Protocol(), predictions=known)
    return ShownStudy(Session(study), FramePictures(pullback))


def spots_shown(count: int = 20, *, annotated: bool = True, calibrated: bool = True) -> ShownStudy:
    """Return a study of spots with a lumen of 1.5 mm, a deposit through theta = 0 and a wire."""
    pullback = make_pullback(count, calibrated=calibrated, values=spot_frames(count))
    drawn = annotation_from_labels(label_map((330, 60), wire=(100, 20)), GRID)
    return make_shown(pullback, {i: replace(drawn) for i in range(count)} if annotated else {})


@dataclass(frozen=True, eq=False)
class ColourFrames:
    """Frames as a console exports them: in colours of its own."""

    rgb: NDArray[np.uint8]
    broken: frozenset[int] = frozenset()

    def display(self, index: int) -> NDArray[np.generic]:
        if index in self.broken:
            raise CalcViewerError("the file ends early")
        return self.rgb

    def intensity(self, index: int) -> NDArray[np.float32]:
        return np.asarray(self.display(index), dtype=np.float32).mean(axis=2)


def export_shown(
    rgb: NDArray[np.uint8], *, frames: int = 3, broken: frozenset[int] = frozenset()
) -> ShownStudy:
    """Return an export of unknown scale, its catheter in the middle of the picture."""
    rows, columns, _ = rgb.shape
    pullback = Pullback(
        name="export",
        frames=ColourFrames(rgb, broken),
        frame_count=frames,
        layout=CartesianLayout(rows, columns, ((columns - 1) / 2, (rows - 1) / 2), rows / 2),
        calibration=Calibration(),
        intensity=Intensity.LOG,
        source=SourceReference(Path("export"), "image folder"),
        working_spacing_mm=10.0 / rows,
    )
    return make_shown(pullback)


def show_in(view: ImageView, shown: ShownStudy, state: ViewState) -> None:
    """Open a study in a view, as the window does."""
    state.reset(shown.session.study.pullback.frame_count)
    view.set_study(shown)


def pixels(view: QWidget) -> NDArray[np.int16]:
    """Return what the view shows as ``[row, column, 3]`` RGB."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), -1)
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def reddish(rgb: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return where the solid lumen border is drawn."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    return (red > 120) & (red > 2 * green) & (green < blue + 30)


def bluish(rgb: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return where calcium is drawn: border or fill."""
    red, _, blue = np.moveaxis(rgb, -1, 0)
    return (blue > 40) & (blue > red + 25)


def drag(
    view: QWidget,
    *places: tuple[float, float],
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
) -> None:
    """Press at the first place, move over the others, release at the last."""
    points = [QPoint(round(x), round(y)) for x, y in places]
    QTest.mousePress(view, button, _NO_MODIFIER, points[0])
    for point in points[1:]:
        _move(view, point, button)
    QTest.mouseRelease(view, button, _NO_MODIFIER, points[-1])


def _move(view: QWidget, point: QPoint, held: Qt.MouseButton) -> None:
    at, on_screen = QPointF(point), QPointF(view.mapToGlobal(point))
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, at, on_screen, none, held, _NO_MODIFIER)
    QApplication.sendEvent(view, event)


def turn_wheel(
    view: QWidget,
    *deltas: int,
    at: tuple[float, float] = (100, 100),
    modifier: Qt.KeyboardModifier = _NO_MODIFIER,
) -> None:
    """Send wheel events of these angle deltas (120 a notch)."""
    place = QPointF(*at)
    for delta in deltas:
        event = QWheelEvent(
            place,
            QPointF(view.mapToGlobal(place.toPoint())),
            QPoint(),
            QPoint(0, delta),
            Qt.MouseButton.NoButton,
            modifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)


def count_paints(view: QWidget) -> list[int]:
    """Return a list that grows with every paint event of the view."""
    paints: list[int] = []
    paint = view.paintEvent

    def counted(event: QPaintEvent) -> None:
        paints.append(1)
        paint(event)

    view.paintEvent = counted  # type: ignore[method-assign]
    return paints
