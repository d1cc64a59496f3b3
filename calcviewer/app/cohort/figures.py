"""What the figures of a cohort show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from calcviewer import __version__
from calcviewer.app.cohort.finished import Finished
from calcviewer.app.cohort.order import Settings
from calcviewer.app.cohort.result import Result, Status, total_length_mm
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.report.cohort import CohortContent, LengthBar, LesionPoint, write_cohort_page

FIGURES = "cohort.pdf"
_NO_CALCIUM, _GUIDEWIRE, _UNKNOWN = "no calcium", "guidewire decides", "not known"
_ALL_SCORES = (_NO_CALCIUM, "0", "1", "2", "3", "4", _GUIDEWIRE, _UNKNOWN)

Lesion = Mapping[str, int | float | None]


def write_figures(folder: Path, results: Sequence[Result], settings: Settings) -> None:
    """Write ``cohort.pdf``: scores, arc against thickness, calcium lengths.

    Raises
    ------
    CalcViewerError
        When it cannot be written.
    """
    content = cohort_content(folder.name, results, settings)
    write_cohort_page(content, folder / FIGURES, page_size=settings.page_size)


def cohort_content(title: str, results: Sequence[Result], settings: Settings) -> CohortContent:
    """Return what the page shows of the pullbacks that are finished."""
    finished = {one.member.name: one.finished for one in results if one.finished}
    scores = Counter(score_words(one) for one in finished.values())
    lesions = [lesion for one in finished.values() for lesion in one.summary.lesions]
    points = [point for point in map(_point, lesions) if point is not None]
    lengths = {name: _lengths(one) for name, one in finished.items()}
    protocol = settings.protocol
    return CohortContent(
        title=f"Cohort {title}",
        facts=_facts(results, finished.values(), settings),
        program=f"CalcViewer {__version__}",
        scores={words: scores[words] for words in _ALL_SCORES if _is_shown(words, scores)},
        lesions=tuple(points),
        lengths=tuple(
            LengthBar(name, length) for name, length in lengths.items() if length is not None
        ),
        arc_threshold_deg=protocol.arc_threshold_deg,
        thickness_threshold_mm=protocol.thickness_threshold_mm,
        notes=_notes(points, lesions, list(lengths.values()).count(None), protocol),
    )


def score_words(finished: Finished) -> str:
    """Return the score of a pullback's most severe lesion, or in words why there is none."""
    most_severe = finished.summary.most_severe
    if most_severe is None:
        return _NO_CALCIUM
    lesion = finished.summary.lesions[most_severe]
    if lesion["score"] is not None:
        return f"{lesion['score']:g}"
    known = None not in (lesion["score_visible"], lesion["score_bridged"])
    return _GUIDEWIRE if known else _UNKNOWN


def _is_shown(words: str, scores: Counter[str]) -> bool:
    return words.isdigit() or scores[words] > 0


def _facts(
    results: Sequence[Result], finished: Collection[Finished], settings: Settings
) -> tuple[str, ...]:
    states = Counter(one.status for one in results)
    counted = [f"{states[Status.FINISHED]} of {len(results)} pullbacks finished"]
    counted += [f"{states[one]} {one.value}" for one in (Status.FAILED, Status.OPEN) if states[one]]
    simulated = sum(one.summary.simulated for one in finished)
    if simulated:
        counted.append(
            f"{simulated} of them simulated" if simulated < len(finished) else "all simulated"
        )
    model = f"{settings.model} {settings.model_version}"
    return (
        ", ".join(counted),
        f"As segmented by {model}{'' if settings.crf else ' without CRF'}; not reviewed.",
    )


def _point(lesion: Lesion) -> LesionPoint | None:
    visible, bridged = lesion["max_arc_deg_visible"], lesion["max_arc_deg_bridged"]
    thickness = lesion["max_thickness_mm"]
    if visible is None or bridged is None or thickness is None:
        return None
    return LesionPoint(visible, bridged, thickness)


def _lengths(finished: Finished) -> tuple[float, ...] | None:
    if total_length_mm(finished) is None:
        return None
    lengths = (lesion["length_mm"] for lesion in finished.summary.lesions)
    return tuple(length for length in lengths if length is not None)


def _notes(
    points: Sequence[LesionPoint],
    lesions: Sequence[Lesion],
    without_length: int,
    protocol: Protocol,
) -> tuple[str, ...]:
    notes = []
    cap_mm = protocol.thickness_cap_mm
    if cap_mm is not None and any(point.thickness_mm >= cap_mm for point in points):
        notes.append(f"Thickness is limited to {cap_mm:g} mm where no back border is visible.")
    if hidden := len(lesions) - len(points):
        notes.append(f"{hidden} of {len(lesions)} lesions without arc or thickness are not shown.")
    if without_length:
        pullbacks = "1 pullback" if without_length == 1 else f"{without_length} pullbacks"
        notes.append(f"The calcium length of {pullbacks} is unknown.")
    return tuple(notes)
