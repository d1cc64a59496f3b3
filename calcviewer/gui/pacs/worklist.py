"""The worklist: look for studies, see their series, retrieve one and open it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.pacs.retrieved import RetrievedPullback
from calcviewer.dicom.network.peer import Peer
from calcviewer.dicom.network.query import SeriesRecord, StudyQuery, StudyRecord, Transfer
from calcviewer.gui.pacs import work
from calcviewer.gui.pacs.pullback_choice import PullbackChoice
from calcviewer.gui.pacs.query_form import QueryForm
from calcviewer.gui.pacs.record_table import RecordTable
from calcviewer.gui.pacs.record_texts import person_text, series_row, study_date_text, study_row
from calcviewer.gui.pacs.states import States
from calcviewer.gui.pacs.work_row import WorkRow
from calcviewer.gui.panels.card import heading, stack
from calcviewer.gui.table import Column
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.theme import BORDER, named

if TYPE_CHECKING:  # the network library loads when it is first needed, in a thread
    from calcviewer.dicom.network.receiver import Receiver

_PULLBACK_MODALITIES = ("IVOCT", "OCT", "OPT")
_HANDLE_PX = 11
_STUDIES_PX, _SERIES_PX = 320, 240
_SERIES_DELAY_MS = 200
"""Arrow keys run over studies; only the one they stop at is asked about."""


class WorklistPage(QWidget):
    """Queries the chosen peer and retrieves from it.

    Parameters
    ----------
    receiver
        Tells the receiver that listens now, for archives that only send; None: none does.

    Signals
    -------
    pullback_chosen
        The path of a retrieved pullback that is to be opened.
    peers_asked
        There is no peer yet; the operator wants to add one.
    said
        Something happened while the window was closed.
    """

    pullback_chosen = Signal(object)
    peers_asked = Signal()
    said = Signal(str)

    def __init__(
        self,
        tasks: Tasks,
        receiver: Callable[[], Receiver | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._receiver = receiver
        self._peer: Peer | None = None
        self._asked: StudyQuery | None = None
        self._studies: tuple[StudyRecord, ...] = ()
        self._series: tuple[SeriesRecord, ...] = ()
        self._received = 0
        self._opens_when_known = False
        self.form = QueryForm()
        self.studies = RecordTable(
            (
                Column(self.tr("Patient")),
                Column(self.tr("ID")),
                Column(self.tr("Date")),
                Column(self.tr("Description"), stretches=True),
                Column(self.tr("Modalities")),
                Column(self.tr("Instances"), figures=True),
            )
        )
        self.series = RecordTable(
            (
                Column(self.tr("Series"), figures=True),
                Column(self.tr("Modality")),
                Column(self.tr("Description"), stretches=True),
                Column(self.tr("Instances"), figures=True),
            )
        )
        self.states = States(self.studies)
        self.series_states = States(self.series)
        self.search_row, self.retrieve_row = WorkRow(tasks), WorkRow(tasks)
        self.series_row = WorkRow(tasks, silent=True)
        self.retrieve = named(QPushButton(self.tr("Retrieve and open")), "primary")
        self.retrieve.setAutoDefault(False)
        self.choice = PullbackChoice()
        self._series_timer = QTimer(self, singleShot=True, interval=_SERIES_DELAY_MS)
        self._lay_out()
        self._connect()
        self.set_peer(None)

    # Peer and query ---------------------------------------------------------------------------

    def set_peer(self, peer: Peer | None) -> None:
        """Look at another peer; nothing of the last one stays."""
        for row in (self.search_row, self.series_row, self.retrieve_row):
            row.stop()
            row.say("")
        self._peer, self._asked = peer, None
        self._show_studies(())
        self._pages.setCurrentIndex(0)
        self.form.setEnabled(peer is not None)
        if peer is None:
            self.states.show_message(
                self.tr("No archive is set up yet"),
                self.tr(
                    "Add the hospital's PACS by its AE title, host and port, or by its DICOMweb "
                    "address. Its administrator has to know this computer too."
                ),
                offer=(self.tr("Add an archive…"), self.peers_asked.emit),
            )
        else:
            self.states.show_message(
                self.tr("Look for a study"),
                self.tr("Search shows the studies of {} that match.").format(peer.name),
                offer=(self.tr("Search"), self.form.ask),
            )

    def begin(self) -> None:
        """Show today's studies when nothing was looked for yet."""
        if self._peer is not None and self._asked is None:
            self.form.ask()

    def _ask(self, query: StudyQuery) -> None:
        if self._peer is None:
            return
        self._asked = query
        self.series_row.stop()
        if not self.retrieve_row.running:
            self.retrieve_row.say("")
        self._show_studies(())
        self.states.show_message(
            self.tr("Searching {}…").format(self._peer.name),
            self.tr("The archive looks for studies that match."),
        )
        self.search_row.run(
            self.tr("Searching"),
            partial(work.studies_found, self._peer, query),
            item=self._take_studies,
            finished=lambda: None,
            failed=self._say_not_found,
        )

    def _take_studies(self, studies: tuple[StudyRecord, ...]) -> None:
        self._show_studies(studies)
        if studies:
            self.states.show_content()
            self.search_row.say(
                self.tr("1 study")
                if len(studies) == 1
                else self.tr("{} studies").format(len(studies))
            )
            return
        dated = self._asked is not None and self._asked.first_date is not None
        self.search_row.say("")
        self.states.show_message(
            self.tr("No study matches"),
            self.tr("Nothing was found for these dates. Look at more of them, or leave out the ID.")
            if dated
            else self.tr("Shorten the name, leave out the ID or choose another modality."),
            offer=(self.tr("Search any date"), self.form.ask_any_date) if dated else None,
        )

    def _say_not_found(self, reason: str) -> None:
        self.search_row.say("")
        assert self._peer is not None
        self.states.show_message(
            self.tr("{} did not answer the search").format(self._peer.name),
            reason,
            offer=(self.tr("Try again"), self.form.ask),
            failure=True,
        )

    def _search_cancelled(self) -> None:
        self.search_row.say("")
        self.states.show_message(
            self.tr("The search was cancelled"), "", offer=(self.tr("Search"), self.form.ask)
        )

    def _show_studies(self, studies: Sequence[StudyRecord]) -> None:
        self._studies = tuple(studies)
        rows = [study_row(record) for record in self._studies]
        self.studies.show_rows(rows, select=0 if len(rows) == 1 else -1)

    # Series -----------------------------------------------------------------------------------

    @property
    def study(self) -> StudyRecord | None:
        """The selected study."""
        row = self.studies.row_selected
        return self._studies[row] if row >= 0 else None

    def _study_selected(self) -> None:
        self.series_row.stop()
        self.series_row.say("")
        self._show_series(())
        study, self._opens_when_known = self.study, False
        self._series_timer.stop()
        self._series_title.setText(self.tr("Series"))
        if study is None:
            self.series_states.show_message("", self.tr("Select a study to see its series."))
            return
        patient = person_text(study.patient_name) or study.patient_id
        parts = [self.tr("Series of {}").format(patient), study_date_text(study)]
        self._series_title.setText(" · ".join(parts))
        self.series_states.show_message("", self.tr("Asking for the series…"))
        self._series_timer.start()

    def _ask_series(self) -> None:
        study = self.study
        if study is None or self._peer is None:
            return
        self.series_row.run(
            "",
            partial(work.series_found, self._peer, study.study_uid),
            item=self._take_series,
            finished=lambda: None,
            failed=self._say_no_series,
        )

    def _take_series(self, series: tuple[SeriesRecord, ...]) -> None:
        self._show_series(series)
        if series:
            self.series_states.show_content()
            if self._opens_when_known:
                self._retrieve()
        else:
            self.series_states.show_message("", self.tr("The archive names no series of it."))

    def _say_no_series(self, reason: str) -> None:
        self.series_row.say("")
        self.series_states.show_message(
            self.tr("The series could not be listed"),
            reason,
            offer=(self.tr("Try again"), self._ask_series),
            failure=True,
        )

    def _show_series(self, series: Sequence[SeriesRecord]) -> None:
        self._series = tuple(series)
        rows = [series_row(one) for one in self._series]
        select = 0 if rows else -1
        if len(rows) > 1:
            rows.insert(0, ("", "", self.tr("All {} series").format(len(rows)), ""))
            named_so = [one.modality in _PULLBACK_MODALITIES for one in self._series]
            # The one pullback of the study is what is wanted; of several the operator chooses.
            select = named_so.index(True) + 1 if named_so.count(True) == 1 else 0
        self.series.show_rows(rows, select=select)
        self._show_ready()

    @property
    def wanted_series(self) -> tuple[SeriesRecord, ...]:
        """What Retrieve would retrieve."""
        row = self.series.row_selected
        if row < 0:
            return ()
        if len(self._series) == 1:
            return self._series
        return self._series if row == 0 else (self._series[row - 1],)

    # Retrieving -------------------------------------------------------------------------------

    def _show_ready(self) -> None:
        self.retrieve.setEnabled(bool(self.wanted_series) and not self.retrieve_row.running)

    def _open_study(self) -> None:
        """Retrieve the study that was double-clicked, as soon as its series are known."""
        if self.wanted_series:
            self._retrieve()
        elif not self._opens_when_known:
            self._opens_when_known = True
            self._series_timer.stop()
            self._ask_series()

    def _retrieve(self) -> None:
        wanted = self.wanted_series
        if self._peer is None or not wanted or self.retrieve_row.running:
            return
        self._received = 0
        self.retrieve_row.run(
            self.tr("Retrieving from {}").format(self._peer.name),
            partial(work.retrieved, self._peer, wanted, self._receiver()),
            item=self._take_retrieved,
            finished=lambda: None,
        )

    def _take_retrieved(self, item: Transfer | tuple[RetrievedPullback, ...]) -> None:
        if isinstance(item, Transfer):
            self._received = item.done
            self.retrieve_row.show_transfer(self.tr("Retrieving"), item)
            return
        if not item:
            self.retrieve_row.say_failed(
                self.tr(
                    "{} objects were retrieved, but none is an intravascular OCT pullback. Choose "
                    "another series."
                ).format(self._received)
            )
        elif len(item) == 1 and self.window().isVisible():
            self.retrieve_row.say_done(self.tr("Retrieved. It opens in the window."))
            self.pullback_chosen.emit(item[0].path)
        else:
            # Of several one is picked; and who closed the window is at other work by now.
            self.retrieve_row.say_done(self.tr("Retrieved."))
            self.choice.offer(item)
            self._pages.setCurrentWidget(self.choice)
            if not self.window().isVisible():
                self.said.emit(self.tr("The pullback is retrieved: open it from the PACS window."))

    def _retrieval_cancelled(self) -> None:
        self.retrieve_row.say(
            self.tr("Cancelled; nothing half-retrieved is kept. Retrieving again is safe.")
        )

    # Assembly ---------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        upper, lower = QWidget(), QWidget()
        above = stack(upper, self.states, self.search_row)
        above.setStretch(0, 1)
        above.setSpacing(4)
        self._series_title: QLabel = heading(self.tr("Series"))
        self._series_title.setTextFormat(Qt.TextFormat.PlainText)
        head = QHBoxLayout()
        head.addWidget(self._series_title, 1)
        head.addWidget(self.series_row)
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.addLayout(head)
        below.addWidget(self.series_states, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(_HANDLE_PX)
        split.setStyleSheet(
            "QSplitter::handle { background: transparent;"
            f" border: none; border-top: 1px solid {BORDER}; }}"
        )
        for widget in (upper, lower):
            split.addWidget(widget)
        split.setSizes([_STUDIES_PX, _SERIES_PX])
        bottom = QHBoxLayout()
        bottom.addWidget(self.retrieve_row, 1)
        bottom.addWidget(self.retrieve)
        list_page = QWidget()
        column = QVBoxLayout(list_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.form)
        column.addWidget(split, 1)
        column.addLayout(bottom)
        self._pages = QStackedWidget()
        self._pages.addWidget(list_page)
        self._pages.addWidget(self.choice)
        stack(self, self._pages)

    def _connect(self) -> None:
        self.form.asked.connect(self._ask)
        self.search_row.cancelled.connect(self._search_cancelled)
        self.studies.selected.connect(self._study_selected)
        self.studies.chosen.connect(self._open_study)
        self.series.selected.connect(self._show_ready)
        self.series.chosen.connect(self._retrieve)
        self._series_timer.timeout.connect(self._ask_series)
        self.retrieve.clicked.connect(self._retrieve)
        self.retrieve_row.changed.connect(self._show_ready)
        self.retrieve_row.cancelled.connect(self._retrieval_cancelled)
        self.choice.chosen.connect(self.pullback_chosen)
        self.choice.left.connect(lambda: self._pages.setCurrentIndex(0))
