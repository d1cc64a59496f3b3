"""The verdict on one lesion: score, criteria, guidewire, and what is missing."""

from __future__ import annotations

from itertools import zip_longest

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from calcviewer.app.lesion_report.context import frame_list
from calcviewer.app.lesion_report.lesion import in_force, score_text
from calcviewer.app.measured_error import measured_error
from calcviewer.app.results import Results
from calcviewer.app.review import (
    guidewire_decision,
    lesion_in_view,
    lesion_number,
    now,
    operator_name,
    segmentation_progress,
)
from calcviewer.app.session import Change, IvoctStudy, Session, Step
from calcviewer.gui import theme
from calcviewer.gui.panels.card import (
    Card,
    Row,
    cell,
    chip,
    paint,
    quiet,
    separator,
    stack,
    warning,
)
from calcviewer.gui.panels.figures import (
    NOTHING,
    CriterionRow,
    changed_words,
    criterion_rows,
    lesion_before_and_after,
    likely_scores,
)
from calcviewer.gui.panels.last_change import LastChange
from calcviewer.gui.panels.panel import DECIDING, Panel
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.lesion import Lesion

_SCORE_PX, _LONG_SCORE_PX = 40, 28
_MOST_ROWS = 4
_GREEN, _GREEN_SURFACE = "#56d364", "#12321d"


