"""The operator's decisions as pure functions from one review to the next, and what is left to do.

A decision comes as a `Step`, which `Session.edit` takes as one undo step. Frames are 0-based.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from calcviewer.app.lesion_report.lesion import in_force
from calcviewer.app.results import Results, most_severe
from calcviewer.app.session import IvoctStudy, Step
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision, Review
from calcviewer.modalities.ivoct.lesion import DecisiveFrame, Lesion

CalibrationName = Literal["sample_spacing_mm", "frame_pitch_mm", "zero_radius_mm"]
CALIBRATION_WORDS: dict[CalibrationName, str] = {
    "sample_spacing_mm": "sample spacing",
    "frame_pitch_mm": "frame pitch",
    "zero_radius_mm": "zero radius",
}
_LARGEST_LENGTH_MM = 1000.0


@dataclass(frozen=True)
class Maximum:
    """A frame worth going to, and what is largest or smallest there."""

    frame: int
    name: str


@dataclass(frozen=True)
class Progress:
    """How much is done, of how much."""

    done: int
    total: int


# --- decisions -----------------------------------------------------------------------------------


def frame_confirmation(review: Review, frame: int) -> Step:
    """Return the step that confirms a frame, or takes its confirmation back."""
    if frame in review.confirmed_frames:
        frames = review.confirmed_frames - {frame}
        return Step(f"unconfirm frame {frame + 1}", replace(review, confirmed_frames=frames))
    frames = review.confirmed_frames | {frame}
    return Step(f"confirm frame {frame + 1}", replace(review, confirmed_frames=frames))


def lesion_confirmation(review: Review, results: Results, lesion: Lesion) -> Step:
    """Return the step that confirms a lesion as it is now, or takes its confirmation back."""
    number = lesion_number(results, lesion)
    known = lesion.frame_range in review.confirmed_lesions
    lesions = review.confirmed_lesions ^ {lesion.frame_range}
    label = f"{'unconfirm' if known else 'confirm'} lesion {number}"
    return Step(label, replace(review, confirmed_lesions=lesions))


def bookmark(review: Review, frame: int) -> Step:
    """Return the step that sets the bookmark of a frame, or removes it."""
    known = frame in review.bookmarks
    label = f"remove bookmark of frame {frame + 1}" if known else f"bookmark frame {frame + 1}"
    return Step(label, replace(review, bookmarks=review.bookmarks ^ {frame}))


def voi_from(review: Review, frame: int, frame_count: int) -> Step:
    """Return the step that begins the VOI at a frame.

    The VOI keeps its end; where there is none ahead it reaches to the end of the pullback.
    """
    end = review.voi[1] if review.voi and review.voi[1] >= frame else frame_count - 1
    return Step(f"VOI from frame {frame + 1}", replace(review, voi=(frame, end)))


def voi_to(review: Review, frame: int) -> Step:
    """Return the step that ends the VOI at a frame, keeping its begin where it can."""
    begin = review.voi[0] if review.voi and review.voi[0] <= frame else 0
    return Step(f"VOI up to frame {frame + 1}", replace(review, voi=(begin, frame)))


def no_voi(review: Review) -> Step:
    """Return the step that makes the whole pullback count again."""
    return Step("remove the VOI", replace(review, voi=None))


def guidewire_decision(
    review: Review, lesion: Lesion, *, bridge: bool, operator: str, when: str
) -> Step:
    """Return the step that keeps the operator's answer about the wire in one lesion.

    It takes the place of earlier answers about frames of this lesion alone; one that covers more
    stays.

    Parameters
    ----------
    bridge
        Whether calcium is taken to go on behind the wire.
    when
        ISO 8601 date and time.
    """
    first, last = lesion.frame_range
    others = tuple(
        decision
        for decision in review.guidewire_decisions
        if not (first <= decision.first_frame and decision.last_frame <= last)
    )
    answer = GuidewireDecision(first, last, bridge, operator, when)
    label = "bridge the guidewire" if bridge else "do not bridge the guidewire"
    return Step(label, replace(review, guidewire_decisions=(*others, answer)))


def calibration_value(
    study: IvoctStudy, name: CalibrationName, value_mm: float, *, origin: Origin, note: str = ""
) -> Step:
    """Return the step that puts one calibration value, mm, in force.

    Raises
    ------
    CalibrationError
        When the value is impossible.
    """
    value = CalibratedValue(value_mm, origin, note)
    calibration: Calibration = replace(study.calibration, **{name: value})
    label = f"set {CALIBRATION_WORDS[name]}"
    return Step(label, replace(study.review, calibration=calibration))


def source_calibration(review: Review) -> Step:
    """Return the step that puts the source's own calibration back in force."""
    return Step("reset calibration", replace(review, calibration=None))


