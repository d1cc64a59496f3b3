"""How sure a prediction of calcium is, in degrees of arc."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calcviewer.core.geometry import Arc


@dataclass(frozen=True)
class CalciumDoubt:
    """Where calcium would appear or vanish if the model's decision were less or more strict.

    Parameters
    ----------
    missed
        Arcs, about the catheter, without calcium that a less strict decision would find there.
    doubtful
        Arcs with calcium that a stricter decision would not find.
    """

    missed: tuple[Arc, ...] = ()
    doubtful: tuple[Arc, ...] = ()

    @property
    def missed_deg(self) -> float:
        """Degrees of calcium that may have been missed."""
        return _sum_deg(self.missed)

    @property
    def doubtful_deg(self) -> float:
        """Degrees of calcium that may not be there."""
        return _sum_deg(self.doubtful)


def _sum_deg(arcs: Iterable[Arc]) -> float:
    return float(sum(arc.extent_deg for arc in arcs))
