"""Calcium deposits: forms, their places along the pullback, and their borders in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from calcviewer.simulation.fields import (
    ANGLE_BINS,
    FloatArray,
    SmoothField,
    angle_difference_rad,
    draw_field,
    table_angles_rad,
)

MAX_THICKNESS_MM = 1.5
MIN_THICKNESS_MM = 0.05


@dataclass(frozen=True, kw_only=True)
class Form:
    """Ranges from which a deposit of one form is drawn, and how often the form occurs."""

    weight: float
    arc_deg: tuple[float, float]
    thickness_mm: tuple[float, float]
    depth_mm: tuple[float, float]
    length_mm: tuple[float, float] = (1e9, 1e9)
    protrusion_mm: tuple[float, float] = (0.0, 0.0)


FORMS: dict[str, Form] = {
    "sheet": Form(weight=3.0, arc_deg=(60, 270), thickness_mm=(0.2, 0.65), depth_mm=(0.0, 0.25)),
    "thin": Form(weight=1.5, arc_deg=(40, 200), thickness_mm=(0.1, 0.2), depth_mm=(0.02, 0.3)),
    "thick": Form(weight=2.5, arc_deg=(60, 220), thickness_mm=(0.7, 1.5), depth_mm=(0.0, 0.3)),
    "deep": Form(weight=1.5, arc_deg=(30, 160), thickness_mm=(0.2, 0.7), depth_mm=(0.3, 0.6)),
    "spotty": Form(
        weight=1.5,
        arc_deg=(20, 60),
        thickness_mm=(0.12, 0.45),
        depth_mm=(0.0, 0.4),
        length_mm=(0.6, 2.0),
    ),
    "nodule": Form(
        weight=1.0,
        arc_deg=(25, 90),
        thickness_mm=(0.5, 1.2),
        depth_mm=(0.0, 0.06),
        length_mm=(1.5, 5.0),
        protrusion_mm=(0.15, 0.5),
    ),
    "ring": Form(weight=1.0, arc_deg=(300, 440), thickness_mm=(0.2, 0.9), depth_mm=(0.03, 0.3)),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Deposit:
    """One calcium deposit over the length of the pullback.

    Borders are depths below the lumen border along its normal, as functions of the angle about
    the vessel's centre. An arc above 360 degrees closes the ring.
    """

    form: str
    start_mm: float
    end_mm: float
    angle: SmoothField
    arc_rad: float
    thickness_mm: float
    depth_mm: float
    protrusion_mm: float
    bluntness: float
    taper: float
    tilt_mm: float
    front_noise: SmoothField
    back_noise: SmoothField
    brightness_db: float
    mu_t_per_mm: float
    texture_db: float
    edge_db: float

    def size_at(self, z_mm: float) -> float:
        """Return the relative size at a position: 1 in the middle, 0 at and beyond the ends."""
        t = 2 * (z_mm - self.start_mm) / (self.end_mm - self.start_mm) - 1
        return 0.0 if abs(t) >= 1 else float((1 - abs(t) ** self.taper) ** 0.5)

    def profile(self, z_mm: float) -> FloatArray:
        """Return the relative thickness around the circumference, shape (ANGLE_BINS,)."""
        size = self.size_at(z_mm)
        if size == 0.0:
            return np.zeros(ANGLE_BINS)
        half_rad = max(0.5 * self.arc_rad * (0.25 + 0.75 * size), np.radians(6))
        offset = np.abs(angle_difference_rad(table_angles_rad(), self.angle.value(z_mm)))
        u = np.minimum(offset / half_rad, 1.0)
        return np.asarray(np.sqrt(1 - u**self.bluntness) * (0.35 + 0.65 * size))

    def borders(self, z_mm: float) -> tuple[FloatArray, FloatArray]:
        """Return front and back depth in mm, each (ANGLE_BINS,); equal where absent."""
        profile = self.profile(z_mm)
        front = self.depth_mm + self.tilt_mm * (1 - np.minimum(profile, 1.0))
        front = np.maximum(front + 0.03 * self.front_noise.table(z_mm), 0.0)
        if self.depth_mm == 0.0:
            front = np.maximum(front - 0.03, 0.0)
        thickness = self.thickness_mm * profile * (1 + 0.22 * self.back_noise.table(z_mm))
        thickness = np.minimum(thickness, MAX_THICKNESS_MM)
        thickness[thickness < MIN_THICKNESS_MM] = 0.0
        return front, front + thickness


@dataclass(frozen=True, eq=False)
class DepositBorders:
    """Borders of a deposit in one frame: depths in mm, shape (ANGLE_BINS,); absent where equal."""

    deposit: Deposit
    front_mm: FloatArray
    back_mm: FloatArray

    @property
    def present(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Angles at which the deposit exists, bool, shape (ANGLE_BINS,)."""
        return self.back_mm > self.front_mm


