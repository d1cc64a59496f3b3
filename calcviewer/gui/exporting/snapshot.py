"""What is on screen as a picture, with what it shows written below it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from calcviewer.app.analysis_file import NOTICE
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.gui import theme

_STRIP_PX = 30.0
_INSET_PX = 12.0


def snapshot(widget: QWidget, words: str) -> QImage:
    """Return a widget as it is drawn now, at the screen's resolution, above a line of words."""
    drawn = widget.grab().toImage()
    ratio = drawn.devicePixelRatio()
    strip_px = round(_STRIP_PX * ratio)
    picture = QImage(drawn.width(), drawn.height() + strip_px, QImage.Format.Format_RGB32)
    picture.fill(QColor(theme.BACKGROUND))
    painter = QPainter(picture)
    drawn.setDevicePixelRatio(1.0)
    painter.drawImage(0, 0, drawn)
    painter.scale(ratio, ratio)
    painter.setFont(theme.text_font(theme.FONT_PX))
    width = drawn.width() / ratio - 2 * _INSET_PX
    line = QRectF(_INSET_PX, drawn.height() / ratio, width, _STRIP_PX)
    middle = Qt.AlignmentFlag.AlignVCenter
    painter.setPen(QColor(theme.WARNING))
    painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, NOTICE)
    line.setRight(line.right() - painter.fontMetrics().horizontalAdvance(NOTICE) - _INSET_PX)
    painter.setPen(QColor(theme.TEXT))
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(line.width()))
    painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, shown)
    painter.end()
    return picture


def write_png(path: Path, picture: QImage) -> None:
    """Write a picture as PNG.

    Raises
    ------
    CalcViewerError
        When it cannot be written.
    """
    with staged_file(path) as stage:
        if not picture.save(str(stage)):
            raise CalcViewerError(
                f"{path} could not be written.",
                "Choose another folder, or make room on the disk, and try again.",
            )
