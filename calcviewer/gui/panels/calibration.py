"""The calibration in force: each value with its origin, open to the operator's correction."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from calcviewer.app.review import (
    CalibrationName,
    calibration_value,
    length_mm,
    source_calibration,
)
from calcviewer.app.session import Facet
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CalibratedValue, Origin, PolarLayout
from calcviewer.gui import theme
from calcviewer.gui.panels.card import Card, chip, paint, quiet, stack
from calcviewer.gui.panels.panel import Panel
from calcviewer.gui.view_state import ViewState

_MICROMETRES = 1000.0
_EDIT_PX = 92
_UNIT_PX = 26


class CalibrationPanel(Panel):
    """Sample spacing, frame pitch and zero radius, with their origins.

    Signals
    -------
    catheter_wanted
        The operator wants to fit the catheter's ring with the mouse.
    """

    facets: ClassVar[frozenset[Facet]] = frozenset({Facet.CALIBRATION})
    catheter_wanted = Signal()

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._card = Card(self.tr("Calibration"))
        self._empty = quiet(self.tr("The scale of a pullback appears here."), wrap=True)
        self.spacing = _ValueEdit(
            self.tr("Sample spacing"),
            "µm",
            self.tr("Unknown: no thickness, depth or area; the score lacks a point."),
            per_mm=_MICROMETRES,
        )
        self.pitch = _ValueEdit(
            self.tr("Frame pitch"),
            "mm",
            self.tr("Unknown: no length and no references; the score lacks a point."),
        )
        self.zero = _ValueEdit(
            self.tr("Zero radius"),
            "mm",
            self.tr("Unknown: no radius is right, so no thickness, depth or area."),
            may_be_negative=True,
        )
        self._edits: dict[CalibrationName, _ValueEdit] = {
            "sample_spacing_mm": self.spacing,
            "frame_pitch_mm": self.pitch,
            "zero_radius_mm": self.zero,
        }
        self._motor = quiet("", wrap=True)
        self.catheter = QPushButton(self.tr("Calibrate on catheter…"))
        self.catheter.clicked.connect(self.catheter_wanted)
        self.reset = QPushButton(self.tr("Back to the file's"))
        self.reset.clicked.connect(self._reset)
        self._lay_out()
        for name, edit in self._edits.items():
            edit.entered.connect(lambda text, name=name: self._apply(name, text))
        stack(self, self._card)
        self.refresh()

    def refresh(self) -> None:
        """Show the calibration in force."""
        shown = self._shown
        self._empty.setVisible(shown is None)
        for widget in (*self._edits.values(), self.catheter):
            widget.setVisible(shown is not None)
        self.reset.setVisible(
            shown is not None and shown.session.study.review.calibration is not None
        )
        self._motor.hide()
        self._card.aside.setText("")
        if shown is None:
            return
        study = shown.session.study
        polar = isinstance(study.pullback.layout, PolarLayout)
        self.spacing.name.setText(self.tr("Sample spacing") if polar else self.tr("Pixel spacing"))
        self.zero.setVisible(polar)
        for name, edit in self._edits.items():
            edit.show_value(getattr(study.calibration, name))
        missing = study.calibration.missing()
        self._card.aside.setText(self.tr("incomplete") if missing else "")
        paint(self._card.aside, theme.WARNING if missing else theme.QUIET)
        self._motor.setVisible(not study.pullback.motorised)
        self._motor.setText(self.tr("Not a motorised pullback: there is no length."))

    def _apply(self, name: CalibrationName, text: str) -> None:
        if self._shown is None:
            return
        edit = self._edits[name]
        session = self._shown.session
        try:
            value_mm = edit.length_mm(text)
            step = calibration_value(session.study, name, value_mm, origin=Origin.OPERATOR)
        except CalcViewerError as error:
            edit.refuse(str(error))
            return
        edit.settle()
        session.edit(step.label, step.review)

    def _reset(self) -> None:
        if self._shown is not None:
            session = self._shown.session
            step = source_calibration(session.study.review)
            session.edit(step.label, step.review)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.catheter)
        buttons.addWidget(self.reset)
        buttons.addStretch(1)
        body = self._card.body
        body.setSpacing(6)
        for widget in (self._empty, *self._edits.values(), self._motor):
            body.addWidget(widget)
        body.addLayout(buttons)


class _ValueEdit(QWidget):
    """One calibration value: its figure, unit, origin and note; Enter or Set puts it in force.

    Signals
    -------
    entered
        The text the operator wants in force.
    """

    entered = Signal(str)

    def __init__(
        self,
        name: str,
        unit: str,
        cost: str,
        *,
        per_mm: float = 1.0,
        may_be_negative: bool = False,
    ) -> None:
        super().__init__()
        self._cost = cost
        self._per_mm = per_mm
        self._may_be_negative = may_be_negative
        self._text = ""
        self.name = QLabel(name)
        self.field = QLineEdit()
        self.field.setFixedWidth(_EDIT_PX)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFont(theme.text_font(theme.FONT_PX))
        self.field.setAccessibleName(f"{name}, {unit}")
        self.field.setPlaceholderText(self.tr("unknown"))
        self.field.installEventFilter(self)
        self.field.textEdited.connect(self._edited)
        self.button = QPushButton(self.tr("Set"))
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(self._enter)
        self._origin = QLabel()
        self._note = quiet("", wrap=True)
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 0, 4, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.name, 0, 0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._origin, 0, 1)
        grid.addWidget(self.field, 0, 2)
        symbol = quiet(unit)
        symbol.setFixedWidth(_UNIT_PX)
        grid.addWidget(symbol, 0, 3)
        grid.addWidget(self.button, 0, 4)
        grid.addWidget(self._note, 1, 0, 1, 5)
        self.show_value(None)

    def show_value(self, value: CalibratedValue | None) -> None:
        """Show the value in force; a text that is being typed is left alone."""
        self._text = "" if value is None else f"{value.value * self._per_mm:.6g}"
        if not self.button.isEnabled() or not self.field.hasFocus():
            self.settle()
        self._origin.setVisible(value is not None)
        self._origin.setText("" if value is None else value.origin.value)
        chip(self._origin, ink=theme.QUIET, surface=theme.RAISED)
        note = self._cost if value is None else value.note
        self._note.setText(note)
        self._note.setVisible(bool(note))
        paint(self._note, theme.WARNING if value is None else theme.QUIET)
        border = f"border-color: {theme.WARNING};" if value is None else ""
        self.field.setStyleSheet(border)

    def settle(self) -> None:
        """Show the value in force instead of what was typed."""
        self.field.setText(self._text)
        self.button.setEnabled(False)

    def refuse(self, reason: str) -> None:
        """Say why what was typed cannot be put in force; it stays to be corrected."""
        self._note.setText(reason)
        self._note.show()
        paint(self._note, theme.ERROR)

    def length_mm(self, text: str) -> float:
        """Return what was typed in mm; raises CalcViewerError when that is not possible."""
        return length_mm(text, per_mm=self._per_mm, may_be_negative=self._may_be_negative)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep Enter and Escape, which the window binds, to the field while it is typed in."""
        if watched is not self.field or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not enter and event.key() != Qt.Key.Key_Escape:
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.KeyPress:
            if enter:
                self._enter()
            else:
                self.settle()
                self.field.clearFocus()
        event.accept()
        return True

    def _enter(self) -> None:
        if self.button.isEnabled():
            self.entered.emit(self.field.text())

    def _edited(self, text: str) -> None:
        self.button.setEnabled(text.strip() != self._text)
