"""The lumen on a real sequence, against the outlines of its experts.

The sequence is not part of this repository; the tests look for it beside the checkout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from calcviewer.app.session import Session
from calcviewer.app.workflows import SegmentOptions, load_segmenter, segment_study
from calcviewer.core.annotation import labels_of_annotation
from calcviewer.core.pullback import Origin
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback

SEQUENCE = Path(__file__).parents[3] / "shared" / "data" / "ivoct-real-001"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.validation,
    pytest.mark.skipif(not SEQUENCE.is_dir(), reason="the real sequence is not on this machine"),
]
TRAINED_ON = 100
"""Frames 1 to 100 of the sequence were trained on (lumen only)."""


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return 2 * float((found & truth).sum()) / float(found.sum() + truth.sum())


@pytest.fixture(scope="module")
def session() -> Session:
    options = ReadOptions(calibrate_on_catheter=True, frame_pitch_mm=0.2)
    pullback = read_pullback(SEQUENCE / "frames", options=options)
    session = Session(Study(pullback, Protocol()))
    segment_study(session, load_segmenter(pullback, SegmentOptions(device="cpu")))
    return session


def masks() -> list[NDArray[np.bool_]]:
    """Return the experts' planes of every frame: lumen, fibrous cap, lipid core, vasa vasorum."""
    files = sorted((SEQUENCE / "masks").glob("*.tiff"))
    return [np.asarray(Image.open(file)) > 0 for file in files]


def found_in(session: Session, frame: int) -> NDArray[np.uint8]:
    """Return the label map of a frame in its own pixel grid, as `segment` writes it."""
    return labels_of_annotation(session.study.predictions[frame], session.study.pullback.grid)


def test_lumen_agrees_with_the_experts(session: Session) -> None:
    truth = [planes[..., 0] for planes in masks()]
    everything = np.array([dice(found_in(session, k) == 1, one) for k, one in enumerate(truth)])
    unseen = everything[TRAINED_ON + 9 :]
    worst = [f"{k + 1}: {everything[k]:.3f}" for k in np.argsort(everything)[:8]]
    for name, part in (("all 186 frames", everything), ("frames 110-186, not trained on", unseen)):
        print(
            f"\nlumen Dice, {name}: mean {part.mean():.4f}, median {np.median(part):.4f}, "
            f"5th percentile {np.percentile(part, 5):.4f}, lowest {part.min():.4f}"
        )
    print("worst frames:", ", ".join(worst))
    assert np.median(everything) >= 0.95
    assert np.median(unseen) >= 0.95


def test_calcium_claimed_where_experts_drew_something_else(session: Session) -> None:
    """No calcium is labelled; inside the experts' lipid core or cap any would be a false alarm."""
    calcium = region = neither = over_30 = 0
    for frame, planes in enumerate(masks()):
        drawn = planes[..., 1:3].any(axis=-1)
        calcium += int((found_in(session, frame)[drawn] == 2).sum())
        region += int(drawn.sum())
        measured = session.results.frames[frame]
        if not drawn.any() and measured is not None:
            neither += 1
            over_30 += (measured.max_arc_deg_visible or 0) > 30
    print(
        f"\ncalcium inside the experts' lipid core or fibrous cap: {100 * calcium / region:.2f} % "
        f"of their area; frames without either: {over_30} of {neither} with an arc over 30°"
    )
    assert calcium / region < 0.10


def test_every_frame_is_measured_on_the_catheters_scale(session: Session) -> None:
    assert all(frame is not None for frame in session.results.frames)
    spacing = session.study.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.origin is Origin.CATHETER
    assert spacing.value == pytest.approx(0.0067, rel=0.02)
