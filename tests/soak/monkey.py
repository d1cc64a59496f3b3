"""The monkey: a thousand things an operator might do, in no sensible order, each looked after."""

from __future__ import annotations

import faulthandler
import gc
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from weakref import WeakSet

from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit

from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.shown import ShownStudy
from tests.soak import editing, invariants, looking, studies
from tests.soak.operator import Operator, StuckError
from tests.soak.watch import Held, Problems, Pulse, held, resident_mb, way_out

_HANGS_S = 600
_SOON_S = 10.0
_CHECKED_EVERY = 100
_WARM_AFTER = 200
_MOST_GROWTH_MB = 50.0
_SAME_PROBLEM_CHARACTERS = 300


@dataclass(frozen=True)
class Action:
    """One thing to do: how often compared to others, and whether a study has to be open."""

    do: Callable[[Operator], None]
    weight: float = 1.0
    needs_study: bool = True


ACTIONS: dict[str, Action] = {
    "step by keys": Action(looking.step_by_keys, 4),
    "step by wheel": Action(looking.step_by_wheel, 4),
    "scrub": Action(looking.scrub, 3),
    "play": Action(looking.play, 2),
    "zoom and pan": Action(looking.zoom_and_pan, 2),
    "window and level": Action(looking.window_level),
    "colours": Action(looking.colours),
    "layout": Action(looking.layout, 3),
    "3-D": Action(looking.turn_volume),
    "cut": Action(looking.turn_cut, 2),
    "go to": Action(looking.go_to),
    "hold overlay": Action(looking.hold_overlay),
    "panels": Action(looking.use_panel, 4),
    "resize": Action(looking.resize),
    "mash keys": Action(looking.mash, 4),
    "menu": Action(looking.choose_in_menu, 3),
    "context menu": Action(looking.context_menu),
    **{name: Action(work, 2) for name, work in editing.TOOLS.items()},
    "undo and redo": Action(editing.undo_and_redo, 2),
    "undo many": Action(editing.undo_many, 2),
    "whole frame": Action(editing.whole_frame, 4),
    "exclude": Action(editing.exclude, 2),
    "drag the VOI": Action(editing.drag_voi, 2),
    "calibrate": Action(editing.calibrate, 2),
    "open by drop": Action(studies.open_by_drop, 2, needs_study=False),
    "open by dialog": Action(studies.open_by_dialog, needs_study=False),
    "open damaged": Action(studies.open_damaged, needs_study=False),
    "open and leave": Action(studies.open_and_leave, needs_study=False),
    "open results": Action(studies.open_results, 1.5),
    "close": Action(studies.close_study),
    "open recent": Action(studies.open_recent),
    "demo": Action(studies.open_demo, 0.5, needs_study=False),
    "start again": Action(studies.start_again, 0.5, needs_study=False),
    "segment": Action(studies.segment, 2),
    "small dialog": Action(studies.small_dialog, 2),
    "settings": Action(studies.settings, needs_study=False),
    "export": Action(studies.export, 2),
    "archive": Action(studies.archive, 1, needs_study=False),
}


