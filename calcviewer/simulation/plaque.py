"""Plaque other than calcium, much of which a reader may take for it, and stent struts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calcviewer.simulation.fields import (
    ANGLE_BINS,
    FloatArray,
    SmoothField,
    angle_difference_rad,
    draw_field,
    table_angles_rad,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Feature:
    """A plaque feature other than calcium, present over part of the pullback.

    `kind` is one of ``lipid``, ``macrophage``, ``red thrombus``, ``white thrombus``, ``cavity``.
    `soft_mm` is the width over which its front border fades in.
    """

    kind: str
    start_mm: float
    end_mm: float
    angle_rad: float
    drift: SmoothField
    arc_rad: float
    depth_mm: float
    thickness_mm: float
    soft_mm: float
    brightness_db: float
    mu_t_per_mm: float
    noise: SmoothField

    def profile(self, z_mm: float) -> FloatArray:
        """Return the relative strength around the circumference, shape (ANGLE_BINS,)."""
        t = 2 * (z_mm - self.start_mm) / (self.end_mm - self.start_mm) - 1
        if abs(t) >= 1:
            return np.zeros(ANGLE_BINS)
        size = np.sqrt(1 - t**4)
        centre = self.angle_rad + self.drift.value(z_mm)
        offset = np.abs(angle_difference_rad(table_angles_rad(), centre))
        half = 0.5 * self.arc_rad * (0.3 + 0.7 * size)
        return np.asarray(np.sqrt(np.maximum(1 - (offset / half) ** 4, 0.0)) * float(size))


def _interval(
    rng: np.random.Generator, length_mm: float, spans_mm: tuple[float, float]
) -> tuple[float, float]:
    span = rng.uniform(*spans_mm)
    start = rng.uniform(-0.7 * span, length_mm - 0.3 * span)
    return start, start + span


def _feature(
    rng: np.random.Generator,
    *,
    kind: str,
    length_mm: float,
    spans_mm: tuple[float, float],
    arc_deg: tuple[float, float],
    depth_mm: tuple[float, float],
    thickness_mm: tuple[float, float],
    soft_mm: tuple[float, float],
    brightness_db: tuple[float, float],
    mu_t_per_mm: tuple[float, float],
) -> Feature:
    start, end = _interval(rng, length_mm, spans_mm)
    return Feature(
        kind=kind,
        start_mm=start,
        end_mm=end,
        angle_rad=rng.uniform(0, 2 * np.pi),
        drift=draw_field(rng, sd=0.2, wavelength_mm=6),
        arc_rad=float(np.radians(rng.uniform(*arc_deg))),
        depth_mm=rng.uniform(*depth_mm),
        thickness_mm=rng.uniform(*thickness_mm),
        soft_mm=rng.uniform(*soft_mm),
        brightness_db=rng.uniform(*brightness_db),
        mu_t_per_mm=rng.uniform(*mu_t_per_mm),
        noise=draw_field(rng, wavelength_mm=1.2, orders=(0, 16), decay=0.6, terms=2),
    )


FeatureRanges = dict[str, tuple[float, float]]
# How often a feature starts, per mm of pullback, and the ranges it is drawn from.
_FEATURES: dict[str, tuple[float, FeatureRanges]] = {
    "lipid": (
        0.10,
        {
            "spans_mm": (2.0, 12.0),
            "arc_deg": (40, 260),
            "depth_mm": (0.05, 0.45),
            "thickness_mm": (0.3, 1.5),
            "soft_mm": (0.04, 0.25),
            "brightness_db": (-7.0, 2.5),
            "mu_t_per_mm": (4.0, 13.0),
        },
    ),
    "macrophage": (
        0.35,
        {
            "spans_mm": (0.4, 2.5),
            "arc_deg": (5, 60),
            "depth_mm": (0.0, 0.35),
            "thickness_mm": (0.02, 0.07),
            "soft_mm": (0.01, 0.02),
            "brightness_db": (3.0, 8.0),
            "mu_t_per_mm": (10.0, 45.0),
        },
    ),
    "red thrombus": (
        0.012,
        {
            "spans_mm": (1.0, 5.0),
            "arc_deg": (20, 100),
            "depth_mm": (0.0, 0.0),
            "thickness_mm": (0.15, 0.6),
            "soft_mm": (0.01, 0.02),
            "brightness_db": (0.0, 4.0),
            "mu_t_per_mm": (7.0, 13.0),
        },
    ),
    "white thrombus": (
        0.012,
        {
            "spans_mm": (0.6, 4.0),
            "arc_deg": (15, 80),
            "depth_mm": (0.0, 0.0),
            "thickness_mm": (0.1, 0.5),
            "soft_mm": (0.01, 0.02),
            "brightness_db": (-3.0, 2.0),
            "mu_t_per_mm": (1.5, 3.5),
        },
    ),
    "cavity": (
        0.02,
        {
            "spans_mm": (0.8, 4.0),
            "arc_deg": (15, 70),
            "depth_mm": (0.06, 0.3),
            "thickness_mm": (0.06, 0.4),
            "soft_mm": (0.005, 0.01),
            "brightness_db": (-40.0, -22.0),
            "mu_t_per_mm": (0.1, 0.5),
        },
    ),
}


def draw_features(rng: np.random.Generator, length_mm: float) -> tuple[Feature, ...]:
    """Draw the plaque features of a pullback of the given length."""
    features: list[Feature] = []
    for kind, (rate, ranges) in _FEATURES.items():
        activity = rng.gamma(1.0)  # Patients differ: many pullbacks have hardly any of a kind.
        count = min(int(rng.poisson(rate * activity * (length_mm + 6.0))), int(0.5 * length_mm) + 4)
        for _ in range(count):
            features.append(_feature(rng, kind=kind, length_mm=length_mm, **ranges))
    return tuple(features)


@dataclass(frozen=True, eq=False, kw_only=True)
class Strut:
    """A stent strut: a bright reflector on the wall with a shadow behind it."""

    start_mm: float
    end_mm: float
    angle_rad: float
    drift_rad_per_mm: float
    depth_mm: float
    width_mm: float


def draw_struts(rng: np.random.Generator, length_mm: float) -> tuple[Strut, ...]:
    """Draw the struts of a stent that lies in a pullback of the given length."""
    start = rng.uniform(-0.2, 0.8) * length_mm
    end = start + rng.uniform(6.0, 30.0)
    depth = rng.uniform(-0.02, 0.25)
    struts: list[Strut] = []
    for position in np.arange(start, min(end, length_mm), 0.5):
        for _ in range(int(rng.integers(1, 5))):
            struts.append(
                Strut(
                    start_mm=position,
                    end_mm=position + rng.uniform(0.3, 1.2),
                    angle_rad=rng.uniform(0, 2 * np.pi),
                    drift_rad_per_mm=rng.normal(0, 0.3),
                    depth_mm=depth + rng.normal(0, 0.03),
                    width_mm=rng.uniform(0.08, 0.2),
                )
            )
    return tuple(struts)
