from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, to_xy
from calcviewer.report.content import KeyFrame
from calcviewer.report.style import register_fonts
from calcviewer.report.views import Box, draw_cross_section, draw_polar, scale_bar_mm

SIZE_PT = 200
PX_PER_PT = 2
RADIUS_MM = 4.0

pytestmark = pytest.mark.skipif(
    shutil.which("pdftoppm") is None, reason="pdftoppm renders the drawn page"
)


def band(start_deg: float, extent_deg: float, inner_mm: float, outer_mm: float) -> Contour:
    angles = start_deg + np.linspace(0, extent_deg, 60)
    outer = to_xy(angles, np.full_like(angles, outer_mm))
    inner = to_xy(angles[::-1], np.full_like(angles, inner_mm))
    return Contour(np.concatenate([outer, inner]))


def disc(radius_mm: float) -> Contour:
    angles = np.arange(0, 360, 3.0)
    return Contour(to_xy(angles, np.full_like(angles, radius_mm)))


def key_frame(
    *calcium: Contour, guidewires: tuple[Arc, ...] = (), scale_known: bool = True
) -> KeyFrame:
    return KeyFrame(
        title="",
        frame=0,
        caption="",
        cross_section=np.zeros((8, 8, 3), dtype=np.uint8),
        polar=np.zeros((8, 16, 3), dtype=np.uint8),
        radius_mm=RADIUS_MM,
        annotation=FrameAnnotation(disc(1.0), calcium, guidewires),
        scale_known=scale_known,
    )


def rendered(key: KeyFrame, tmp_path: Path, *, polar: bool) -> NDArray[np.int16]:
    """Return the view as RGB rows from the top, ``PX_PER_PT`` pixels a point."""
    register_fonts()
    canvas = Canvas(str(tmp_path / "view.pdf"), pagesize=(SIZE_PT, SIZE_PT))
    (draw_polar if polar else draw_cross_section)(canvas, key, Box(0, 0, SIZE_PT, SIZE_PT))
    canvas.save()
    subprocess.run(
        ["pdftoppm", "-r", str(72 * PX_PER_PT), "-png", "-singlefile", "view.pdf", "view"],
        cwd=tmp_path,
        check=True,
    )
    with Image.open(tmp_path / "view.png") as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def blue(image: NDArray[np.int16]) -> NDArray[np.bool_]:
    return np.asarray(image[..., 2] - image[..., 0] > 20)


def at_polar(angle_deg: float, radius_mm: float) -> tuple[int, int]:
    scale = SIZE_PT * PX_PER_PT
    return int(radius_mm / RADIUS_MM * scale), int(angle_deg / 360 * scale)


def at_xy(angle_deg: float, radius_mm: float) -> tuple[int, int]:
    x, y = to_xy(np.array(angle_deg), np.array(radius_mm))
    scale = SIZE_PT * PX_PER_PT / (2 * RADIUS_MM)
    return int((y + RADIUS_MM) * scale), int((x + RADIUS_MM) * scale)


def test_calcium_lies_where_it_is_in_the_cross_section(tmp_path: Path) -> None:
    found = blue(rendered(key_frame(band(20, 60, 1.5, 2.5)), tmp_path, polar=False))
    assert found[at_xy(50, 2.0)]
    assert found[at_xy(25, 2.0)]
    for angle, radius in ((50, 1.2), (50, 2.9), (110, 2.0), (310, 2.0)):
        assert not found[at_xy(angle, radius)]


def test_calcium_through_zero_shows_at_both_ends_of_the_polar_view(tmp_path: Path) -> None:
    found = blue(rendered(key_frame(band(330, 60, 1.5, 2.5)), tmp_path, polar=True))
    for angle in (335, 358, 2, 25):
        assert found[at_polar(angle, 2.0)], angle
    for angle in (40, 180, 320):
        assert not found[at_polar(angle, 2.0)], angle


@pytest.mark.parametrize("polar", [True, False])
def test_a_closed_ring_is_filled_between_its_borders(tmp_path: Path, polar: bool) -> None:
    ring = Contour(disc(2.5).points_mm, (disc(1.5).points_mm,))
    found = blue(rendered(key_frame(ring), tmp_path, polar=polar))
    at = at_polar if polar else at_xy
    for angle in (7, 97, 187, 277):
        assert found[at(angle, 2.0)]
        assert not found[at(angle, 1.2)]
        assert not found[at(angle, 2.8)]


@pytest.mark.parametrize("polar", [True, False])
def test_calcium_that_narrows_to_a_point_is_drawn_whole(tmp_path: Path, polar: bool) -> None:
    angles, waist = np.array([20.0, 50, 80, 80, 50, 20]), np.array([1.5, 2, 1.5, 2.5, 2, 2.5])
    found = blue(rendered(key_frame(Contour(to_xy(angles, waist))), tmp_path, polar=polar))
    at = at_polar if polar else at_xy
    assert found[at(25, 2.0)]
    assert found[at(75, 2.0)]


@pytest.mark.parametrize("polar", [True, False])
def test_the_shadow_begins_at_the_lumen(tmp_path: Path, polar: bool) -> None:
    image = rendered(key_frame(guidewires=(Arc(80, 30),)), tmp_path, polar=polar)
    bright = image.min(axis=-1) > 60
    at = at_polar if polar else at_xy

    def around(angle: float, radius: float) -> bool:
        row, column = at(angle, radius)
        return bool(bright[row - 5 : row + 6, column - 5 : column + 6].any())

    assert around(95, 2.0)
    assert not around(95, 0.5)
    assert not around(130, 2.0)


def test_the_scale_bar_is_as_long_as_it_says(tmp_path: Path) -> None:
    image = rendered(key_frame(), tmp_path, polar=False)
    row = image[-5 * PX_PER_PT].min(axis=-1) > 200
    expected_px = 2.0 / (2 * RADIUS_MM) * SIZE_PT * PX_PER_PT
    assert abs(int(row.sum()) - expected_px) <= 2
    without = rendered(key_frame(scale_known=False), tmp_path, polar=False)
    assert (without[-5 * PX_PER_PT].min(axis=-1) > 200).sum() < 0.5 * expected_px


@pytest.mark.parametrize(("room_mm", "bar_mm"), [(7.0, 5.0), (1.99, 1.0), (0.5, 0.5), (0.01, 0.1)])
def test_scale_bars_are_round(room_mm: float, bar_mm: float) -> None:
    assert scale_bar_mm(room_mm) == bar_mm
