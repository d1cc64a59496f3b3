"""Random annotations and gestures, and what must hold after every edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import shapely
from hypothesis import strategies as st

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing import deposits, guidewires, regions
from calcviewer.core.editing.border import pulled, redrawn
from calcviewer.core.editing.border_points import handles, point_added, point_moved, point_removed
from calcviewer.core.editing.clipping import clipped, image_field
from calcviewer.core.editing.structures import Structure, Target, contour_at, with_contour
from calcviewer.core.geometry import Arc, PolarGrid, join_arcs, to_xy

GRID = PolarGrid(a_lines=480, samples=960, sample_spacing_mm=0.0052)
FIELD = image_field(GRID)
SAME_MM2 = 1e-5
ANGLES = (np.arange(500) + 0.5) * 360 / 500


def circle(radius_mm: float, centre_mm: tuple[float, float] = (0.0, 0.0)) -> Contour:
    return Contour(to_xy(ANGLES, np.full(500, radius_mm)) + np.asarray(centre_mm))


def wavy(
    radius_mm: float, centre_mm: tuple[float, float], waves: tuple[float, ...], phase_deg: float
) -> Contour:
    radius = radius_mm * np.ones(500)
    for k, height in enumerate(waves, start=2):
        radius += height * radius_mm * np.cos(np.deg2rad(k * (ANGLES + phase_deg)))
    return Contour(to_xy(ANGLES, radius) + np.asarray(centre_mm))


def frame(
    *sectors: tuple[float, float, float, float], lumen: Contour | None = None
) -> FrameAnnotation:
    """A frame with deposits at ``(start, extent, inner, outer)``."""
    annotation = FrameAnnotation(lumen=lumen or circle(1.5))
    for sector in sectors:
        annotation = deposits.sector_deposit(annotation, *sector, FIELD)
    return annotation


@st.composite
def annotations(draw: st.DrawFn, with_lumen: bool = True) -> FrameAnnotation:
    """An off-centre wavy lumen, deposits anywhere (through 0, all the way round), wires, EEL."""
    number = st.floats(0, 1)
    radius = 1.0 + 1.2 * draw(number)
    offset = 0.6 * radius * draw(number)
    centre = to_xy(np.array(360 * draw(number)), np.array(offset))
    waves = tuple(0.08 * draw(number) for _ in range(3))
    lumen = wavy(radius, (float(centre[0]), float(centre[1])), waves, 360 * draw(number))
    annotation = FrameAnnotation(lumen=lumen)
    for _ in range(draw(st.integers(0, 4))):
        extent = 360.0 if draw(st.integers(0, 9)) == 0 else 3 + 150 * draw(number)
        inner = 0.5 * draw(number)
        sector = 360 * draw(number), extent, inner, inner + 0.05 + 0.8 * draw(number)
        annotation = deposits.sector_deposit(annotation, *sector, FIELD)
    wires = [Arc(360 * draw(number), 3 + 25 * draw(number)) for _ in range(draw(st.integers(0, 2)))]
    eel = Contour(lumen.points_mm * 1.3) if draw(st.booleans()) else None
    if not with_lumen and draw(st.integers(0, 3)) == 0:
        annotation = replace(annotation, lumen=None)
    annotation = replace(annotation, guidewires=join_arcs(wires), eel=eel)
    return clipped(annotation, FIELD)


@dataclass(frozen=True, eq=False)
class Gesture:
    """All that any operation may need."""

    path_mm: np.ndarray
    radius_mm: float
    angle_deg: float
    extent_deg: float
    depths_mm: tuple[float, float]
    index: int
    first: bool
    target: Target

    @property
    def grab_mm(self) -> tuple[float, float]:
        return float(self.path_mm[0, 0]), float(self.path_mm[0, 1])

    @property
    def to_mm(self) -> tuple[float, float]:
        return float(self.path_mm[-1, 0]), float(self.path_mm[-1, 1])


@st.composite
def gestures(draw: st.DrawFn) -> Gesture:
    """From careful to wild: near, far outside, one point, points that repeat, no length."""
    far = draw(st.sampled_from([2.5, 2.5, 2.5, 6.0, 1000.0]))
    point = st.tuples(st.floats(-far, far), st.floats(-far, far))
    path = draw(st.lists(point, min_size=1, max_size=12))
    if draw(st.booleans()):
        path = [p for p in path for _ in range(2)]
    number = st.floats(0, 1)
    structure = draw(st.sampled_from([Structure.CALCIUM, Structure.LUMEN, Structure.EEL]))
    return Gesture(
        np.array(path),
        draw(st.sampled_from([0.0, 0.02, 0.2, 0.5, 3.0])),
        360 * draw(number),
        draw(st.sampled_from([0.0, -30.0, 4.0, 90.0, 359.0, 360.0, 500.0])),
        (-0.2 + draw(number), draw(number)),
        draw(st.integers(-1, 4)),
        draw(st.booleans()),
        Target(structure, draw(st.integers(0, 3))),
    )


Operation = Callable[[FrameAnnotation, Gesture], FrameAnnotation]


def _on_border(change: Callable[[Contour, Gesture], Contour]) -> Operation:
    def operation(annotation: FrameAnnotation, gesture: Gesture) -> FrameAnnotation:
        contour = contour_at(annotation, gesture.target)
        if contour is None:
            return annotation
        return with_contour(annotation, gesture.target, change(contour, gesture), FIELD)

    return operation


def _painted(change: Callable[..., FrameAnnotation], lasso: bool) -> Operation:
    def operation(annotation: FrameAnnotation, gesture: Gesture) -> FrameAnnotation:
        region = (
            regions.lasso_region(gesture.path_mm)
            if lasso
            else regions.brush_region(gesture.path_mm, gesture.radius_mm)
        )
        return change(annotation, region, FIELD)

    return operation


OPERATIONS: dict[str, Operation] = {
    "pulled": _on_border(lambda c, g: pulled(c, g.grab_mm, g.to_mm, radius_mm=g.radius_mm)),
    "redrawn": _on_border(lambda c, g: redrawn(c, g.path_mm)),
    "point_moved": _on_border(lambda c, g: point_moved(c, handles(c), g.index, g.to_mm)),
    "point_added": _on_border(lambda c, g: point_added(c, handles(c), g.to_mm)[0]),
    "point_removed": _on_border(lambda c, g: point_removed(c, handles(c), g.index)),
    "removed": lambda a, g: with_contour(a, g.target, None, FIELD),
    "calcium_brushed": _painted(regions.calcium_added, lasso=False),
    "calcium_lassoed": _painted(regions.calcium_added, lasso=True),
    "calcium_erased": _painted(regions.calcium_erased, lasso=False),
    "lumen_brushed": _painted(regions.lumen_added, lasso=False),
    "lumen_lassoed": _painted(regions.lumen_added, lasso=True),
    "lumen_erased": _painted(regions.lumen_erased, lasso=False),
    "sector_deposit": lambda a, g: deposits.sector_deposit(
        a, g.angle_deg, g.extent_deg, *g.depths_mm, FIELD
    ),
    "deposit_deleted": lambda a, g: deposits.deposit_deleted(a, g.index),
    "deposit_split": lambda a, g: deposits.deposit_split(a, g.path_mm),
    "deposits_merged": lambda a, g: deposits.deposits_merged(a, 0, g.index, FIELD),
    "arc_end_moved": lambda a, g: deposits.arc_end_moved(
        a, g.index, end="start" if g.first else "end", to_deg=g.angle_deg, field=FIELD
    ),
    "border_pulled": lambda a, g: deposits.border_pulled(
        a,
        g.index,
        side="front" if g.first else "back",
        grab_mm=g.grab_mm,
        to_mm=g.to_mm,
        radius_mm=g.radius_mm,
        field=FIELD,
    ),
    "edge_moved": lambda a, g: guidewires.edge_moved(
        a, g.index, "start" if g.first else "end", g.angle_deg
    ),
    "sector_added": lambda a, g: guidewires.sector_added(a, g.angle_deg, g.extent_deg),
    "sector_removed": lambda a, g: guidewires.sector_removed(a, g.index),
}


def contours(annotation: FrameAnnotation) -> list[Contour]:
    single = [c for c in (annotation.lumen, annotation.eel) if c is not None]
    return [*single, *annotation.calcium]


def assert_in_order(annotation: FrameAnnotation, field: shapely.Polygon = FIELD) -> None:
    """Every contour is simple and in the image; lumen and deposits are apart; sectors too."""
    for contour in contours(annotation):
        assert contour.polygon.is_valid, shapely.is_valid_reason(contour.polygon)
        assert np.isfinite(contour.points_mm).all()
        assert contour.polygon.difference(field).area < SAME_MM2
    for single in (annotation.lumen, annotation.eel):
        assert single is None or not single.holes_mm
    solid = [c for c in (annotation.lumen, *annotation.calcium) if c is not None]
    for one, other in combinations(solid, 2):
        assert one.polygon.intersection(other.polygon).area < SAME_MM2
    for one_arc, other_arc in combinations(annotation.guidewires, 2):
        assert one_arc.overlap_deg(other_arc) < 1e-9


def turned(annotation: FrameAnnotation) -> FrameAnnotation:
    """The annotation after a quarter turn."""
    return replace(
        annotation,
        lumen=None if annotation.lumen is None else _turned(annotation.lumen),
        eel=None if annotation.eel is None else _turned(annotation.eel),
        calcium=tuple(_turned(c) for c in annotation.calcium),
        guidewires=tuple(Arc(arc.start_deg + 90, arc.extent_deg) for arc in annotation.guidewires),
    )


def turned_gesture(gesture: Gesture) -> Gesture:
    return replace(
        gesture, path_mm=_quarter(gesture.path_mm), angle_deg=(gesture.angle_deg + 90) % 360
    )


def _turned(contour: Contour) -> Contour:
    return Contour(_quarter(contour.points_mm), tuple(_quarter(h) for h in contour.holes_mm))


def _quarter(points: np.ndarray) -> np.ndarray:
    return np.stack([-points[:, 1], points[:, 0]], axis=1)


def difference_mm2(one: FrameAnnotation, other: FrameAnnotation) -> float:
    """How much of lumen, calcium and EEL differs, mm2."""
    total = 0.0
    for a, b in (
        ([one.lumen], [other.lumen]),
        (one.calcium, other.calcium),
        ([one.eel], [other.eel]),
    ):
        first, last = (
            shapely.union_all([c.polygon for c in side if c is not None]) for side in (a, b)
        )
        total += float(first.symmetric_difference(last).area)
    return total
