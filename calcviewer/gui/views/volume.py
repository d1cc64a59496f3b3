"""The vessel in 3-D: the lumen's surface with the calcium around it, and the frame on screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from calcviewer.app.session import Change, Facet, IvoctStudy
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.surface import Known, Surfaces, build_surfaces, frame_ring
from calcviewer.gui.task import Task
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.opengl import why_no_opengl

if TYPE_CHECKING:
    from calcviewer.gui.views.scene import Scene

_SHAPED_BY = frozenset({Facet.ANNOTATION, Facet.EXCLUSION, Facet.CALIBRATION})
_SETTLE_MS = 600
_WAIT_S = 5.0
_ASSUMED_PITCH_MM = 0.2
"""Distance between frames while their pitch is unknown; the view then says it is not to scale."""
_NOTCHES = 120


class VolumeView(QWidget):
    """The lumen as a translucent tube, calcium as solid bodies, a ring at the frame on screen.

    Left drag rotates, middle drag pans, Ctrl+wheel zooms; the wheel steps through the frames as
    everywhere. It is built in the background, only while it is seen, and again when contours
    changed. Where there is no OpenGL it says so.
    """

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._shown: ShownStudy | None = None
        self._surfaces: Surfaces | None = None
        self._scene: Scene | None = None
        self._unavailable: str | None = None
        self._known: Known = {}
        self._task = CurrentTask(self)
        self._stale = False
        self._fit_next = True
        self._notches = 0
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._build)
        self._message = QLabel()
        self._message.setObjectName("quiet")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.setMargin(24)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._message)
        state.frame_changed.connect(self._show_ring)
        self._say(self._empty_words())

    # --- the contract of views -------------------------------------------------------------------

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show a study that was opened, or that there is none."""
        self._stop()
        self._shown, self._surfaces = shown, None
        self._known = {}
        self._fit_next = True
        if self._scene is not None:
            self._scene.clear()
        self._say(self._empty_words())
        self._stale = shown is not None
        if self.isVisible():
            self._build()

    def show_change(self, change: Change) -> None:
        """Build the surfaces anew, a moment after contours or scale changed."""
        if self._shown is not None and change.facets & _SHAPED_BY:
            self._stale = True
            if self.isVisible() and not self._settle.isActive():
                self._settle.start()

    def fit(self) -> None:
        """Show the whole vessel from its side."""
        if self._scene is not None and self._surfaces is not None:
            self._scene.fit(self._surfaces)

    @property
    def message(self) -> str:
        """What is said instead of the picture; empty while there is a picture."""
        return self._message.text() if self._pages.currentWidget() is self._message else ""

    # --- building --------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Build what changed while the view was hidden."""
        super().showEvent(event)
        if self._stale:
            self._build()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop building what nobody sees."""
        super().hideEvent(event)
        if self._stop():
            self._stale = True

    def _build(self) -> None:
        if self._shown is None or not self.isVisible() or not self._make_scene():
            return
        self._stop()
        self._stale = False
        study = self._shown.session.study
        work = partial(
            build_surfaces,
            study.annotation,
            frame_count=study.pullback.frame_count,
            step_mm=_step_mm(study),
            known=self._known,
        )
        task = Task(self.tr("Building the 3-D view"), work, self)
        task.item.connect(self._take)
        task.failed.connect(self._say)
        for ended in (task.finished, task.failed):
            ended.connect(self._task.done)
        self._task.start(task)

    def _stop(self) -> bool:
        """End the task in work; returns whether there was one. It stops within one frame."""
        self._settle.stop()
        return self._task.cancel(wait_s=_WAIT_S)

    def _take(self, surfaces: Surfaces | None) -> None:
        """Show what was built; None says only that the work goes on."""
        if surfaces is None or self._scene is None or self._shown is None:
            return
        self._surfaces = surfaces
        if not surfaces.lumen.faces.size and not surfaces.calcium.faces.size:
            self._say(self.tr("The 3-D view appears when frames are segmented."))
            return
        self._scene.show_surfaces(surfaces)
        self._scene.caption.setText(self._caption(self._shown.session.study))
        self._pages.setCurrentWidget(self._scene)
        if self._fit_next:
            self._scene.fit(surfaces)
            self._fit_next = False
        self._show_ring()

    def _show_ring(self) -> None:
        if self._scene is None or self._surfaces is None or self._shown is None:
            return
        study, frame = self._shown.session.study, self._state.frame
        if self.isVisible() and frame < study.pullback.frame_count:
            self._scene.show_ring(
                frame_ring(study.annotation(frame), frame * self._surfaces.step_mm)
            )

    def _make_scene(self) -> bool:
        """Make the picture when it is first needed; returns whether there is one."""
        if self._scene is None and self._unavailable is None:
            self._unavailable = why_no_opengl()
            if not self._unavailable:
                self._scene = new_scene(self)
                self._scene.installEventFilter(self)
                self._pages.addWidget(self._scene)
        if self._unavailable:
            words = self.tr(
                "The 3-D view needs OpenGL, which this computer does not offer here ({why}). "
                "All other views work without it."
            )
            self._say(words.format(why=self._unavailable))
        return self._scene is not None

    def _say(self, words: str) -> None:
        self._message.setText(words)
        self._pages.setCurrentWidget(self._message)

    def _empty_words(self) -> str:
        if self._shown is None:
            return self.tr("Open a pullback to see the vessel in 3-D.")
        return self.tr("The 3-D view appears when frames are segmented.")

    def _caption(self, study: IvoctStudy) -> str:
        if study.calibration.frame_pitch_mm is None or not study.pullback.motorised:
            return self.tr(
                "3-D · not to scale along the vessel: the distance between frames is unknown"
            )
        if not study.calibration.scaled:
            return self.tr("3-D · not to scale: the calibration is incomplete")
        return self.tr("3-D · ruler begins distal · marks 1 mm, long ones 5 mm")

    # --- the mouse -------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel step through the frames, one a notch; with Ctrl it zooms."""
        if not isinstance(event, QWheelEvent):
            return super().eventFilter(watched, event)
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if self._scene is not None:
                self._scene.zoom(turned / _NOTCHES)
            return True
        # Touchpads send parts of a notch.
        self._notches += turned
        steps = int(self._notches / _NOTCHES)
        self._notches -= steps * _NOTCHES
        if steps:
            ten = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            direction = -1 if steps > 0 else 1
            self._state.step(direction * (10 if ten else 1))
        return True


def new_scene(parent: QWidget) -> Scene:
    """Return the picture; its module needs OpenGL to be imported."""
    from calcviewer.gui.views.scene import Scene

    return Scene(parent)


def _step_mm(study: IvoctStudy) -> float:
    pitch = study.calibration.frame_pitch_mm
    known = pitch is not None and study.pullback.motorised
    return pitch.value if known and pitch is not None else _ASSUMED_PITCH_MM
