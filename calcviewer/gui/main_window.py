"""The window: its parts put together, and which hears of what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.session import Change
from calcviewer.app.settings import Settings
from calcviewer.gui.action_states import ActionStates
from calcviewer.gui.actions import bind, build_menu
from calcviewer.gui.change_relay import ChangeRelay, StudyReceiver
from calcviewer.gui.commands import Commands
from calcviewer.gui.desk import Desk
from calcviewer.gui.errors import Banner
from calcviewer.gui.exclude import ExcludeAsk
from calcviewer.gui.exporting.dialog import ExportDialog
from calcviewer.gui.go_to import GoTo
from calcviewer.gui.icons import icon
from calcviewer.gui.layouts import LAYOUTS, ViewArea, boxed
from calcviewer.gui.opening import dropped_path
from calcviewer.gui.pacs.assembly import Pacs
from calcviewer.gui.panels.calibration import CalibrationPanel
from calcviewer.gui.panels.decisive import DecisivePanel
from calcviewer.gui.panels.frame import FramePanel
from calcviewer.gui.panels.lesions import LesionsPanel
from calcviewer.gui.panels.score import ScorePanel
from calcviewer.gui.second_reading.opening import SecondReader
from calcviewer.gui.start_page import StartPage
from calcviewer.gui.status_line import StatusLine
from calcviewer.gui.tool_bar import ToolBar
from calcviewer.gui.toolbox import Toolbox, make_tools
from calcviewer.gui.tools.catheter import CatheterTool
from calcviewer.gui.top_bar import TopBar
from calcviewer.gui.views.calcium_map import CalciumMapView
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.frame_axis import FrameAxis
from calcviewer.gui.views.longitudinal import LongitudinalView
from calcviewer.gui.views.polar import PolarView
from calcviewer.gui.views.trends import TrendsView
from calcviewer.gui.views.volume import VolumeView

_PANELS_PX = 452
_SIZE_PX = (1440, 900)


class MainWindow(QMainWindow):
    """The application's window."""

    def __init__(self, settings: Settings, note: str = "") -> None:
        super().__init__()
        self.setWindowTitle("CalcViewer")
        self.setAcceptDrops(True)
        self.resize(*_SIZE_PX)
        self.desk = Desk(settings, self)
        self.commands = Commands(self.desk, self)
        self.actions_by_id = bind(self, self.commands)
        self.action_states = ActionStates(self.actions_by_id, self.desk, self)
        self.pacs = Pacs(self.desk, self)
        self.second_reader = SecondReader(self.desk, self)
        self._relay = ChangeRelay(self)
        self._make_views()
        self._make_bars()
        self._assemble()
        self._connect()
        self._put_settings_in_force()
        self._show_study()
        self._restore_place()
        if note:
            self.banner.show_note(self.tr("Settings"), note)

    # Assembly ---------------------------------------------------------------------------------

    def _make_views(self) -> None:
        state, self.frame_axis = self.desk.state, FrameAxis(self)
        self.cross_section = CrossSectionView(state)
        self.polar = PolarView(state)
        self.longitudinal = LongitudinalView(state, self.frame_axis)
        self.calcium_map = CalciumMapView(state, self.frame_axis)
        self.trends = TrendsView(state, self.frame_axis)
        self.volume = VolumeView(state)
        self.views: dict[str, QWidget] = {
            "cross_section": self.cross_section,
            "polar": self.polar,
            "longitudinal": self.longitudinal,
            "calcium_map": self.calcium_map,
            "trends": self.trends,
            "volume": self.volume,
        }
        self.calibration = CalibrationPanel(state)
        self.score = ScorePanel(state)
        self.panels = (
            self.score,
            DecisivePanel(state),
            LesionsPanel(state),
            FramePanel(state),
            self.calibration,
        )
        self._showing: tuple[StudyReceiver, ...] = (
            self.cross_section,
            self.polar,
            self.longitudinal,
            self.calcium_map,
            self.trends,
            self.volume,
            *self.panels,
        )
        self._relay.connect_to((*self._showing, self))
        self.tools = make_tools(self.desk.interpolation.end, self)
        self.toolbox = Toolbox(self.tools, (self.cross_section, self.polar), state, self)

    def _make_bars(self) -> None:
        menu = build_menu(self.actions_by_id, self)
        self.top_bar = TopBar(self.actions_by_id, menu)
        self.tool_bar = ToolBar(self.actions_by_id)
        self.status = StatusLine()
        self.start_page = StartPage()
        self.view_area = ViewArea(self.views)

    def _assemble(self) -> None:
        column = QWidget()
        stacked = QVBoxLayout(column)
        stacked.setContentsMargins(12, 12, 12, 12)
        stacked.setSpacing(10)
        for panel in self.panels:
            stacked.addWidget(panel)
        stacked.addStretch(1)
        self.panel_area = QScrollArea(widgetResizable=True)
        self.panel_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.panel_area.setFixedWidth(_PANELS_PX)
        self.panel_area.setWidget(column)
        self._review = boxed(QHBoxLayout(), self.view_area, self.panel_area)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start_page)
        self._pages.addWidget(self._review)
        middle = boxed(QHBoxLayout(), self.tool_bar, self._pages)
        self.setCentralWidget(boxed(QVBoxLayout(), self.top_bar, middle, self.status))
        self.banner = Banner(self._pages)
        self.go_to = GoTo(self._pages)
        self.exclude_ask = ExcludeAsk(self.view_area)
        # Buttons are reached with Tab; a click leaves the keys with the views.
        for button in self.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _connect(self) -> None:
        self._connect_desk()
        self._connect_commands()
        self._connect_start_page()
        self.action_states.confirmation_changed.connect(self.top_bar.show_confirmation)
        self.calibration.catheter_wanted.connect(lambda: self.toolbox.choose("catheter"))
        self.toolbox.chosen.connect(self._show_tool)
        self.toolbox.status.connect(self.status.show_tool)
        self.top_bar.calibration_asked.connect(self._show_calibration)
        self.score.calibration_wanted.connect(self._show_calibration)
        self.status.cancel_asked.connect(self._cancel_work)
        self.status.restart_asked.connect(self.desk.segment)

    def _connect_desk(self) -> None:
        desk = self.desk
        desk.shown_changed.connect(self._show_study)
        desk.changed.connect(self._relay.pass_on)
        desk.streamed.connect(self._relay.gather)
        desk.keeping.changed.connect(self._show_undo)
        desk.keeping.failed.connect(self.banner.show_error)
        desk.keeping.noted.connect(self.banner.show_note)
        desk.settings_changed.connect(self._put_settings_in_force)
        desk.opening.changed.connect(self._show_work)
        desk.opening.progress.connect(self._show_opening)
        desk.opening.glimpsed.connect(self.start_page.show_glimpse)
        desk.opening.failed.connect(self._say_not_opened)
        desk.segmentation.changed.connect(self._show_work)
        desk.segmentation.failed.connect(self._say_not_segmented)
        desk.state.frame_changed.connect(self.action_states.show_frame)

    def _connect_commands(self) -> None:
        commands = self.commands
        commands.said.connect(self.status.show_message)
        commands.frame_asked.connect(lambda: self.go_to.ask(self.desk.state.frame_count))
        self.go_to.chosen.connect(commands.go_to)
        commands.fit_asked.connect(self._fit)
        commands.export_asked.connect(self._export)
        commands.results_asked.connect(self.second_reader.ask)
        self.second_reader.failed.connect(self.banner.show_error)
        self.second_reader.said.connect(self.status.show_message)
        commands.pacs_asked.connect(self.pacs.show)
        self.pacs.said.connect(self.status.show_message)
        commands.escaped.connect(self._escape)
        commands.tool_asked.connect(self.toolbox.choose)
        commands.reason_asked.connect(self.exclude_ask.ask)
        self.exclude_ask.chosen.connect(commands.exclude)
        commands.player.changed.connect(self._show_playing)
        self.banner.log_asked.connect(commands.show_log)
        self.banner.report_asked.connect(commands.show_problem_report)

    def _connect_start_page(self) -> None:
        page, commands = self.start_page, self.commands
        page.file_asked.connect(commands.open_file)
        page.folder_asked.connect(commands.open_folder)
        page.pacs_asked.connect(lambda: commands.pacs("worklist"))
        page.demo_asked.connect(commands.open_demo)
        page.recent_asked.connect(self.desk.open_path)
        page.cancel_asked.connect(self.desk.opening.cancel)

    # Study ------------------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """Open a file or a folder."""
        self.desk.open_path(path)

    def show_change(self, change: Change) -> None:
        """Say what a change means for the bars."""
        self._show_scale()
        self.action_states.show_frame()
        self._show_undo()

    def _show_study(self) -> None:
        """Show the study that is open now; nothing of another one stays."""
        shown = self.desk.shown
        self._relay.clear()
        self.commands.player.stop()
        self.toolbox.set_study(shown)
        self.exclude_ask.leave()
        catheter = self.tools["catheter"]
        assert isinstance(catheter, CatheterTool)
        catheter.set_diameter(self.desk.settings.catheter_diameter_mm)
        for receiver in self._showing:
            receiver.set_study(shown)
        notes = () if shown is None else shown.session.study.pullback.notes
        self.status.show_message(" ".join(notes))
        self._pages.setCurrentWidget(self.start_page if shown is None else self._review)
        if shown is None:
            self.start_page.show_recent(self.desk.settings.recent)
            self.setWindowTitle("CalcViewer")
        else:
            self.banner.hide()
            self.cross_section.setFocus()
            self.setWindowTitle(f"{shown.session.study.pullback.name} · CalcViewer")
        self._show_scale()
        self.action_states.show_study()
        self._show_undo()
        self._show_work()

    def _show_undo(self) -> None:
        """Name the steps undo and redo would make, and where the review is kept."""
        self.action_states.show_undo()
        session = None if self.desk.shown is None else self.desk.shown.session
        undo = None if session is None else session.undo_label
        self.status.show_review(self.desk.keeping.state, self.desk.keeping.place, undo)

    def _show_scale(self) -> None:
        study = None if self.desk.shown is None else self.desk.shown.session.study
        if study is None:
            self.top_bar.show_study(None, None)
        else:
            self.top_bar.show_study(study.pullback, study.calibration)

    # Work -------------------------------------------------------------------------------------

    def _show_work(self) -> None:
        """Show opening, else segmentation, in the status line."""
        opening, segmentation = self.desk.opening, self.desk.segmentation
        self.start_page.show_work(opening.what)
        self.actions_by_id["segment"].setEnabled(
            self.desk.shown is not None and not segmentation.running
        )
        self.actions_by_id["cancel"].setEnabled(segmentation.running)
        self.status.show_model(segmentation.model)
        if opening.what:
            self.status.show_work(opening.what, 0, 0)
        else:
            self.status.show_segmentation(segmentation)

    def _show_opening(self, done: int, wanted: int) -> None:
        what = self.desk.opening.what
        if what:
            self.start_page.show_progress(done, wanted)
            self.status.show_work(f"{what} {done} / {wanted}", done, wanted)

    def _cancel_work(self) -> None:
        if self.desk.opening.what:
            self.desk.opening.cancel()
        else:
            self.commands.cancel_segmentation()

    def _say_not_opened(self, reason: str) -> None:
        kept = "" if self.desk.shown is None else self.tr(" The open study is as it was.")
        self.banner.show_error(self.tr("It could not be opened.") + kept, reason)

    def _say_not_segmented(self, reason: str) -> None:
        what = self.tr("The segmentation ended early. What was segmented is kept.")
        self.banner.show_error(what, reason)

    def say_internal_error(self, reason: str) -> None:
        """Tell of a bug; the program goes on."""
        what = self.tr("Something went wrong inside the program. The study is still open.")
        self.banner.show_error(what, reason)

    def say_crashed_before(self) -> None:
        """Tell that native code ended the program the last time."""
        what = self.tr("CalcViewer ended unexpectedly the last time.")
        text = self.tr("Every finished step of a review was kept. The log says what is known.")
        self.banner.show_note(what, text, report=True)

    # View -------------------------------------------------------------------------------------

    def _put_settings_in_force(self) -> None:
        settings = self.desk.settings
        layout = LAYOUTS[settings.layout - 1]
        self.view_area.show_layout(layout)
        self.panel_area.setVisible(layout.panels)
        for number in range(1, len(LAYOUTS) + 1):
            action = self.actions_by_id[f"layout_{number}"]
            action.setChecked(number == settings.layout)
        self.actions_by_id["interpolate"].setChecked(settings.interpolate)

    def _export(self) -> None:
        shown = self.desk.shown
        if shown is not None:
            dialog = ExportDialog(shown, self.desk.state, self, views=self.views)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    def _fit(self) -> None:
        for view in (self.cross_section, self.polar):
            view.fit()
            view.update()
        self.volume.fit()
        self.frame_axis.fit()

    def _escape(self) -> None:
        self.banner.hide()
        self.toolbox.escape()
        self.cross_section.setFocus()

    def _show_tool(self, name: str) -> None:
        for tool in self.tools:
            self.actions_by_id[tool].setChecked(tool == name)

    def _show_playing(self, playing: bool) -> None:
        self.actions_by_id["play"].setIcon(icon("pause" if playing else "play"))

    def _show_calibration(self) -> None:
        self.panel_area.ensureWidgetVisible(self.calibration)

    # Qt events --------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what can be a study."""
        if dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped: a study, or results over theirs."""
        path = dropped_path(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.second_reader.take(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End all work, keep the settings, and go; wait when work would be lost."""
        if not self.desk.may_leave():
            event.ignore()
            return
        place = self.normalGeometry()
        window = (place.x(), place.y(), place.width(), place.height())
        self.hide()
        self._relay.clear()
        self.commands.player.stop()
        self.desk.change_settings(replace(self.desk.settings, window=window))
        self.desk.shut()
        for receiver in self._showing:
            receiver.set_study(None)
        event.accept()

    def _restore_place(self) -> None:
        """Lie where the window lay last, if that is still on a screen."""
        window = self.desk.settings.window
        if not window:
            return
        left, top, width, height = window
        screens = [screen.availableGeometry() for screen in self.screen().virtualSiblings()]
        if any(screen.contains(left + width // 2, top + 20) for screen in screens):
            self.setGeometry(left, top, width, height)