@dataclass
class Diary:
    """What was seen."""

    problems: Counter[str] = field(default_factory=Counter)
    gaps_ms: dict[str, float] = field(default_factory=dict)
    most_mb: float = 0.0
    at_rest: list[Held] = field(default_factory=list)
    done: int = 0

    @property
    def warm(self) -> Held:
        """What was held when all had been loaded that is loaded once."""
        return self.at_rest[min(_WARM_AFTER // _CHECKED_EVERY, len(self.at_rest) - 2)]


class Monkey:
    """Works a window, checks it after every action, and says what it does.

    Parameters
    ----------
    tell
        Takes every line that is to be printed.
    """

    def __init__(self, op: Operator, problems: Problems, tell: Callable[[str], None]) -> None:
        self._op, self._problems, self._tell = op, problems, tell
        self._pulse = Pulse()
        self._looked_at: object = None
        self._studies: WeakSet[ShownStudy] = WeakSet()
        self.diary = Diary()

    def rehearse(self, seed: int) -> None:
        """Do every action once, so that everything that is loaded once is loaded."""
        for name in ACTIONS:
            self._do(f"{seed} {name}", name)
        self._guarded(lambda: studies.everything_once(self._op))

    def work(self, seed: int, first: int, last: int) -> None:
        """Do the actions of a seed from one number to another (inclusive).

        What action number n is hangs on nothing but seed and number.
        """
        names, weights = list(ACTIONS), [one.weight for one in ACTIONS.values()]
        for number in range(first, last + 1):
            dice = Random(f"choice {seed} {number}")
            self._do(f"{seed} {number}", dice.choices(names, weights)[0])
            self.diary.done += 1
            if number % _CHECKED_EVERY == 0:
                self.check_at_rest()

    def check_at_rest(self) -> None:
        """Close the study, compare its file with it, and count what is held."""
        self._pulse.skip()
        self._guarded(self._leave_study)
        now = held()
        self._tell(f"     at rest: {now}")
        if self.diary.at_rest:
            self._tell(f"     more than at first: {', '.join(now.grown(self.diary.at_rest[0]))}")
        self.diary.at_rest.append(now)
        self._collect("at rest")

    def judge_growth(self) -> None:
        """Compare what is held at the end with what was held after the warm-up."""
        if len(self.diary.at_rest) < 2:
            return
        first, last = self.diary.warm, self.diary.at_rest[-1]
        for count in last.grown(first):
            self._note(f"grown, {count}")
        grown_mb = last.resident_mb - first.resident_mb
        if grown_mb > _MOST_GROWTH_MB:
            self._note(f"grown, memory by {grown_mb:.0f} MB")

    # One action -------------------------------------------------------------------------------

    def _do(self, dice: str, name: str) -> None:
        op, action = self._op, ACTIONS[name]
        op.dice, op.said = Random(dice), []
        faulthandler.dump_traceback_later(_HANGS_S, exit=True)
        begun = time.monotonic()
        if action.needs_study and op.window.desk.shown is None:
            self._guarded(lambda: studies.open_by_drop(op))
        self._pulse.skip()
        if op.window.desk.shown is not None or not action.needs_study:
            self._guarded(lambda: action.do(op))
        gap_ms = self._pulse.longest_ms()
        self._guarded(self._tidy)
        self._check()
        faulthandler.cancel_dump_traceback_later()
        self.diary.gaps_ms[name] = max(gap_ms, self.diary.gaps_ms.get(name, 0.0))
        self.diary.most_mb = max(self.diary.most_mb, resident_mb())
        self._tell(
            f"{dice} {name}: {', '.join(op.said)}  "
            f"[{time.monotonic() - begun:.1f} s, gap {gap_ms:.0f} ms, {resident_mb():.0f} MB]"
        )
        self._collect(f"{dice} {name}")

    def _tidy(self) -> None:
        """Leave what blocks the window; what does not may stay open for a while."""
        op = self._op
        op.close_popups()
        if len(op.dialogs()) > 3 or any(one.isModal() for one in op.dialogs()):
            op.leave_all()
        op.come_back()
        if isinstance(QApplication.focusWidget(), (QLineEdit, QAbstractSpinBox)):
            op.keys("Esc")

    def _check(self) -> None:
        op = self._op
        for wrong in invariants.at_once(op.window):
            self._note(wrong)
        for shows in (invariants.at_rest, invariants.painted):
            self._note_lasting(shows)
        shown = op.window.desk.shown
        study = None if shown is None else shown.session.study
        if shown is not None:
            self._studies.add(shown)
        if len(self._studies) > 1:
            self._note_lasting(self._others)
        if shown is not None and study is not self._looked_at:
            self._looked_at = study
            if wrong := invariants.score(shown.session):
                self._note(wrong)

    def _note_lasting(self, shows: Callable[[MainWindow], str]) -> None:
        """Note what is wrong and stays so: what changes may take a moment to be shown."""
        op, end = self._op, time.monotonic() + _SOON_S
        wrong = shows(op.window)
        while wrong and time.monotonic() < end:
            op.let(10)
            wrong = shows(op.window)
        if wrong:
            self._note(wrong)

    def _others(self, window: MainWindow) -> str:
        """Return whether studies that were left are still there; threads let go of them soon."""
        gc.collect()
        left = next((one for one in self._studies if one is not window.desk.shown), None)
        return "" if left is None else f"a study that was left is kept: {way_out(left)}"

    def _leave_study(self) -> None:
        op = self._op
        op.leave_all()
        op.come_back()
        window = op.window
        self._looked_at = None
        op.keys("5", "1")  # its 3-D scene and the archive's window are made when first asked for
        if window.desk.shown is not None:
            session, store = window.desk.shown.session, window.desk.keeping._store
            studies.close_study(op)
            if store is not None and (wrong := invariants.kept(session, store)):
                self._note(wrong)
        window.pacs.window.hide()
        op.until("all tasks to end", lambda: not window.desk.tasks._held)
        op.until("memory to be given back", lambda: not window.desk._giving_back.isActive())

    # Problems ---------------------------------------------------------------------------------

    def _guarded(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except StuckError as stuck:
            self._note(f"stuck: {stuck}")
        except Exception:  # of the monkey, or of the window where the monkey touched it
            self._note(traceback.format_exc())

    def _note(self, problem: str) -> None:
        self._problems.note(problem)

    def _collect(self, where: str) -> None:
        for problem in self._problems.take():
            kind = problem[-_SAME_PROBLEM_CHARACTERS:]
            self.diary.problems[kind] += 1
            if self.diary.problems[kind] == 1:
                self._tell(f"!!!! {where}: {problem}")
