"""The receiver: off until the operator turns it on; what arrived, to be opened."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.pacs.inbox import QUOTA_BYTES, inbox_folder
from calcviewer.app.pacs.retrieved import Arrival
from calcviewer.app.settings import Settings
from calcviewer.dicom.network.peer import LOOPBACK, DimsePeer, Peer
from calcviewer.gui.pacs import work
from calcviewer.gui.pacs.record_table import RecordTable
from calcviewer.gui.pacs.record_texts import person_text
from calcviewer.gui.pacs.states import States
from calcviewer.gui.pacs.work_row import WorkRow
from calcviewer.gui.panels.card import Card, heading, paint, quiet, warning
from calcviewer.gui.table import Column
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.theme import QUIET, THICKNESS, named

if TYPE_CHECKING:  # the network library loads when it is first needed, in a thread
    from calcviewer.dicom.network.receiver import Receiver

EVERYWHERE = "0.0.0.0"
_MOST_ROWS = 500


class ReceivePage(QWidget):
    """Turns the receiver on and off and lists what lies in its inbox.

    Signals
    -------
    pullback_chosen
        The path of a received pullback that is to be opened.
    said
        A pullback arrived while the window was closed.
    turned_on
        The operator turned the receiver on, with the form as it is.
    """

    pullback_chosen = Signal(object)
    said = Signal(str)
    turned_on = Signal()

    def __init__(self, tasks: Tasks, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.receiver: Receiver | None = None
        self._ending = threading.Event()
        self._arrivals: list[Arrival] = []
        self._rows: tuple[Arrival, ...] = ()
        self._listed = False
        self._make_form(settings)
        self.turn = QPushButton()
        self.turn.setAutoDefault(False)
        self.state = QLabel()
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.row, self._list_row = WorkRow(tasks, silent=True), WorkRow(tasks, silent=True)
        self.table = RecordTable(
            (
                Column(self.tr("Arrived")),
                Column(self.tr("Patient")),
                Column(self.tr("Modality")),
                Column(self.tr("Description"), stretches=True),
                Column(self.tr("Frames"), figures=True),
            )
        )
        self.states = States(self.table)
        self._used = quiet("")
        self.open_button = named(QPushButton(self.tr("Open")), "primary")
        self.reveal = QPushButton(self.tr("Show the folder"))
        for button in (self.open_button, self.reveal):
            button.setAutoDefault(False)
        self._lay_out()
        self._connect()
        self._show_arrivals()
        self._show_state()

    def set_peers(self, peers: Sequence[Peer]) -> None:
        """Propose the archives as those who may send, where the operator named nobody."""
        if not self._senders:
            titles = dict.fromkeys(one.ae_title for one in peers if isinstance(one, DimsePeer))
            self._proposed = ", ".join(titles)
            self.allowed.setText(self._proposed)

    def kept_in(self, settings: Settings) -> Settings:
        """Return the settings with the form as it is."""
        return replace(
            settings,
            receiver_exposed=self.host.currentData() == EVERYWHERE,
            receiver_port=self.port.value(),
            receiver_ae_title=self.ae_title.text().strip() or settings.receiver_ae_title,
            receiver_senders=self._senders,
        )

    @property
    def _senders(self) -> str:
        """Who the operator said may send; empty where that is only a proposal."""
        named = self.allowed.text().strip()
        return "" if named == self._proposed else named

    def list_inbox(self) -> None:
        """Show what lies in the inbox; it is read once, then followed."""
        if not self._listed:
            self._listed = True
            self._list_row.run(
                self.tr("Reading the inbox"),
                work.inbox_arrivals,
                item=self._take_listed,
                finished=lambda: self._list_row.say(""),
            )

    # Receiver ---------------------------------------------------------------------------------

    def _turn(self) -> None:
        if self.row.running:
            # It is off when its port is free again: until then it cannot be turned on.
            self._ending.set()
            self._show_state()
            return
        self.turned_on.emit()
        self._ending = threading.Event()
        titles = [one.strip() for one in self.allowed.text().split(",")]
        self.row.run(
            "",
            partial(
                work.receiving,
                self._ending,
                ae_title=self.ae_title.text().strip(),
                host=self.host.currentData(),
                port=self.port.value(),
                allowed=tuple(title for title in titles if title),
            ),
            item=self._take,
            finished=self._turned_off,
            failed=lambda _reason: self._turned_off(),
        )
        self._show_state()

    def _turned_off(self) -> None:
        self.receiver = None
        self._show_state()

    def _take(self, item: Receiver | Arrival | None) -> None:
        if isinstance(item, Arrival):
            self._arrivals = [one for one in self._arrivals if one.path != item.path]
            self._arrivals.insert(0, item)
            self._show_arrivals()
            if item.frame_count and not self.window().isVisible():
                self.said.emit(self.tr("A pullback arrived: open it from the PACS window."))
        elif item is not None:
            self.receiver = item
            self._show_state()

    def _show_state(self) -> None:
        running, ending = self.row.running, self._ending.is_set()
        self.turn.setText(self.tr("Turn it off") if running else self.tr("Turn it on"))
        self.turn.setEnabled(not (running and ending))
        if running and self.receiver is not None and not ending:
            options = self.receiver.options
            self.state.setText(
                self.tr("On: {}@{}:{} takes objects from {}.").format(
                    options.ae_title, options.host, options.port, ", ".join(options.allowed)
                )
            )
        else:
            changing = self.tr("Ending…") if ending else self.tr("Starting…")
            self.state.setText(changing if running else self.tr("Off: nothing listens."))
        paint(self.state, THICKNESS if running and self.receiver is not None else QUIET)
        for widget in (self.host, self.port, self.ae_title, self.allowed):
            widget.setEnabled(not running)
        self._exposed.setVisible(self.host.currentData() == EVERYWHERE)

    # Inbox ------------------------------------------------------------------------------------

    def _take_listed(self, found: tuple[Arrival, ...]) -> None:
        known = {one.path for one in self._arrivals}
        self._arrivals += [one for one in reversed(found) if one.path not in known]
        self._show_arrivals()

    def _show_arrivals(self) -> None:
        chosen = self._chosen
        self._rows = tuple(self._arrivals[:_MOST_ROWS])
        held_gb = sum(one.byte_count for one in self._arrivals) / 1e9
        words = self.tr("{:.1f} of {:.0f} GB used").format(held_gb, QUOTA_BYTES / 1e9)
        self._used.setText(words if self._arrivals else "")
        rows = [
            (
                f"{one.when:%Y-%m-%d %H:%M:%S}",
                person_text(one.patient_name),
                one.modality,
                one.description or ("" if one.frame_count else self.tr("No pullback")),
                str(one.frame_count) if one.frame_count else "",
            )
            for one in self._rows
        ]
        paths = [one.path for one in self._rows]
        row = paths.index(chosen.path) if chosen and chosen.path in paths else -1
        self.table.show_rows(rows, select=row)
        if rows:
            self.states.show_content()
        else:
            self.states.show_message(
                self.tr("The inbox is empty"),
                self.tr(
                    "Turn the receiver on, then send a study to it from the archive or the console."
                ),
            )
        self._show_ready()

    @property
    def _chosen(self) -> Arrival | None:
        row = self.table.row_selected
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def _show_ready(self) -> None:
        chosen = self._chosen
        self.open_button.setEnabled(chosen is not None and chosen.frame_count > 0)

    def _open(self) -> None:
        chosen = self._chosen
        if chosen is not None and chosen.frame_count:
            self.pullback_chosen.emit(chosen.path)

    def _reveal(self) -> None:
        folder: Path = inbox_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    # Assembly ---------------------------------------------------------------------------------

    def _make_form(self, settings: Settings) -> None:
        """Make the fields, filled in as they were when the receiver was last turned on."""
        self.host = QComboBox()
        self.host.addItem(self.tr("This computer only (127.0.0.1)"), LOOPBACK)
        self.host.addItem(self.tr("The network (all addresses)"), EVERYWHERE)
        self.host.setCurrentIndex(1 if settings.receiver_exposed else 0)
        self.port = QSpinBox(minimum=1, maximum=65535, value=settings.receiver_port)
        self.ae_title = QLineEdit(settings.receiver_ae_title)
        self.ae_title.setMaxLength(16)
        self.allowed = QLineEdit(settings.receiver_senders)
        self._proposed = ""
        self.allowed.setPlaceholderText(self.tr("AE titles, with commas between them"))
        self._exposed = warning(
            self.tr(
                "Others in the network reach the receiver. It checks the AE titles, but these are "
                "no secret, and nothing is encrypted."
            )
        )

    def _lay_out(self) -> None:
        card = Card(self.tr("Receiver"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        fields: tuple[tuple[str, QWidget, int], ...] = (
            (self.tr("Reached from"), self.host, 3),
            (self.tr("Port"), self.port, 1),
            (self.tr("Our AE title"), self.ae_title, 2),
            (self.tr("Who may send"), self.allowed, 3),
        )
        for column, (text, field, stretch) in enumerate(fields):
            grid.addWidget(quiet(text), 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, stretch)
        line = QHBoxLayout()
        line.addWidget(self.state, 1)
        line.addWidget(self.turn)
        card.body.setSpacing(8)
        card.body.addLayout(grid)
        card.body.addWidget(self._exposed)
        card.body.addLayout(line)
        card.body.addWidget(self.row)
        head = QHBoxLayout()
        head.addWidget(heading(self.tr("Inbox")))
        head.addWidget(self._used, 1)
        head.addWidget(self._list_row)
        buttons = QHBoxLayout()
        buttons.addWidget(self.reveal)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(12)
        page.addWidget(card)
        page.addLayout(head)
        page.addWidget(self.states, 1)
        page.addLayout(buttons)

    def _connect(self) -> None:
        self.host.currentIndexChanged.connect(self._show_state)
        self.turn.clicked.connect(self._turn)
        self.table.selected.connect(self._show_ready)
        self.table.chosen.connect(self._open)
        self.open_button.clicked.connect(self._open)
        self.reveal.clicked.connect(self._reveal)
