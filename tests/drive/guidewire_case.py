"""The paper's challenging case (its Fig. 8, lesion Ca5): calcium on both sides of a guidewire.

Two deposits whose facing ends lie in the wire's shadow. Seen alone the larger one is 146 degrees;
taken for one deposit they are 227: score 2 or 4, as thickness and length score in either reading.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from calcviewer.app.simulate import write_drawn
from calcviewer.simulation import PullbackSpec, SimulatedPullback, simulate_pullback
from calcviewer.simulation.calcium import Deposit
from calcviewer.simulation.fields import SmoothField, draw_field

VISIBLE_DEG, BRIDGED_DEG = 146.0, 227.0
FRAMES = 40
SPEC = PullbackSpec(
    seed=8,
    frames=FRAMES,
    calcium=0.0,
    guidewires=1,
    stent=False,
    field_radius_mm=3.6,
    smoothing_px=0.8,
)
_START_MM, _END_MM = 0.9, 7.1
_WIRE_DEG = 300.0
_LARGER_DEG = (142.6, 293.0)
_SMALLER_DEG = (307.0, 369.1)
"""Where the deposits begin and end as far as they are thick enough to be drawn."""


def case_pullback(frames: int = FRAMES) -> SimulatedPullback:
    """Return the pullback: a roundish vessel, two deposits in its wall, and one wire.

    Fewer frames are those up to where the deposits are largest.
    """
    drawn = simulate_pullback(replace(SPEC, frames=frames))
    catheter, vessel = drawn.catheter, drawn.vessel
    nothing = _constant(0.0)
    (wire,) = catheter.wires
    return replace(
        drawn,
        vessel=replace(
            vessel,
            radius_mm=draw_field(np.random.default_rng(1), mean=1.55, sd=0.04, wavelength_mm=12),
            shape=draw_field(
                np.random.default_rng(3), sd=0.02, wavelength_mm=14, orders=(2, 5), decay=1.2
            ),
            narrowings=(),
            offset_x_mm=_constant(0.12),
            offset_y_mm=_constant(-0.06),
            deposits=(_deposit(_LARGER_DEG, seed=1), _deposit(_SMALLER_DEG, seed=2)),
            features=(),
            branches=(),
        ),
        catheter=replace(
            catheter,
            wires=(
                replace(
                    wire,
                    angle_rad=_constant(np.radians(_WIRE_DEG)),
                    gap_mm=_constant(0.03),
                    widening=1.0,
                    level_db=10.0,
                ),
            ),
            rotation=nothing,
            warp=nothing,
            seam_step_mm=nothing,
            blood=_constant(-1.0),
            ghost_rings=(),
            streak_rate=0.0,
        ),
    )


def write_case(folder: Path, frames: int = FRAMES) -> Path:
    """Write the pullback with its truth; returns the DICOM file to open."""
    write_drawn(folder, case_pullback(frames))
    return (folder / "pullback.dcm").rename(folder / "guidewire.dcm")


def _constant(value: float) -> SmoothField:
    none = np.zeros(0)
    return SmoothField(
        mean=float(value), orders=none, wavenumbers_per_mm=none, amplitudes=none, phases=none
    )


def _deposit(ends_deg: tuple[float, float], *, seed: int) -> Deposit:
    rng = np.random.default_rng(seed)
    start, end = np.radians(ends_deg)
    return Deposit(
        form="thick",
        start_mm=_START_MM,
        end_mm=_END_MM,
        angle=_constant((start + end) / 2),
        arc_rad=float(end - start),
        thickness_mm=0.72,
        depth_mm=0.09,
        protrusion_mm=0.0,
        bluntness=8.0,
        taper=4.0,
        tilt_mm=0.05,
        front_noise=draw_field(rng, wavelength_mm=2.0, orders=(0, 16), decay=1.0, terms=2),
        back_noise=draw_field(rng, wavelength_mm=2.0, orders=(0, 18), decay=0.9, terms=2),
        brightness_db=-10.0,
        mu_t_per_mm=1.6,
        texture_db=0.9,
        edge_db=2.5,
    )
