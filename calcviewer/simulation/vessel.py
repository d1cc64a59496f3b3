"""The vessel: lumen, wall layers, plaque, branches and deposits along a pullback.

Positions on the wall are given by the angle about the vessel's centre and the depth below the
lumen border along its normal. A `CrossSection` holds all of them for one frame as tables over the
angle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calcviewer.simulation.calcium import Deposit, DepositBorders, draw_deposits, frame_deposits
from calcviewer.simulation.fields import (
    ANGLE_BINS,
    FloatArray,
    SmoothField,
    angle_difference_rad,
    draw_field,
    smooth_circular,
    table_angles_rad,
)
from calcviewer.simulation.plaque import Feature, Strut, draw_features, draw_struts

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Branch:
    """A side branch: a tube of its own beside the lumen that opens into it for some frames."""

    centre_mm: float
    half_length_mm: float
    angle_rad: float
    radius_mm: float
    drift_rad_per_mm: float

    def angle_at(self, z_mm: float) -> float:
        """Return the direction of the branch at a position, radians."""
        return self.angle_rad + self.drift_rad_per_mm * (z_mm - self.centre_mm)

    def stage_at(self, z_mm: float) -> float:
        """Return -1 to 1 within the branch; its opening is where the stage is below 0.6."""
        return (z_mm - self.centre_mm) / self.half_length_mm


@dataclass(frozen=True, eq=False, kw_only=True)
class Vessel:
    """Everything that fixes the vessel of one pullback."""

    radius_mm: SmoothField
    shape: SmoothField
    roughness: SmoothField
    narrowings: tuple[tuple[float, float, float], ...]
    offset_x_mm: SmoothField
    offset_y_mm: SmoothField
    intima_mm: SmoothField
    media_mm: SmoothField
    adventitia_mm: SmoothField
    cover_mm: SmoothField
    deposits: tuple[Deposit, ...]
    features: tuple[Feature, ...]
    branches: tuple[Branch, ...]
    struts: tuple[Strut, ...]


@dataclass(frozen=True, eq=False)
class BranchView:
    """A side branch in one frame: its sector if it is open, else a disc outside the lumen."""

    angle_rad: float
    open_half_rad: float
    disc_distance_mm: float
    disc_radius_mm: float


@dataclass(frozen=True, kw_only=True)
class WirePlace:
    """Where a guidewire is wanted: its angle about the catheter and its gap to the sheath."""

    angle_rad: float
    gap_mm: float
    radius_mm: float


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossSection:
    """The vessel in one frame; tables over the angle have shape (ANGLE_BINS,), lengths in mm.

    `slant` is the ratio of radial to normal depth. Features come with their profile, struts with
    their angle in radians.
    """

    lumen_mm: FloatArray
    slant: FloatArray
    offset_mm: tuple[float, float]
    wire_distances_mm: tuple[float, ...]
    intima_mm: FloatArray
    media_mm: FloatArray
    adventitia_mm: FloatArray
    deposits: tuple[DepositBorders, ...]
    features: tuple[tuple[Feature, FloatArray], ...]
    branches: tuple[BranchView, ...]
    struts: tuple[tuple[Strut, float], ...]


def _draw_branches(rng: np.random.Generator, length_mm: float) -> tuple[Branch, ...]:
    expected = min(0.06 * length_mm, 4.0)
    return tuple(
        Branch(
            centre_mm=rng.uniform(0, length_mm),
            half_length_mm=rng.uniform(0.8, 3.0),
            angle_rad=rng.uniform(0, 2 * np.pi),
            radius_mm=rng.uniform(0.2, 0.9),
            drift_rad_per_mm=rng.normal(0, 0.08),
        )
        for _ in range(int(rng.poisson(expected)))
    )


def draw_vessel(
    rng: np.random.Generator,
    *,
    length_mm: float,
    calcium_fraction: float,
    forms: tuple[str, ...],
    stent: bool | None,
) -> Vessel:
    """Draw a vessel.

    Parameters
    ----------
    rng
        Source of randomness.
    length_mm
        Length of the pullback.
    calcium_fraction
        Share of the length that holds calcium, 0 to 1.
    forms
        Allowed calcium forms.
    stent
        Whether there is a stent; None draws it (seldom).
    """
    stented = bool(rng.random() < 0.07) if stent is None else stent
    radius = rng.uniform(0.8, 2.0)
    disease = rng.choice([rng.uniform(0.05, 0.25), rng.uniform(0.2, 0.7)])
    spread = rng.uniform(0.15, 1.0) * radius
    media = rng.uniform(0.06, 0.28)
    narrowings = tuple(
        (rng.uniform(0, length_mm), rng.uniform(1.5, 6.0), rng.uniform(0.1, 0.45))
        for _ in range(int(rng.poisson(0.06 * length_mm)))
    )
    return Vessel(
        radius_mm=draw_field(rng, mean=radius, sd=0.07 * radius, wavelength_mm=12),
        shape=draw_field(
            rng, sd=rng.uniform(0.01, 0.09), wavelength_mm=6, orders=(2, 8), decay=1.6
        ),
        roughness=draw_field(
            rng, sd=rng.uniform(0.001, 0.008), wavelength_mm=0.8, orders=(9, 40), decay=0.5, terms=1
        ),
        narrowings=narrowings,
        offset_x_mm=draw_field(rng, sd=spread, wavelength_mm=9, terms=6),
        offset_y_mm=draw_field(rng, sd=spread, wavelength_mm=9, terms=6),
        intima_mm=draw_field(
            rng, mean=disease, sd=0.65 * disease, wavelength_mm=5, orders=(0, 5), decay=1.2
        ),
        media_mm=draw_field(
            rng, mean=media, sd=0.25 * media, wavelength_mm=5, orders=(0, 4), decay=1.0
        ),
        adventitia_mm=draw_field(
            rng, mean=rng.uniform(0.2, 0.6), sd=0.1, wavelength_mm=5, orders=(0, 6), decay=1.0
        ),
        cover_mm=draw_field(
            rng, mean=rng.uniform(0.08, 0.3), sd=0.06, wavelength_mm=4, orders=(0, 5)
        ),
        deposits=draw_deposits(rng, length_mm=length_mm, fraction=calcium_fraction, forms=forms),
        features=draw_features(rng, length_mm),
        branches=_draw_branches(rng, length_mm),
        struts=draw_struts(rng, length_mm) if stented else (),
    )


def _bulge(
    vessel: Vessel, *, z_mm: float, lumen_mm: FloatArray
) -> tuple[FloatArray, list[BranchView], BoolArray]:
    """Open the side branches into the lumen; return it, the branches and their angles."""
    angles = table_angles_rad()
    views: list[BranchView] = []
    taken = np.zeros(ANGLE_BINS, dtype=bool)
    for branch in vessel.branches:
        stage = abs(branch.stage_at(z_mm))
        if stage >= 1:
            continue
        centre = branch.angle_at(z_mm)
        offset = np.abs(angle_difference_rad(angles, centre))
        wall = float(np.interp(centre % (2 * np.pi), angles, lumen_mm))
        radius = branch.radius_mm * np.sqrt(1 - stage**2)
        if stage < 0.6:
            half = float(np.arctan2(radius, wall))
            reach = 4.0 * (1 - (stage / 0.6) ** 2)
            lumen_mm = lumen_mm + reach * np.sqrt(np.maximum(1 - (offset / half) ** 4, 0.0))
            views.append(BranchView(centre, half, 0.0, 0.0))
            taken |= offset < half + 0.25
        else:
            distance = wall + radius + 0.12 + 3.0 * (stage - 0.6)
            views.append(BranchView(centre, 0.0, distance, radius))
            taken |= offset < np.arctan2(radius, distance) + 0.12
    return lumen_mm, views, taken


def _lumen(vessel: Vessel, z_mm: float) -> FloatArray:
    radius = max(vessel.radius_mm.value(z_mm), 0.55)
    for centre, width, drop in vessel.narrowings:
        radius *= 1 - drop * float(np.exp(-(((z_mm - centre) / width) ** 2)))
    shape = np.clip(1 + vessel.shape.table(z_mm), 0.55, 1.6)
    return np.asarray(max(radius, 0.6) * shape + vessel.roughness.table(z_mm))


def _place_catheter(
    vessel: Vessel, *, z_mm: float, lumen_mm: FloatArray, sheath_mm: float
) -> tuple[float, float]:
    """Return the catheter's place in vessel coordinates, moved in until its sheath fits."""
    angles = table_angles_rad()
    x, y = lumen_mm * np.cos(angles), lumen_mm * np.sin(angles)
    wanted = vessel.offset_x_mm.value(z_mm), vessel.offset_y_mm.value(z_mm)

    def room(share: float) -> float:
        cx, cy = share * wanted[0], share * wanted[1]
        gap = np.hypot(x - cx, y - cy)
        inside = np.hypot(cx, cy) < np.interp(np.arctan2(cy, cx) % (2 * np.pi), angles, lumen_mm)
        return float(gap.min()) if inside else 0.0

    low, high = 0.0, 1.0
    if room(1.0) >= sheath_mm:
        return wanted
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if room(middle) >= sheath_mm else (low, middle)
    return low * wanted[0], low * wanted[1]


