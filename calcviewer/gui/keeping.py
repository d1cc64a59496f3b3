"""Keeps the review of the open study on disk, and says how it stands with that."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QCoreApplication, QObject, Signal

from calcviewer.app.failures import report_failure
from calcviewer.app.review_store.lock import Holder
from calcviewer.app.review_store.log import HistoryRow
from calcviewer.app.review_store.search import FoundReview
from calcviewer.app.review_store.store import ReviewStore, SaveState, Saving, open_review
from calcviewer.app.session import Session
from calcviewer.core.errors import CalcViewerError

_NOTHING = SaveState(Saving.NOTHING)


class Keeping(QObject):
    """Gives the open session its store; one at a time.

    Signals
    -------
    changed
        `state` is another one.
    failed
        What was not saved or not done, and why.
    noted
        Something to know about saving that is no failure: a title and a text.
    """

    changed = Signal()
    failed = Signal(str, str)
    noted = Signal(str, str)
    _told = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._store: ReviewStore | None = None
        self._last = Saving.NOTHING
        self._warned = 0
        self._told.connect(self._take)  # the store tells on its own thread

    @property
    def state(self) -> SaveState:
        """How it stands with saving."""
        return _NOTHING if self._store is None else self._store.state

    @property
    def place(self) -> str:
        """Where the review is kept; empty without one."""
        return "" if self._store is None else str(self._store.path)

    def history(self, frame: int) -> tuple[HistoryRow, ...]:
        """Return what was done about a frame (0-based), the oldest first."""
        return () if self._store is None else self._store.history(frame)

    def follow(self, session: Session, found: FoundReview | None = None) -> None:
        """Put the stored review in force in a session, and keep its steps from now on.

        Parameters
        ----------
        found
            The review, where it was read already.
        """
        self.leave()
        self._session = session
        try:
            store = open_review(session.study, found)
            store.follow(session)
        except (OSError, CalcViewerError) as error:
            what = self.tr("The review of this study is not saved.")
            self.failed.emit(what, report_failure(error))
            return
        self._store = store
        store.subscribe(self._told.emit)
        if store.holder is not None:
            session.refuse_edits(self._say_read_only)

    def tell(self) -> None:
        """Say what there is to say about a study that was just opened."""
        self._take()
        if self._store is not None and self._store.holder is not None:
            self._say_read_only()

    def may_leave(self) -> bool:
        """Whether everything is saved; if not, says so, and lets it pass the second time."""
        if self._session is None or self._store is None:
            return True
        self._session.finish()
        waiting = self._store.flush()
        if waiting in (0, self._warned):
            return True
        self._warned = waiting
        what = self.tr("Steps that are not saved would be lost: {}.").format(waiting)
        why = self.tr("{} Make room and try again; closing once more gives them up.")
        self.failed.emit(what, why.format(_sentence(self._store.state.reason)))
        return False

    def leave(self) -> None:
        """Save what is not saved, and let go of the session."""
        if self._session is not None:
            self._session.finish()
        if self._store is not None:
            self._store.close()
        self._session = self._store = None
        self._last, self._warned = Saving.NOTHING, 0

    def _take(self) -> None:
        """Tell what changed, on the thread of the window."""
        if self._store is None:
            return
        state, last = self._store.state, self._last
        if state.saving is not Saving.RUNNING:
            self._last = state.saving
        if state.saving is Saving.FAILED and last is not Saving.FAILED:
            what = self.tr("The review cannot be saved now. Go on: nothing is lost so far.")
            why = self.tr("{}: {}. It is kept in memory and tried again every few seconds.")
            self.failed.emit(what, why.format(self.place, state.reason.rstrip(".")))
        elif state.saving is Saving.DONE and last is Saving.FAILED:
            self.noted.emit(self.tr("Everything is saved again."), self.place)
        notes = self._store.take_notes()
        if notes:
            self.failed.emit(self.tr("A review file could not be used."), "\n".join(notes))
        self.changed.emit()

    def _say_read_only(self) -> None:
        holder = self.state.holder
        if holder is not None:
            what = self.tr("Read-only: the review is open in another window.")
            why = self.tr("{} Close it there, then open the study here again to edit it.")
            self.failed.emit(what, why.format(_sentence(holder_text(holder))))


def holder_text(holder: Holder) -> str:
    """Return who has a review open, with host, process and since when."""
    tr = QCoreApplication.translate
    user = holder.user or tr("Keeping", "somebody")
    if not holder.host:
        return tr("Keeping", "held by {}").format(user)
    text = tr("Keeping", "held by {user} on {host} (process {pid}) since {since}")
    since = _clock(holder.since)
    return text.format(user=user, host=holder.host, pid=holder.pid, since=since)


def saved_text(state: SaveState) -> str:
    """Return in a few words how it stands with saving; empty when there is nothing to save."""
    tr = QCoreApplication.translate
    if state.saving is Saving.READ_ONLY:
        user = state.holder.user if state.holder is not None else ""
        return tr("Keeping", "Read-only: held by {}").format(user or "?")
    if state.saving is Saving.FAILED:
        text = tr("Keeping", "Not saved: {}, {} steps kept in memory")
        return text.format(state.reason, state.waiting)
    if state.saving is Saving.RUNNING:
        return tr("Keeping", "Saving …")
    return tr("Keeping", "Saved {}").format(_clock(state.when)) if state.when else ""


def _clock(when: str) -> str:
    """Return the time of day of an ISO 8601 time here; with its date when that is not today."""
    try:
        time = datetime.fromisoformat(when).astimezone()
    except ValueError:
        return when
    today = time.date() == datetime.now().astimezone().date()
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
