"""What follows from a study: frame measurements, lesions with their scores, the vessel."""

from __future__ import annotations

import time
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.lesion import Lesion, find_lesions
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement, quantify_frame
from calcviewer.modalities.ivoct.vessel import VesselSummary, summarise_vessel

Measured = MutableMapping[int, tuple[FrameAnnotation, FrameMeasurement]]
"""Frame measurements by frame, each with the annotation it was made from."""


@dataclass(frozen=True, eq=False)
class Results:
    """Everything computed from a study.

    Parameters
    ----------
    frames
        One measurement a frame; None where the frame has no annotation or is excluded.
    lesions
        In order along the pullback.
    vessel
        Minimum lumen area, references and stenosis: of the VOI, else of the most severe lesion.
    """

    frames: tuple[FrameMeasurement | None, ...]
    lesions: tuple[Lesion, ...]
    vessel: VesselSummary


def measure(study: Study[Protocol], measured: Measured, *, until: float) -> bool:
    """Measure frames that are not measured yet; returns whether all are.

    Parameters
    ----------
    measured
        Memory of earlier measurements; updated in place.
    until
        When to stop, by `time.monotonic`.
    """
    for index in range(study.pullback.frame_count):
        known = measured.get(index)
        _measured(study, index, measured)
        if measured.get(index) is not known and time.monotonic() >= until:
            return False
    return True


def _measured(study: Study[Protocol], index: int, measured: Measured) -> FrameMeasurement | None:
    """Return the measurement of a frame; it is made when its annotation is another object."""
    annotation = study.annotation(index)
    if annotation is None or annotation.failure:
        return None
    known = measured.get(index)
    if known is None or known[0] is not annotation:
        frame = quantify_frame(annotation, study.calibration, study.protocol)
        measured[index] = known = (annotation, frame)
    return known[1]


def compute_results(
    study: Study[Protocol],
    measured: Measured,
    *,
    before: Results | None = None,
    changed: Iterable[int] = (),
) -> Results:
    """Measure what changed and find lesions and scores anew.

    Parameters
    ----------
    measured
        Memory of earlier measurements; a frame is measured again only when its annotation is
        another object. Updated in place.
    before, changed
        Earlier results of the study, and the frames whose annotation is another one since; all
        frames are looked at without them.
    """
    calibration = study.calibration
    if before is None:
        every = range(study.pullback.frame_count)
        frames = [_measured(study, index, measured) for index in every]
    else:
        frames = list(before.frames)
        for index in changed:
            frames[index] = _measured(study, index, measured)
    lesions = find_lesions(
        frames,
        calibration=calibration,
        protocol=study.protocol,
        voi=study.review.voi,
        decisions=study.review.guidewire_decisions,
        motorised=study.pullback.motorised,
    )
    lesion = most_severe(lesions)
    vessel = summarise_vessel(
        frames,
        calibration=calibration,
        protocol=study.protocol,
        region=study.review.voi or (None if lesion is None else lesion.frame_range),
        motorised=study.pullback.motorised,
    )
    return Results(tuple(frames), lesions, vessel)


def most_severe(lesions: Sequence[Lesion]) -> Lesion | None:
    """Return the lesion with the highest score, the larger arc where scores are equal."""

    def severity(lesion: Lesion) -> tuple[int, float]:
        highest = max(lesion.visible.score.highest, lesion.bridged.score.highest)
        return highest, lesion.bridged.max_arc_deg or 0.0

    return max(lesions, key=severity, default=None)
