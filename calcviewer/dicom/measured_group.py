"""A group of measurements: what a structured report holds of one lesion, vessel or frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from highdicom.sr.coding import CodedConcept

from calcviewer.core.measurement import Measurement
from calcviewer.dicom.codes import ENTIRE_PULLBACK, FRAME, LESION
from calcviewer.dicom.statement import Statement


class GroupKind(Enum):
    """What the measurements of one group are about."""

    LESION = "lesion"
    VESSEL = "vessel"
    FRAME = "frame"
    OTHER = "other"


FINDINGS: Mapping[GroupKind, CodedConcept] = MappingProxyType(
    {
        GroupKind.LESION: LESION,
        GroupKind.VESSEL: ENTIRE_PULLBACK,
        GroupKind.FRAME: FRAME,
    }
)


@dataclass(frozen=True)
class MeasuredGroup:
    """Measurements of one thing, and what is said about it.

    Parameters
    ----------
    name
        What people call it, as "Lesion 1".
    frames
        First and last frame it covers, 0-based; None when no frame is given.
    drawn
        Whether no algorithm made its contours, as far as is told.
    """

    kind: GroupKind
    name: str
    frames: tuple[int, int] | None
    rows: tuple[Measurement, ...]
    statements: tuple[Statement, ...] = ()
    drawn: bool = False
