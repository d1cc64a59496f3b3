"""Calibration on the catheter: a circle is laid on its sheath, whose diameter is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QPushButton, QWidget

from calcviewer.core.geometry import Grid, to_xy
from calcviewer.core.pullback import Calibration, Origin, PolarLayout, Pullback
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.task import Task
from calcviewer.gui.tools.hit_testing import Part, circle_of, hit_circle, sheath_at
from calcviewer.gui.tools.options import OptionsRow
from calcviewer.gui.tools.tool import Mark, Pointer, Tool
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.assemble import calibrated_on, sheath_of
from calcviewer.modalities.ivoct.catheter import SHEATH_DIAMETER_MM, Sheath

_CIRCLE = to_xy(np.linspace(0, 360, 181), np.ones(181))
_SMALLEST_RADIUS_PX = 3.0
_DIAMETERS_MM = (0.3, 3.0)
_FIELD_PX = 92


class CatheterTool(Tool):
    """Calibrates the study on a circle that lies on the sheath's outer wall.

    The circle begins where the sheath is found automatically; its centre and its rim can be
    dragged. It stays on its pixels when the calibration changes.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.diameter_mm = SHEATH_DIAMETER_MM
        self._shown: ShownStudy | None = None
        self._sheath: Sheath | None = None
        self._found: Sheath | None = None
        self._task = CurrentTask(self)
        self._part: Part | None = None
        self._last_mm = (0.0, 0.0)

    @property
    def sheath(self) -> Sheath | None:
        """The circle in pixels; None while the tool is not active."""
        return self._sheath

    def activate(self, shown: ShownStudy, state: ViewState) -> None:
        """Lay the circle on the catheter and look for its sheath."""
        self.deactivate()
        self._shown = shown
        self._sheath = sheath_at((0.0, 0.0), SHEATH_DIAMETER_MM / 2, self._grid())
        pullback = shown.session.study.pullback

        def search() -> Iterator[Sheath]:
            yield sheath_of(pullback)

        task = Task(self.tr("Looking for the catheter"), search, self)
        task.item.connect(self._take_found)
        task.finished.connect(self._search_ended)
        task.failed.connect(self._search_ended)
        self._task.start(task)

    def deactivate(self) -> None:
        """Drop the circle."""
        self._stop_search()
        self._shown = self._sheath = self._found = self._part = None

    def press(self, pointer: Pointer) -> bool:
        """Take hold of the rim or the inside of the circle."""
        if self._sheath is None:
            return False
        centre, radius = self._circle()
        self._part = hit_circle(centre, radius, pointer.at_mm, pointer.reach_mm)
        self._last_mm = pointer.at_mm
        if self._part is not None:
            self._stop_search()
            self.changed.emit()
        return self._part is not None

    def drag(self, pointer: Pointer) -> None:
        """Move the circle, or widen it."""
        if self._part is None:
            return
        (x_mm, y_mm), radius = self._circle()
        at = pointer.at_mm
        if self._part is Part.CENTRE:
            x_mm, y_mm = x_mm + at[0] - self._last_mm[0], y_mm + at[1] - self._last_mm[1]
        else:
            radius = float(np.hypot(at[0] - x_mm, at[1] - y_mm))
        self._last_mm = at
        moved = sheath_at((x_mm, y_mm), radius, self._grid())
        if moved.outer_radius_px >= _SMALLEST_RADIUS_PX:
            self._sheath = moved
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go."""
        self._part = None
        self.changed.emit()

    def set_diameter(self, diameter_mm: float) -> None:
        """Give the sheath's outer diameter."""
        self.diameter_mm = diameter_mm
        self.changed.emit()

    def calibration(self) -> Calibration:
        """Return the calibration that the circle and the diameter give."""
        assert self._shown is not None
        assert self._sheath is not None
        study = self._shown.session.study
        return circle_calibration(study.calibrated_pullback, self._sheath, self.diameter_mm)

    def apply(self) -> None:
        """Put the calibration in force."""
        if self._shown is None:
            return
        session = self._shown.session
        review = replace(session.study.review, calibration=self.calibration())
        session.edit(self.tr("calibrate on the catheter"), review)
        self.changed.emit()

    def marks(self) -> Sequence[Mark]:
        """Return the circle."""
        if self._sheath is None:
            return ()
        centre, radius = self._circle()
        rim = _CIRCLE * radius + centre
        handles = np.array([centre, (centre[0] + radius, centre[1])])
        return (Mark(rim, handles_mm=handles, selected=self._part is not None),)

    def status(self) -> str:
        """Say what was found and what to do."""
        if self._task.running:
            return self.tr("Looking for the catheter's sheath…")
        if self._found is not None:
            seen = f"{100 * self._found.confidence:.0f}"
            text = self.tr("Sheath found ({percent} % of it seen): check, then Apply")
            return text.format(percent=seen)
        return self.tr("Drag the circle onto the sheath's outer wall")

    def make_options(self, parent: QWidget) -> QWidget:
        """Return diameter, what follows from it, and Apply."""
        return _Options(self, parent)

    def _circle(self) -> tuple[tuple[float, float], float]:
        assert self._sheath is not None
        return circle_of(self._sheath, self._grid())

    def _grid(self) -> Grid:
        assert self._shown is not None
        study = self._shown.session.study
        return study.calibrated_pullback.grid

    def _take_found(self, sheath: Sheath) -> None:
        self._sheath = self._found = sheath
        self.changed.emit()

    def _search_ended(self) -> None:
        self._stop_search()
        self.changed.emit()

    def _stop_search(self) -> None:
        """End the search: what the operator has begun to drag is not moved under his hand."""
        self._task.cancel()


