"""A second reader's measurements beside ours, in a part of the window that closes again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.results import Results
from calcviewer.app.second_reader import (
    Compared,
    LesionPair,
    SecondReading,
    compared_frame,
    compared_lesion,
    compared_vessel,
    lesion_pairs,
)
from calcviewer.app.session import Change, Session
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.gui.desk import Desk
from calcviewer.gui.icons import icon
from calcviewer.gui.panels.card import heading, quiet, warning
from calcviewer.gui.panels.figures import NOTHING, frame_range, signed
from calcviewer.gui.table import Cell, Column, FrameTable, Table
from calcviewer.gui.theme import named
from calcviewer.modalities.ivoct.protocol import Protocol

_SOON_MS = 150
_SLICE_S = 0.006
"""How long frames are compared before events get their turn."""
_LEAST_HEIGHT_PX = 96
"""A heading and two rows: the window fits on small screens."""
_LESION = ("max_arc_deg_visible", "max_arc_deg_bridged", "max_thickness_mm", "length_mm", "score")
_FRAME = ("lumen_area_mm2", "max_arc_deg_visible", "max_thickness_mm")


class SecondReaderDock(QDockWidget):
    """Lesions, frames and the frame on screen: theirs, ours, and theirs less ours.

    It follows every edit while it is open, and closes with the study. A difference that lies
    across a threshold of the score is marked.
    """

    def __init__(self, desk: Desk, reading: SecondReading, window: QMainWindow) -> None:
        super().__init__(window)
        self.setWindowTitle(self.tr("Second reader: {name}").format(name=reading.maker))
        self._desk, self._reading = desk, reading
        self._known = sorted(reading.frames)
        self._stale = set(self._known)
        self._rows = {frame: _empty_row(frame) for frame in self._known}
        self._pairs: tuple[LesionPair, ...] = ()
        self._make_tables()
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._refresh)
        self._lay_out()
        desk.changed.connect(self._take)
        desk.streamed.connect(self._take)
        desk.state.frame_changed.connect(self._show_frame)
        desk.shown_changed.connect(self.close)
        self.frames.chosen.connect(lambda row: desk.state.go_to(self._known[row]))
        self.lesions.chosen.connect(self._go_to_lesion)
        self._refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Do nothing more."""
        self._soon.stop()
        super().closeEvent(event)

    # --- assembly --------------------------------------------------------------------------------

    def _make_tables(self) -> None:
        self.lesions = FrameTable(
            _columns(
                self.tr("Lesion"),
                self.tr("Frames"),
                self.tr("Arc"),
                self.tr("bridged"),
                self.tr("Thickness"),
                self.tr("Length"),
                self.tr("Score"),
            )
        )
        delta = "Δ"
        self.frames = FrameTable(
            _columns(
                self.tr("Frame"),
                self.tr("Lumen mm²"),
                delta,
                self.tr("Arc °"),
                delta,
                self.tr("Thick mm"),
                delta,
            )
        )
        self.frames.setToolTip(self.tr("Theirs / ours, and the difference; a click goes there"))
        self.frame = Table(_columns("", self.tr("Theirs"), self.tr("Ours"), delta))
        self._now = heading("")

    def _lay_out(self) -> None:
        told = self.tr("lesions: {lesions} · frames: {frames} · Δ: theirs less ours").format(
            lesions=len(self._reading.lesions), frames=len(self._known)
        )
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 8)
        row.setSpacing(12)
        row.addLayout(_titled(heading(self.tr("Lesions")), self.lesions), 11)
        row.addLayout(_titled(heading(self.tr("Frames")), self.frames), 9)
        row.addLayout(_titled(self._now, self.frame), 8)
        body = QWidget()
        body.setLayout(row)
        body.setMinimumHeight(_LEAST_HEIGHT_PX)
        self.setWidget(body)
        bar = named(QWidget(), "bar")
        line = QHBoxLayout(bar)
        line.setContentsMargins(12, 4, 4, 4)
        line.addWidget(heading(self.windowTitle()))
        line.addWidget(quiet(told))
        if not self._reading.assured:
            line.addWidget(warning(self.tr("The file does not say on which pullback.")), 1)
        else:
            line.addStretch(1)
        self.close_button = named(QPushButton(icon("close"), ""), "flat")
        self.close_button.setToolTip(self.tr("Close the second reader's measurements"))
        self.close_button.setAccessibleName(self.tr("Close"))
        self.close_button.clicked.connect(self.close)
        line.addWidget(self.close_button)
        self.setTitleBarWidget(bar)

    # --- showing ---------------------------------------------------------------------------------

    @property
    def _session(self) -> Session | None:
        return None if self._desk.shown is None else self._desk.shown.session

    def _take(self, change: Change) -> None:
        """Show a change soon: streaming ones come by the dozen."""
        self._stale |= change.frames & self._reading.frames.keys()
        if not self._soon.isActive():
            self._soon.start()

    def _refresh(self) -> None:
        session = self._session
        if session is None:
            return
        results, protocol = session.results, session.study.protocol
        until = time.monotonic() + _SLICE_S
        while self._stale and time.monotonic() < until:
            frame = self._stale.pop()
            compared = compared_frame(self._reading, results, frame, _FRAME)
            self._rows[frame] = _frame_row(frame, compared, protocol)
        if self._stale:
            self._soon.start(0)
            return
        self._soon.setInterval(_SOON_MS)
        self.frames.show_rows([self._rows[frame] for frame in self._known])
        self._pairs = lesion_pairs(self._reading, results)
        self.lesions.show_rows(self._lesion_rows(protocol))
        self._show_frame(self._desk.state.frame)

    def _show_frame(self, frame: int) -> None:
        session = self._session
        if session is None or frame >= len(session.results.frames):
            return
        results: Results = session.results
        self._now.setText(self.tr("Frame {n}").format(n=frame + 1))
        rows = [_detail(one) for one in compared_frame(self._reading, results, frame)]
        vessel = [_detail(one) for one in compared_vessel(self._reading, results)]
        if vessel and self._reading.vessel:
            between = (Cell(self.tr("Vessel"), quiet=True), *[Cell("")] * 3)
            rows = [*rows, between, *vessel]
        self.frame.show_rows(rows)
        self.frames.mark_row(self._known.index(frame) if frame in self._rows else None)

    def _lesion_rows(self, protocol: Protocol) -> list[Sequence[Cell]]:
        rows: list[Sequence[Cell]] = []
        for pair in self._pairs:
            compared = compared_lesion(pair, _LESION)
            theirs = "" if pair.theirs is None else pair.theirs.name
            name = str(pair.number) if pair.number else theirs or NOTHING
            frames = None if pair.theirs is None else pair.theirs.frames
            own = None if pair.ours is None else pair.ours.frame_range
            first = self.tr("{name} · theirs").format(name=name)
            rows += [
                (Cell(first), Cell(_range(frames)), *(Cell(_text(one.theirs)) for one in compared)),
                (
                    Cell(self.tr("ours"), quiet=True),
                    Cell(_range(own)),
                    *(Cell(_text(one.ours)) for one in compared),
                ),
                (Cell("Δ", quiet=True), Cell(""), *(_delta(one, protocol) for one in compared)),
            ]
        return rows

    def _go_to_lesion(self, row: int) -> None:
        """Go to where a lesion begins, ours or else theirs."""
        pair = self._pairs[row // 3]
        if pair.ours is not None:
            self._desk.state.go_to(pair.ours.first_frame)
        elif pair.theirs is not None and pair.theirs.frames is not None:
            self._desk.state.go_to(pair.theirs.frames[0])


def _columns(first: str, *figures: str) -> tuple[Column, ...]:
    """Return a column of names that takes the room that is left, and columns of figures."""
    return (Column(first, stretches=True), *(Column(one, figures=True) for one in figures))


def _titled(title: QLabel, table: Table) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(title)
    column.addWidget(table, 1)
    return column


# --- texts ---------------------------------------------------------------------------------------


def _range(frames: tuple[int, int] | None) -> str:
    return NOTHING if frames is None else frame_range(*frames)


def _decimals(row: Measurement) -> int:
    return 0 if row.unit in (Unit.DEGREE, Unit.NONE, Unit.PERCENT) else 2


def _text(row: Measurement | None) -> str:
    return NOTHING if row is None else row.text(_decimals(row))


def _bare(row: Measurement | None) -> str:
    """Return a value without its unit, which the heading has."""
    if row is None or row.value is None:
        return NOTHING
    return f"{row.value:.{_decimals(row)}f}"


def _difference(compared: Compared) -> str:
    if compared.difference is None or compared.ours is None:
        return ""
    decimals = _decimals(compared.ours)
    if not round(compared.difference, decimals):
        return f"{0:.{decimals}f}"
    return signed(compared.difference, "", decimals)


def _delta(compared: Compared, protocol: Protocol) -> Cell:
    return Cell(_difference(compared), marked=_decides(compared, protocol), quiet=True)


def _decides(compared: Compared, protocol: Protocol) -> bool:
    """Whether the two give different points, or different scores."""
    if compared.difference is None or compared.ours is None or compared.theirs is None:
        return False
    concept = compared.ours.concept
    if concept == "score":
        return bool(compared.difference)
    thresholds = {
        "max_arc_deg_visible": protocol.arc_threshold_deg,
        "max_arc_deg_bridged": protocol.arc_threshold_deg,
        "max_thickness_mm": protocol.thickness_threshold_mm,
        "length_mm": protocol.length_threshold_mm,
    }
    limit = thresholds.get(concept)
    values = (compared.theirs.value or 0.0, compared.ours.value or 0.0)
    return limit is not None and (values[0] > limit) is not (values[1] > limit)


def _empty_row(frame: int) -> tuple[Cell, ...]:
    """Return the row of a frame that is not compared yet."""
    return (Cell(str(frame + 1)), *[Cell("")] * (2 * len(_FRAME)))


def _frame_row(frame: int, compared: Sequence[Compared], protocol: Protocol) -> tuple[Cell, ...]:
    cells = [Cell(str(frame + 1))]
    for one in compared:
        cells.append(Cell(f"{_bare(one.theirs)} / {_bare(one.ours)}"))
        cells.append(_delta(one, protocol))
    return tuple(cells)


def _detail(compared: Compared) -> tuple[Cell, ...]:
    row = compared.ours or compared.theirs
    assert row is not None
    return (
        Cell(row.meaning),
        Cell(_text(compared.theirs)),
        Cell(_text(compared.ours)),
        Cell(_difference(compared), quiet=True),
    )
