"""What is drawn in one frame: lumen, calcium and guidewire shadows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from calcviewer.core.contour import Contour, contours_of, rasterise, trace
from calcviewer.core.doubt import CalciumDoubt
from calcviewer.core.geometry import (
    FULL_CIRCLE_DEG,
    Arc,
    CartesianGrid,
    Grid,
    PolarGrid,
    arcs_of_mask,
    sectors_mask,
    to_polar,
    to_xy,
)

LabelMap = NDArray[np.uint8]


class Label(IntEnum):
    """The values of a label map."""

    OTHER = 0
    LUMEN = 1
    CALCIUM = 2
    GUIDEWIRE_SHADOW = 3


class Provenance(Enum):
    """Who made an annotation; the values are DICOM Segment Algorithm Type (0062,0008)."""

    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    MANUAL = "MANUAL"


@dataclass(frozen=True, eq=False)
class FrameAnnotation:
    """The labelled structures of one frame; immutable, identity tells what changed.

    Parameters
    ----------
    lumen
        The closed region the catheter lies in, closed across guidewire shadows; None when it was
        not found.
    calcium
        The deposits.
    guidewires
        Angular sectors, about the catheter, that lie in the shadow of a guidewire.
    hidden_back
        Angular sectors, about the catheter, in which the back border of calcium cannot be seen:
        the signal has died, or the image ends there.
    provenance
        Who made it.
    failure
        Why this frame could not be segmented; empty when it could.
    doubt
        How sure the model was of the calcium; None where no model told.
    eel
        The external elastic lamina; only an operator draws it. It is not part of label maps.
    taken_from
        The program whose file it was taken over from, corrected since or not; empty when it was
        made here.
    """

    lumen: Contour | None = None
    calcium: tuple[Contour, ...] = ()
    guidewires: tuple[Arc, ...] = ()
    hidden_back: tuple[Arc, ...] = ()
    provenance: Provenance = Provenance.AUTOMATIC
    failure: str = field(default="")
    doubt: CalciumDoubt | None = None
    eel: Contour | None = None
    taken_from: str = ""


def annotation_from_labels(
    labels: LabelMap,
    grid: Grid,
    *,
    provenance: Provenance = Provenance.MANUAL,
    smallest_mm2: float = 0.0,
) -> FrameAnnotation:
    """Turn a label map into contours.

    Parameters
    ----------
    labels
        Values of `Label`, shape ``grid.shape``.
    smallest_mm2
        Calcium regions up to this area are left out.

    Returns
    -------
    The annotation. The lumen is the largest lumen region with its holes filled; calcium that
    reaches the end of the depth range has its back border hidden there.
    """
    lumen = trace(labels == Label.LUMEN, grid)
    calcium_mask = labels == Label.CALCIUM
    return FrameAnnotation(
        lumen=lumen[0].without_holes() if lumen else None,
        calcium=trace(calcium_mask, grid, smallest_mm2),
        guidewires=_shadow_arcs(labels == Label.GUIDEWIRE_SHADOW, grid),
        hidden_back=arcs_of_mask(calcium_mask[:, -1]) if isinstance(grid, PolarGrid) else (),
        provenance=provenance,
    )


def labels_of_annotation(annotation: FrameAnnotation, grid: Grid) -> LabelMap:
    """Draw an annotation as a label map of shape ``grid.shape``.

    A guidewire shadow begins at the lumen border; calcium drawn inside it stays calcium.
    """
    labels = np.zeros(grid.shape, dtype=np.uint8)
    if annotation.guidewires:
        labels[_in_sectors(annotation.guidewires, grid)] = Label.GUIDEWIRE_SHADOW
    labels[rasterise(annotation.calcium, grid)] = Label.CALCIUM
    if annotation.lumen is not None:
        labels[rasterise([annotation.lumen], grid)] = Label.LUMEN
    return labels


def cut_out_sectors(contours: tuple[Contour, ...], sectors: tuple[Arc, ...]) -> tuple[Contour, ...]:
    """Return contours without what lies in angular sectors about the catheter."""
    if not contours or not sectors:
        return contours
    region = shapely.union_all([contour.polygon for contour in contours])
    reach = 2 * float(np.abs(np.asarray(region.bounds)).max())
    for sector in sectors:
        angles = np.deg2rad(
            sector.start_deg + np.linspace(0, sector.extent_deg, 2 + int(sector.extent_deg / 5))
        )
        rim = reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        region = region.difference(shapely.Polygon(np.concatenate([[[0.0, 0.0]], rim])))
    return contours_of(region)


def points_moved_radially(
    points_mm: NDArray[np.float64], source: Grid, target: Grid
) -> NDArray[np.float64]:
    """Return points, shape ``(N, 2)``, mm, as they lie after a change of calibration.

    They stay on the same pixels, as in `moved_radially`.
    """
    if isinstance(source, PolarGrid) and isinstance(target, PolarGrid):
        angle, radius = to_polar(points_mm)
        sample = source.sample_index(radius) + 0.5
        return to_xy(angle, target.zero_radius_mm + sample * target.sample_spacing_mm)
    assert isinstance(source, CartesianGrid)
    assert isinstance(target, CartesianGrid)
    return target.to_mm(source.to_px(points_mm))


def moved_radially(annotation: FrameAnnotation, source: Grid, target: Grid) -> FrameAnnotation:
    """Return the annotation as it lies after a change of calibration.

    What was drawn stays on the same pixels: a radius is taken back to its pixel on the ``source``
    grid and from there to mm on the ``target`` grid. Both grids have the same layout.
    """

    def moved(points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        return points_moved_radially(points_mm, source, target)

    def moved_contour(contour: Contour) -> Contour:
        return Contour(moved(contour.points_mm), tuple(moved(hole) for hole in contour.holes_mm))

    return replace(
        annotation,
        lumen=None if annotation.lumen is None else moved_contour(annotation.lumen),
        calcium=tuple(moved_contour(contour) for contour in annotation.calcium),
        eel=None if annotation.eel is None else moved_contour(annotation.eel),
    )


def _in_sectors(sectors: tuple[Arc, ...], grid: Grid) -> NDArray[np.bool_]:
    """Return the mask of the pixels in any of the angular sectors."""
    if isinstance(grid, PolarGrid):
        inside = sectors_mask(sectors, grid.angles_deg())
        return np.broadcast_to(inside[:, None], grid.shape)
    angle, within = _pixel_angles(grid)
    return np.asarray(sectors_mask(sectors, angle) & within)


@lru_cache(maxsize=1)  # the frames of a pullback have one grid
def _pixel_angles(grid: CartesianGrid) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the angle of every pixel, degrees, and whether it lies within the image field."""
    y_px, x_px = np.mgrid[: grid.rows, : grid.columns]
    angle, radius = to_polar(grid.to_mm(np.stack([x_px, y_px], axis=-1)))
    return angle, np.asarray(radius <= min(grid.shape) / 2 * grid.pixel_spacing_mm)


def _shadow_arcs(mask: NDArray[np.bool_], grid: Grid) -> tuple[Arc, ...]:
    """Return the sectors in which any pixel carries the shadow label."""
    if isinstance(grid, PolarGrid):
        return arcs_of_mask(np.asarray(mask.any(axis=1)))
    return _shadow_arcs_cartesian(mask, grid)


def _shadow_arcs_cartesian(mask: NDArray[np.bool_], grid: CartesianGrid) -> tuple[Arc, ...]:
    y_px, x_px = np.nonzero(mask)
    if not y_px.size:
        return ()
    angle, _ = to_polar(grid.to_mm(np.stack([x_px, y_px], axis=-1)))
    bins = 2 * int(FULL_CIRCLE_DEG)
    hit = np.bincount((angle * bins / FULL_CIRCLE_DEG).astype(int) % bins, minlength=bins) > 0
    return arcs_of_mask(hit)
