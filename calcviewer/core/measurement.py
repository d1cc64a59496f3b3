"""Measured values in the form that report, CSV and structured report share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """Units by their UCUM code; ``symbol`` is what people read."""

    MM = "mm"
    MM2 = "mm2"
    MM3 = "mm3"
    DEGREE = "deg"
    PERCENT = "%"
    NONE = "1"

    @property
    def symbol(self) -> str:
        """The unit as printed behind a number."""
        printed = {Unit.MM2: "mm²", Unit.MM3: "mm³", Unit.DEGREE: "°", Unit.NONE: ""}
        return printed.get(self, self.value)


@dataclass(frozen=True)
class Measurement:
    """One measured value.

    Parameters
    ----------
    concept
        Stable key, as used in CSV headers and JSON, e.g. ``"max_thickness_mm"``.
    meaning
        What people read, e.g. ``"Maximum thickness"``.
    value
        None when it could not be measured; ``note`` then says why.
    unit
        Unit of the value.
    note
        A remark that belongs to the value, e.g. ``"≥ 1.0 (capped)"``.
    """

    concept: str
    meaning: str
    value: float | None
    unit: Unit
    note: str = ""

    def text(self, decimals: int = 2) -> str:
        """Return the value as people read it, with its unit; "—" when there is none."""
        if self.value is None:
            return "—"
        separator = "" if self.unit is Unit.DEGREE else " "
        return f"{self.value:.{decimals}f}{separator}{self.unit.symbol}".strip()
