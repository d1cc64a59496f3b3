"""Agreement of measurements with the truth of simulated pullbacks (seed Fig. 7, Table 3).

Differences are truth - found, as in Gharaibeh et al. 2019 (manual - predicted).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.measured_error import METRIC
from calcviewer.app.simulate import true_annotation
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.lesion import find_lesions
from calcviewer.modalities.ivoct.preprocess import preprocess
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement, quantify_frame
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.simulation import PullbackSpec, simulate_pullback

QUANTITIES = {
    "lumen_area_mm2": "mm²",
    "max_arc_deg_visible": "°",
    "max_thickness_mm": "mm",
    "mean_depth_mm": "mm",
}
PULLBACK_FRAMES = 120
"""Of a whole pullback: a shorter one would have its calcium squeezed together."""
_LIMITS_SD = 1.96


@dataclass(frozen=True)
class Limits:
    """Bland-Altman agreement of one quantity: bias and 95 % limits, over ``frames`` frames."""

    bias: float
    sd: float
    frames: int

    @property
    def lower(self) -> float:
        """Lower limit of agreement."""
        return self.bias - _LIMITS_SD * self.sd

    @property
    def upper(self) -> float:
        """Upper limit of agreement."""
        return self.bias + _LIMITS_SD * self.sd


@dataclass(frozen=True)
class Agreement:
    """Found against true on simulated pullbacks, of each one volume of interest.

    ``scores`` holds the pair (true, found) of every pullback with calcium in either.
    """

    pullbacks: int
    limits: dict[str, Limits]
    scores: list[tuple[int, int]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form, with the entry of a model card that score probabilities come from."""
        arc, thickness = self.limits["max_arc_deg_visible"], self.limits["max_thickness_mm"]
        error = MeasuredError(
            arc_bias_deg=arc.bias,
            arc_sd_deg=arc.sd,
            thickness_bias_mm=thickness.bias,
            thickness_sd_mm=thickness.sd,
        )
        return {
            "data": "simulated",
            "pullbacks": self.pullbacks,
            "limits": {
                name: {**asdict(one), "lower": one.lower, "upper": one.upper}
                for name, one in self.limits.items()
            },
            "scores": [list(pair) for pair in self.scores],
            METRIC: asdict(error),
        }


def measure_agreement(
    network: Network,
    *,
    pullbacks: int,
    frames: int,
    seed: int,
    crf: CrfParameters | None,
    progress: Callable[[int, int], None] | None = None,
) -> Agreement:
    """Segment a part of simulated pullbacks and compare every measurement with their truth.

    Parameters
    ----------
    pullbacks, frames
        How many pullbacks, and how many frames of each, which lie anywhere in it.
    seed
        Of the first pullback; choose one that training did not use.
    crf
        Parameters of the refinement; None leaves it out.
    progress
        Called with (pullbacks done, pullbacks in all).
    """
    pairs: list[tuple[FrameMeasurement, FrameMeasurement]] = []
    scores = []
    for number in range(pullbacks):
        spec = PullbackSpec(seed=seed + number, frames=max(PULLBACK_FRAMES, frames))
        chosen = _volume(spec, frames)
        measured = [_measured(spec, pair) for pair in _annotations(spec, chosen, network, crf)]
        if progress:
            progress(number + 1, pullbacks)
        pairs += measured
        true, found = (_score(spec, side) for side in zip(*measured, strict=True))
        if true is not None or found is not None:
            scores.append((true or 0, found or 0))
    limits = {name: _limits(pairs, name) for name in QUANTITIES}
    return Agreement(pullbacks, limits, scores)


def format_agreement(agreement: Agreement) -> str:
    """Lay the agreement out as text."""
    lines = [f"Agreement, truth - found (simulated, {agreement.pullbacks} pullbacks)"]
    for name, unit in QUANTITIES.items():
        one = agreement.limits[name]
        lines.append(
            f"{name:<22} bias {one.bias:+8.3f} {unit:<3} limits {one.lower:+8.3f} to "
            f"{one.upper:+8.3f} ({one.frames} frames)"
        )
    equal = sum(true == found for true, found in agreement.scores)
    lines.append(f"score equal in {equal} of {len(agreement.scores)} volumes with calcium")
    lines.append("true, found: " + " ".join(f"{true},{found}" for true, found in agreement.scores))
    return "\n".join(lines) + "\n"


def _volume(spec: PullbackSpec, frames: int) -> range:
    """Draw the volume of interest of a pullback."""
    first = int(np.random.default_rng(spec.seed).integers(spec.frames - frames + 1))
    return range(first, first + frames)


def _annotations(
    spec: PullbackSpec, chosen: range, network: Network, crf: CrfParameters | None
) -> Iterator[tuple[FrameAnnotation, FrameAnnotation]]:
    """Yield the true and the found annotation of the chosen frames."""
    pullback = simulate_pullback(spec)
    grid = PolarGrid(spec.a_lines, spec.samples, spec.sample_spacing_mm)
    field_mm = min(pullback.field_radius_mm, grid.end_radius_mm)
    truth: dict[int, FrameAnnotation] = {}

    def image(index: int) -> NDArray[np.float32]:
        frame = pullback.frame(index)
        truth[index] = true_annotation(frame, grid)
        return preprocess(frame.intensity, grid=grid, log=False, field_radius_mm=field_mm)

    segmenter = IvoctSegmenter(image, spec.frames, field_mm, network, crf)
    found = dict(segmenter.predict(chosen))  # the last word on every frame
    for index in chosen:
        yield truth[index], found[index]


def _measured(
    spec: PullbackSpec, pair: tuple[FrameAnnotation, FrameAnnotation]
) -> tuple[FrameMeasurement, FrameMeasurement]:
    true, found = (quantify_frame(one, _calibration(spec), Protocol()) for one in pair)
    return true, found


def _calibration(spec: PullbackSpec) -> Calibration:
    def simulated(value: float) -> CalibratedValue:
        return CalibratedValue(value, Origin.SIMULATED)

    return Calibration(
        simulated(spec.sample_spacing_mm), simulated(spec.frame_pitch_mm), simulated(0.0)
    )


def _score(spec: PullbackSpec, frames: Sequence[FrameMeasurement]) -> int | None:
    """Return the visible score of all frames as one volume; None without calcium."""
    lesions = find_lesions(
        frames,
        calibration=_calibration(spec),
        protocol=Protocol(),
        voi=(0, len(frames) - 1),
        decisions=(),
        motorised=True,
    )
    return lesions[0].visible.score.total if lesions else None


def _limits(pairs: Sequence[tuple[FrameMeasurement, FrameMeasurement]], name: str) -> Limits:
    """Compare a quantity over the frames that have it, and calcium, on both sides."""
    lumen = name == "lumen_area_mm2"
    differences = []
    for true, found in pairs:
        values = getattr(true, name), getattr(found, name)
        if None not in values and (lumen or (true.calcified and found.calcified)):
            differences.append(values[0] - values[1])
    if not differences:
        return Limits(float("nan"), float("nan"), 0)
    return Limits(float(np.mean(differences)), float(np.std(differences)), len(differences))
