"""How many of the frames in which the model missed calcium are marked, and how many others.

Simulated pullbacks that no network was trained on and on which no limit was chosen. The figures
stand in docs/accuracy.md; what is asserted catches a mark that tells nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.app.frames_to_check import Suspicion, frames_to_check
from calcviewer.app.results import compute_results
from calcviewer.app.simulate import true_annotation
from calcviewer.app.workflows import DEFAULT_MODEL
from calcviewer.core.annotation import FrameAnnotation, cut_out_sectors
from calcviewer.core.contour import Contour, rasterise
from calcviewer.core.geometry import sectors_mask
from calcviewer.core.resources import models_path
from calcviewer.core.study import Study
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, preprocess
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.simulation import PullbackSpec, simulate_pullback
from tests.phantoms import make_pullback

pytestmark = [pytest.mark.slow, pytest.mark.validation]
SEEDS = range(920_001, 920_004)
FRAMES = 40
FOUND_SHARE = 0.1
"""A deposit of whose arc less was found was missed."""
ARC_ERROR_DEG = 20.0
"""A frame without error has no more calcium too much and none more too little."""


@dataclass(frozen=True)
class Checked:
    """One frame: its largest missed and false deposit, all that differs, and what marks it."""

    missed_deg: float
    false_deg: float
    differs_deg: float
    marks: frozenset[Suspicion]

    @property
    def right(self) -> bool:
        return not (self.missed_deg or self.false_deg or self.differs_deg > ARC_ERROR_DEG)


def a_lines(contours: tuple[Contour, ...]) -> NDArray[np.bool_]:
    return rasterise(contours, MODEL_GRID).any(axis=1)


def largest_unmatched_deg(
    deposits: tuple[Contour, ...], others: NDArray[np.bool_], protocol: Protocol
) -> float:
    """Return the arc of the largest deposit that counts and lies almost nowhere near others."""
    largest = 0.0
    for deposit in deposits:
        arc = a_lines((deposit,))
        arc_deg = float(arc.sum() * MODEL_GRID.a_line_deg)
        counts = arc_deg >= protocol.minimum_arc_deg
        counts &= deposit.area_mm2 >= protocol.minimum_area_mm2
        if counts and (arc & others).sum() < FOUND_SHARE * arc.sum():
            largest = max(largest, arc_deg)
    return largest


def compared(
    truth: FrameAnnotation, found: FrameAnnotation, marks: frozenset[Suspicion]
) -> Checked:
    """Compare calcium outside the shadows that were found."""
    protocol = Protocol()
    true = cut_out_sectors(truth.calcium, found.guidewires)
    shadow = sectors_mask((*found.guidewires, *truth.guidewires), MODEL_GRID.angles_deg())
    differs = max(
        float((one & ~other & ~shadow).sum() * MODEL_GRID.a_line_deg)
        for one, other in (
            (a_lines(true), a_lines(found.calcium)),
            (a_lines(found.calcium), a_lines(truth.calcium)),
        )
    )
    return Checked(
        missed_deg=largest_unmatched_deg(true, a_lines(found.calcium), protocol),
        false_deg=largest_unmatched_deg(found.calcium, a_lines(truth.calcium), protocol),
        differs_deg=differs,
        marks=marks,
    )


def checked_frames(seed: int, network: Network) -> list[Checked]:
    pullback = simulate_pullback(PullbackSpec(seed=seed, frames=FRAMES))
    field_mm = min(pullback.field_radius_mm, MODEL_GRID.end_radius_mm)
    truth: dict[int, FrameAnnotation] = {}

    def image(index: int) -> NDArray[np.float32]:
        frame = pullback.frame(index)
        truth[index] = true_annotation(frame, MODEL_GRID)
        return preprocess(frame.intensity, grid=MODEL_GRID, log=False, field_radius_mm=field_mm)

    segmenter = IvoctSegmenter(image, FRAMES, field_mm, network, CrfParameters())
    found = dict(segmenter.predict(range(FRAMES)))
    study = Study(make_pullback(FRAMES), Protocol(), predictions=MappingProxyType(found))
    to_check = {one.frame: one for one in frames_to_check(study, compute_results(study, {}))}
    return [
        compared(
            truth[index],
            annotation,
            frozenset(dict(to_check[index].suspicions)) if index in to_check else frozenset(),
        )
        for index, annotation in found.items()
        if not annotation.failure
    ]


@pytest.fixture(scope="module")
def frames() -> list[Checked]:
    network = Network.load(models_path() / DEFAULT_MODEL, device="cpu")
    return [one for seed in SEEDS for one in checked_frames(seed, network)]


def share(frames: list[Checked], *kinds: Suspicion) -> str:
    """Return how many of some frames carry one of some marks, in words."""
    marked = sum(bool(one.marks & set(kinds)) for one in frames)
    part = f" ({100 * marked / len(frames):.0f} %)" if frames else ""
    return f"{marked} of {len(frames)}{part}"


def test_marks_tell_where_calcium_was_missed(frames: list[Checked]) -> None:
    groups = {
        "all": frames,
        "a missed deposit": [one for one in frames if one.missed_deg],
        "a missed deposit of 20 degrees or more": [one for one in frames if one.missed_deg >= 20],
        "a false deposit": [one for one in frames if one.false_deg],
        "without error": [one for one in frames if one.right],
    }
    print("\nsimulated, held out: frames marked by any; missed; gap; doubtful")
    for name, group in groups.items():
        shares = [share(group, *Suspicion), *(share(group, kind) for kind in Suspicion)]
        print(f"{name}: {'; '.join(shares)}")
    wrong = [one for one in frames if one.missed_deg or one.false_deg]
    right = groups["without error"]
    assert wrong
    assert right
    marked_wrong = sum(bool(one.marks) for one in wrong) / len(wrong)
    marked_right = sum(bool(one.marks) for one in right) / len(right)
    assert marked_wrong >= 1.5 * marked_right
    assert marked_right <= 0.4
