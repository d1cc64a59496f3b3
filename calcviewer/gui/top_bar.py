"""The bar above the views: what is open, its scale with origins, and the main buttons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from calcviewer.core.pullback import Calibration, CartesianLayout, Origin, Pullback
from calcviewer.gui.elided import ElidedLabel
from calcviewer.gui.icons import icon
from calcviewer.gui.theme import named

HEIGHT_PX = 48
_NAME_PX = 320
_LEAST_PX, _ROOMY_PX = 960, 1400


@dataclass(frozen=True)
class Chip:
    """A fact about the study; ``missing`` when something must be done about it.

    ``short`` is for narrow windows.
    """

    text: str
    short: str
    detail: str
    missing: bool = False


def origin_text(origin: Origin) -> str:
    """Return in a word where a calibration value comes from."""
    texts = {
        Origin.DICOM: QCoreApplication.translate("origin", "header"),
        Origin.VENDOR_RULE: QCoreApplication.translate("origin", "vendor rule"),
        Origin.CATHETER: QCoreApplication.translate("origin", "catheter"),
        Origin.OPERATOR: QCoreApplication.translate("origin", "operator"),
        Origin.SIMULATED: QCoreApplication.translate("origin", "simulated"),
        Origin.FILE: QCoreApplication.translate("origin", "file"),
    }
    return texts[origin]


def chips(pullback: Pullback, calibration: Calibration) -> tuple[Chip, Chip]:
    """Return what is known of the frames and their pitch, and of the scale within a frame."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("chips", text)

    count = tr("{} frames").format(pullback.frame_count)
    pitch = calibration.frame_pitch_mm
    if pitch is None:
        unknown = tr("frame pitch unknown")
        frames = Chip(f"{count} · {unknown}", unknown, tr("No length can be given."), True)
    else:
        value = f"{count} · {pitch.value:.2f} mm {tr('pitch')} ({origin_text(pitch.origin)})"
        frames = Chip(value, f"{pitch.value:.2f} mm", pitch.note)
    spacing = calibration.sample_spacing_mm
    unit = tr("pixel") if isinstance(pullback.layout, CartesianLayout) else tr("sample")
    if spacing is None:
        detail = tr("No millimetres can be given. Calibrate on the catheter, or enter the scale.")
        return frames, Chip(tr("scale unknown"), tr("scale unknown"), detail, True)
    value = f"{1000 * spacing.value:.1f} µm"
    whole = f"{value} / {unit} ({origin_text(spacing.origin)})"
    return frames, Chip(whole, value, spacing.note)


class TopBar(QWidget):
    """Name, chips, research notice and buttons.

    Signals
    -------
    calibration_asked
        A chip was clicked.
    """

    calibration_asked = Signal()

    def __init__(
        self, actions: Mapping[str, QAction], menu: QMenu, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setFixedHeight(HEIGHT_PX)
        self.setMinimumWidth(_LEAST_PX)
        self._name = ElidedLabel(_NAME_PX)
        self._chips = [named(QPushButton(), "chip") for _ in range(2)]
        for chip in self._chips:
            chip.clicked.connect(self.calibration_asked)
            chip.setCursor(Qt.CursorShape.PointingHandCursor)
        self._facts: tuple[Chip, ...] = ()
        self._notice = named(QLabel(), "research")
        self._notice.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 14, 0)
        row.setSpacing(10)
        row.addWidget(self._menu_button(menu))
        self._title = QLabel("CalcViewer")
        self._title.setStyleSheet("font-size: 15px; font-weight: 600;")
        row.addWidget(self._title)
        row.addWidget(self._name)
        for widget in (*self._chips, self._notice):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._open_button(actions))
        row.addWidget(action_button(actions["export"], self.tr("Export…")))
        self._confirm = action_button(actions["confirm_lesion"], self.tr("Confirm lesion"))
        self._confirm.setObjectName("primary")
        row.addWidget(self._confirm)
        self.show_study(None, None)

    def show_study(self, pullback: Pullback | None, calibration: Calibration | None) -> None:
        """Say what is open."""
        for chip in self._chips:
            chip.setVisible(pullback is not None)
        self._name.setText("" if pullback is None else pullback.name)
        self._facts = ()
        if pullback is not None and calibration is not None:
            self._facts = chips(pullback, calibration)
            self._name.setToolTip("\n".join([str(pullback.source.path), *pullback.notes]))
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use short words where there is little room."""
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        roomy = self.width() >= _ROOMY_PX
        self._title.setVisible(roomy)
        self._notice.setText(
            self.tr("Research use only. Not for diagnostic use.")
            if roomy
            else self.tr("Research use only")
        )
        for button, fact in zip(self._chips, self._facts, strict=False):
            button.setText(fact.text if roomy else fact.short)
            button.setToolTip("\n".join(filter(None, [fact.text, fact.detail])))
            if button.property("missing") != fact.missing:
                button.setProperty("missing", fact.missing)
                button.style().polish(button)

    def show_confirmation(self, text: str) -> None:
        """Name what the confirm button would do, or has done."""
        self._confirm.setText(text)

    def _menu_button(self, menu: QMenu) -> QToolButton:
        button = named(QToolButton(), "flat")
        button.setIcon(icon("menu"))
        button.setToolTip(self.tr("Menu (F10)"))
        button.setAccessibleName(self.tr("Menu"))
        button.setShortcut("F10")
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _open_button(self, actions: Mapping[str, QAction]) -> QPushButton:
        menu = QMenu(self)
        menu.addActions(
            [actions[name] for name in ("open_file", "open_folder", "worklist", "open_demo")]
        )
        button = QPushButton(self.tr("Open…"))
        button.setMenu(menu)
        return button


def action_button(action: QAction, text: str) -> QPushButton:
    """Return a button that does what an action does, and is enabled when it is."""
    button = QPushButton(text)
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        keys = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
        button.setToolTip(f"{action.text()} ({keys})" if keys else action.text())

    action.changed.connect(follow)
    follow()
    return button
