"""Habits of consoles that their files do not state: one table, one row a rule.

A rule that is *applied* is named beside what it gave; one that is *suggested* changes nothing until
an operator confirms it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

PALETTE_RAMP = (10, 245)
"""First and last index of the gold ramp in a console's palette; it draws with the others."""

GOLD_ANCHORS: tuple[tuple[float, tuple[int, int, int]], ...] = (
    (0.0, (0, 0, 0)),
    (0.14, (52, 17, 6)),
    (0.32, (135, 56, 18)),
    (0.52, (208, 108, 40)),
    (0.71, (240, 170, 84)),
    (0.86, (251, 218, 140)),
    (1.0, (255, 242, 190)),
)
"""Position on the consoles' gold ramp, 0 to 1, and its colour."""

_SLOWEST_RATE = 50.0
"""Consoles of today take 100 to 200 frames/s, and are played back at 10 to 30."""


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """What rules look at.

    Parameters
    ----------
    ivoct_class
        Whether the SOP class is one of the two of intravascular OCT.
    drawing_palette
        Whether frames are 8-bit indices of a palette that is no unbroken ramp.
    spacing_known, pitch_known
        Whether the source itself, or the operator, gives the value.
    pullback_rate_mm_s
        IVUS Pullback Rate (0018,3101).
    stated_rate
        Frames/s by Frame Time (0018,1063) or Cine Rate (0018,0040).
    """

    rows: int
    columns: int
    frame_count: int
    cartesian: bool = True
    ivoct_class: bool = False
    modality: str = ""
    true_colour: bool = False
    drawing_palette: bool = False
    spacing_known: bool = False
    pitch_known: bool = False
    pullback_rate_mm_s: float | None = None
    stated_rate: float | None = None


class Quantity(Enum):
    """What a rule gives, with the words for its values."""

    EXPORT = "taken as a console's export of intravascular OCT"
    PIXEL_SPACING_MM = "{0:g} mm per pixel"
    PULLBACK_LENGTH_MM = "pullback of {0:g} mm"
    FRAMES_PER_SECOND = "{0:g} frames/s"
    NO_STATED_RATE = "Frame Time and Cine Rate are not used"
    PALETTE_RAMP = "intensity is the place on the ramp, indices {0:g} to {1:g}"
    COLOUR_RAMP = "intensity is the place on the ramp"


@dataclass(frozen=True)
class VendorRule:
    """One habit.

    Parameters
    ----------
    applies
        Whether the habit concerns a source.
    values
        Numbers, as `quantity` says.
    origin
        Where the rule comes from, in words for the operator.
    suggested
        Whether it must be confirmed; otherwise it is applied.
    """

    name: str
    applies: Callable[[SourceFacts], bool]
    quantity: Quantity
    values: tuple[float, ...]
    origin: str
    suggested: bool = False

    @property
    def gives(self) -> str:
        """What it gives, in words."""
        return self.quantity.value.format(*self.values)


def applied_rule(facts: SourceFacts, quantity: Quantity) -> VendorRule | None:
    """Return the rule that gives a quantity for a source; None when there is none."""
    return next(
        (
            rule
            for rule in RULES
            if rule.quantity is quantity and not rule.suggested and rule.applies(facts)
        ),
        None,
    )


def applied_rules(facts: SourceFacts) -> tuple[VendorRule, ...]:
    """Return every rule that is applied to a source."""
    return tuple(rule for rule in RULES if not rule.suggested and rule.applies(facts))


def suggested_rules(facts: SourceFacts) -> tuple[VendorRule, ...]:
    """Return the rules that an operator may confirm for a source."""
    return tuple(rule for rule in RULES if rule.suggested and rule.applies(facts))


def _alias(modality: str, origin: str) -> VendorRule:
    return VendorRule(
        f"modality {modality}",
        lambda facts: not facts.ivoct_class and facts.modality == modality,
        Quantity.EXPORT,
        (),
        origin,
    )


def _spacing(size_px: int, spacing_mm: float, field: str) -> VendorRule:
    def applies(facts: SourceFacts) -> bool:
        fits = (facts.rows, facts.columns) == (size_px, size_px)
        return facts.cartesian and fits and not facts.spacing_known

    return VendorRule(
        f"{size_px} px, {field}",
        applies,
        Quantity.PIXEL_SPACING_MM,
        (spacing_mm,),
        f"seen in exports of {size_px} x {size_px} pixels, {field}",
        suggested=True,
    )


def _rate(speed_mm_s: float, frames_per_second: float) -> VendorRule:
    def applies(facts: SourceFacts) -> bool:
        speed = facts.pullback_rate_mm_s
        fits = speed is not None and abs(speed - speed_mm_s) < 1e-3 * speed_mm_s
        return fits and not facts.pitch_known and not _is_rate(facts.stated_rate)

    return VendorRule(
        f"{speed_mm_s:g} mm/s",
        applies,
        Quantity.FRAMES_PER_SECOND,
        (frames_per_second,),
        f"consoles that pull back at {speed_mm_s:g} mm/s take {frames_per_second:g} frames/s",
    )


def _length(fewest_frames: int, most_frames: int, length_mm: float) -> VendorRule:
    def applies(facts: SourceFacts) -> bool:
        return fewest_frames <= facts.frame_count <= most_frames and not facts.pitch_known

    return VendorRule(
        f"{fewest_frames} to {most_frames} frames",
        applies,
        Quantity.PULLBACK_LENGTH_MM,
        (length_mm,),
        f"pullbacks of {fewest_frames} to {most_frames} frames are often {length_mm:g} mm long",
        suggested=True,
    )


def _is_rate(stated: float | None) -> bool:
    return stated is not None and stated >= _SLOWEST_RATE


def _is_playback(facts: SourceFacts) -> bool:
    stated = facts.stated_rate
    return stated is not None and not _is_rate(stated) and not facts.pitch_known


RULES: tuple[VendorRule, ...] = (
    _alias("OCT", "consoles export under the modality OCT, which is not that of IVOCT images"),
    _alias("OPT", "consoles export under the modality OPT, ophthalmic tomography"),
    _alias("US", "consoles export as ultrasound multi-frame images"),
    _alias("OT", "consoles export screen captures under the modality OT, other"),
    _spacing(704, 0.014225, "10.0 mm wide"),
    _spacing(704, 0.014936, "10.5 mm wide"),
    _spacing(1024, 0.006843, "7 mm field"),
    _spacing(1024, 0.009775, "10 mm field"),
    VendorRule(
        "playback rate",
        _is_playback,
        Quantity.NO_STATED_RATE,
        (),
        "consoles write a Frame Time of about 100 ms, or the rate of playback, whatever the rate "
        "of acquisition",
    ),
    _rate(18, 180),
    _rate(36, 180),
    _rate(10, 100),
    _rate(20, 100),
    _rate(25, 100),
    _length(350, 400, 75),
    _length(250, 300, 54),
    _length(500, 550, 54),
    VendorRule(
        "gold palette",
        lambda facts: facts.drawing_palette,
        Quantity.PALETTE_RAMP,
        PALETTE_RAMP,
        "consoles keep palette indices 10 to 245 for the gold ramp and draw with the others",
    ),
    VendorRule(
        "gold in true colour",
        lambda facts: facts.true_colour,
        Quantity.COLOUR_RAMP,
        (),
        "consoles export log intensity through a gold table and draw upon it in other colours, "
        "which are in-painted before inference and left on screen",
    ),
)
