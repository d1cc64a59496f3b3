"""Render the icon's PNG from its SVG: ``python packaging/icon.py`` after the drawing changed."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICONS = Path(__file__).parents[1] / "resources" / "icons"
SIDE_PX = 512


def rendered() -> QImage:
    """Return the drawing as a picture of ``SIDE_PX`` by ``SIDE_PX`` pixels.

    A Qt application must exist.
    """
    picture = QImage(SIDE_PX, SIDE_PX, QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(str(ICONS / "calcviewer.svg")).render(painter)
    painter.end()
    return picture


if __name__ == "__main__":
    application = QGuiApplication(sys.argv)
    sys.exit(not rendered().save(str(ICONS / "calcviewer.png")))
