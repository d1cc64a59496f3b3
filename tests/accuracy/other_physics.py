"""Dice under physics that the network did not learn; prints a table, takes some minutes.

Run from the repository's root: ``python -m tests.accuracy.other_physics [MODEL_FOLDER]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from calcviewer.app.workflows import DEFAULT_MODEL
from calcviewer.core.resources import models_path
from calcviewer.inference.onnx import Network
from calcviewer.simulation.physics import FITTED, PHYSICS
from tests.accuracy.test_simulated_pullback import part_of, pooled

SEEDS = range(930_001, 930_013)
FRAMES = range(60, 61)


def main() -> None:
    """Segment one frame of each pullback under each physics."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else models_path() / DEFAULT_MODEL
    network = Network.load(folder, device="cpu")
    print("| physics | lumen Dice | calcium Dice | calcium found / true |")
    print("| --- | --- | --- | --- |")
    for physics in (FITTED, *PHYSICS):
        pairs = [
            pair
            for seed in SEEDS
            for pair in part_of(seed, frames=FRAMES, physics=physics).segmented(network)
        ]
        true = sum(int((labels == 2).sum()) for labels, _ in pairs)
        found = sum(int((labels == 2).sum()) for _, labels in pairs)
        lumen, calcium = pooled(pairs, 1).dice, pooled(pairs, 2).dice
        print(f"| {physics} | {lumen:.3f} | {calcium:.3f} | {found / true:.2f} |", flush=True)


if __name__ == "__main__":
    main()
