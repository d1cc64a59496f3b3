"""Agreement of measurements with the truth of simulated pullbacks (Gharaibeh 2019, Fig. 7).

Differences are truth - found, as in Gharaibeh et al. 2019 (manual - predicted).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.measured_error import METRIC
from calcviewer.app.simulate import true_annotation
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.refinement import Predicting
from calcviewer.modalities.ivoct.lesion import Lesion, find_lesions
from calcviewer.modalities.ivoct.preprocess import preprocess
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement, quantify_frame
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.simulation import PullbackSpec, simulate_pullback
from calcviewer.simulation.physics import FITTED
from calcviewer.training.statistics import Limits, limits_of


@dataclass(frozen=True)
class Quantity:
    """A measurement that is compared frame by frame: what readers call it, and its unit."""

    title: str
    unit: str
    of_calcium: bool = True


QUANTITIES = {
    "lumen_area_mm2": Quantity("Lumen area", "mm²", of_calcium=False),
    "max_arc_deg_visible": Quantity("Maximum arc", "°"),
    "max_thickness_mm": Quantity("Maximum thickness", "mm"),
    "mean_thickness_mm": Quantity("Mean thickness", "mm"),
    "mean_depth_mm": Quantity("Mean depth", "mm"),
    "calcium_area_mm2": Quantity("Calcium area", "mm²"),
}
PULLBACK_FRAMES = 120
"""Of a whole pullback: a shorter one would have its calcium squeezed together."""
_DECIMALS = 5


@dataclass(frozen=True)
class FramePair:
    """One frame measured twice: ``values`` of each quantity are (true, found), None where absent.

    Parameters
    ----------
    pullback
        Its seed.
    frame
        0-based.
    calcified
        Whether calcium counts in truth, and in what was found.
    """

    pullback: int
    frame: int
    calcified: tuple[bool, bool]
    values: Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True)
class VolumeScore:
    """The rows of Table 3: one volume of interest, scored as one lesion."""

    length_mm: float | None
    max_arc_deg: float | None
    max_thickness_mm: float | None
    score: int


@dataclass(frozen=True)
class Volume:
    """A volume of interest with calcium in truth or found; None on the side without any."""

    pullback: int
    first_frame: int
    frames: int
    true: VolumeScore | None
    found: VolumeScore | None

    @property
    def scores(self) -> tuple[int, int]:
        """True and found score; 0 without calcium."""
        return self.true.score if self.true else 0, self.found.score if self.found else 0


@dataclass(frozen=True)
class Agreement:
    """Found against true on simulated pullbacks, of each one volume of interest."""

    pullbacks: int
    frames: tuple[FramePair, ...]
    volumes: tuple[Volume, ...]

    def pairs(self, name: str) -> NDArray[np.float64]:
        """Return [frame, (true, found)] of the frames that have a quantity on both sides.

        Frames count for quantities of calcium only where both sides have calcium.
        """
        kept = [
            frame.values[name]
            for frame in self.frames
            if None not in frame.values[name]
            and (not QUANTITIES[name].of_calcium or all(frame.calcified))
        ]
        return np.array(kept, dtype=np.float64).reshape(-1, 2)

    @property
    def limits(self) -> dict[str, Limits]:
        """Bias and limits of agreement of every quantity."""
        pairs = {name: self.pairs(name) for name in QUANTITIES}
        return {name: limits_of(one[:, 0] - one[:, 1]) for name, one in pairs.items()}

    @property
    def equal_scores(self) -> int:
        """Number of volumes whose found score is the true one."""
        return sum(true == found for true, found in (one.scores for one in self.volumes))

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form, with the entry of a model card that score probabilities come from."""
        limits = self.limits
        arc, thickness = limits["max_arc_deg_visible"], limits["max_thickness_mm"]
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
                name: _numbers({**asdict(one), "lower": one.lower, "upper": one.upper})
                for name, one in limits.items()
            },
            METRIC: _numbers(asdict(error)),
            "scores": [list(volume.scores) for volume in self.volumes],
            "volumes": [asdict(volume) for volume in self.volumes],
            "frames": [asdict(frame) for frame in self.frames],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Agreement:
        """Read what `as_dict` wrote."""
        return cls(
            pullbacks=stored["pullbacks"],
            frames=tuple(FramePair(**one) for one in stored["frames"]),
            volumes=tuple(_stored_volume(one) for one in stored["volumes"]),
        )


def together(parts: Sequence[Agreement]) -> Agreement:
    """Pool agreements on different pullbacks."""
    return Agreement(
        pullbacks=sum(part.pullbacks for part in parts),
        frames=tuple(frame for part in parts for frame in part.frames),
        volumes=tuple(volume for part in parts for volume in part.volumes),
    )