class ScorePanel(Panel):
    """The score of the lesion that holds the frame on screen, else of the most severe one.

    Signals
    -------
    calibration_wanted
        The operator asked for the calibration that a millimetre value lacks.
    """

    calibration_wanted = Signal()

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.operator = operator_name()
        self._lesion: Lesion | None = None
        self._card = Card(self.tr("Stent-deployment calcium score"))
        self._card.title.setObjectName("quiet")
        self._stamp = self._card.aside
        self._score = QLabel()
        self.last_change = LastChange()
        self._before: Results | None = None
        self._latest: Results | None = None
        self._steps = 0
        self._ahead: Step | None = None
        self._expansion, self._likely = quiet("", wrap=True), quiet("", wrap=True)
        self._rows = [_CriterionLine(state, self) for _ in range(_MOST_ROWS)]
        self._wire_line = separator()
        self._wire = Row(self.tr("Guidewire shadow"), (cell(colour=theme.QUIET),), self)
        self._decided = quiet("", wrap=True)
        self._bridge = self._choice(self.tr("Bridge"), bridge=True)
        self._not_bridge = self._choice(self.tr("Do not bridge"), bridge=False)
        self._choices = QWidget()
        self._missing = warning()
        self._calibrate = QPushButton(self.tr("Calibrate…"))
        self._calibrate.clicked.connect(self.calibration_wanted)
        self._lay_out()
        stack(self, self._card)
        self.refresh()

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show a study that was opened, or that there is none."""
        self.last_change.forget()
        self._before = self._latest = None
        self._steps, self._ahead = 0, None
        super().set_study(shown)

    def show_change(self, change: Change) -> None:
        """Show what changed in the study, and what that did to the score."""
        if self._shown is not None and change.facets & DECIDING:
            self._compare(self._shown.session, streamed=self.is_streamed(change))
        super().show_change(change)

    def _compare(self, session: Session, *, streamed: bool) -> None:
        """Say what the last step changed since it began: a drag is one step."""
        history = session.history
        steps, ahead = len(history.past), history.future[-1] if history.future else None
        # Undo leaves a new step ahead; a gesture that is taken back leaves what was there before.
        taken_back = steps < self._steps and ahead in (None, self._ahead)
        going_on = steps == self._steps
        self._ahead = ahead or self._ahead
        if streamed or not going_on or self._before is None:
            self._steps, self._before = steps, self._latest
        if streamed or self._before is None:
            return
        self._latest = session.results
        pair = lesion_before_and_after(self._before, self._latest, self._state.frame)
        text, scored = changed_words(*pair)
        if taken_back or (going_on and not text):
            self.last_change.forget()
        elif text:
            self.last_change.show_text(text, scored=scored)

    def refresh(self) -> None:
        """Show the lesion in view."""
        self._lesion = None
        if self._shown is not None:
            self._latest = results = self._shown.session.results
            self._lesion = lesion_in_view(results, self._state.frame)
        if self._shown is None:
            self._show_nothing(
                self.tr("No pullback is open. Drop a file or folder here, or press Ctrl+O.")
            )
        elif self._lesion is None:
            self._show_nothing(self._words_without_lesion(self._shown.session.study))
        else:
            self._show_lesion(self._lesion, self._shown.session.study, results)

    # --- without a lesion ------------------------------------------------------------------------

    def _show_nothing(self, words: str) -> None:
        self._card.title.setText(self.tr("Stent-deployment calcium score"))
        self._stamp.hide()
        self._score.hide()
        self._expansion.setText(words)
        self._likely.hide()
        wire = (self._wire_line, self._wire, self._decided, self._choices)
        for widget in (*self._rows, *wire, self._missing, self._calibrate):
            widget.hide()

    def _words_without_lesion(self, study: IvoctStudy) -> str:
        segmented = segmentation_progress(study)
        if segmented.done == 0:
            return self.tr("Nothing is segmented yet. The score appears as frames are segmented.")
        if segmented.done < segmented.total:
            return self.tr("No calcium in the first {done} of {total} frames.").format(
                done=segmented.done, total=segmented.total
            )
        return self.tr("No calcium found in {total} frames.").format(total=segmented.total)

    # --- a lesion --------------------------------------------------------------------------------

    def _show_lesion(self, lesion: Lesion, study: IvoctStudy, results: Results) -> None:
        number = lesion_number(results, lesion)
        title = self.tr("Stent-deployment calcium score · lesion {number}")
        self._card.title.setText(title.format(number=number))
        decided = lesion.verdict is not None
        self._show_stamp(decided and lesion.frame_range in study.review.confirmed_lesions)
        self._show_score(lesion, study)
        rows = criterion_rows(lesion, study.protocol)
        for line, row in zip_longest(self._rows, rows):
            line.show_row(row)
        self._show_wire(lesion, results)
        missing = self._missing_words(lesion)
        self._missing.setText("\n".join(missing))
        self._missing.setVisible(bool(missing))
        self._calibrate.setVisible(bool(study.calibration.missing()))

    def _show_stamp(self, reviewed: bool) -> None:
        self._stamp.show()
        self._stamp.setText(self.tr("REVIEWED") if reviewed else self.tr("UNREVIEWED"))
        ink, surface = (
            (_GREEN, _GREEN_SURFACE) if reviewed else (theme.WARNING, theme.WARNING_SURFACE)
        )
        chip(self._stamp, ink=ink, surface=surface)

    def _show_score(self, lesion: Lesion, study: IvoctStudy) -> None:
        text = score_text(lesion)
        self._score.setText(text)
        size_px = _SCORE_PX if len(text) == 1 else _LONG_SCORE_PX
        sheet = f"font-size: {size_px}px; font-weight: 600;"
        if self._score.styleSheet() != sheet:
            self._score.setStyleSheet(sheet)
        self._score.show()
        segmented = segmentation_progress(study)
        if segmented.done < segmented.total:  # frames to come may change it: no verdict yet
            self._expansion.setText(self.tr("so far · of 4"))
            words = self.tr("{done} of {total} frames")
            words = words.format(done=segmented.done, total=segmented.total)
        else:
            self._expansion.setText(" · ".join((self.tr("of 4"), *self._verdict_words(lesion))))
            words = self._likely_words(lesion, study)
        self._likely.setText(words)
        self._likely.setVisible(bool(words))

    def _likely_words(self, lesion: Lesion, study: IvoctStudy) -> str:
        likely = likely_scores(lesion, study.protocol, measured_error(study.model))
        parts = [f"{total} ({100 * part:.0f} %)" for total, part in likely]
        return self.tr("score {scores}").format(scores=" · ".join(parts)) if parts else ""

    def _verdict_words(self, lesion: Lesion) -> tuple[str, ...]:
        if lesion.verdict is None:
            return (self.tr("guidewire decides"),)
        expansion = lesion.verdict.expansion
        if not expansion:
            return (self.tr("depends on what is missing"),)
        poor = expansion.startswith("poor")
        return (self.tr("poor expansion") if poor else self.tr("adequate expansion"),)

    def _show_wire(self, lesion: Lesion, results: Results) -> None:
        frames = results.frames[lesion.first_frame : lesion.last_frame + 1]
        shadowed = any(frame is not None and frame.shadow_arcs for frame in frames)
        decides, decision = lesion.guidewire_decides, lesion.decision
        visible, bridged = (
            f"{one.score.lowest}"
            if one.score.lowest == one.score.highest
            else f"{one.score.lowest}–{one.score.highest}"
            for one in (lesion.visible, lesion.bridged)
        )
        parts = [self.tr("visible {n}").format(n=visible), self.tr("bridged {n}").format(n=bridged)]
        parts.append(self.tr("guidewire decides") if decides else self.tr("does not decide"))
        figure = self._wire.cells[0]
        figure.setText(" · ".join(parts))
        paint(figure, theme.WARNING if decides and decision is None else theme.QUIET)
        for widget in (self._wire_line, self._wire):
            widget.setVisible(shadowed or decides)
        self._decided.setVisible(decision is not None)
        if decision is not None:
            done = self.tr("Bridged by {who}") if decision.bridge else self.tr("Left by {who}")
            when = decision.when.replace("T", " ")[:16]
            who = decision.operator or self.tr("an operator")
            self._decided.setText(done.format(who=who) + f", {when}")
        self._choices.setVisible(decides)
        self._bridge.setChecked(decision is not None and decision.bridge)
        self._not_bridge.setChecked(decision is not None and not decision.bridge)

    def _missing_words(self, lesion: Lesion) -> list[str]:
        points = in_force(lesion).score.points
        words = []
        if points.arc is None:
            words.append(self.tr("Arc unavailable: no frame of the lesion has a lumen."))
        if points.thickness is None:
            words.append(self.tr("Thickness unavailable: the scale or the lumen is unknown."))
        if points.length is None:
            why = self.tr("Length unavailable: {why}.")
            words.append(why.format(why=lesion.length_unavailable))
        if lesion.unmeasured_frames:
            where = self.tr("Not measured in the lesion: {frames}.")
            words.append(where.format(frames=frame_list(lesion.unmeasured_frames)))
        return words

    def _decide(self, bridge: bool) -> None:
        """Keep the operator's answer as one undo step; the same answer again is none."""
        if self._shown is None or self._lesion is None:
            return
        known = self._lesion.decision
        if known is not None and known.bridge is bridge:
            self.refresh()  # the button stays down
            return
        session = self._shown.session
        step = guidewire_decision(
            session.study.review,
            self._lesion,
            bridge=bridge,
            operator=self.operator,
            when=now(),
        )
        session.edit(step.label, step.review)

    def _choice(self, text: str, *, bridge: bool) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.clicked.connect(lambda: self._decide(bridge))
        return button

    def _lay_out(self) -> None:
        verdict = QHBoxLayout()
        verdict.setSpacing(14)
        words = QWidget()
        stack(words, self._expansion, self._likely).setSpacing(2)
        verdict.addWidget(self._score)
        verdict.addWidget(words, 1, Qt.AlignmentFlag.AlignVCenter)
        choices = QHBoxLayout(self._choices)
        choices.setContentsMargins(4, 2, 4, 2)
        choices.addWidget(self._bridge, 1)
        choices.addWidget(self._not_bridge, 1)
        body = self._card.body
        body.addLayout(verdict)
        body.addWidget(self.last_change)
        for row in self._rows:
            body.addWidget(row)
        self._decided.setContentsMargins(5, 0, 5, 2)
        self._missing.setContentsMargins(5, 4, 5, 2)
        wire = (self._wire_line, self._wire, self._choices, self._decided)
        for widget in (*wire, self._missing, self._calibrate):
            body.addWidget(widget)


