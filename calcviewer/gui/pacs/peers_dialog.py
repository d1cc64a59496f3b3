"""The archives this program knows: add, edit, test, remove."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.pacs.peers import load_peers
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import Peer
from calcviewer.gui.pacs import work
from calcviewer.gui.pacs.peer_form import PeerForm
from calcviewer.gui.pacs.work_row import WorkRow
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.theme import ACCENT_QUIET, TEXT, named

_SIZE_PX = (820, 680)
_LIST_PX = 210


class PeersDialog(QDialog):
    """Edits the list of peers; each change is kept when Save is pressed.

    Parameters
    ----------
    peer
        The one to show first; None: a new one.

    Signals
    -------
    changed
        The list was changed; the name of the peer that was saved, empty after a removal.
    """

    changed = Signal(str)

    def __init__(self, tasks: Tasks, peer: Peer | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Archives"))
        self.resize(*_SIZE_PX)
        self._peers: tuple[Peer, ...] = ()
        self._editing: Peer | None = None
        self.names = QListWidget()
        self.names.setFixedWidth(_LIST_PX)
        self.names.setStyleSheet(
            f"QListView::item:selected {{ background: {ACCENT_QUIET}; color: {TEXT}; }}"
        )
        self.form = PeerForm()
        self.row = WorkRow(tasks)
        self._secret_row = WorkRow(tasks, self, silent=True)
        self._secret_row.hide()  # that the keyring is looked into is not worth a word
        self.add = QPushButton(self.tr("Add"))
        self.remove = QPushButton(self.tr("Remove"))
        self.test = QPushButton(self.tr("Test"))
        self.revert = QPushButton(self.tr("Revert"))
        self.save = named(QPushButton(self.tr("Save")), "primary")
        for button in (self.add, self.remove, self.test, self.revert):
            button.setAutoDefault(False)
        self.save.setDefault(True)
        self._lay_out()
        self._connect()
        self._read(peer.name if peer else "")

    def done(self, result: int) -> None:
        """Ask nobody any more, and close."""
        self.row.stop()
        self._secret_row.stop()
        super().done(result)

    # What is shown ----------------------------------------------------------------------------

    def _read(self, choose: str) -> None:
        """Show the peers as they are kept, and one of them."""
        self._peers, note = load_peers()
        blocked = self.names.blockSignals(True)
        self.names.clear()
        self.names.addItems([peer.name for peer in self._peers])
        names = [peer.name for peer in self._peers]
        self.names.setCurrentRow(names.index(choose) if choose in names else 0 if names else -1)
        self.names.blockSignals(blocked)
        self._show_chosen()
        if note:
            self.row.say_failed(note)

    def _show_chosen(self) -> None:
        row = self.names.currentRow()
        self._edit(self._peers[row] if 0 <= row < len(self._peers) else None)

    def _edit(self, peer: Peer | None) -> None:
        self._editing = peer
        self._secret_row.stop()
        self.form.show_peer(peer, secret_kept=False)
        self._title.setText(peer.name if peer else self.tr("A new archive"))
        self.row.stop()
        self.row.say("")
        self._set_edited(False)
        self.remove.setText(self.tr("Remove"))
        if peer is None:
            self.form.name.setFocus()
        elif peer.takes_secret:
            self._secret_row.run(
                "",
                partial(work.secret_known, peer),
                item=lambda kept: self.form.show_secret(kept=kept),
                finished=lambda: None,
                failed=self.row.say_failed,
            )

    def _add(self) -> None:
        self.names.setCurrentRow(-1)
        self._edit(None)

    def _set_edited(self, edited: bool) -> None:
        """Keep what was typed: another peer is chosen only after Save or Revert."""
        self._edited = edited
        self._show_ready()

    def _show_ready(self) -> None:
        running = self.row.running
        self.save.setEnabled(self._edited and not running)
        self.revert.setVisible(self._edited)
        self.revert.setEnabled(not running)
        self.test.setEnabled(not running and (self._edited or self._editing is not None))
        self.remove.setVisible(self._editing is not None and not self._edited)
        for widget in (self.names, self.add):
            widget.setEnabled(not self._edited and not running)
        self.form.setEnabled(not running)

    # What is done -----------------------------------------------------------------------------

    def _peer_of_form(self) -> Peer | None:
        """Return the peer of the form; say what is wrong with it where there is none."""
        try:
            peer = self.form.peer
        except CalcViewerError as error:
            self.row.say_failed(str(error))
            return None
        editing = self._editing.name if self._editing else ""
        if peer.name != editing and any(peer.name == one.name for one in self._peers):
            self.row.say_failed(self.tr("Another archive has this name. Choose another one."))
            return None
        return peer

    def _test(self) -> None:
        peer = self._peer_of_form()
        if peer is not None:
            self.row.run(
                self.tr("Asking {}").format(peer.place),
                partial(work.answered, peer, self.form.new_secret),
                finished=lambda: self.row.say_done(
                    self.tr("{} is there and takes us.").format(peer.name)
                ),
            )

    def _save(self) -> None:
        peer = self._peer_of_form()
        if peer is None:
            return
        self.row.run(
            self.tr("Saving"),
            partial(work.peer_saved, peer, replaced=self._editing, secret=self.form.new_secret),
            finished=partial(self._saved, peer.name),
            failed=lambda _reason: self._show_ready(),
        )

    def _saved(self, name: str) -> None:
        self._read(name)
        self.row.say_done(self.tr("Saved."))
        self.changed.emit(name)

    def _remove(self) -> None:
        peer, really = self._editing, self.tr("Really remove")
        if peer is None:
            return
        if self.remove.text() != really:
            self.remove.setText(really)
            self.row.say(self.tr("Press again to forget {} and its password.").format(peer.name))
        else:
            self.row.run(
                self.tr("Removing"),
                partial(work.peer_removed, peer),
                finished=partial(self._removed, peer),
            )

    def _removed(self, peer: Peer) -> None:
        self._read("")
        self.row.say(self.tr("{} was removed.").format(peer.name))
        self.changed.emit("")

    # Assembly ---------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.names, 1)
        left.addWidget(self.add)
        self._title = named(QLabel(), "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.form)
        buttons = QHBoxLayout()
        for button in (self.remove, self.revert):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.test, self.save):
            buttons.addWidget(button)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self._title)
        right.addWidget(scroll, 1)
        right.addWidget(self.row)
        right.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(16)
        row.addLayout(left)
        row.addLayout(right, 1)

    def _connect(self) -> None:
        self.names.currentRowChanged.connect(self._show_chosen)
        self.add.clicked.connect(self._add)
        self.form.edited.connect(lambda: self._set_edited(True))
        self.row.changed.connect(self._show_ready)
        self.row.cancelled.connect(lambda: self.row.say(""))
        self.test.clicked.connect(self._test)
        self.save.clicked.connect(self._save)
        self.revert.clicked.connect(lambda: self._edit(self._editing))
        self.remove.clicked.connect(self._remove)
