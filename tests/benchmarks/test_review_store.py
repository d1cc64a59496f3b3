"""How long a finished step takes to be on disk, and how much it takes there. Prints only."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.app.review_store.kept_reviews import FRAMES, edit, opened, pullback_at

STEPS = 300


def test_finished_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pullback = pullback_at(tmp_path)
    seconds = []
    with opened(pullback) as (session, store):
        for step in range(STEPS):
            start = time.perf_counter()
            edit(session, step % FRAMES, 1 + step / STEPS)
            seconds.append(time.perf_counter() - start)
        place = store.path
    size = place.stat().st_size
    start = time.perf_counter()
    with opened(pullback) as (session, _):
        again = time.perf_counter() - start
        kept = len(session.history.past)
    assert kept == STEPS
    median, late, worst = 1e3 * np.percentile(seconds, [50, 99, 100])
    with capsys.disabled():
        print(
            f"\nan edit, on disk: median {median:.1f} ms, p99 {late:.1f}, worst {worst:.1f} ms; "
            f"{size / STEPS / 1e3:.1f} kB a step; {STEPS} steps read again in {1e3 * again:.0f} ms"
        )
