"""The frames to look at first: maxima of calcium, minimum lumen area and the references."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from calcviewer.app.lesion_report.lesion import in_force
from calcviewer.app.results import Results, most_severe
from calcviewer.modalities.ivoct.lesion import Lesion


class FlagKind(Enum):
    """What is flagged."""

    MAX_ARC = "max arc"
    MAX_THICKNESS = "max thickness"
    MLA = "MLA"
    DISTAL_REFERENCE = "distal reference"
    PROXIMAL_REFERENCE = "proximal reference"


@dataclass(frozen=True)
class Flag:
    """One flagged frame (0-based) and its value: degrees, mm or mm², by its kind.

    ``capped`` says that the true thickness may be larger.
    """

    kind: FlagKind
    frame: int
    value: float
    capped: bool = False


def flags_of(results: Results) -> tuple[Flag, ...]:
    """Return the flags of the VOI, else of the most severe lesion, in order along the pullback."""
    vessel = results.vessel
    lumens = (
        (FlagKind.MLA, vessel.minimum_lumen),
        (FlagKind.DISTAL_REFERENCE, vessel.distal_reference),
        (FlagKind.PROXIMAL_REFERENCE, vessel.proximal_reference),
    )
    flags = [Flag(kind, at.frame, at.area_mm2) for kind, at in lumens if at is not None]
    lesion = most_severe(results.lesions)
    if lesion is not None:
        flags += _calcium_flags(lesion)
    return tuple(sorted(flags, key=lambda flag: flag.frame))


def _calcium_flags(lesion: Lesion) -> list[Flag]:
    flags = []
    arc = in_force(lesion)
    if arc.max_arc_frame is not None and arc.max_arc_deg is not None:
        flags.append(Flag(FlagKind.MAX_ARC, arc.max_arc_frame, arc.max_arc_deg))
    if lesion.max_thickness_frame is not None and lesion.max_thickness_mm is not None:
        flags.append(
            Flag(
                FlagKind.MAX_THICKNESS,
                lesion.max_thickness_frame,
                lesion.max_thickness_mm,
                lesion.thickness_capped,
            )
        )
    return flags
