"""The five arrangements of the views, as parts of the area they fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

_GAP_PX = 1


@dataclass(frozen=True)
class Place:
    """Where a view lies: left, top, width and height as parts of the area."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Which views are shown where, and whether the panels are beside them."""

    places: Mapping[str, Place]
    panels: bool = True


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        {
            "cross_section": Place(0, 0, 0.5, 0.62),
            "polar": Place(0.5, 0, 0.5, 0.31),
            "trends": Place(0.5, 0.31, 0.5, 0.31),
            "longitudinal": Place(0, 0.62, 1, 0.24),
            "calcium_map": Place(0, 0.86, 1, 0.14),
        }
    ),
    Layout(
        {
            "cross_section": Place(0, 0, 1, 0.76),
            "longitudinal": Place(0, 0.76, 1, 0.24),
        }
    ),
    Layout(
        {
            "cross_section": Place(0, 0, 0.45, 0.42),
            "trends": Place(0.45, 0, 0.55, 0.42),
            "longitudinal": Place(0, 0.42, 1, 0.34),
            "calcium_map": Place(0, 0.76, 1, 0.24),
        }
    ),
    Layout(
        {
            "cross_section": Place(0, 0, 0.5, 0.76),
            "polar": Place(0.5, 0, 0.5, 0.76),
            "longitudinal": Place(0, 0.76, 1, 0.24),
        },
        panels=False,
    ),
    Layout(
        {
            "volume": Place(0, 0, 0.55, 0.76),
            "cross_section": Place(0.55, 0, 0.45, 0.48),
            "calcium_map": Place(0.55, 0.48, 0.45, 0.28),
            "longitudinal": Place(0, 0.76, 1, 0.24),
        }
    ),
)
"""Layout 1 to 5."""


def placed(place: Place, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """Return left, top, width and height in px of a place; neighbours share no pixel."""
    left, top = round(place.left * width_px), round(place.top * height_px)
    right = round((place.left + place.width) * width_px)
    bottom = round((place.top + place.height) * height_px)
    # The gap lies between views, not along the rim of the area.
    right -= _GAP_PX if right < width_px else 0
    bottom -= _GAP_PX if bottom < height_px else 0
    return left, top, right - left, bottom - top


class ViewArea(QWidget):
    """Holds all views and shows those of the layout in force.

    Views are moved, never given to another parent: that would make their graphics anew.
    """

    def __init__(self, views: Mapping[str, QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._views = dict(views)
        self._layout = LAYOUTS[0]
        for view in self._views.values():
            view.setParent(self)
        self.setMinimumSize(480, 400)  # every view fits into its place

    def show_layout(self, layout: Layout) -> None:
        """Put a layout in force."""
        self._layout = layout
        self._place()
        for name, view in self._views.items():
            view.setVisible(name in layout.places)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the views anew."""
        self._place()

    def _place(self) -> None:
        for name, place in self._layout.places.items():
            self._views[name].setGeometry(QRect(*placed(place, self.width(), self.height())))


def boxed(layout: QHBoxLayout | QVBoxLayout, *widgets: QWidget) -> QWidget:
    """Return a widget that holds others without margins."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget)
    holder = QWidget()
    holder.setLayout(layout)
    return holder
