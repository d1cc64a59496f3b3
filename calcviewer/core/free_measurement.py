"""What an operator measured freely in a frame: a length, an angle or an area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

FreeKind = Literal["length", "angle", "area"]
_FEWEST: dict[FreeKind, int] = {"length": 2, "angle": 3, "area": 3}


@dataclass(frozen=True, eq=False)
class FreeMeasurement:
    """Points an operator set in one frame; their value follows the calibration in force.

    Immutable; two are the same when they are the same object.

    Parameters
    ----------
    kind
        ``"length"``: the path through the points; ``"angle"``: at the second of three points;
        ``"area"``: inside the points, closed.
    points_mm
        Shape ``(N, 2)``, canonical mm of the pullback's own calibration: 2 points or more for a
        length, 3 for an angle, 3 or more for an area.

    Raises
    ------
    ValueError
        When the points do not make such a measurement.
    """

    kind: FreeKind
    points_mm: NDArray[np.float64]

    def __post_init__(self) -> None:
        points = np.array(self.points_mm, dtype=np.float64)
        if self.kind not in get_args(FreeKind):
            raise ValueError(f"kind must be one of {get_args(FreeKind)}, got {self.kind!r}")
        fewest = _FEWEST[self.kind]
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < fewest:
            raise ValueError(
                f"{self.kind} points must have shape (N >= {fewest}, 2), got {points.shape}"
            )
        if self.kind == "angle" and len(points) != fewest:
            raise ValueError(f"an angle must have 3 points, got {len(points)}")
        points.flags.writeable = False
        object.__setattr__(self, "points_mm", points)
