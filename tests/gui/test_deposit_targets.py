"""What the mouse takes hold of in deposits, without a window."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc
from calcviewer.gui.tools.deposit_targets import (
    DepositHit,
    Grip,
    deposit_at,
    hit_deposit,
    same_deposit,
    see,
)
from calcviewer.gui.tools.rays import border_mm, turn_between, turned_end_deg
from calcviewer.gui.tools.tool import Pointer
from tests.gui.tool_views import (
    BACK_MM,
    CENTRE_MM,
    FRONT_MM,
    TWO_DEPOSITS,
    off_centre,
    ring,
    sector,
    seen_from_o,
)

REACH_MM = 0.15


def at(angle_deg: float, radius_mm: float, reach_deg: float | None = None) -> Pointer:
    return Pointer(seen_from_o(angle_deg, radius_mm), REACH_MM, reach_deg=reach_deg)


@pytest.mark.parametrize("start_deg", [20.0, 170.0, 330.0])
def test_a_deposit_seen_from_o(start_deg: float) -> None:
    seen = see(sector(start_deg, 60), CENTRE_MM)

    assert seen.arc.start_deg == pytest.approx(start_deg)
    assert seen.arc.extent_deg == pytest.approx(60)
    assert seen.angles_deg.size == 120
    assert seen.front_mm == pytest.approx(np.full(120, FRONT_MM), abs=1e-3)
    assert seen.back_mm == pytest.approx(np.full(120, BACK_MM), abs=1e-3)
    middle = (FRONT_MM + BACK_MM) / 2
    assert seen.ends_mm[0] == pytest.approx(seen_from_o(start_deg, middle), abs=1e-6)
    assert seen.ends_mm[1] == pytest.approx(seen_from_o(start_deg + 60, middle), abs=1e-6)


@pytest.mark.parametrize("reach_deg", [None, 12.0])
@pytest.mark.parametrize("index", [0, 1])
def test_every_part_is_found(index: int, reach_deg: float | None) -> None:
    arc = see(TWO_DEPOSITS.calcium[index], CENTRE_MM).arc

    def grip(angle_deg: float, radius_mm: float) -> Grip | None:
        hit = hit_deposit(TWO_DEPOSITS, at(angle_deg, radius_mm, reach_deg))
        assert hit is None or hit.index == index
        return None if hit is None else hit.grip

    assert grip(arc.start_deg - 2, 2.0) is Grip.START
    assert grip(arc.end_deg + 2, 2.0) is Grip.END
    assert grip(arc.centre_deg, FRONT_MM - 0.1) is Grip.FRONT
    assert grip(arc.centre_deg, FRONT_MM + 0.1) is Grip.FRONT
    assert grip(arc.centre_deg, BACK_MM - 0.1) is Grip.BACK
    assert grip(arc.centre_deg, BACK_MM + 0.1) is Grip.BACK
    assert grip(arc.centre_deg, 2.0) is Grip.BODY
    assert grip(arc.centre_deg, 3.0) is None


def test_ends_are_as_wide_as_a_thumb_in_the_polar_view() -> None:
    beside = seen_from_o(30, 2.0)
    turned = np.array(beside) @ _turn(10)  # 10 degrees about the catheter, about 0.4 mm
    here = Pointer((float(turned[0]), float(turned[1])), REACH_MM)

    assert hit_deposit(TWO_DEPOSITS, here) is None
    wide = Pointer(here.at_mm, REACH_MM, reach_deg=12.0)
    assert hit_deposit(TWO_DEPOSITS, wide) == DepositHit(0, Grip.END)


def _turn(angle_deg: float) -> np.ndarray:
    angle = np.deg2rad(angle_deg)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def test_the_selected_deposit_comes_first() -> None:
    touching = off_centre(sector(0, 40), sector(41, 40))

    assert hit_deposit(touching, at(40.4, 2.0)) == DepositHit(0, Grip.END)
    assert hit_deposit(touching, at(40.4, 2.0), selected=1) == DepositHit(1, Grip.START)


def test_a_deposit_all_round_has_borders_and_no_ends() -> None:
    whole = Contour(ring(BACK_MM).points_mm, (ring(FRONT_MM).points_mm,))
    annotation = off_centre(whole)

    assert see(whole, CENTRE_MM).whole_turn
    for angle in (0, 90, 359):
        assert hit_deposit(annotation, at(angle, BACK_MM)) == DepositHit(0, Grip.BACK)
        assert hit_deposit(annotation, at(angle, 2.0)) == DepositHit(0, Grip.BODY)
        assert hit_deposit(annotation, at(angle, FRONT_MM)) == DepositHit(0, Grip.FRONT)


def test_which_deposit_a_place_lies_in() -> None:
    inside = seen_from_o(170, 2.0)

    assert deposit_at(TWO_DEPOSITS, inside) == 1
    assert deposit_at(TWO_DEPOSITS, inside, but=1) is None
    assert deposit_at(TWO_DEPOSITS, seen_from_o(80, 2.0)) is None


def test_a_deposit_is_known_again() -> None:
    wider = off_centre(sector(150, 60), sector(320, 80))

    assert same_deposit(TWO_DEPOSITS.calcium[0], wider) == 1
    assert same_deposit(TWO_DEPOSITS.calcium[1], wider) == 0
    assert same_deposit(sector(230, 20), wider) is None
    assert same_deposit(sector(230, 20), off_centre()) is None


@pytest.mark.parametrize(
    ("turned_deg", "end", "to_deg"),
    [
        (20, True, 50),
        (-20, True, 10),
        (-200, True, -28),
        (400, True, 330 + 200 - 360),
        (20, False, 350),
        (-20, False, 310),
        (200, False, 388),
    ],
)
def test_ends_never_pass_each_other(turned_deg: float, end: bool, to_deg: float) -> None:
    arc = Arc(330, 60)

    turned = turned_end_deg(arc, turned_deg, end=end, narrowest_deg=2, widest_deg=200)

    assert turn_between(turned, to_deg) == pytest.approx(0.0)


def test_the_border_of_the_lumen_from_o_and_from_the_catheter() -> None:
    lumen = ring(1.5)

    assert border_mm(lumen, CENTRE_MM, np.array([0.0, 0.1, 180.0, 359.9])) == pytest.approx(
        np.full(4, 1.5), abs=1e-3
    )
    distance = 0.4 + np.sqrt(1.5**2 - 0.3**2)
    assert border_mm(lumen, (0.0, 0.0), np.array(0.0)) == pytest.approx(distance, abs=2e-3)
    assert border_mm(None, (0.0, 0.0), np.array([10.0])) == pytest.approx([0.0])
