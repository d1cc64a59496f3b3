"""The line below the views: running work, the network, what was done and can be undone."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from calcviewer.app.review_store.store import SaveState, Saving
from calcviewer.core.study import ModelReference
from calcviewer.gui.elided import ElidedLabel
from calcviewer.gui.keeping import holder_text, saved_text
from calcviewer.gui.segmentation import Segmentation
from calcviewer.gui.theme import named

HEIGHT_PX = 34
_BAR_PX = 164
_MESSAGE_PX = 700
_SAVED_PX = 400
_MESSAGE_MS = 4000
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
        self._saved = ElidedLabel(_SAVED_PX)
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
        self._tool = self._said_tool = ""
        self._fresh = QTimer(self, singleShot=True, interval=_MESSAGE_MS)
        self._fresh.timeout.connect(self._show_tool)
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

    def show_segmentation(self, segmentation: Segmentation) -> None:
        """Show how far the segmentation is, or how far it came."""
        done, wanted = segmentation.done, segmentation.wanted
        if segmentation.running:
            left = time_text(segmentation.seconds_left)
            text = self.tr("Segmenting {} / {}").format(done, wanted)
            if segmentation.model is None:
                text = self.tr("Loading the network")
            elif left:
                text = self.tr("{} · {} left").format(text, left)
            self.show_work(text, done, wanted)
        elif wanted:
            text = self.tr("{} of {} frames segmented").format(done, wanted)
            self.end_work(text, restart=done < wanted)
        else:
            self.end_work()

    def show_model(self, model: ModelReference | None) -> None:
        """Name the network and where it runs."""
        self._model.setText("" if model is None else model_text(model))

    def show_message(self, text: str) -> None:
        """Say what was just done; a tool in hand speaks again a little later."""
        self._message.setText(text)
        if text:
            self._fresh.start()
        else:
            self._show_tool()

    def show_tool(self, text: str) -> None:
        """Say what a click would do; empty without a tool in hand."""
        if text == self._tool:
            return
        self._tool = text
        if not self._fresh.isActive():
            self._show_tool()

    def _show_tool(self) -> None:
        # Without a tool the last message stays, to be read from afar.
        if self._tool or not self._message.whole or self._message.whole == self._said_tool:
            self._message.setText(self._tool)
            self._said_tool = self._tool

    def show_review(self, state: SaveState, place: str, undo_label: str | None) -> None:
        """Say whether the review is kept, where, and what undo would take back."""
        self._saved.setText(saved_text(state))
        self._saved.setToolTip(holder_text(state.holder) if state.holder is not None else place)
        trouble = state.saving in (Saving.FAILED, Saving.READ_ONLY)
        self._saved.setObjectName("warning" if trouble else "quiet")
        self._saved.style().polish(self._saved)
        name = self.tr("Ctrl+Z: undo “{}”").format(undo_label) if undo_label else ""
        self._undo.setText(name)

    def _set_work_visible(self, visible: bool) -> None:
        for widget in (self._work, self._bar, self._cancel):
            widget.setVisible(visible)


def _flat_button(text: str) -> QPushButton:
    button = named(QPushButton(text), "flat")
    button.setMinimumHeight(32)
    return button
