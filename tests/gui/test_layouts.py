"""The arrangements of the views."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from calcviewer.app.settings import Settings
from calcviewer.gui.layouts import LAYOUTS, Layout, Place, ViewArea, placed
from calcviewer.gui.main_window import MainWindow

NAMES = ("cross_section", "polar", "longitudinal", "calcium_map", "trends", "volume")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_fills_its_area_once(layout: Layout) -> None:
    grid = [
        [
            sum(
                place.left <= (x + 0.5) / 100 < place.left + place.width
                and place.top <= (y + 0.5) / 100 < place.top + place.height
                for place in layout.places.values()
            )
            for x in range(100)
        ]
        for y in range(100)
    ]
    assert {count for row in grid for count in row} == {1}


def test_every_view_is_in_some_layout() -> None:
    assert {name for layout in LAYOUTS for name in layout.places} == set(NAMES)
    assert len(LAYOUTS) == 5


def test_neighbours_are_a_line_apart() -> None:
    assert placed(Place(0, 0, 0.5, 1), 101, 50) == (0, 0, 49, 50)
    assert placed(Place(0.5, 0, 0.5, 1), 101, 50) == (50, 0, 51, 50)


def test_views_are_shown_where_the_layout_says(qtbot: QtBot) -> None:
    views = {name: QLabel(name) for name in NAMES}
    area = ViewArea(views)
    qtbot.addWidget(area)
    area.resize(1000, 700)
    area.show()
    for layout in LAYOUTS:
        area.show_layout(layout)
        assert {name for name in NAMES if views[name].isVisible()} == set(layout.places)
        for name, place in layout.places.items():
            assert views[name].geometry().getRect() == placed(place, 1000, 700)


@pytest.mark.parametrize("number", range(1, 6))
def test_views_fit_into_the_smallest_area(qtbot: QtBot, number: int) -> None:
    window = MainWindow(Settings(layout=number))
    qtbot.addWidget(window)
    area = window.view_area
    area.setParent(None)
    qtbot.addWidget(area)
    area.resize(area.minimumSize())
    area.show()
    for name in LAYOUTS[number - 1].places:
        assert area.rect().contains(window.views[name].geometry()), name
