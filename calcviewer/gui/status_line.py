"""The line below the views: running work, the network, what was done and can be undone."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from calcviewer.core.study import ModelReference
from calcviewer.gui.elided import ElidedLabel
from calcviewer.gui.theme import named

HEIGHT_PX = 34
_BAR_PX = 164
_MESSAGE_PX = 700
_PROVIDERS = {"CPUExecutionProvider": "CPU", "CUDAExecutionProvider": "CUDA"}


def time_text(seconds: float | None) -> str:
    """Return a remaining time as people say it, e.g. ``"10 s"`` or ``"3 min"``; empty: unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"


def model_text(model: ModelReference) -> str:
    """Return the network with its version and where it really ran."""
    provider = _PROVIDERS.get(model.provider, model.provider)
    return f"{model.name} {model.version} · {provider}"


class StatusLine(QWidget):
    """Progress with time left and cancel, model and provider, messages, undo.

    Signals
    -------
    cancel_asked, restart_asked
        The button beside the progress was pressed.
    """

    cancel_asked = Signal()
    restart_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT_PX)
        self._work = named(QLabel(), "quiet")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_PX)
        self._cancel = _flat_button(self.tr("Cancel"))
        self._cancel.clicked.connect(self.cancel_asked)
        self._restart = _flat_button(self.tr("Go on segmenting"))
        self._restart.clicked.connect(self.restart_asked)
        self._model = named(QLabel(), "quiet")
        self._message = ElidedLabel(_MESSAGE_PX)
        self._saved = named(QLabel(), "quiet")
        self._undo = named(QLabel(), "quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 14, 0)
        row.setSpacing(14)
        for widget in (self._work, self._bar, self._cancel, self._restart, self._model):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._message)
        row.addStretch(1)
        row.addWidget(self._saved)
        row.addWidget(self._undo)
        self.end_work()

    def show_work(self, text: str, done: int, wanted: int) -> None:
        """Show running work; ``wanted`` 0 while its size is unknown."""
        self._work.setText(text)
        self._bar.setRange(0, wanted)
        self._bar.setValue(done)
        self._set_work_visible(True)
        self._restart.hide()

    def end_work(self, text: str = "", *, restart: bool = False) -> None:
        """Take the progress away and leave a text; offer to go on when that is possible."""
        self._set_work_visible(False)
        self._work.setText(text)
        self._work.setVisible(bool(text))
        self._restart.setVisible(restart)

    def show_model(self, model: ModelReference | None) -> None:
        """Name the network and where it runs."""
        self._model.setText("" if model is None else model_text(model))

    def show_message(self, text: str) -> None:
        """Say what was just done."""
        self._message.setText(text)

    def show_review(self, saved: str, undo_label: str | None) -> None:
        """Say whether the review is kept and what undo would take back."""
        self._saved.setText(saved)
        name = self.tr("Ctrl+Z: undo “{}”").format(undo_label) if undo_label else ""
        self._undo.setText(name)

    def _set_work_visible(self, visible: bool) -> None:
        for widget in (self._work, self._bar, self._cancel):
            widget.setVisible(visible)


def _flat_button(text: str) -> QPushButton:
    button = named(QPushButton(text), "flat")
    button.setMinimumHeight(32)
    return button
