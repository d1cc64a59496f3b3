"""How many frames a second a cohort takes with one worker and with several, and how much memory.

    python -m tests.benchmarks.cohort_throughput --workers 1 2

Simulates pullbacks once (``--data`` keeps them), analyses all of them from nothing with each number
of workers, in turns, and prints a table. Run it on a machine that is otherwise idle.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from calcviewer.app.simulate import write_pullback
from calcviewer.inference.onnx import available_cores


def main(argv: Sequence[str] | None = None) -> None:
    """Simulate, analyse and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pullbacks", type=int, default=4)
    parser.add_argument("--frames", type=int, default=40, help="of each")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="folder of the pullbacks; made when it is absent")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="cohort-") as scratch:
        data = args.data or Path(scratch) / "data"
        _simulate(data, args.pullbacks, args.frames)
        total = args.pullbacks * args.frames
        seconds: dict[int, list[tuple[float, float]]] = {}
        for turn in range(args.rounds):
            for workers in args.workers:
                out = Path(scratch) / f"out-{turn}-{workers}"
                seconds.setdefault(workers, []).append(_analysed(data, out, workers))
    print(
        f"{args.pullbacks} simulated pullbacks of {args.frames} frames, {available_cores()} cores"
    )
    print("workers  seconds  frames/s  processor seconds   (medians)")
    for workers, runs in seconds.items():
        wall, processor = (median(one) for one in zip(*runs, strict=True))
        print(f"{workers:7}  {wall:7.1f}  {total / wall:8.2f}  {processor:17.1f}")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process: {largest:.0f} MB")


def _simulate(data: Path, pullbacks: int, frames: int) -> None:
    for seed in range(pullbacks):
        folder = data / f"P{seed + 1}"
        if not folder.exists():
            write_pullback(folder, seed=seed + 1, frames=frames)


def _analysed(data: Path, out: Path, workers: int) -> tuple[float, float]:
    """Return elapsed and processor seconds of the command."""
    command = [sys.executable, "-m", "calcviewer", "cohort", str(data), "-o", str(out)]
    before, begun = _processor_seconds(), time.monotonic()
    subprocess.run([*command, "--workers", str(workers)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun, _processor_seconds() - before


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
