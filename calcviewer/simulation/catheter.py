"""The catheter: its sheath, guidewires, rotation and the artefacts it brings into a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calcviewer.simulation.fields import FloatArray, SmoothField, draw_field
from calcviewer.simulation.optics import Float32Array
from calcviewer.simulation.view import WARP_POINTS, View

SHEATH_RADIUS_MM = 0.45
WIRE_RADIUS_MM = 0.18
"""Radius of a 0.014 inch guidewire."""

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Ring:
    """One reflecting layer of the catheter."""

    radius_mm: float
    width_mm: float
    level_db: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Guidewire:
    """A guidewire beside the catheter."""

    angle_rad: SmoothField
    gap_mm: SmoothField
    level_db: float
    depth_mm: float
    widening: float
    ghost_db: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Catheter:
    """Everything the catheter brings to one pullback."""

    rings: tuple[Ring, ...]
    wall_texture_db: float
    wires: tuple[Guidewire, ...]
    rotation: SmoothField
    warp: SmoothField
    seam_angle_rad: float
    seam_step_mm: SmoothField
    zero_offset_mm: SmoothField
    line_gain_db: float
    ghost_rings: tuple[Ring, ...]
    streak_rate: float
    blood: SmoothField


def view_of(catheter: Catheter, *, z_mm: float, jitter_rad: float) -> View:
    """Return how the frame at a position shows space."""
    grid = np.linspace(0, 2 * np.pi, WARP_POINTS + 1)
    table = catheter.warp.table(z_mm)
    step = table.size // WARP_POINTS
    warp = np.append(table[::step], table[0])
    turn = catheter.rotation.value(z_mm) + jitter_rad
    return View(
        warped_rad=grid + warp + turn,
        seam_angle_rad=catheter.seam_angle_rad,
        seam_step_mm=catheter.seam_step_mm.value(z_mm),
        zero_offset_mm=catheter.zero_offset_mm.value(z_mm),
    )


def _draw_wire(rng: np.random.Generator) -> Guidewire:
    return Guidewire(
        angle_rad=draw_field(
            rng, mean=rng.uniform(0, 2 * np.pi), sd=rng.uniform(0.2, 1.2), wavelength_mm=12
        ),
        gap_mm=draw_field(rng, mean=rng.uniform(-0.05, 0.25), sd=0.15, wavelength_mm=8),
        level_db=rng.uniform(2.0, 14.0),
        depth_mm=rng.uniform(0.02, 0.04),
        widening=rng.uniform(1.0, 1.25),
        ghost_db=rng.uniform(-90.0, -28.0),
    )


def _draw_rings(rng: np.random.Generator) -> tuple[Ring, ...]:
    inner = rng.uniform(0.2, 0.3)
    rings = [
        Ring(radius_mm=0.0, width_mm=0.02, level_db=rng.uniform(5, 20)),
        Ring(radius_mm=inner, width_mm=0.008, level_db=rng.uniform(-14, 2)),
        Ring(
            radius_mm=inner + rng.uniform(0.03, 0.07),
            width_mm=0.008,
            level_db=rng.uniform(-14, 2),
        ),
        Ring(
            radius_mm=SHEATH_RADIUS_MM - 0.01,
            width_mm=0.008,
            level_db=rng.uniform(-16, 8),
        ),
    ]
    rings.extend(
        Ring(
            radius_mm=rng.uniform(0.05, 0.44),
            width_mm=rng.uniform(0.004, 0.012),
            level_db=rng.uniform(-22, -4),
        )
        for _ in range(int(rng.integers(0, 4)))
    )
    return tuple(rings)


def draw_catheter(rng: np.random.Generator, *, wires: int | None) -> Catheter:
    """Draw the catheter of a pullback.

    Parameters
    ----------
    rng
        Source of randomness.
    wires
        Number of guidewires; None draws it.
    """
    count = int(rng.choice([0, 1, 1, 1, 1, 1, 1, 2])) if wires is None else wires
    return Catheter(
        rings=_draw_rings(rng),
        wall_texture_db=rng.uniform(-26.0, -8.0),
        wires=tuple(_draw_wire(rng) for _ in range(count)),
        rotation=draw_field(rng, mean=rng.uniform(0, 2 * np.pi), sd=0.2, wavelength_mm=10),
        warp=draw_field(rng, sd=rng.uniform(0.0, 0.05), wavelength_mm=3, orders=(1, 4), decay=1.0),
        seam_angle_rad=rng.uniform(0, 2 * np.pi),
        seam_step_mm=draw_field(rng, sd=rng.choice([0.01, 0.06]), wavelength_mm=2),
        zero_offset_mm=draw_field(rng, sd=0.008, wavelength_mm=15),
        line_gain_db=rng.uniform(0.1, 1.2),
        ghost_rings=_draw_ghosts(rng),
        streak_rate=rng.choice([0.0, 0.0, rng.uniform(0.2, 2.0)]),
        blood=draw_field(rng, mean=rng.uniform(-1.2, 0.3), sd=0.5, wavelength_mm=5),
    )


def _draw_ghosts(rng: np.random.Generator) -> tuple[Ring, ...]:
    return tuple(
        Ring(
            radius_mm=rng.uniform(0.6, 4.0),
            width_mm=rng.uniform(0.004, 0.015),
            level_db=rng.uniform(-38, -20),
        )
        for _ in range(int(rng.choice([0, 0, 1, 2])))
    )


def sheath_power(
    rng: np.random.Generator, catheter: Catheter, *, radius_mm: Float32Array, lines: int
) -> Float32Array:
    """Return the power mirrored by the rings of the catheter, [a_line, sample]."""
    power = np.zeros((lines, radius_mm.size), dtype=np.float32)
    for ring in catheter.rings + catheter.ghost_rings:
        near = np.flatnonzero(np.abs(radius_mm - ring.radius_mm) < 4 * ring.width_mm)
        if near.size == 0:
            continue
        shape = np.exp(-0.5 * ((radius_mm[near] - ring.radius_mm) / ring.width_mm) ** 2)
        around = ndimage.gaussian_filter1d(rng.standard_normal(lines), lines / 32, mode="wrap")
        around = 10 ** (0.1 * (ring.level_db + 2.5 * around / around.std()))
        power[:, near[0] : near[-1] + 1] += (around[:, None] * shape).astype(np.float32)
    return power


def sheath_layer_power(catheter: Catheter, radius_mm: Float32Array) -> Float32Array:
    """Return the power scattered by the wall of the sheath, [sample]."""
    layer = (radius_mm > catheter.rings[2].radius_mm) & (radius_mm < SHEATH_RADIUS_MM)
    return np.asarray(10 ** (catheter.wall_texture_db / 10) * layer, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class WireImage:
    """A guidewire in one frame.

    `power` adds to the frame and `passing` multiplies what lies behind, both [a_line, sample];
    `shadow` says which A-lines are shadowed, bool [a_line].
    """

    power: Float32Array
    passing: Float32Array
    shadow: BoolArray


def wire_image(
    wire: Guidewire,
    *,
    angle_rad: float,
    distance_mm: float,
    line_angles_rad: FloatArray,
    radius_mm: Float32Array,
) -> WireImage:
    """Draw a guidewire: a bright crescent that faces the catheter and nothing behind it."""
    offset = (line_angles_rad - angle_rad + np.pi) % (2 * np.pi) - np.pi
    half = float(np.arcsin(min(WIRE_RADIUS_MM / distance_mm, 0.95)))
    shadow_half = half * wire.widening
    aside = distance_mm * np.sin(np.clip(offset, -np.pi / 2, np.pi / 2))
    chord = np.sqrt(np.maximum(WIRE_RADIUS_MM**2 - aside**2, 0.0))
    front = distance_mm * np.cos(offset) - chord
    behind = radius_mm[None, :] - front[:, None].astype(np.float32)
    edge_on = np.minimum(np.abs(offset) / half, 1)
    strength = 10 ** (wire.level_db / 10) * np.sqrt(1 - edge_on**2)
    power = np.exp(-((behind / np.float32(wire.depth_mm) - 1) ** 2))
    power += np.float32(0.004) * np.exp(-np.maximum(behind, 0) / np.float32(0.05)) * (behind > 0)
    # Light that goes to and fro between wire and catheter shows the wire again, twice as deep.
    ghost = np.abs(behind - front[:, None].astype(np.float32)) < 0.015
    power += np.float32(10 ** (wire.ghost_db / 10)) * ghost
    power *= strength.astype(np.float32)[:, None]
    shadow = np.abs(offset) < shadow_half
    # The spot blurs the edge of the shadow over about a degree.
    edge = np.clip((np.abs(offset) - shadow_half) / np.radians(1.2) + 0.5, 0.0, 1.0)
    passing = np.where(behind > 0, np.maximum(edge, 1e-5).astype(np.float32)[:, None], 1.0)
    return WireImage(power, passing.astype(np.float32), shadow)


def line_gain(rng: np.random.Generator, catheter: Catheter, lines: int) -> FloatArray:
    """Return the gain of each A-line: slow drifts of fibre and polarisation, shape [a_line]."""
    slow = ndimage.gaussian_filter1d(rng.standard_normal(lines), lines / 32, mode="wrap")
    fast = rng.standard_normal(lines)
    gain_db = catheter.line_gain_db * (slow / slow.std() + 0.15 * fast)
    return np.asarray(10 ** (gain_db / 10))


def streak_power(
    rng: np.random.Generator, catheter: Catheter, *, lines: int, samples: int
) -> Float32Array:
    """Return the raised level of saturated A-lines over all depths, [a_line, sample]."""
    power = np.zeros((lines, samples), dtype=np.float32)
    for _ in range(int(rng.poisson(catheter.streak_rate))):
        first = int(rng.integers(0, lines))
        rows = np.arange(first, first + int(rng.integers(1, 4))) % lines
        depth = np.arange(samples)
        ripple = 1 + np.cos(depth * rng.uniform(0.01, 1.0) + rng.uniform(0, 6))
        power[rows] += (10 ** (rng.uniform(-34, -18) / 10) * ripple).astype(np.float32)
    return power
