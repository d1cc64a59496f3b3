"""What is measured in one frame: lumen, arcs, thickness, depth and area of calcium.

Everything is seen from the centroid O of the lumen, along 360 rays (Gharaibeh et al., J Med
Imaging 2019, section 2.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc
from calcviewer.core.pullback import Calibration
from calcviewer.modalities.ivoct.arcs import (
    SeenDeposit,
    bridged_arcs,
    sector_from,
    see_deposit,
    visible_arcs,
)
from calcviewer.modalities.ivoct.centroid_rays import (
    RAYS,
    DepositRays,
    Rays,
    area_and_centroid,
    area_mm2_of,
    crossed_calcium,
    deposit_rays,
    lumen_rays,
)
from calcviewer.modalities.ivoct.protocol import Protocol

QUADRANT_DEG = 90.0


@dataclass(frozen=True, eq=False, kw_only=True)
class DepositMeasurement:
    """One deposit of calcium.

    A value is None where it cannot be measured: without a lumen only the area is known, without
    sample spacing or zero radius only the arc.

    Parameters
    ----------
    arc
        Between the tangent rays from the lumen centroid.
    max_thickness_ray_deg
        The ray on which it is thickest.
    mean_thickness_mm, mean_depth_mm
        Means over the rays that cross it (equations 6 and 5 of the paper).
    thickness_capped
        Whether the maximum thickness was limited by the protocol's cap.
    back_hidden
        Whether the back border cannot be seen where it is thickest.
    superficial
        Whether the smallest depth is below the protocol's.
    counts
        Whether it has the minimum arc and area that make a frame calcified.
    """

    arc: Arc | None = None
    area_mm2: float | None = None
    max_thickness_mm: float | None = None
    max_thickness_ray_deg: float | None = None
    mean_thickness_mm: float | None = None
    thickness_capped: bool = False
    back_hidden: bool = False
    min_depth_mm: float | None = None
    mean_depth_mm: float | None = None
    superficial: bool | None = None
    counts: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameMeasurement:
    """Everything measured in one frame; a value is None where it cannot be measured.

    Parameters
    ----------
    lumen_centroid_mm
        The point O from which everything is seen, ``(x, y)`` canonical mm.
    visible_arcs, bridged_arcs
        Disjoint arcs of calcium from O: with nothing claimed behind a guidewire, and with every
        shadow that calcium touches on both sides counted as calcium.
    max_arc_deg_visible, max_arc_deg_bridged
        The largest single one of each; 0 without calcium, None without a lumen.
    sum_arc_deg
        Sum of the visible arcs.
    quadrant_arcs_deg
        Degrees of visible calcium in each quadrant from O: 0 to 90 degrees, 90 to 180, ...
    quadrants
        How many of them hold at least the protocol's minimum arc.
    thickness_by_ray_mm, depth_by_ray_mm
        Per ray, shape ``(360,)``, read-only, NaN where no calcium is crossed: the thickest
        deposit and the depth of the nearest; None without a scale or a lumen.
    shadow_arcs
        The guidewire shadows from O, where they leave the lumen.
    calcium_in_shadow
        Whether calcium was drawn across more of a guidewire shadow than the join tolerance.
    eel_area_mm2
        Area inside the external elastic lamina; None where the operator has drawn none.
    plaque_burden_percent
        The part of that area outside the lumen, of the whole of it (PMC7666937, table 1); None
        also where the lumen is not smaller.
    calcified
        Whether a deposit has the protocol's minimum arc and area; without a lumen the area
        alone decides.
    """

    lumen_area_mm2: float | None = None
    lumen_centroid_mm: tuple[float, float] | None = None
    min_lumen_diameter_mm: float | None = None
    max_lumen_diameter_mm: float | None = None
    mean_lumen_diameter_mm: float | None = None
    calcium_area_mm2: float | None = None
    visible_arcs: tuple[Arc, ...] = ()
    bridged_arcs: tuple[Arc, ...] = ()
    max_arc_deg_visible: float | None = None
    max_arc_deg_bridged: float | None = None
    sum_arc_deg: float | None = None
    max_thickness_mm: float | None = None
    max_thickness_ray_deg: float | None = None
    mean_thickness_mm: float | None = None
    thickness_capped: bool = False
    back_hidden: bool = False
    min_depth_mm: float | None = None
    mean_depth_mm: float | None = None
    superficial: bool | None = None
    quadrants: int | None = None
    quadrant_arcs_deg: tuple[float, ...] = ()
    deposits: tuple[DepositMeasurement, ...] = ()
    thickness_by_ray_mm: Rays | None = field(default=None, repr=False)
    depth_by_ray_mm: Rays | None = field(default=None, repr=False)
    shadow_arcs: tuple[Arc, ...] = ()
    calcium_in_shadow: bool = False
    eel_area_mm2: float | None = None
    plaque_burden_percent: float | None = None
    calcified: bool = False


def quantify_frame(
    annotation: FrameAnnotation, calibration: Calibration, protocol: Protocol
) -> FrameMeasurement:
    """Measure one frame.

    Parameters
    ----------
    annotation
        Contours in mm; in working mm while the calibration is incomplete, and then no
        millimetre value is returned.

    Returns
    -------
    The measurement. Without a lumen only the calcium's area is known.
    """
    known = calibration.scaled
    if annotation.lumen is None:
        return _without_lumen(annotation, known, protocol)
    ring = annotation.lumen.points_mm
    lumen_area_mm2, centroid = area_and_centroid(ring)
    lumen = lumen_rays(ring, centroid)
    calcium = crossed_calcium(annotation, lumen)
    seen = [see_deposit(contour.points_mm, centroid) for contour, _, _ in calcium]
    rays = [deposit_rays(c, lumen, annotation.hidden_back, protocol) for c in calcium]
    areas = [area_mm2_of(contour) for contour, _, _ in calcium]
    deposits = tuple(
        _measure_deposit(deposit.arc, area if known else None, its_rays, protocol)
        for deposit, area, its_rays in zip(seen, areas, rays, strict=True)
    )
    measured = _arc_values(annotation, seen, centroid, protocol)
    if known:
        diameters = lumen.last_mm[: RAYS // 2] + lumen.last_mm[RAYS // 2 :]
        measured |= {
            "lumen_area_mm2": lumen_area_mm2,
            "lumen_centroid_mm": centroid,
            "min_lumen_diameter_mm": float(diameters.min()),
            "max_lumen_diameter_mm": float(diameters.max()),
            "mean_lumen_diameter_mm": float(diameters.mean()),
            "calcium_area_mm2": float(sum(areas)),
            **_thickness_values(deposits, rays),
            **_eel_values(annotation.eel, lumen_area_mm2),
        }
    return FrameMeasurement(
        deposits=deposits, calcified=any(deposit.counts for deposit in deposits), **measured
    )


def _without_lumen(
    annotation: FrameAnnotation, known: bool, protocol: Protocol
) -> FrameMeasurement:
    """Measure a frame in which no lumen was found."""
    if not known:
        return FrameMeasurement(calcified=bool(annotation.calcium))
    areas = [area_mm2_of(contour) for contour in annotation.calcium]
    deposits = tuple(
        DepositMeasurement(area_mm2=area, counts=area >= protocol.minimum_area_mm2)
        for area in areas
    )
    return FrameMeasurement(
        calcium_area_mm2=float(sum(areas)),
        deposits=deposits,
        calcified=any(deposit.counts for deposit in deposits),
        **_eel_values(annotation.eel, None),
    )


def _eel_values(eel: Contour | None, lumen_area_mm2: float | None) -> dict[str, Any]:
    """Return the fields of a measurement that need the external elastic lamina."""
    if eel is None:
        return {}
    area_mm2 = area_mm2_of(eel)
    burden = None
    if lumen_area_mm2 is not None and lumen_area_mm2 < area_mm2:
        burden = 100 * (area_mm2 - lumen_area_mm2) / area_mm2
    return {"eel_area_mm2": area_mm2, "plaque_burden_percent": burden}


def _measure_deposit(
    arc: Arc, area_mm2: float | None, rays: DepositRays, protocol: Protocol
) -> DepositMeasurement:
    """Summarise one deposit; ``area_mm2`` is None while the calibration is incomplete."""
    wide = arc.extent_deg >= protocol.minimum_arc_deg
    if area_mm2 is None:
        return DepositMeasurement(arc=arc, counts=wide)
    counts = wide and area_mm2 >= protocol.minimum_area_mm2
    if not rays.ray.size:  # thinner than the distance between rays
        return DepositMeasurement(arc=arc, area_mm2=area_mm2, counts=counts)
    thickest = int(rays.thickness_mm.argmax())
    min_depth_mm = float(rays.depth_mm.min())
    return DepositMeasurement(
        arc=arc,
        area_mm2=area_mm2,
        max_thickness_mm=float(rays.thickness_mm[thickest]),
        max_thickness_ray_deg=float(rays.ray[thickest]) + 0.5,
        mean_thickness_mm=float(rays.thickness_mm.mean()),
        thickness_capped=bool(rays.capped[thickest]),
        back_hidden=bool(rays.hidden[thickest]),
        min_depth_mm=min_depth_mm,
        mean_depth_mm=float(rays.depth_mm.mean()),
        superficial=min_depth_mm < protocol.superficial_mm,
        counts=counts,
    )


def _arc_values(
    annotation: FrameAnnotation,
    seen: Sequence[SeenDeposit],
    centroid_mm: tuple[float, float],
    protocol: Protocol,
) -> dict[str, Any]:
    """Return the fields of a measurement that hold arcs."""
    assert annotation.lumen is not None
    wires = annotation.guidewires
    visible = visible_arcs(seen, wires, protocol.join_tolerance_deg)
    bridged = bridged_arcs(visible, seen, wires, protocol.bridge_reach_deg)
    by_quadrant = tuple(
        sum(Arc(QUADRANT_DEG * k, QUADRANT_DEG).overlap_deg(arc) for arc in visible)
        for k in range(4)
    )
    in_shadow = any(
        deposit.catheter_arc.overlap_deg(wire) > protocol.join_tolerance_deg
        for deposit in seen
        for wire in wires
    )
    ring = annotation.lumen.points_mm
    return {
        "visible_arcs": visible,
        "bridged_arcs": bridged,
        "max_arc_deg_visible": max((arc.extent_deg for arc in visible), default=0.0),
        "max_arc_deg_bridged": max((arc.extent_deg for arc in bridged), default=0.0),
        "sum_arc_deg": float(sum(arc.extent_deg for arc in visible)),
        "quadrant_arcs_deg": by_quadrant,
        "quadrants": sum(degrees >= protocol.minimum_arc_deg for degrees in by_quadrant),
        "shadow_arcs": tuple(sector_from(centroid_mm, wire, ring) for wire in wires),
        "calcium_in_shadow": in_shadow,
    }


def _thickness_values(
    deposits: Sequence[DepositMeasurement], crossed: Sequence[DepositRays]
) -> dict[str, Any]:
    """Return the fields of a measurement that hold thickness and depth."""
    thickness, depth = np.full(RAYS, np.nan), np.full(RAYS, np.nan)
    for rays in crossed:
        thickness[rays.ray] = np.fmax(thickness[rays.ray], rays.thickness_mm)
        depth[rays.ray] = np.fmin(depth[rays.ray], rays.depth_mm)
    thickness.flags.writeable = depth.flags.writeable = False
    by_ray = {"thickness_by_ray_mm": thickness, "depth_by_ray_mm": depth}
    measured = [deposit for deposit in deposits if deposit.max_thickness_mm is not None]
    if not measured:
        return by_ray
    thickest = max(measured, key=attrgetter("max_thickness_mm"))
    hit = ~np.isnan(thickness)
    depths = depth[hit]
    return {
        **by_ray,
        "max_thickness_mm": thickest.max_thickness_mm,
        "max_thickness_ray_deg": thickest.max_thickness_ray_deg,
        "mean_thickness_mm": float(thickness[hit].mean()),
        "thickness_capped": thickest.thickness_capped,
        "back_hidden": thickest.back_hidden,
        "min_depth_mm": float(depths.min()),
        "mean_depth_mm": float(depths.mean()),
        "superficial": any(deposit.superficial for deposit in measured),
    }
