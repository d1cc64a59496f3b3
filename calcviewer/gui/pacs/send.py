"""Results of the open study sent to the archive."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.exchange.dicom_results import ResultOptions
from calcviewer.app.pacs.results import Outbox
from calcviewer.app.review import segmentation_progress
from calcviewer.app.session import IvoctStudy
from calcviewer.dicom.network.peer import Peer
from calcviewer.dicom.network.query import Transfer
from calcviewer.gui.pacs import work
from calcviewer.gui.pacs.states import States
from calcviewer.gui.pacs.work_row import WorkRow
from calcviewer.gui.panels.card import Card, heading, quiet, stack, warning
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.theme import named


class SendPage(QWidget):
    """Chooses what of the open study is sent, sends it, and says what became of it.

    Signals
    -------
    peers_asked
        There is no peer yet; the operator wants to add one.
    """

    peers_asked = Signal()

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._peer: Peer | None = None
        self._shown: ShownStudy | None = None
        self._outbox = Outbox()
        self._sent = 0
        self._total: int | None = None
        self._study = heading("")
        self._study.setTextFormat(Qt.TextFormat.PlainText)
        self._warning = warning()
        self._warning.setTextFormat(Qt.TextFormat.PlainText)
        self.seg = QCheckBox(self.tr("Segmentation (DICOM SEG): lumen, calcium, guidewire shadow"))
        self.sr = QCheckBox(self.tr("Measurements (DICOM SR): every lesion and every frame"))
        self.pdf = QCheckBox(self.tr("Report (encapsulated PDF)"))
        self.deidentify = QCheckBox(self.tr("De-identify: take the patient out of all of it"))
        self._deidentify_note = quiet("", wrap=True)
        self.send = named(QPushButton(), "primary")
        self.send.setAutoDefault(False)
        self.row = WorkRow(tasks)
        self.states = States(self._content())
        stack(self, self.states)
        for box in (self.seg, self.sr, self.pdf):
            box.setChecked(True)
        for box in (self.seg, self.sr, self.pdf, self.deidentify):
            box.toggled.connect(self._show_ready)
        self.send.clicked.connect(self._send)
        self.row.changed.connect(self._show_ready)
        self.row.cancelled.connect(self._say_cancelled)
        self._show()

    @property
    def options(self) -> ResultOptions:
        """What is chosen."""
        return ResultOptions(
            seg=self.seg.isChecked(),
            sr=self.sr.isChecked(),
            pdf=self.pdf.isChecked(),
            deidentify=self.deidentify.isChecked(),
        )

    def set_peer(self, peer: Peer | None) -> None:
        """Send to another peer from now on."""
        self._forget_words()
        self._peer = peer
        self._show()

    def set_study(self, shown: ShownStudy | None) -> None:
        """Send results of another study from now on; nothing chosen for the last one stays."""
        self._forget_words()
        if not self.row.running:
            self._outbox.clear()
        self._shown, self._outbox = shown, Outbox()
        self.deidentify.setChecked(False)
        self._show()

    def refresh(self) -> None:
        """Say how much of the open study is segmented by now."""
        self._show()

    def _forget_words(self) -> None:
        # What is being sent was taken at the click: it goes on, and its words say whose it is.
        if not self.row.running:
            self.row.say("")

    # What is shown ----------------------------------------------------------------------------

    def _show(self) -> None:
        if self._peer is None:
            self.states.show_message(
                self.tr("No archive is set up yet"),
                self.tr("Add the hospital's PACS to send results to it."),
                offer=(self.tr("Add an archive…"), self.peers_asked.emit),
            )
            return
        if self._shown is None:
            self.states.show_message(
                self.tr("No study is open"),
                self.tr("Open a pullback, or retrieve one from the worklist; its results go here."),
            )
            return
        study = self._shown.session.study
        self._study.setText(study.pullback.name)
        self._warning.setText("\n".join(self._doubts(study)))
        self._warning.setVisible(bool(self._warning.text()))
        self.send.setText(self.tr("Send to {}").format(self._peer.name))
        self._patient.setVisible(study.pullback.source.kind == "dicom")
        self.states.show_content()
        self._show_ready()

    def _doubts(self, study: IvoctStudy) -> list[str]:
        """Return what the operator should know before anything leaves this computer."""
        doubts = []
        progress = segmentation_progress(study)
        if progress.done < progress.total:
            words = self.tr("{} of {} frames are segmented; the results hold only these.")
            doubts.append(words.format(progress.done, progress.total))
        if study.pullback.source.kind != "dicom":
            doubts.append(
                self.tr(
                    "This pullback is no DICOM object: its results name no patient and come to lie "
                    "in a new study of their own."
                )
            )
        return doubts

    def _show_ready(self) -> None:
        chosen = self.options
        running = self.row.running
        self.send.setEnabled((chosen.seg or chosen.sr or chosen.pdf) and not running)
        for box in (self.seg, self.sr, self.pdf, self.deidentify):
            box.setEnabled(not running)
        nobody = self.tr("The results name nobody and come to lie in a new study of their own.")
        joins = self.tr("The results carry the patient's name and join the study of the pullback.")
        self._deidentify_note.setText(nobody if chosen.deidentify else joins)

    # Sending ----------------------------------------------------------------------------------

    def _send(self) -> None:
        if self._peer is None or self._shown is None or self.row.running:
            return
        session = self._shown.session
        name = session.study.pullback.name
        self._sent, self._total = 0, None
        self.row.run(
            self.tr("Writing the results of {}").format(name),
            partial(
                work.sent,
                self._outbox,
                session.study,
                session.results,
                self.options,
                self._peer,
            ),
            item=partial(self._take, name),
            finished=partial(self._say_sent, name, self._peer.name),
        )

    def _take(self, name: str, transfer: Transfer) -> None:
        self._sent, self._total = transfer.done, transfer.total
        self.row.show_transfer(self.tr("Sending the results of {}:").format(name), transfer)

    def _say_sent(self, name: str, peer: str) -> None:
        count = self.tr("1 object is") if self._sent == 1 else self.tr("{} objects are")
        words = self.tr("{}: {} stored at {}.")
        self.row.say_done(words.format(name, count.format(self._sent), peer))

    def _say_cancelled(self) -> None:
        if self._sent:
            words = self.tr("Cancelled. {} of {} objects are stored already; others were not.")
            self.row.say(words.format(self._sent, self._total))
        else:
            self.row.say(self.tr("Cancelled; nothing was stored."))

    # Assembly ---------------------------------------------------------------------------------

    def _content(self) -> QWidget:
        what = Card(self.tr("What is sent"))
        for box in (self.seg, self.sr, self.pdf):
            what.body.addWidget(box)
        self._patient = Card(self.tr("Patient"))
        self._patient.body.addWidget(self.deidentify)
        self._patient.body.addWidget(self._deidentify_note)
        title = QHBoxLayout()
        title.addWidget(QLabel(self.tr("Results of")))
        title.addWidget(self._study, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.row, 1)
        bottom.addWidget(self.send)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(title)
        column.addWidget(self._warning)
        column.addWidget(what)
        column.addWidget(self._patient)
        column.addStretch(1)
        column.addLayout(bottom)
        return content
