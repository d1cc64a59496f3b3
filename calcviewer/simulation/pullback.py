"""Simulated pullbacks: what fixes them, their frames and the truth that comes with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.simulation.calcium import FORMS
from calcviewer.simulation.catheter import (
    SHEATH_RADIUS_MM,
    WIRE_RADIUS_MM,
    Catheter,
    draw_catheter,
    line_gain,
    sheath_layer_power,
    sheath_power,
    streak_power,
    view_of,
    wire_image,
)
from calcviewer.simulation.fields import FloatArray, table_angles_rad
from calcviewer.simulation.optics import (
    Float32Array,
    Optics,
    depth_response,
    detect,
    draw_optics,
    speckle_field,
    transmission,
)
from calcviewer.simulation.physics import FITTED, PHYSICS, with_physics
from calcviewer.simulation.tissue import Tissue, paint, wall_coordinates
from calcviewer.simulation.truth import (
    VISIBLE_SNR,
    CalciumPolygon,
    Sectors,
    calcium_labels,
    polygons,
    sectors,
)
from calcviewer.simulation.vessel import Vessel, WirePlace, cross_section_of, draw_vessel
from calcviewer.simulation.view import Grid, View

BoolArray = NDArray[np.bool_]
LabelArray = NDArray[np.uint8]

OTHER, LUMEN, CALCIUM, SHADOW = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class PullbackSpec:
    """Everything that fixes a simulated pullback; what is None is drawn from the seed.

    Parameters
    ----------
    seed
        Seed of everything random.
    frames, a_lines, samples
        Size of the pullback and of its frames.
    sample_spacing_mm, frame_pitch_mm
        Spacing of samples along an A-line and of frames along the vessel.
    calcium
        Share of the pullback's length that holds calcium, 0 to 1. None: none in a sixth of all
        pullbacks, otherwise 0.35 to 1, so that about 60 % of all frames have some.
    calcium_forms
        Allowed forms, keys of `calcviewer.simulation.calcium.FORMS`; None allows all.
    guidewires
        Number of guidewires.
    stent
        Whether stent struts are seen.
    field_radius_mm
        Radius beyond which the image holds nothing; infinity shows all samples. None cuts two
        pullbacks in three, at 2.3 to 4.5 mm.
    physics
        "fitted": light behaves as it was fitted to real frames; else a key of
        `calcviewer.simulation.physics.PHYSICS`.
    smoothing_px
        Width (sigma) over which the console averages intensities. None: 0 in every second
        pullback, otherwise 0.5 to 1.3.
    """

    seed: int
    frames: int = 540
    a_lines: int = 480
    samples: int = 960
    sample_spacing_mm: float = 0.0052
    frame_pitch_mm: float = 0.2
    calcium: float | None = None
    calcium_forms: tuple[str, ...] | None = None
    guidewires: int | None = None
    stent: bool | None = None
    field_radius_mm: float | None = None
    smoothing_px: float | None = None
    physics: str = FITTED

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        if min(self.frames, self.a_lines, self.samples) < 1:
            raise CalcViewerError(
                "A pullback needs at least one frame, A-line and sample.",
                "Give positive sizes.",
            )
        unknown = set(self.calcium_forms or ()) - set(FORMS)
        if unknown:
            raise CalcViewerError(
                f"Unknown calcium form: {', '.join(sorted(unknown))}.",
                f"Known forms: {', '.join(FORMS)}.",
            )
        if self.physics != FITTED and self.physics not in PHYSICS:
            raise CalcViewerError(
                f"Unknown physics: {self.physics}.",
                f"Known are {', '.join((FITTED, *PHYSICS))}.",
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class SimulatedFrame:
    """One simulated frame and its truth.

    Attributes
    ----------
    intensity
        Linear detected intensity, float32 [a_line, sample], arbitrary units, above 0; exactly 0
        beyond the field.
    labels
        uint8 [a_line, sample]: 0 other, 1 lumen, 2 calcium as an expert would draw it (visible, and
        at most 1 mm deep where its back border is lost), 3 guidewire shadow from the lumen border
        outward. 0 beyond the field.
    calcium_full
        All calcium within the field, bool [a_line, sample]: the exact polygons, with what the
        guidewire or attenuation hides.
    lumen_mm
        Exact lumen border, (N, 2), canonical mm.
    calcium_mm
        Exact outlines of all deposits, whether or not they can be seen.
    guidewires
        Shadow sectors (start_deg, end_deg) in [0, 360); end below start passes through 0.
    back_lost
        Sectors, of the same kind, in which a deposit's back border is below the noise floor or
        beyond the field.
    """

    intensity: Float32Array
    labels: LabelArray
    calcium_full: BoolArray
    lumen_mm: FloatArray
    calcium_mm: tuple[CalciumPolygon, ...]
    guidewires: Sectors
    back_lost: Sectors


@dataclass(frozen=True, eq=False, kw_only=True)
class SimulatedPullback:
    """A simulated pullback whose frames are made when asked for, in any order."""

    spec: PullbackSpec
    frame_indices: tuple[int, ...]
    vessel: Vessel
    catheter: Catheter
    optics: Optics
    field_radius_mm: float

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frame_indices)

    def __iter__(self) -> Iterator[SimulatedFrame]:
        """Make the frames one after the other."""
        return (self.frame(index) for index in self.frame_indices)

    def frame(self, index: int) -> SimulatedFrame:
        """Make one frame.

        Parameters
        ----------
        index
            0-based index of the frame in the pullback.

        Raises
        ------
        CalcViewerError
            If the pullback has no such frame.
        """
        if not 0 <= index < self.spec.frames:
            raise CalcViewerError(
                f"The simulated pullback has no frame index {index}.",
                f"Indices are 0 to {self.spec.frames - 1}.",
            )
        return _make_frame(self, index)


def simulate_pullback(
    spec: PullbackSpec, *, frames: Iterable[int] | None = None
) -> SimulatedPullback:
    """Draw a pullback. The result is small; `SimulatedPullback.frame` makes the images.

    Parameters
    ----------
    spec
        What fixes the pullback.
    frames
        0-based indices that iteration goes through; None for all.
    """
    rng = np.random.default_rng([spec.seed, 0])
    length_mm = spec.frames * spec.frame_pitch_mm
    optics = draw_optics(np.random.default_rng([spec.seed, 3]))
    field_mm = float(rng.choice([np.inf, rng.uniform(2.3, 3.0), rng.uniform(2.6, 4.5)]))
    fraction = float(rng.choice([0.0] + 5 * [rng.uniform(0.35, 1.0)]))
    vessel = draw_vessel(
        np.random.default_rng([spec.seed, 1]),
        length_mm=length_mm,
        calcium_fraction=fraction if spec.calcium is None else spec.calcium,
        forms=spec.calcium_forms or tuple(FORMS),
        stent=spec.stent,
    )
    if spec.physics != FITTED:
        physics_rng = np.random.default_rng([spec.seed, 5])
        optics, vessel = with_physics(physics_rng, spec.physics, optics=optics, vessel=vessel)
    if spec.smoothing_px is not None:
        optics = replace(optics, smoothing_px=spec.smoothing_px)
    # An operator chooses a field that shows most of the wall.
    field_mm = max(field_mm, vessel.radius_mm.mean + 0.6)
    return SimulatedPullback(
        spec=spec,
        frame_indices=tuple(range(spec.frames)) if frames is None else tuple(frames),
        vessel=vessel,
        catheter=draw_catheter(np.random.default_rng([spec.seed, 2]), wires=spec.guidewires),
        optics=optics,
        field_radius_mm=field_mm if spec.field_radius_mm is None else spec.field_radius_mm,
    )


def _grid(pullback: SimulatedPullback, rng: np.random.Generator, z_mm: float) -> Grid:
    """Place the pixels of a frame in the vessel."""
    spec = pullback.spec
    view = view_of(pullback.catheter, z_mm=z_mm, jitter_rad=rng.normal(0, 0.01))
    return Grid(
        (np.arange(spec.a_lines, dtype=np.float64) + 0.5) * (2 * np.pi / spec.a_lines),
        ((np.arange(spec.samples) + 0.5) * spec.sample_spacing_mm).astype(np.float32),
        view,
        cross_section_of(
            pullback.vessel,
            z_mm=z_mm,
            sheath_mm=SHEATH_RADIUS_MM + 0.01,
            wires=_wire_places(pullback.catheter, view, z_mm),
        ),
    )


def _make_frame(pullback: SimulatedPullback, index: int) -> SimulatedFrame:
    spec, optics = pullback.spec, pullback.optics
    rng = np.random.default_rng([spec.seed, 4, index])
    z_mm = index * spec.frame_pitch_mm
    grid = _grid(pullback, rng, z_mm)
    x, y = grid.vessel_xy()
    tissue = paint(
        rng,
        optics,
        grid.vessel,
        where=wall_coordinates(grid.vessel, x_mm=x, y_mm=y),
        z_mm=z_mm,
        blood=float(np.clip(pullback.catheter.blood.value(z_mm), 0.0, 1.0)),
    )
    seen = _visibility(optics, tissue, grid.radius_mm, spec.sample_spacing_mm)
    intensity, shadow = _expose(rng, pullback, grid, seen=seen, tissue=tissue, z_mm=z_mm)
    inside = grid.radius_mm < pullback.field_radius_mm
    intensity *= inside[None, :]
    visible = seen > VISIBLE_SNR * 10 ** (optics.noise_db / 10)
    drawn, full, lost = calcium_labels(tissue, visible, inside, spec.sample_spacing_mm)
    lumen = tissue.lumen | (grid.radius_mm < SHEATH_RADIUS_MM)[None, :]
    labels = np.zeros(lumen.shape, dtype=np.uint8)
    labels[drawn] = CALCIUM
    labels[shadow] = SHADOW
    labels[lumen] = LUMEN
    labels[:, ~inside] = OTHER
    return SimulatedFrame(
        intensity=intensity,
        labels=labels,
        calcium_full=full,
        lumen_mm=grid.canonical(table_angles_rad(), grid.vessel.lumen_mm),
        calcium_mm=tuple(p for b in grid.vessel.deposits for p in polygons(grid, b)),
        guidewires=sectors(shadow),
        back_lost=sectors(lost),
    )


def _visibility(
    optics: Optics, tissue: Tissue, radius_mm: Float32Array, spacing_mm: float
) -> Float32Array:
    """Return the mean power fibrous tissue would send back from each pixel, [a_line, sample]."""
    seen = transmission(tissue.mu_t_per_mm, sample_spacing_mm=spacing_mm)
    seen *= depth_response(optics, radius_mm)[None, :]
    return seen


def _wire_places(catheter: Catheter, view: View, z_mm: float) -> tuple[WirePlace, ...]:
    places = []
    for wire in catheter.wires:
        shown = np.array([wire.angle_rad.value(z_mm) % (2 * np.pi)])
        angle = float(view.actual_angle(shown)[0])
        gap = max(wire.gap_mm.value(z_mm), 0.0)
        places.append(WirePlace(angle_rad=angle, gap_mm=gap, radius_mm=WIRE_RADIUS_MM))
    return tuple(places)


def _expose(
    rng: np.random.Generator,
    pullback: SimulatedPullback,
    grid: Grid,
    *,
    seen: Float32Array,
    tissue: Tissue,
    z_mm: float,
) -> tuple[Float32Array, BoolArray]:
    """Return the detected intensity [a_line, sample] and the A-lines in a wire's shadow."""
    optics = pullback.optics
    power = seen * np.exp(tissue.backscatter_db * np.float32(np.log(10) / 10))
    specular, shadow = _add_catheter(rng, pullback.catheter, grid, power=power, z_mm=z_mm)
    field = speckle_field(
        rng,
        optics,
        shape=power.shape,
        radius_mm=grid.radius_mm,
        sample_spacing_mm=pullback.spec.sample_spacing_mm,
    )
    intensity = detect(
        rng,
        scattered=power,
        specular=specular,
        field=field,
        noise=10 ** (optics.noise_db / 10),
        smoothing_px=optics.smoothing_px,
        looks=round(optics.looks),
    )
    intensity *= np.float32(optics.gain)
    return np.maximum(intensity, np.float32(1e-12)), shadow