class _Diameter(QDoubleSpinBox):
    """A number that the wheel does not change: over the view it steps frames, here too."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the view."""
        event.ignore()


class _Options(OptionsRow):
    """The row of settings over the cross-section."""

    def __init__(self, tool: CatheterTool, parent: QWidget) -> None:
        super().__init__(parent)
        self._tool = tool
        self.diameter = _Diameter()
        self.diameter.setDecimals(2)
        self.diameter.setRange(*_DIAMETERS_MM)
        self.diameter.setSingleStep(0.01)
        self.diameter.setSuffix(" mm")
        self.diameter.setValue(tool.diameter_mm)
        self.diameter.setAccessibleName(self.tr("Outer diameter of the catheter"))
        self.diameter.valueChanged.connect(tool.set_diameter)
        self.result = QLabel()
        self.result.setObjectName("quiet")
        self.apply = QPushButton(self.tr("Apply"))
        self.apply.setObjectName("primary")
        self.apply.clicked.connect(tool.apply)
        self.diameter.setFixedWidth(_FIELD_PX)
        for widget in (QLabel(self.tr("Catheter Ø")), self.diameter, self.result, self.apply):
            self.row.addWidget(widget)
        tool.changed.connect(self._show_result)
        self._show_result()

    def _show_result(self) -> None:
        if self._tool.sheath is not None:
            self.result.setText(scale_text(self._tool.calibration()).replace(" · ", "\n"))
            self.place()


def circle_calibration(pullback: Pullback, sheath: Sheath, diameter_mm: float) -> Calibration:
    """Return a pullback's calibration from a circle on its sheath.

    A scale that came from the catheter before is taken anew; any other scale of polar frames stays
    and the circle gives the radius at which they begin.
    """
    spacing = pullback.calibration.sample_spacing_mm
    polar = isinstance(pullback.layout, PolarLayout)
    if polar and spacing is not None and spacing.origin is Origin.CATHETER:
        pullback = pullback.calibrated(replace(pullback.calibration, sample_spacing_mm=None))
    calibration = calibrated_on(pullback, sheath, diameter_mm / 2).calibration
    note = f"sheath of {diameter_mm:.2f} mm fitted as {2 * sheath.outer_radius_px:.1f} px"
    if calibration.sample_spacing_mm is pullback.calibration.sample_spacing_mm:
        assert calibration.zero_radius_mm is not None
        zero = replace(calibration.zero_radius_mm, note=note)
        return replace(calibration, zero_radius_mm=zero)
    assert calibration.sample_spacing_mm is not None
    spacing = replace(calibration.sample_spacing_mm, note=note)
    return replace(calibration, sample_spacing_mm=spacing)


def scale_text(calibration: Calibration) -> str:
    """Return the scale and, where it is not 0, the radius at which samples begin."""
    spacing, zero = calibration.sample_spacing_mm, calibration.zero_radius_mm
    parts = [] if spacing is None else [f"{1000 * spacing.value:.2f} µm / px"]
    if zero is not None and zero.value:
        parts.append(f"r₀ {zero.value:.3f} mm")
    return " · ".join(parts)
