"""Studies on disk and a segmenter without a network, for tests of the window."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.study import ModelReference
from tests.phantoms import label_map

GRID = PolarGrid(a_lines=180, samples=240, sample_spacing_mm=0.016)
MODEL = ModelReference("phantom", "1.0", "0" * 64, "CPUExecutionProvider")
PITCH_MM = 0.2


def write_study(folder: Path, frames: int = 12, name: str = "phantom") -> Path:
    """Write a calibrated polar pullback whose frames differ; returns the file."""
    rng = np.random.default_rng(frames)
    values = rng.integers(0, 80, (frames, *GRID.shape), dtype=np.uint8)
    values[:, :, 90:110] += 120
    path = folder / f"{name}.npz"
    np.savez(
        path,
        frames=values,
        geometry="polar",
        intensity="log",
        sample_spacing_mm=GRID.sample_spacing_mm,
        frame_pitch_mm=PITCH_MM,
        zero_radius_mm=0.0,
    )
    return path


def arc_deg(frame: int) -> float:
    """Return the arc of calcium the phantom segmenter finds in a frame: largest in frame 5."""
    return max(10.0, 200.0 - 20.0 * abs(frame - 5))


@dataclass
class PhantomSegmenter:
    """Finds known calcium in every frame, without looking at it."""

    seconds: float = 0.0
    asked: list[int] = field(default_factory=list)
    model = MODEL

    def predict(self, frames: Iterable[int]) -> Iterator[tuple[int, FrameAnnotation]]:
        for frame in frames:
            self.asked.append(frame)
            time.sleep(self.seconds)
            labels = label_map((20, arc_deg(frame)), grid=GRID)
            yield frame, annotation_from_labels(labels, GRID)
