"""The archive's window: which peer, and what is done with it. It blocks nothing."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.pacs.peers import load_peers
from calcviewer.dicom.network.peer import Peer
from calcviewer.gui.desk import Desk
from calcviewer.gui.pacs import work
from calcviewer.gui.pacs.peers_dialog import PeersDialog
from calcviewer.gui.pacs.receive import ReceivePage
from calcviewer.gui.pacs.send import SendPage
from calcviewer.gui.pacs.work_row import WorkRow
from calcviewer.gui.pacs.worklist import WorklistPage

_SIZE_PX = (1080, 760)
_PEER_PX = 260


class PacsWindow(QDialog):
    """Worklist, results and receiver, for the peer chosen at its top.

    Signals
    -------
    pullback_chosen
        The path of a pullback that came from an archive and is to be opened.
    said
        Something happened while this window was closed.
    """

    pullback_chosen = Signal(object)
    said = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("PACS"))
        self.resize(*_SIZE_PX)
        self._desk = desk
        self._peers: tuple[Peer, ...] = ()
        self._peer_label = QLabel(self.tr("Archive"))
        self.peer_box = QComboBox()
        self.peer_box.setMinimumWidth(_PEER_PX)
        self.test = QPushButton(self.tr("Test"))
        self.test.setToolTip(self.tr("Ask whether the archive is there and takes us (C-ECHO)"))
        self.edit_peers = QPushButton(self.tr("Archives…"))
        for button in (self.test, self.edit_peers):
            button.setAutoDefault(False)
        self.test_row = WorkRow(desk.tasks)
        self.receive = ReceivePage(desk.tasks, desk.settings)
        self.worklist = WorklistPage(desk.tasks, lambda: self.receive.receiver)
        self.send = SendPage(desk.tasks)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.worklist, self.tr("Worklist"))
        self.tabs.addTab(self.send, self.tr("Send results"))
        self.tabs.addTab(self.receive, self.tr("Receive"))
        self._lay_out()
        self._connect()
        self.read_peers()
        self._show_study()

    @property
    def peer(self) -> Peer | None:
        """The chosen peer."""
        row = self.peer_box.currentIndex()
        return self._peers[row] if 0 <= row < len(self._peers) else None

    def show_worklist(self) -> None:
        """Come to the front with the worklist; at the first time today's studies are asked for."""
        self._come(self.worklist)
        self.worklist.form.patient_name.setFocus()
        self.worklist.begin()

    def show_send(self) -> None:
        """Come to the front with what can be sent."""
        self.send.refresh()
        self._come(self.send)

    def read_peers(self, choose: str = "") -> None:
        """Take over the peers as they are kept, and choose one by its name or the one before."""
        before = self.peer
        wanted = choose or (before.name if before else "")
        blocked = self.peer_box.blockSignals(True)
        self._peers, note = load_peers()
        self.peer_box.clear()
        for peer in self._peers:
            self.peer_box.addItem(f"{peer.name}  ·  {peer.place}")
        names = [peer.name for peer in self._peers]
        self.peer_box.setCurrentIndex(names.index(wanted) if wanted in names else 0)
        self.peer_box.blockSignals(blocked)
        self.receive.set_peers(self._peers)
        if note:
            self.test_row.say_failed(note)
        if before is None or self.peer != before:
            self._show_peer()

    def _show_peer(self) -> None:
        peer = self.peer
        self.test_row.stop()
        self.test_row.say("")
        for widget in (self._peer_label, self.peer_box, self.test):
            widget.setVisible(peer is not None)
        self.worklist.set_peer(peer)
        self.send.set_peer(peer)
        if self.isVisible() and self.tabs.currentWidget() is self.worklist:
            self.worklist.begin()

    def _show_busy(self) -> None:
        """Let a transfer end, or be cancelled, before it is another archive's turn."""
        busy = self.worklist.retrieve_row.running or self.send.row.running
        for widget in (self.peer_box, self.edit_peers):
            widget.setEnabled(not busy)

    def _show_study(self) -> None:
        self.send.set_study(self._desk.shown)

    def _show_tab(self) -> None:
        if self.tabs.currentWidget() is self.worklist:
            self.worklist.begin()
        elif self.tabs.currentWidget() is self.send:
            self.send.refresh()
        else:
            self.receive.list_inbox()

    def _keep_receiver(self) -> None:
        self._desk.change_settings(self.receive.kept_in(self._desk.settings))

    def _test(self) -> None:
        peer = self.peer
        if peer is not None:
            self.test_row.run(
                self.tr("Asking {}").format(peer.name),
                partial(work.answered, peer),
                finished=lambda: self.test_row.say_done(
                    self.tr("{} is there and takes us.").format(peer.name)
                ),
            )

    def _edit_peers(self) -> None:
        for known in self.findChildren(PeersDialog):
            known.close()
        dialog = PeersDialog(self._desk.tasks, self.peer, self)
        dialog.changed.connect(self.read_peers)
        dialog.show()

    def _open(self, path: object) -> None:
        self.pullback_chosen.emit(path)
        self.hide()

    def _come(self, page: QWidget) -> None:
        self.tabs.setCurrentWidget(page)
        self.show()
        self.raise_()
        self.activateWindow()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(10)
        for widget in (self._peer_label, self.peer_box, self.test):
            head.addWidget(widget)
        head.addWidget(self.test_row, 1)
        head.addWidget(self.edit_peers)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.tabs, 1)
        for page in (self.worklist, self.send, self.receive):
            page.setContentsMargins(0, 12, 0, 0)

    def _connect(self) -> None:
        self.peer_box.currentIndexChanged.connect(self._show_peer)
        self.test.clicked.connect(self._test)
        self.edit_peers.clicked.connect(self._edit_peers)
        self.tabs.currentChanged.connect(self._show_tab)
        for page in (self.worklist, self.send):
            page.peers_asked.connect(self._edit_peers)
        for source in (self.worklist, self.receive):
            source.pullback_chosen.connect(self._open)
            source.said.connect(self.said)
        self.receive.turned_on.connect(self._keep_receiver)
        for row in (self.worklist.retrieve_row, self.send.row):
            row.changed.connect(self._show_busy)
        self._desk.shown_changed.connect(self._show_study)
