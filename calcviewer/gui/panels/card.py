"""What panels are made of: cards with a heading, rows that lead to a frame, chips."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from calcviewer.gui import theme

_MARGIN_PX = 11


class Card(QFrame):
    """A framed part of a panel: a heading, a quiet remark at its right, and a body below."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.title = heading(title)
        self.aside = quiet("")
        self.body = QVBoxLayout()
        self.body.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.aside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addLayout(self.body)


class Row(QPushButton):
    """One line with a name at the left and cells at the right; a click leads to a frame.

    Without a frame it is text only.
    """

    def __init__(
        self,
        name: str,
        cells: tuple[QLabel, ...],
        parent: QWidget | None = None,
        *,
        height_px: int = theme.HIT_PX,
    ) -> None:
        super().__init__(parent)
        self.frame: int | None = None
        self.name = QLabel(name)
        self.cells = cells
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(8)
        layout.addWidget(self.name)
        layout.addStretch(1)
        for cell in cells:
            layout.addWidget(cell)
        for label in (self.name, *cells):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        # The height belongs into the sheet: that of the theme would replace a fixed one.
        inside_px = height_px - 2
        self.setStyleSheet(
            "QPushButton { background: transparent; border: 1px solid transparent;"
            " border-radius: 4px; padding: 0; text-align: left;"
            f" min-height: {inside_px}px; max-height: {inside_px}px; }}"
            f"QPushButton:hover:enabled {{ background: {theme.RAISED}; }}"
            f"QPushButton:focus {{ border-color: {theme.ACCENT}; }}"
        )
        self.lead_to(None)

    def lead_to(self, frame: int | None, tip: str = "") -> None:
        """Let a click lead to a frame (0-based), or to nowhere."""
        self.frame = frame
        leads = frame is not None
        self.setEnabled(leads)
        self.setToolTip(tip if leads else "")
        self.setAccessibleName(f"{self.name.text()} {tip}" if leads else self.name.text())
        shape = Qt.CursorShape.PointingHandCursor if leads else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)


def heading(text: str) -> QLabel:
    """Return a heading."""
    label = QLabel(text)
    label.setObjectName("title")
    return label


def quiet(text: str, *, wrap: bool = False) -> QLabel:
    """Return a remark in quiet colour."""
    label = QLabel(text)
    label.setObjectName("quiet")
    label.setWordWrap(wrap)
    return label


def cell(widest: str = "", *, colour: str = theme.TEXT) -> QLabel:
    """Return a right-aligned figure that is at least as wide as a text, so that columns align."""
    label = QLabel()
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    label.setFont(theme.text_font(theme.FONT_PX))
    paint(label, colour)
    if widest:
        label.setMinimumWidth(QFontMetrics(label.font()).horizontalAdvance(widest) + 2)
    return label


def warning(text: str = "") -> QLabel:
    """Return a line that says what is missing or wrong; wraps."""
    label = QLabel(text)
    label.setWordWrap(True)
    paint(label, theme.WARNING)
    return label


def paint(label: QLabel, colour: str) -> None:
    """Give a label a colour; nothing is done when it has it."""
    sheet = f"color: {colour};"
    if label.styleSheet() != sheet:
        label.setStyleSheet(sheet)


def separator() -> QFrame:
    """Return a thin line across a card."""
    line = QFrame()
    line.setFixedHeight(1)
    line.setStyleSheet(f"background: {theme.BORDER};")
    return line


def chip(label: QLabel, *, ink: str, surface: str) -> None:
    """Make a label a chip: a text on a rounded surface."""
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    sheet = (
        f"color: {ink}; background: {surface}; border-radius: 10px; padding: 1px 9px;"
        " min-height: 18px;"
    )
    if label.styleSheet() != sheet:
        label.setStyleSheet(sheet)


def stack(widget: QWidget, *children: QWidget) -> QVBoxLayout:
    """Lay widgets out below each other, without margins, at the top."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(10)
    layout.setSizeConstraint(QLayout.SizeConstraint.SetDefaultConstraint)
    for child in children:
        layout.addWidget(child)
    return layout
