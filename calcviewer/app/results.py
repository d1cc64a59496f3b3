"""What follows from a study: frame measurements, lesions with their scores, the vessel."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
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


def compute_results(study: Study[Protocol], measured: Measured) -> Results:
    """Measure what changed and find lesions and scores anew.

    Parameters
    ----------
    measured
        Memory of earlier measurements; a frame is measured again only when its annotation is
        another object. Updated in place.
    """
    calibration = study.calibration
    frames: list[FrameMeasurement | None] = []
    for index in range(study.pullback.frame_count):
        annotation = study.annotation(index)
        if annotation is None or annotation.failure:
            frames.append(None)
            continue
        known = measured.get(index)
        if known is None or known[0] is not annotation:
            known = (annotation, quantify_frame(annotation, calibration, study.protocol))
            measured[index] = known
        frames.append(known[1])
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
