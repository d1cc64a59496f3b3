"""Live drags on a realistic frame, and interpolation. Prints only."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing import deposits, regions
from calcviewer.core.editing.border import pulled
from calcviewer.core.editing.border_points import handles, point_moved
from calcviewer.core.editing.clipping import image_field
from calcviewer.core.editing.interpolation import between
from calcviewer.core.editing.structures import Structure, Target, with_contour
from calcviewer.core.geometry import PolarGrid, to_xy

FIELD = image_field(PolarGrid(480, 960, 0.0052))
MOVES = 200
LUMEN = Target(Structure.LUMEN)


def typical(turn_deg: float = 0.0) -> FrameAnnotation:
    """A wavy off-centre lumen of 500 points and four deposits of 300 to 400."""
    angle = np.arange(500) * 0.72
    radius = 1.5 + 0.08 * np.sin(np.deg2rad(3 * angle + turn_deg))
    annotation = FrameAnnotation(lumen=Contour(to_xy(angle, radius) + np.array([0.2, 0.1])))
    for start, extent in ((-40, 90), (70, 60), (150, 80), (250, 50)):
        sector = start + turn_deg, extent, 0.02, 0.6
        annotation = deposits.sector_deposit(annotation, *sector, FIELD)
    return annotation


def timed(move: Callable[[float], object]) -> str:
    """Median and 99th percentile over a drag; processor time, as other programs run beside it."""
    move(0.005)
    spent = []
    for part in np.linspace(0.01, 1, MOVES):
        start = time.thread_time()
        move(float(part))
        spent.append(1e3 * (time.thread_time() - start))
    return f"median {np.median(spent):.2f} ms, p99 {np.percentile(spent, 99):.2f} ms"


def test_live_drags(capsys: pytest.CaptureFixture[str]) -> None:
    frame, later = typical(), typical(15)
    lumen = frame.lumen
    assert lumen is not None
    deposit = Target(Structure.CALCIUM, 0)
    points = handles(lumen)
    path = np.cumsum(np.full((MOVES, 2), 0.01), axis=0) + np.array([1.0, -1.5])

    def paint(part: float) -> object:
        region = regions.brush_region(path[: int(MOVES * part) + 1], 0.2)
        return regions.calcium_added(frame, region, FIELD)

    drags: dict[str, Callable[[float], object]] = {
        "lumen pulled over calcium": lambda part: with_contour(
            frame, LUMEN, pulled(lumen, (1.7, 0.1), (1.7 + 0.6 * part, 0.1), radius_mm=0.4), FIELD
        ),
        "lumen point": lambda part: with_contour(
            frame,
            LUMEN,
            point_moved(lumen, points, 1, tuple(points[1] * (1 + 0.2 * part))),
            FIELD,
        ),
        "deposit pulled": lambda part: with_contour(
            frame,
            deposit,
            pulled(frame.calcium[0], (2.3, 0.1), (2.3, 0.1 + part), radius_mm=0.3),
            FIELD,
        ),
        "arc end": lambda part: deposits.arc_end_moved(
            frame, 0, end="end", to_deg=50 + 70 * part, field=FIELD
        ),
        "back border": lambda part: deposits.border_pulled(
            frame, 0, side="back", grab_mm=(2.3, 0.1), to_mm=(2.3 + part, 0.1), radius_mm=0.3,
            field=FIELD,
        ),
        "brush": paint,
        "interpolated frame": lambda part: between(frame, later, 0.99 * part),
    }  # fmt: skip
    with capsys.disabled():
        print()
        for name, move in drags.items():
            print(f"{name}: {timed(move)}")