def _thin_features(
    vessel: Vessel, *, z_mm: float, calcium: FloatArray, taken: BoolArray
) -> tuple[tuple[Feature, FloatArray], ...]:
    """Return the features of a frame, kept away from calcium and side branches."""
    free = smooth_circular(np.where((calcium > 0) | taken, 0.0, 1.0), 2.0)
    free = np.clip(2 * free - 1, 0.0, 1.0)
    shown = []
    for feature in vessel.features:
        profile = feature.profile(z_mm) * free
        if np.any(profile > 0):
            shown.append((feature, profile))
    return tuple(shown)


def _make_room(
    lumen_mm: FloatArray, *, offset_mm: tuple[float, float], wire: WirePlace, sheath_mm: float
) -> tuple[FloatArray, float]:
    """Push the wall out where a wire needs room; return the lumen and the wire's distance."""
    angles = table_angles_rad()
    x = lumen_mm * np.cos(angles) - offset_mm[0]
    y = lumen_mm * np.sin(angles) - offset_mm[1]
    near = np.cos(np.arctan2(y, x) - wire.angle_rad) > np.cos(np.radians(8))
    wall = float(np.hypot(x, y)[near].min()) if near.any() else np.inf
    nearest = sheath_mm + wire.radius_mm
    distance = max(min(nearest + wire.gap_mm, wall - wire.radius_mm), nearest)
    px = offset_mm[0] + distance * np.cos(wire.angle_rad)
    py = offset_mm[1] + distance * np.sin(wire.angle_rad)
    along = px * np.cos(angles) + py * np.sin(angles)
    chord_sq = (wire.radius_mm + 0.02) ** 2 - (px**2 + py**2 - along**2)
    far = np.where(chord_sq > 0, along + np.sqrt(np.maximum(chord_sq, 0.0)), 0.0)
    if np.any(far > lumen_mm):
        lumen_mm = np.maximum(smooth_circular(np.maximum(lumen_mm, far), 2.0), far)
    return lumen_mm, distance


