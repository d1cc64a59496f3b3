"""The pages of a PDF as pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pypdfium2
from PySide6.QtGui import QImage

# PDFium is not made for several threads at a time.
_ONE_AT_A_TIME = threading.Lock()


def pages(document: bytes, width_px: int) -> Iterator[QImage]:
    """Yield every page of a PDF, ``width_px`` wide, each as a picture of its own memory."""
    with _ONE_AT_A_TIME:
        pdf = pypdfium2.PdfDocument(document)
        try:
            count = len(pdf)
        finally:
            pdf.close()
    for number in range(count):
        yield _page(document, number, width_px)


def _page(document: bytes, number: int, width_px: int) -> QImage:
    with _ONE_AT_A_TIME:
        pdf = pypdfium2.PdfDocument(document)
        try:
            page = pdf[number]
            bitmap = page.render(scale=width_px / page.get_width(), prefer_bgrx=True)
            picture = QImage(
                bytes(bitmap.buffer),
                bitmap.width,
                bitmap.height,
                bitmap.stride,
                QImage.Format.Format_RGB32,
            ).copy()
            bitmap.close()
            page.close()
        finally:
            pdf.close()
    return picture