def _draw_deposit(
    rng: np.random.Generator, *, form_name: str, start_mm: float, end_mm: float, centre_rad: float
) -> Deposit:
    form = FORMS[form_name]
    length = min(end_mm - start_mm, rng.uniform(*form.length_mm))
    begin = start_mm + rng.uniform() * (end_mm - start_mm - length)
    touching = rng.random() < 0.25 and form.depth_mm[0] == 0.0
    return Deposit(
        form=form_name,
        start_mm=begin,
        end_mm=begin + length,
        angle=draw_field(rng, mean=centre_rad, sd=rng.uniform(0.02, 0.35), wavelength_mm=10),
        arc_rad=float(np.radians(rng.uniform(*form.arc_deg))),
        thickness_mm=rng.uniform(*form.thickness_mm),
        depth_mm=0.0 if touching else rng.uniform(*form.depth_mm),
        protrusion_mm=rng.uniform(*form.protrusion_mm),
        bluntness=rng.uniform(2.0, 8.0),
        taper=rng.uniform(2.0, 10.0),
        tilt_mm=rng.choice([0.0, rng.uniform(-0.08, 0.2)]),
        front_noise=draw_field(rng, wavelength_mm=2.0, orders=(0, 16), decay=1.0, terms=2),
        back_noise=draw_field(rng, wavelength_mm=2.0, orders=(0, 18), decay=0.9, terms=2),
        brightness_db=rng.uniform(-12.0, -7.5),
        mu_t_per_mm=rng.uniform(1.5, 3.5),
        texture_db=rng.uniform(0.4, 2.0),
        edge_db=rng.choice([0.0, rng.uniform(1.0, 4.0)]),
    )


def _place_lesions(
    rng: np.random.Generator, length_mm: float, fraction: float
) -> list[tuple[float, float]]:
    """Cut a pullback into lesions that cover the given fraction of its length."""
    covered = length_mm * fraction
    count = max(1, round(covered / rng.uniform(4.0, 18.0)))
    lengths = covered * rng.dirichlet(np.full(count, 3.0))
    gaps = (length_mm - covered) * rng.dirichlet(np.full(count + 1, 1.5))
    starts = np.cumsum(gaps[:-1]) + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    return [(float(s), float(s + n)) for s, n in zip(starts, lengths, strict=True)]


def draw_deposits(
    rng: np.random.Generator, *, length_mm: float, fraction: float, forms: Sequence[str]
) -> tuple[Deposit, ...]:
    """Draw the deposits of a pullback.

    Parameters
    ----------
    rng
        Source of randomness.
    length_mm
        Length of the pullback.
    fraction
        Share of the length that holds calcium, 0 to 1.
    forms
        Names of the allowed forms (keys of `FORMS`).
    """
    if fraction <= 0:
        return ()
    weights = np.array([FORMS[name].weight for name in forms])
    deposits: list[Deposit] = []
    for start, end in _place_lesions(rng, length_mm, fraction):
        # A lesion at the end of the pullback goes on beyond it rather than tapering to nothing.
        start = start - rng.uniform(1, 8) if start < 1.0 else start
        end = end + rng.uniform(1, 8) if end > length_mm - 1.0 else end
        deposits.extend(_draw_lesion(rng, start_mm=start, end_mm=end, names=forms, weights=weights))
    return tuple(deposits)


def _draw_lesion(
    rng: np.random.Generator,
    *,
    start_mm: float,
    end_mm: float,
    names: Sequence[str],
    weights: FloatArray,
) -> list[Deposit]:
    deposits: list[Deposit] = []
    angle = rng.uniform(0, 2 * np.pi)
    position = start_mm
    # Deposits follow each other with overlap until the lesion is covered; some lie side by side.
    while position < end_mm - 0.2:
        name = str(rng.choice(list(names), p=weights / weights.sum()))
        form = FORMS[name]
        span = min(end_mm - position, rng.uniform(3.0, 16.0), rng.uniform(*form.length_mm))
        span = max(span, 0.6)
        for _ in range(1 + int(rng.random() < 0.35)):
            deposits.append(
                _draw_deposit(
                    rng,
                    form_name=name,
                    start_mm=position,
                    end_mm=position + span,
                    centre_rad=angle + rng.choice([0.0, rng.uniform(-np.pi, np.pi)]),
                )
            )
            name = str(rng.choice(list(names), p=weights / weights.sum()))
        position += span * rng.uniform(0.8, 1.0)
        angle += rng.normal(0, 0.6)
    return deposits


def frame_deposits(
    deposits: Sequence[Deposit],
    *,
    z_mm: float,
    forbidden: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> tuple[DepositBorders, ...]:
    """Return the borders of all deposits in one frame, none of which overlap.

    Where two deposits would overlap, the later gives way with a gap of tissue between them.

    Parameters
    ----------
    deposits
        Deposits of the pullback.
    z_mm
        Position of the frame.
    forbidden
        Angles at which no calcium may lie (side branches), bool, shape (ANGLE_BINS,).
    """
    kept: list[DepositBorders] = []
    for deposit in deposits:
        if deposit.size_at(z_mm) == 0.0:
            continue
        front, back = deposit.borders(z_mm)
        blocked = forbidden.copy()
        for other in kept:
            clash = (front < other.back_mm + 0.06) & (back > other.front_mm - 0.06) & other.present
            blocked |= _widen(clash & (back > front), 3.0)
        back = np.where(blocked, front, back)
        if np.any(back > front):
            kept.append(DepositBorders(deposit, front, back))
    return tuple(kept)


def _widen(
    mask: np.ndarray[tuple[int], np.dtype[np.bool_]], margin_deg: float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    size = 2 * int(margin_deg * ANGLE_BINS / 360) + 1
    widened: np.ndarray[tuple[int], np.dtype[np.bool_]] = ndimage.maximum_filter1d(
        mask.astype(np.uint8), size, mode="wrap"
    ).astype(bool)
    return widened
