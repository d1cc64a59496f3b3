"""Line icons, drawn from path data so that they are sharp at every scale."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from calcviewer.gui.theme import TEXT

_SIDE = 20
_SCALES = (1, 2, 3)
_DISABLED = "#4a515a"

# Paths on a square of 20; strokes of 1.5.
_PATHS = {
    "menu": "M3 5.5h14M3 10h14M3 14.5h14",
    "open": "M2.5 15.5v-11h5l1.8 2h8.2v9z",
    "export": "M10 12.5v-9M6.5 6.5L10 3l3.5 3.5M3.5 11v5.5h13V11",
    "undo": "M4 8h8a4 4 0 0 1 0 8H8M7 4.5L3.5 8L7 11.5",
    "redo": "M16 8H8a4 4 0 0 0 0 8h4M13 4.5L16.5 8L13 11.5",
    "settings": "M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4",
    "play": "M6 4l10 6l-10 6z",
    "pause": "M7 4v12M13 4v12",
    "maximum": "M2.5 16C6 16 7 4.5 10 4.5S14 16 17.5 16M7 2h6",
    "confirm": "M3.5 10.5l4.5 4.5l8.5-10",
    "bookmark": "M5.5 3h9v14L10 13.2L5.5 17z",
    "voi": "M5 3v14M15 3v14M2.5 10h2M15.5 10h2M7.5 7v6M10 7v6M12.5 7v6",
    "fit": "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
    "eye": "M2 10C5 5.5 15 5.5 18 10C15 14.5 5 14.5 2 10zM10 7.7a2.3 2.3 0 1 0 .01 0z",
    "ruler": "M2.5 13.5L13.5 2.5l4 4L6.5 17.5zM6.2 9.8l2 2M9 7l1.5 1.5M11.8 4.2l2 2",
    "catheter": "M10 3a7 7 0 1 0 .01 0zM10 7.5a2.5 2.5 0 1 0 .01 0z",
    "contour": "M10 3.5C14 3 17 6 16.5 10S13.5 17 9.5 16.5S3 13 3.5 9.5S6.5 4 10 3.5z"
    "M12.5 3.6a1.6 1.6 0 1 0 .01 0z",
    "points": "M5.2 6.2L9 4M13 4.4l2.4 2.6M16 10.8l-1.6 3.4M10.8 16l-3.6-1.4M4.6 12V9.4"
    "M10.9 2.6a1.5 1.5 0 1 0 .01 0zM16.2 7.2a1.5 1.5 0 1 0 .01 0zM12.6 14.6a1.5 1.5 0 1 0 .01 0z"
    "M5.2 12.2a1.5 1.5 0 1 0 .01 0zM4.2 6a1.5 1.5 0 1 0 .01 0z",
    "guidewire": "M3.5 16.5L16.5 10.5M3.5 16.5L10 3.5M10 3.5C13.5 4.5 16 7 16.5 10.5"
    "M6.2 11.2l2.6 2.8M8 7.8l4.2 4.6M10 5.5l4.5 5",
    "eel": "M10 2.5a7.5 7.5 0 1 0 .01 0M10 6.8a3.2 3.2 0 1 0 .01 0z",
    "sector": "M3.6 13.4A8 8 0 0 1 9.2 3.2L9.8 7.1A4 4 0 0 0 7 12.1zM14.5 11v6M11.5 14h6",
    "deposit": "M4.6 13.8A8 8 0 0 1 15.4 13.8L12.4 16.2A4.2 4.2 0 0 0 7.6 16.2z"
    "M10 2.5v6M10 2.5l-2 2M10 2.5l2 2M10 8.5l-2-2M10 8.5l2-2",
    "brush": "M17 3L9.5 10.5M7 10.5C4.5 11 5.5 14.5 2.8 15.5C5 17.5 9.5 17 9.6 13.2"
    "A2.7 2.7 0 0 0 7 10.5z",
    "eraser": "M7 16.5L3 12.5L11.5 4L16.5 9L9 16.5zM7.2 8.3l5 5M9 16.5h8",
    "lasso": "M6.5 12.6C3.5 11.8 2.5 9.5 3.2 7.5C4.2 4.5 8 3 11.5 3.4S17.5 6.5 17 9S13 13 9.6 12.9"
    "M8 11.6a1.7 1.7 0 1 0 .01 0zM8 15c0 1.2-.8 2-2 2.5",
    "split": "M4 5.5A9 9 0 0 1 8.2 4.2V9.8A4 4 0 0 0 6.2 11zM16 5.5A9 9 0 0 0 11.8 4.2V9.8"
    "A4 4 0 0 1 13.8 11zM10 2.5v2M10 6.5v2M10 10.5v2M10 14.5v2.5",
    "angle": "M16 16.5H3.5L13 4M11.2 16.5A8 8 0 0 0 8.4 10.2",
    "area": "M4 6.5L11.5 3.5L16.5 9L13.5 16.5L5.5 15zM7 9.5l3.5-3.5M6.5 13.5l7-7M10 15l4.5-4.5",
    "copy_previous": "M9 3.5h8v10H9zM6 7H3v9.5h8V15M6.5 10.5H12M8.5 8.5l-2 2l2 2",
    "copy_next": "M3 3.5h8v10H3zM14 7h3v9.5H9V15M8 8.5h5.5M11.5 6.5l2 2l-2 2",
    "interpolate": "M3 4v12M17 4v12M7.5 6.5v7M12.5 6.5v7M3 10h2M9.5 10h1M15 10h2",
    "revert": "M4 4v4.5h4.5M4.4 8.2A6.5 6.5 0 1 1 3.5 11.5",
    "exclude": "M10 3a7 7 0 1 0 .01 0zM5.2 5.2l9.6 9.6",
    "history": "M10 3a7 7 0 1 0 .01 0zM10 6v4.2l3 1.8",
    "help": "M7 7.5a3 3 0 1 1 4.3 2.7c-.9.5-1.3 1-1.3 2M10 15.6v.1",
    "log": "M4.5 3h11v14h-11zM7.5 7h5M7.5 10h5M7.5 13h3",
    "layout1": "M3 3h14v14H3zM10 3v8M3 11h14M10 7h7",
    "layout2": "M3 3h14v14H3zM3 13h14",
    "layout3": "M3 3h14v14H3zM3 7.5h14M3 12.5h14",
    "layout4": "M3 3h14v14H3zM10 3v14",
    "layout5": "M10 2.5l6.5 3.7v7.6L10 17.5l-6.5-3.7V6.2zM3.5 6.2L10 10l6.5-3.8M10 10v7.5",
    "archive": "M3 5.5C3 2.5 17 2.5 17 5.5V14.5C17 17.5 3 17.5 3 14.5zM3 5.5C3 8.5 17 8.5 17 5.5"
    "M3 10C3 13 17 13 17 10",
    "close": "M5 5l10 10M15 5L5 15",
}


def icon(name: str) -> QIcon:
    """Return the icon of a name, for normal and disabled use."""
    made = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, TEXT), (QIcon.Mode.Disabled, _DISABLED)):
        for scale in _SCALES:
            made.addPixmap(_pixmap(_PATHS[name], colour, scale), mode)
    return made


def _pixmap(path: str, colour: str, scale: int) -> QPixmap:
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}"><path d="{path}" '
        f'fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round" '
        'stroke-linejoin="round"/></svg>'
    )
    pixmap = QPixmap(_SIDE * scale, _SIDE * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer = QSvgRenderer(QByteArray(drawing.encode()))
    renderer.render(painter, QRectF(0, 0, _SIDE * scale, _SIDE * scale))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap
