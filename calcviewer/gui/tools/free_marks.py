"""Rulers, angles and areas of a frame: their places, values, marks and hits.

They are kept in the mm of the pullback's own calibration, as edits are, so that they stay on
their pixels when the calibration changes; here they are in mm of the calibration in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.annotation import points_moved_radially
from calcviewer.core.contour import Contour
from calcviewer.core.editing.border import nearest_on, pulled
from calcviewer.core.free_measurement import FreeKind, FreeMeasurement
from calcviewer.core.geometry import CartesianGrid, Grid, to_polar, to_xy
from calcviewer.core.study import Review, Study
from calcviewer.gui.tools.hit_testing import spacing_mm
from calcviewer.gui.tools.rays import turn_between
from calcviewer.gui.tools.reach import reaches_to
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Points = NDArray[np.float64]
Point = tuple[float, float]

_PULL_RADIUS_PART = 0.1
"""Of the circumference of an area: how much of its border follows the mouse."""
_ARC_PART, _ARC_STEP_DEG = 0.3, 4.0


@dataclass(frozen=True)
class FreeHit:
    """What the pointer is on: which measurement, and which point to drag; None: its line."""

    index: int
    point: int | None = None


def measurements_on(study: Study[Any], frame: int) -> tuple[FreeMeasurement, ...]:
    """Return the free measurements of a frame (0-based), mm of the calibration in force."""
    kept = study.review.free_measurements.get(frame, ())
    if study.review.calibration is None:
        return kept
    return tuple(moved(one, study.pullback.grid, study.calibrated_pullback.grid) for one in kept)


def with_measurement(
    study: Study[Any], frame: int, index: int | None, measurement: FreeMeasurement | None
) -> Review:
    """Return the review with one free measurement of a frame (0-based) added, changed or removed.

    Parameters
    ----------
    index
        Which one; None adds another.
    measurement
        In mm of the calibration in force; None removes it.
    """
    review = study.review
    kept = review.free_measurements.get(frame, ())
    at = len(kept) if index is None else index
    if measurement is not None and review.calibration is not None:
        measurement = moved(measurement, study.calibrated_pullback.grid, study.pullback.grid)
    new = () if measurement is None else (measurement,)
    frames = {**review.free_measurements, frame: (*kept[:at], *new, *kept[at + 1 :])}
    if not frames[frame]:
        del frames[frame]
    return replace(review, free_measurements=MappingProxyType(frames))


def moved(measurement: FreeMeasurement, source: Grid, target: Grid) -> FreeMeasurement:
    """Return a measurement as it lies on its pixels after a change of calibration."""
    points = points_moved_radially(measurement.points_mm, source, target)
    return FreeMeasurement(measurement.kind, points)


def length_mm(points_mm: Points) -> float:
    """Return the length of a path, mm."""
    return float(np.hypot(*np.diff(points_mm, axis=0).T).sum())


def angle_deg(points_mm: Points) -> float:
    """Return the angle at the second of three points, in [0, 180] degrees."""
    first, vertex, last = points_mm
    return abs(float(turn_between(_direction(vertex, first), _direction(vertex, last))))


def area_mm2(points_mm: Points) -> float:
    """Return the area inside points, mm2."""
    return Contour(points_mm).area_mm2


def value_text(measurement: FreeMeasurement, study: Study[Any]) -> str:
    """Return a value as people read it; a dash, and pixels, while the scale is unknown."""
    grid = study.calibrated_pullback.grid
    known = study.calibration.sample_spacing_mm is not None
    return _text(measurement, grid, known=known)


def _text(measurement: FreeMeasurement, grid: Grid, *, known: bool) -> str:
    points, scale = measurement.points_mm, spacing_mm(grid)
    if measurement.kind == "angle":
        true = known or isinstance(grid, CartesianGrid)
        return f"{angle_deg(points):.0f}°" if true else "—"
    if measurement.kind == "length":
        length = length_mm(points)
        return f"{length:.2f} mm" if known else f"— ({length / scale:.0f} px)"
    area = area_mm2(points)
    return f"{area:.2f} mm²" if known else f"— ({area / scale**2:.0f} px²)"


def handles_of(measurement: FreeMeasurement) -> Points:
    """Return the points to drag, ``(M, 2)``: all of them, or the middle of an area."""
    if measurement.kind != "area":
        return measurement.points_mm
    return np.array([Contour(measurement.points_mm).centroid_mm])


def hit_measurement(
    measurements: Sequence[FreeMeasurement], pointer: Pointer, kind: FreeKind
) -> FreeHit | None:
    """Return what of one kind is under the pointer; points come before lines."""
    found: list[tuple[bool, float, FreeHit]] = []
    for index, one in enumerate(measurements):
        if one.kind != kind:
            continue
        for point, at in enumerate(handles_of(one)):
            found.append((False, reaches_to(at[None], pointer), FreeHit(index, point)))
        away = reaches_to(one.points_mm, pointer, ring=one.kind == "area")
        found.append((True, away, FreeHit(index)))
    within = [one for one in found if one[1] <= 1]
    return min(within, key=lambda one: one[:2])[2] if within else None


def dragged(
    measurement: FreeMeasurement, hit: FreeHit, from_mm: Point, to_mm: Point
) -> FreeMeasurement:
    """Return a measurement after a point, its line or the border of an area was dragged."""
    kind, points = measurement.kind, measurement.points_mm.copy()
    by = np.subtract(to_mm, from_mm)
    if kind == "area" and hit.point is None:
        border = Contour(points)
        radius = _PULL_RADIUS_PART * length_mm(np.concatenate([points, points[:1]]))
        _, grab = nearest_on(border, from_mm)
        to = float(grab[0] + by[0]), float(grab[1] + by[1])
        return FreeMeasurement(kind, pulled(border, grab, to, radius_mm=radius).points_mm)
    if kind == "area" or hit.point is None:
        points += by
    else:
        points[hit.point] = to_mm
    return FreeMeasurement(kind, points)


def marks_of(
    measurement: FreeMeasurement, text: str, *, selected: bool = False, quiet: bool = False
) -> list[Mark]:
    """Return how a measurement is drawn.

    Parameters
    ----------
    quiet
        Thin and without points to drag: no tool works on it now.
    """
    points, kind = measurement.points_mm, measurement.kind
    lowest = int(points.sum(axis=1).argmax())  # beside the border, not on the area
    place = points[{"length": -1, "angle": 1, "area": lowest}[kind]]
    marks = [
        Mark(
            points,
            closed=kind == "area",
            handles_mm=None
            if quiet or (kind == "area" and not selected)
            else (handles_of(measurement)),
            text=text,
            text_mm=(float(place[0]), float(place[1])),
            selected=selected,
            look=Look.TRACE if quiet else Look.LINE,
        )
    ]
    if kind == "angle":
        marks.append(Mark(arc_between(points), look=Look.TRACE))
    return marks


def arc_between(points_mm: Points) -> Points:
    """Return the small arc between the arms of an angle, shape ``(N, 2)``."""
    first, vertex, last = points_mm
    radius = _ARC_PART * min(np.hypot(*(first - vertex)), np.hypot(*(last - vertex)))
    start = _direction(vertex, first)
    turn = float(turn_between(start, _direction(vertex, last)))
    angles = start + np.linspace(0, turn, 2 + int(abs(turn) / _ARC_STEP_DEG))
    return np.asarray(to_xy(angles, np.full(angles.shape, radius)) + vertex)


def quiet_marks(study: Study[Any], frame: int) -> list[Mark]:
    """Return the marks of a frame's (0-based) free measurements while no tool works on them."""
    return [
        mark
        for one in measurements_on(study, frame)
        for mark in marks_of(one, value_text(one, study), quiet=True)
    ]


def _direction(origin: Points, at: Points) -> float:
    return float(to_polar(at - origin)[0])