@dataclass(frozen=True, kw_only=True)
class AgreementSettings:
    """On what to measure agreement.

    Parameters
    ----------
    pullbacks
        How many; each is simulated whole.
    frames
        Fewest and most frames of the volume of interest, which lies anywhere in its pullback:
        lesions shorter and longer than 5 mm need volumes of different length.
    seed
        Of the first pullback; choose one that training did not use.
    physics
        How light behaves, by name (`calcviewer.simulation.physics`).
    """

    pullbacks: int
    frames: tuple[int, int]
    seed: int
    physics: str = FITTED


def measure_agreement(
    network: Predicting,
    *,
    settings: AgreementSettings,
    crf: CrfParameters | None,
    progress: Callable[[int, int], None] | None = None,
) -> Agreement:
    """Segment a part of simulated pullbacks and compare every measurement with their truth.

    Parameters
    ----------
    crf
        Parameters of the refinement; None leaves it out.
    progress
        Called with (pullbacks done, pullbacks in all).
    """
    frames: list[FramePair] = []
    volumes: list[Volume] = []
    for number in range(settings.pullbacks):
        spec = PullbackSpec(
            seed=settings.seed + number,
            frames=max(PULLBACK_FRAMES, settings.frames[1]),
            physics=settings.physics,
        )
        chosen = _volume(spec, settings.frames)
        measured = [_measured(spec, pair) for pair in _annotations(spec, chosen, network, crf)]
        frames += [
            _frame_pair(spec.seed, frame, pair)
            for frame, pair in zip(chosen, measured, strict=True)
        ]
        true, found = (_score(spec, side) for side in zip(*measured, strict=True))
        if true is not None or found is not None:
            volumes.append(Volume(spec.seed, chosen[0], len(chosen), true, found))
        if progress:
            progress(number + 1, settings.pullbacks)
    return Agreement(settings.pullbacks, tuple(frames), tuple(volumes))


def _volume(spec: PullbackSpec, lengths: tuple[int, int]) -> range:
    """Draw the volume of interest of a pullback."""
    rng = np.random.default_rng(spec.seed)
    frames = (
        int(rng.integers(lengths[0], lengths[1] + 1)) if lengths[0] < lengths[1] else lengths[0]
    )
    first = int(rng.integers(spec.frames - frames + 1))
    return range(first, first + frames)


def _annotations(
    spec: PullbackSpec, chosen: range, network: Predicting, crf: CrfParameters | None
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


def _frame_pair(
    pullback: int, frame: int, pair: tuple[FrameMeasurement, FrameMeasurement]
) -> FramePair:
    def rounded(side: FrameMeasurement, name: str) -> float | None:
        value = getattr(side, name)
        return None if value is None else round(float(value), _DECIMALS)

    true, found = pair
    values = {name: (rounded(true, name), rounded(found, name)) for name in QUANTITIES}
    return FramePair(pullback, frame, (true.calcified, found.calcified), values)


def _calibration(spec: PullbackSpec) -> Calibration:
    def simulated(value: float) -> CalibratedValue:
        return CalibratedValue(value, Origin.SIMULATED)

    return Calibration(
        simulated(spec.sample_spacing_mm), simulated(spec.frame_pitch_mm), simulated(0.0)
    )


def _score(spec: PullbackSpec, frames: Sequence[FrameMeasurement]) -> VolumeScore | None:
    """Score all frames as one volume, with nothing claimed behind wires; None without calcium."""
    lesions = find_lesions(
        frames,
        calibration=_calibration(spec),
        protocol=Protocol(),
        voi=(0, len(frames) - 1),
        decisions=(),
        motorised=True,
    )
    return _volume_score(lesions[0]) if lesions else None


def _volume_score(lesion: Lesion) -> VolumeScore:
    return VolumeScore(
        length_mm=lesion.length_mm,
        max_arc_deg=lesion.visible.max_arc_deg,
        max_thickness_mm=lesion.max_thickness_mm,
        score=lesion.visible.score.total or 0,
    )


def _stored_volume(stored: Mapping[str, Any]) -> Volume:
    def side(name: str) -> VolumeScore | None:
        return VolumeScore(**stored[name]) if stored[name] else None

    rest = {key: value for key, value in stored.items() if key not in ("true", "found")}
    return Volume(**rest, true=side("true"), found=side("found"))


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace NaN, which JSON does not have, by None."""
    return {key: None if value != value else value for key, value in values.items()}
