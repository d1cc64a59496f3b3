"""Type, colours and measures of the printed page."""

from __future__ import annotations

from typing import Final

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from calcviewer.core.resources import resource_path
from calcviewer.report.content import Tone

REGULAR: Final = "OpenSans"
BOLD: Final = "OpenSans-Semibold"

MARGIN_PT: Final = 42.0
HEADER_PT: Final = 22.0

INK: Final = HexColor("#1A2027")
QUIET: Final = HexColor("#5C6670")
RULE: Final = HexColor("#C9CED4")
PALE: Final = HexColor("#F1F3F5")
MISSING: Final = HexColor("#D9DCE0")
WARNING: Final = HexColor("#A85B00")
WARNING_FILL: Final = HexColor("#FFF4E0")
POINT_FILL: Final = HexColor("#DCE8F7")
GOOD: Final = HexColor("#1D7A46")
ACCENT: Final = HexColor("#1B5FB4")
WHITE: Final = HexColor("#FFFFFF")

# On paper, and lighter on the dark frames.
TONE_ON_PAPER: Final[dict[Tone, Color]] = {
    Tone.LUMEN: HexColor("#C2302B"),
    Tone.CALCIUM: HexColor("#1B5FB4"),
    Tone.THICKNESS: HexColor("#1A7F6B"),
    Tone.NEUTRAL: HexColor("#5C6670"),
}
LUMEN_ON_IMAGE: Final = HexColor("#FF5148")
CALCIUM_ON_IMAGE: Final = HexColor("#4FA8FF")
SHADOW_ON_IMAGE: Final = HexColor("#D0D4D8")
SHADOW_ON_PAPER: Final = HexColor("#7A828B")
VOI: Final = HexColor("#D9941A")
FILL_OPACITY: Final = 0.25
CALCIUM_DASH: Final = (3.0, 1.2)

# Calcium map, thin to thick; the ends of a single-hue scale that prints well in grey.
MAP_THIN: Final = (0xC6, 0xDB, 0xF2)
MAP_THICK: Final = (0x08, 0x2A, 0x5E)


def register_fonts() -> None:
    """Make the shipped fonts known to reportlab; does nothing the second time.

    Raises
    ------
    CalcViewerError
        When a font is missing from the installation.
    """
    known = pdfmetrics.getRegisteredFontNames()
    for name, file in ((REGULAR, "OpenSans-Regular.ttf"), (BOLD, "OpenSans-Semibold.ttf")):
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, str(resource_path("fonts", file))))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )


BODY: Final = ParagraphStyle(
    "body", fontName=REGULAR, fontSize=8.5, leading=11.5, textColor=INK, splitLongWords=1
)
SMALL: Final = ParagraphStyle("small", parent=BODY, fontSize=7.5, leading=10, textColor=QUIET)
LABEL: Final = ParagraphStyle("label", parent=BODY, textColor=QUIET)
NUMBER: Final = ParagraphStyle("number", parent=BODY, alignment=TA_RIGHT)
HEADING_CELL: Final = ParagraphStyle("heading cell", parent=SMALL, fontName=BOLD)
HEADING_NUMBER: Final = ParagraphStyle("heading number", parent=HEADING_CELL, alignment=TA_RIGHT)
SECTION: Final = ParagraphStyle(
    "section", parent=BODY, fontName=BOLD, fontSize=10, leading=13, spaceBefore=9, spaceAfter=3
)
SCORE: Final = ParagraphStyle(
    "score", parent=BODY, fontName=BOLD, fontSize=34, leading=38, alignment=TA_CENTER
)
SCORE_LONG: Final = ParagraphStyle("score long", parent=SCORE, fontSize=22, leading=38)
CENTRED: Final = ParagraphStyle("centred", parent=BODY, alignment=TA_CENTER)
WARNING_TEXT: Final = ParagraphStyle("warning", parent=BODY, textColor=WARNING, fontName=BOLD)
