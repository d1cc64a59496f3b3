"""Studies with lesions whose scores are known, for the tests of app and window."""

from __future__ import annotations

from types import MappingProxyType

from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import LabelMap, annotation_from_labels
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.study import ModelReference, Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import label_map, make_pullback

GRID = PolarGrid(a_lines=180, samples=160, sample_spacing_mm=0.02)
MODEL = ModelReference("phantom", "1", "0" * 64, "CPUExecutionProvider")
NOTHING = label_map(grid=GRID)
ACROSS_WIRE = label_map((20.0, 200.0), grid=GRID, wire=(100.0, 30.0))


def arc(extent_deg: float, **options: float) -> LabelMap:
    return label_map((20.0, extent_deg), grid=GRID, **options)


# Lesion 1 in frames 3 to 5, lesion 2 in frames 13 to 16, counted from 1.
TWO_LESIONS = [
    *[NOTHING] * 2,
    arc(60),
    arc(80),
    arc(70),
    *[NOTHING] * 7,
    arc(190, lumen_mm=1.4),
    arc(220),
    arc(200, back_mm=2.5),
    arc(190),
    *[NOTHING] * 2,
]


def study_of(
    frames: list[LabelMap],
    *,
    count: int | None = None,
    calibrated: bool = True,
    pitch_mm: float | None = 0.2,
    review: Review | None = None,
) -> IvoctStudy:
    made = {i: annotation_from_labels(labels, GRID) for i, labels in enumerate(frames)}
    pullback = make_pullback(
        count or len(frames), grid=GRID, calibrated=calibrated, pitch_mm=pitch_mm
    )
    return Study(pullback, Protocol(), MappingProxyType(made), MODEL, review or Review())
