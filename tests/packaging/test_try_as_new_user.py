from __future__ import annotations

import pytest
from on_screen import Widget
from PIL import Image, ImageDraw
from try_as_new_user import LUMEN_RGB, border_pixel
from virtual_desktop import WalkError, wait_until

VIEW = Widget("panel", "Cross-section", 50, 40, 200, 200, True)


def _screen() -> Image.Image:
    return Image.new("RGB", (300, 300), "black")


def test_the_border_is_found_right_of_the_middle_of_the_lumen() -> None:
    screen = _screen()
    draw = ImageDraw.Draw(screen)
    draw.ellipse((100, 90, 200, 190), outline=LUMEN_RGB, width=2)
    draw.ellipse((260, 0, 299, 39), outline=LUMEN_RGB, width=2)  # outside the view
    (x, y), middle = border_pixel(screen, VIEW)
    assert middle == pytest.approx((150, 140), abs=2)
    assert x == pytest.approx(199, abs=2)
    assert y == middle[1]


def test_without_a_border_the_walk_ends() -> None:
    with pytest.raises(WalkError, match="no border"):
        border_pixel(_screen(), VIEW)


def test_what_never_comes_is_named() -> None:
    with pytest.raises(WalkError, match="waited 0 s for the train"):
        wait_until("the train", lambda: False, 0.3)
