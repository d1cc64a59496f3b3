"""The confirmed or corrected frames in which model and operator differ most: a second look.

What the operator was right about teaches the model most; what was a slip is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

import shapely

from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.modalities.ivoct.quantify import quantify_frame

ARC_DEG_PER_MM2 = 100.0
"""So much arc counts as much as 1 mm2: a deposit 0.35 mm thick, 1.7 mm away, has both."""


@dataclass(frozen=True)
class Agreement:
    """How alike two drawings of one structure are.

    Parameters
    ----------
    dice
        Dice coefficient; 1 where neither has anything.
    differs_mm2
        Area that only one of them covers.
    """

    dice: float
    differs_mm2: float


@dataclass(frozen=True)
class SecondPassRow:
    """One frame (0-based), what differs, and one number to order by.

    Arcs are the largest visible ones; None without a lumen. Areas are in working mm2 while the
    pullback has no scale.
    """

    frame: int
    provenance: str
    lumen: Agreement
    calcium: Agreement
    model_arc_deg: float | None
    operator_arc_deg: float | None

    @property
    def arc_difference_deg(self) -> float:
        """Operator's arc less the model's, degrees; 0 where one has no lumen."""
        if self.model_arc_deg is None or self.operator_arc_deg is None:
            return 0.0
        return self.operator_arc_deg - self.model_arc_deg

    @property
    def difference(self) -> float:
        """All that differs, mm2: the areas, and the arc at 100 degrees to 1 mm2."""
        areas = self.lumen.differs_mm2 + self.calcium.differs_mm2
        return areas + abs(self.arc_difference_deg) / ARC_DEG_PER_MM2


def second_pass(study: IvoctStudy) -> tuple[SecondPassRow, ...]:
    """Return the confirmed and the corrected frames with a prediction, most different first."""
    review = study.review
    model = replace(
        study, review=replace(review, edits=MappingProxyType({}), excluded=MappingProxyType({}))
    )
    rows = []
    for frame in sorted(review.confirmed_frames | review.edits.keys()):
        operator, predicted = study.annotation(frame), model.annotation(frame)
        if operator and predicted and not operator.failure and not predicted.failure:
            rows.append(_row(study, frame, operator=operator, predicted=predicted))
    return tuple(sorted(rows, key=lambda row: -row.difference))


def second_pass_document(rows: Sequence[SecondPassRow]) -> list[dict[str, Any]]:
    """Return rows as plain values; frames are counted from 1."""
    return [
        {
            **asdict(row),
            "frame": row.frame + 1,
            "arc_difference_deg": row.arc_difference_deg,
            "difference": row.difference,
        }
        for row in rows
    ]


def agreement(first: Sequence[Contour], second: Sequence[Contour]) -> Agreement:
    """Compare two drawings of one structure."""
    one, other = _region(first), _region(second)
    both = float(one.area + other.area)
    if not both:
        return Agreement(1.0, 0.0)
    shared = float(one.intersection(other).area)
    return Agreement(2 * shared / both, max(0.0, both - 2 * shared))


def _row(
    study: IvoctStudy, frame: int, *, operator: FrameAnnotation, predicted: FrameAnnotation
) -> SecondPassRow:
    lumens = [() if one.lumen is None else (one.lumen,) for one in (predicted, operator)]
    arcs = [
        quantify_frame(one, study.calibration, study.protocol).max_arc_deg_visible
        for one in (predicted, operator)
    ]
    return SecondPassRow(
        frame=frame,
        provenance=operator.provenance.value,
        lumen=agreement(*lumens),
        calcium=agreement(predicted.calcium, operator.calcium),
        model_arc_deg=arcs[0],
        operator_arc_deg=arcs[1],
    )


def _region(contours: Sequence[Contour]) -> shapely.Geometry:
    return shapely.union_all([shapely.make_valid(one.polygon) for one in contours])
