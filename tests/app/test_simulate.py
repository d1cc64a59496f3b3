"""Pullbacks with what was placed in their vessel, as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calcviewer.app import simulate
from calcviewer.app.simulate import write_drawn
from calcviewer.simulation import PullbackSpec, simulate_pullback

SPEC = PullbackSpec(
    seed=4,
    frames=3,
    a_lines=60,
    samples=120,
    sample_spacing_mm=0.0416,
    calcium=1.0,
    guidewires=1,
    field_radius_mm=np.inf,
)
CALCIUM = 2


@pytest.mark.parametrize("processes_from", [2, 24])
def test_what_was_placed_in_the_vessel_is_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes_from: int
) -> None:
    monkeypatch.setattr(simulate, "_PROCESSES_FROM", processes_from)
    drawn = simulate_pullback(SPEC)
    bare = replace(drawn, vessel=replace(drawn.vessel, deposits=()))
    for name, pullback in (("drawn", drawn), ("bare", bare)):
        write_drawn(tmp_path / name, pullback)
        with np.load(tmp_path / name / "labels.npz") as written:
            labels = written["labels"]
        assert np.array_equal(labels, [frame.labels for frame in pullback])
        assert (labels == CALCIUM).any() == (pullback is drawn)
