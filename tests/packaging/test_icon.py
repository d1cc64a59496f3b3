from __future__ import annotations

import numpy as np
from icon import ICONS, SIDE_PX, rendered
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication


def test_the_picture_is_the_drawing(qapp: QApplication) -> None:
    drawn = rendered().convertToFormat(QImage.Format.Format_RGBA8888)
    now = np.frombuffer(drawn.constBits(), np.uint8).reshape(SIDE_PX, SIDE_PX, 4)
    kept = np.asarray(Image.open(ICONS / "calcviewer.png").convert("RGBA"))
    assert np.abs(now.astype(int) - kept.astype(int)).mean() < 1.0
