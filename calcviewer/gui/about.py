"""Versions, licences and the research-use notice."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from calcviewer import __version__
from calcviewer.gui.table import Column, Table
from calcviewer.gui.theme import named

# The licence is named here where a package's metadata words it at length or not at all.
_PARTS = (
    ("PySide6-Essentials", "LGPL-3.0"),
    ("pyqtgraph", "MIT"),
    ("numpy", "BSD-3-Clause"),
    ("scipy", "BSD-3-Clause"),
    ("scikit-image", "BSD-3-Clause"),
    ("shapely", "BSD-3-Clause"),
    ("pydicom", "MIT"),
    ("highdicom", "MIT"),
    ("onnxruntime", "MIT"),
    ("pillow", "MIT-CMU"),
    ("pyjpegls", "MIT"),
    ("pylibjpeg", "MIT"),
    ("pypdfium2", "Apache-2.0 or BSD-3-Clause"),
    ("reportlab", "BSD-3-Clause"),
    ("tifffile", "BSD-3-Clause"),
    ("platformdirs", "MIT"),
)


def component_table() -> list[tuple[str, str, str]]:
    """Return (name, version, licence) of the libraries that are installed."""
    rows = []
    for name, licence in _PARTS:
        try:
            rows.append((name, version(name), licence))
        except PackageNotFoundError:
            continue
    return rows


class About(QDialog):
    """Says what this program is, what it is made of, and what it is not for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About CalcViewer"))
        self.resize(560, 560)
        name = QLabel(f"CalcViewer {__version__}")
        name.setStyleSheet("font-size: 20px; font-weight: 600;")
        notice = named(QLabel(self.tr("Research use only. Not for diagnostic use.")), "research")
        notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text = QLabel(
            self.tr(
                "Segments coronary calcium in intravascular OCT and scores lesions by the "
                "stent-deployment calcium score (Fujino et al., EuroIntervention 2018). MIT "
                "licence.\nQt and PySide6 are used under the LGPL version 3: they are separate "
                "libraries that you may replace.\nPython {}, Qt {}, {}."
            ).format(platform.python_version(), qVersion(), platform.platform(terse=True))
        )
        text.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for widget in (name, notice, text):
            column.addWidget(widget)
        libraries = Table(
            (
                Column(self.tr("Library")),
                Column(self.tr("Version")),
                Column(self.tr("Licence"), stretches=True),
            )
        )
        libraries.show_rows(component_table())
        column.addWidget(libraries)
        column.addWidget(buttons)
