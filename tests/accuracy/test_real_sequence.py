"""The lumen on a real sequence, against the outlines of its experts.

The sequence is not part of this repository; the tests look for it beside the checkout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calcviewer.app.session import Session
from calcviewer.core.pullback import Origin
from tests.accuracy.real_sequence import (
    LARGE_ARC_DEG,
    SEQUENCE,
    SHIPPED,
    UNSEEN,
    alarms_of,
    describe_lumen,
    lumen_dice,
    segmented_sequence,
    share_inside,
    without_plaque,
    write_pictures,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.validation,
    pytest.mark.skipif(not SEQUENCE.is_dir(), reason="the real sequence is not on this machine"),
]


@pytest.fixture(scope="module")
def session() -> Session:
    return segmented_sequence(SHIPPED)


def test_lumen_agrees_with_the_experts(session: Session) -> None:
    values = lumen_dice(session)
    print("\n" + describe_lumen(values))
    assert np.median(values) >= 0.95
    assert np.median(values[UNSEEN]) >= 0.95


def test_calcium_claimed_where_experts_drew_something_else(session: Session) -> None:
    """No calcium is labelled; inside the experts' lipid core or cap any would be a false alarm."""
    alarms = alarms_of(session)
    neither = without_plaque(alarms)
    over = sum(one.arc_deg > LARGE_ARC_DEG for one in neither)
    print(
        f"\ncalcium inside the experts' lipid core or fibrous cap: {100 * share_inside(alarms):.2f}"
        f" % of their area; frames without either: {over} of {len(neither)} with an arc over "
        f"{LARGE_ARC_DEG:.0f}°"
    )
    assert share_inside(alarms) < 0.10


def test_pictures_of_alarms_are_written(session: Session, tmp_path: Path) -> None:
    write_pictures(session, [0, 5], tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["frame-001.png", "frame-006.png"]


def test_every_frame_is_measured_on_the_catheters_scale(session: Session) -> None:
    assert all(frame is not None for frame in session.results.frames)
    spacing = session.study.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.origin is Origin.CATHETER
    assert spacing.value == pytest.approx(0.0067, rel=0.02)
