"""The real sequence, segmented; its false alarms as pictures, to be looked at and explained.

Run from the repository's root: ``python -m tests.accuracy.real_sequence FOLDER [MODEL_FOLDER]``.
It prints the agreement on the lumen, the frames with most calcium inside what the experts drew as
lipid core or fibrous cap, and every frame with a larger arc where they drew neither. Each of these
is written into ``FOLDER``, bare beside drawn over; the pictures are for your own eyes, since no
real frame belongs into the repository.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calcviewer.app.animation import AnimationSource, drawn_frame
from calcviewer.app.session import Session
from calcviewer.app.workflows import DEFAULT_MODEL, segment_study
from calcviewer.core.annotation import Label, labels_of_annotation
from calcviewer.core.geometry import CartesianGrid
from calcviewer.core.pullback import Pullback
from calcviewer.core.resources import models_path
from calcviewer.core.study import Study
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from calcviewer.modalities.ivoct.segment import IvoctSegmenter

SHIPPED = models_path() / DEFAULT_MODEL
SEQUENCE = Path(__file__).parents[3] / "shared" / "data" / "ivoct-real-001"
TRAINED_ON = 100
"""Frames 1 to 100 of the sequence were trained on (lumen only)."""
UNSEEN = slice(TRAINED_ON + 9, None)
LARGE_ARC_DEG = 30.0
_WORST = 5
_TINT = np.array([0.0, 60.0, 0.0])
"""Added to what the experts drew as lipid core or fibrous cap."""


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the overlap of two masks."""
    return 2 * float((found & truth).sum()) / float(found.sum() + truth.sum())


def masks() -> list[NDArray[np.bool_]]:
    """Return the experts' planes of every frame: lumen, fibrous cap, lipid core, vasa vasorum."""
    files = sorted((SEQUENCE / "masks").glob("*.tiff"))
    return [np.asarray(Image.open(file)) > 0 for file in files]


def segmented_sequence(model: Path) -> Session:
    """Return the sequence as the program segments and measures it, calibrated on the catheter."""
    options = ReadOptions(calibrate_on_catheter=True, frame_pitch_mm=0.2)
    pullback = read_pullback(SEQUENCE / "frames", options=options)
    session = Session(Study(pullback, Protocol()))
    network = Network.load(model, device="cpu")
    segment_study(session, IvoctSegmenter.of_pullback(pullback, network, CrfParameters()))
    return session


def found_in(session: Session, frame: int) -> NDArray[np.uint8]:
    """Return the label map of a frame in its own pixel grid, as `segment` writes it."""
    return labels_of_annotation(session.study.predictions[frame], session.study.pullback.grid)


@dataclass(frozen=True)
class Alarm:
    """Calcium found in one frame (0-based) of a sequence whose experts labelled none.

    ``inside_px`` of the ``drawn_px`` of lipid core and fibrous cap are called calcium; ``arc_deg``
    is the largest visible arc of the frame, wherever it lies.
    """

    frame: int
    inside_px: int
    drawn_px: int
    arc_deg: float


def alarms_of(session: Session) -> list[Alarm]:
    """Return what was called calcium in each frame."""
    alarms = []
    for frame, planes in enumerate(masks()):
        drawn = planes[..., 1:3].any(axis=-1)
        inside = int((found_in(session, frame)[drawn] == Label.CALCIUM).sum())
        measured = session.results.frames[frame]
        assert measured is not None
        arc_deg = measured.max_arc_deg_visible or 0.0
        alarms.append(Alarm(frame, inside, int(drawn.sum()), arc_deg))
    return alarms


def share_inside(alarms: Sequence[Alarm]) -> float:
    """Return the share of the experts' lipid core and fibrous cap that is called calcium."""
    return sum(one.inside_px for one in alarms) / sum(one.drawn_px for one in alarms)


def without_plaque(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return the frames in which the experts drew neither lipid core nor fibrous cap."""
    return [one for one in alarms if one.drawn_px == 0]


def lumen_dice(session: Session) -> NDArray[np.float64]:
    """Return the overlap of the lumen with the experts', one value a frame."""
    return np.array(
        [
            dice(found_in(session, k) == Label.LUMEN, planes[..., 0])
            for k, planes in enumerate(masks())
        ]
    )


def describe_lumen(values: NDArray[np.float64]) -> str:
    """Return the figures of the lumen, and the frames where it agrees least."""
    lines = [
        f"lumen Dice, {name}: mean {part.mean():.4f}, median {np.median(part):.4f}, "
        f"5th percentile {np.percentile(part, 5):.4f}, lowest {part.min():.4f}"
        for name, part in (
            ("all 186 frames", values),
            ("frames 110-186, not trained on", values[UNSEEN]),
        )
    ]
    worst = ", ".join(f"{k + 1}: {values[k]:.3f}" for k in np.argsort(values)[:8])
    return "\n".join([*lines, f"worst frames: {worst}"])


def write_pictures(session: Session, frames: Sequence[int], folder: Path) -> None:
    """Write each frame, bare beside drawn over, the experts' lipid core and cap tinted green."""
    pullback, planes = session.study.pullback, masks()
    grid = pullback.grid
    assert isinstance(grid, CartesianGrid)

    def tinted(frame: int) -> NDArray[np.uint8]:
        picture = _grey(pullback, frame).astype(float)
        picture[planes[frame][..., 1:3].any(axis=-1)] += _TINT
        return np.clip(picture, 0, 255).astype(np.uint8)

    for frame in frames:
        bare, drawn = (
            drawn_frame(
                AnimationSource(
                    picture=picture,
                    annotation=annotation,
                    grid=grid,
                    frame_count=pullback.frame_count,
                    scaled=True,
                ),
                frame,
            )
            for picture, annotation in (
                (lambda one: _grey(pullback, one), lambda _: None),
                (tinted, session.study.annotation),
            )
        )
        both = Image.new("RGB", (bare.width + drawn.width, bare.height))
        both.paste(bare, (0, 0))
        both.paste(drawn, (bare.width, 0))
        both.save(folder / f"frame-{frame + 1:03d}.png")


def _grey(pullback: Pullback, frame: int) -> NDArray[np.uint8]:
    level = np.clip(1.4 * pullback.frames.intensity(frame), 0, 255).astype(np.uint8)
    return np.repeat(level[..., None], 3, axis=-1)


def main() -> None:
    """Segment, print and write the pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    session = segmented_sequence(Path(sys.argv[2]) if len(sys.argv) > 2 else SHIPPED)
    print(describe_lumen(lumen_dice(session)))
    alarms = alarms_of(session)
    inside = sorted(alarms, key=lambda one: -one.inside_px)[:_WORST]
    large = [one for one in without_plaque(alarms) if one.arc_deg > LARGE_ARC_DEG]
    print(f"\ninside lipid core or fibrous cap: {100 * share_inside(alarms):.2f} %; worst frames:")
    for one in inside:
        share = 100 * one.inside_px / max(one.drawn_px, 1)
        print(f"  {one.frame + 1}: {one.inside_px} pixels, {share:.1f} %")
    print(f"\nneither drawn, arc over {LARGE_ARC_DEG:.0f} degrees:")
    for one in large:
        print(f"  {one.frame + 1}: {one.arc_deg:.0f} degrees")
    write_pictures(session, sorted({one.frame for one in (*inside, *large)}), folder)


if __name__ == "__main__":
    main()