def length_mm(text: str, *, per_mm: float = 1.0, may_be_negative: bool = False) -> float:
    """Read a length an operator typed, with point or comma, and return it in mm.

    Parameters
    ----------
    per_mm
        How many of the typed unit make a mm; 1000 for micrometres.
    may_be_negative
        Whether zero and negative lengths have a meaning.

    Raises
    ------
    CalcViewerError
        When it is no number, or not a possible length.
    """
    typed = text.strip()
    try:
        value = float(typed.replace(",", ".")) / per_mm
    except ValueError:
        raise CalcViewerError(f"“{typed}” is not a number.") from None
    if not abs(value) < _LARGEST_LENGTH_MM or not (value > 0 or may_be_negative):
        raise CalcViewerError(f"“{typed}” is not a possible length.")
    return value


def operator_name() -> str:
    """Return the name of the account that runs the program; empty when it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the system
        return ""


def now() -> str:
    """Return the local time in ISO 8601, to the second, with its offset."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


# --- what is looked at, and what is left to do ---------------------------------------------------


def lesion_in_view(results: Results, frame: int) -> Lesion | None:
    """Return the lesion a frame lies in; outside of all, the most severe one."""
    for lesion in results.lesions:
        if lesion.first_frame <= frame <= lesion.last_frame:
            return lesion
    return most_severe(results.lesions)


def bridged_by_operator(results: Results, frame: int) -> bool:
    """Whether the bridged arc of a frame is the one that counts, because an operator said so."""
    return any(
        lesion.first_frame <= frame <= lesion.last_frame
        and lesion.decision is not None
        and lesion.decision.bridge
        for lesion in results.lesions
    )


def lesion_number(results: Results, lesion: Lesion) -> int:
    """Return the number people know a lesion by, from 1."""
    return results.lesions.index(lesion) + 1


def maxima(results: Results, lesion: Lesion | None) -> tuple[Maximum, ...]:
    """Return where a lesion's arc and thickness are largest and where the lumen is smallest.

    A frame that is two of these comes once, with both names.
    """
    named: dict[int, list[str]] = {}
    for frame, name in _extremes(results, lesion):
        if frame is not None:
            named.setdefault(frame, []).append(name)
    return tuple(Maximum(frame, ", ".join(names)) for frame, names in named.items())


def _extremes(results: Results, lesion: Lesion | None) -> Iterator[tuple[int | None, str]]:
    if lesion is not None:
        yield in_force(lesion).max_arc_frame, "maximum arc"
        yield lesion.max_thickness_frame, "maximum thickness"
    minimum = results.vessel.minimum_lumen
    yield (None if minimum is None else minimum.frame), "minimum lumen area"


def next_maximum(results: Results, frame: int) -> Maximum | None:
    """Return the maximum after the one on screen; the first when none is on screen."""
    found = maxima(results, lesion_in_view(results, frame))
    at = next((place for place, one in enumerate(found) if one.frame == frame), -1)
    return found[(at + 1) % len(found)] if found else None


def next_decisive(results: Results, frame: int, direction: int) -> int | None:
    """Return the next decisive frame of any lesion; beyond the last one, the first again.

    Parameters
    ----------
    direction
        1 or -1.
    """
    frames = {one.frame for lesion in results.lesions for one in lesion.decisive_frames}
    if not frames:
        return None
    ahead = [one for one in frames if (one - frame) * direction > 0] or list(frames)
    return min(ahead, key=lambda one: one * direction)


def confirmation_progress(decisive: Sequence[DecisiveFrame], review: Review) -> Progress:
    """Return how many of some decisive frames are confirmed."""
    confirmed = sum(one.frame in review.confirmed_frames for one in decisive)
    return Progress(confirmed, len(decisive))


def segmentation_progress(study: IvoctStudy) -> Progress:
    """Return how many frames of the VOI, or of the pullback, have an annotation or are excluded."""
    first, last = study.review.voi or (0, study.pullback.frame_count - 1)
    known = study.predictions.keys() | study.review.edits.keys() | study.review.excluded.keys()
    done = sum(first <= frame <= last for frame in known)
    return Progress(done, last - first + 1)