def _add_catheter(
    rng: np.random.Generator, catheter: Catheter, grid: Grid, *, power: Float32Array, z_mm: float
) -> tuple[Float32Array, BoolArray]:
    """Add what catheter and wires scatter to ``power`` and shade what lies behind the wires.

    Returns
    -------
    What they reflect without speckle, [a_line, sample], and the A-lines in a wire's shadow.
    """
    lines, samples = power.shape
    shadow = np.zeros(lines, dtype=bool)
    specular = sheath_power(rng, catheter, radius_mm=grid.radius_mm, lines=lines)
    for wire, distance in zip(catheter.wires, grid.vessel.wire_distances_mm, strict=True):
        angle = wire.angle_rad.value(z_mm) % (2 * np.pi)
        image = wire_image(
            wire,
            angle_rad=angle,
            distance_mm=distance + float(grid.view.radial_shift_mm(np.array([angle]))[0]),
            line_angles_rad=grid.line_angles_rad,
            radius_mm=grid.radius_mm,
        )
        power *= image.passing
        power += 0.5 * image.power
        specular += 0.5 * image.power
        shadow |= image.shadow
    power += sheath_layer_power(catheter, grid.radius_mm)[None, :]
    gain = line_gain(rng, catheter, lines).astype(np.float32)[:, None]
    power *= gain
    specular *= gain
    power += streak_power(rng, catheter, lines=lines, samples=samples)
    return specular, shadow