class _CriterionLine(Row):
    """One criterion: value, threshold, margin and points; a click leads to its frame."""

    def __init__(self, state: ViewState, parent: QWidget) -> None:
        self._value = cell("≥ 0.00 mm")
        self._threshold = cell("≤ 180°", colour=theme.QUIET)
        self._margin = cell("+0.00", colour=theme.QUIET)
        self._points = QLabel()
        self._points.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._points.setFixedSize(28, 24)
        self._points.setFont(theme.text_font(theme.FONT_PX, bold=True))
        super().__init__("", (self._value, self._threshold, self._margin, self._points), parent)
        self.clicked.connect(lambda: None if self.frame is None else state.go_to(self.frame))

    def show_row(self, row: CriterionRow | None) -> None:
        """Show a criterion, or nothing."""
        self.setVisible(row is not None)
        if row is None:
            return
        names = {
            "arc": self.tr("Maximum arc"),
            "visible arc": self.tr("Arc, visible"),
            "bridged arc": self.tr("Arc, bridged"),
            "thickness": self.tr("Maximum thickness"),
            "length": self.tr("Length"),
        }
        self.name.setText(names[row.criterion])
        self._value.setText(row.value)
        paint(self._value, theme.WARNING if row.value == NOTHING else theme.TEXT)
        self._threshold.setText(row.threshold)
        self._margin.setText(row.margin)
        paint(self._margin, theme.WARNING if row.near else theme.QUIET)
        tip = self.tr("within the margin of the threshold: check it") if row.near else ""
        self._margin.setToolTip(tip)
        self._show_points(row)
        where = "" if row.frame is None else self.tr("Go to frame {n}").format(n=row.frame + 1)
        self.lead_to(row.frame, where)

    def _show_points(self, row: CriterionRow) -> None:
        self._points.setText(NOTHING if row.points is None else str(row.points))
        scores = bool(row.points) and row.counts
        ink = "#ffffff" if scores else theme.QUIET
        surface = "#264a8f" if scores else theme.RAISED
        sheet = f"color: {ink}; background: {surface}; border-radius: 4px; padding: 1px 0;"
        if self._points.styleSheet() != sheet:
            self._points.setStyleSheet(sheet)