def _layers(vessel: Vessel, *, z_mm: float, calcium: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the thickness of intima and media; calcium lies within the intima."""
    intima = np.maximum(vessel.intima_mm.table(z_mm), 0.03)
    behind = calcium + np.maximum(vessel.cover_mm.table(z_mm), 0.03)
    intima = smooth_circular(np.where(calcium > 0, np.maximum(intima, behind), intima), 4.0)
    intima = np.maximum(intima, np.where(calcium > 0, calcium + 0.02, 0.0))
    # Behind plaque the media is thinned out.
    thinning = 1 - 0.7 * np.clip((intima - 0.25) / 0.6, 0.0, 1.0)
    return intima, np.maximum(vessel.media_mm.table(z_mm) * thinning, 0.02)


def _protrusion(
    deposits: tuple[DepositBorders, ...],
    features: tuple[tuple[Feature, FloatArray], ...],
    z_mm: float,
) -> FloatArray:
    """Return how far nodules and thrombi rise into the lumen, mm."""
    bump = np.zeros(ANGLE_BINS)
    for borders in deposits:
        if borders.deposit.protrusion_mm > 0:
            profile = borders.deposit.profile(z_mm) * borders.present
            bump = np.maximum(bump, borders.deposit.protrusion_mm * profile)
    for feature, profile in features:
        if feature.kind.endswith("thrombus"):
            bump = np.maximum(bump, feature.thickness_mm * profile)
    return smooth_circular(bump, 4.0)


def cross_section_of(
    vessel: Vessel, *, z_mm: float, sheath_mm: float, wires: tuple[WirePlace, ...] = ()
) -> CrossSection:
    """Return the vessel at one position of the pullback.

    Parameters
    ----------
    vessel
        The vessel.
    z_mm
        Position along the pullback.
    sheath_mm
        Outer radius of the catheter's sheath, which must fit into the lumen.
    wires
        Guidewires, which must fit in between the sheath and the wall.
    """
    lumen = _lumen(vessel, z_mm)
    _, _, taken = _bulge(vessel, z_mm=z_mm, lumen_mm=lumen)
    deposits = frame_deposits(vessel.deposits, z_mm=z_mm, forbidden=taken)
    calcium = np.zeros(ANGLE_BINS)
    for borders in deposits:
        calcium = np.maximum(calcium, np.where(borders.present, borders.back_mm, 0.0))
    features = _thin_features(vessel, z_mm=z_mm, calcium=calcium, taken=taken)
    lumen = np.maximum(lumen - _protrusion(deposits, features, z_mm), 0.35 * lumen)
    offset = _place_catheter(vessel, z_mm=z_mm, lumen_mm=lumen, sheath_mm=sheath_mm)
    distances = []
    for wire in wires:
        lumen, distance = _make_room(lumen, offset_mm=offset, wire=wire, sheath_mm=sheath_mm)
        distances.append(distance)
    lumen, branches, _ = _bulge(vessel, z_mm=z_mm, lumen_mm=lumen)
    intima, media = _layers(vessel, z_mm=z_mm, calcium=calcium)
    return CrossSection(
        lumen_mm=lumen,
        slant=_slant(lumen),
        offset_mm=offset,
        wire_distances_mm=tuple(distances),
        intima_mm=intima,
        media_mm=media,
        adventitia_mm=np.maximum(vessel.adventitia_mm.table(z_mm), 0.05),
        deposits=deposits,
        features=features,
        branches=tuple(branches),
        struts=tuple(
            (s, s.angle_rad + s.drift_rad_per_mm * (z_mm - s.start_mm))
            for s in vessel.struts
            if s.start_mm <= z_mm < s.end_mm
        ),
    )


def _slant(lumen_mm: FloatArray) -> FloatArray:
    """Return how much longer than its angle the border is at each angle, 1 where they agree."""
    slope = np.gradient(np.concatenate([lumen_mm[-1:], lumen_mm, lumen_mm[:1]]))[1:-1]
    slant = np.sqrt(1 + (slope * ANGLE_BINS / (2 * np.pi) / lumen_mm) ** 2)
    return smooth_circular(np.minimum(slant, 1.8), 3.0)
