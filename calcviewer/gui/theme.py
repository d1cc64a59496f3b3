"""The one dark theme: colours by the structure they mark, and the style sheet made of them."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

W = TypeVar("W", bound=QWidget)

BACKGROUND = "#0e1117"
SURFACE = "#161b22"
RAISED = "#21262d"
BORDER = "#272d36"
TEXT = "#d7dce2"
QUIET = "#8b949e"
ACCENT = "#2f81f7"
ACCENT_QUIET = "#1f3a68"
LUMEN = "#e5484d"
CALCIUM = "#4493f8"
EEL = "#8ef0e0"
THICKNESS = "#3fb98f"
GUIDEWIRE = "#9aa0a6"
WARNING = "#e3b341"
WARNING_SURFACE = "#3a2c0a"
ERROR = "#f85149"
ERROR_SURFACE = "#3d1519"
VOI = "#f2b84b"
CHECK = "#d2a8ff"
"""Frames to check; their marks differ by shape too."""

FONT_PX = 13
HIT_PX = 32
"""Least height of anything to click on: the operator wears gloves."""

# A downward triangle without a picture file: the wedge above the middle of the lower edge.
_TRIANGLE = (
    f"qconicalgradient(cx:0.5, cy:1, angle:63.4, stop:0 {TEXT}, stop:0.148 {TEXT},"
    " stop:0.149 transparent, stop:1 transparent)"
)

_STYLE = f"""
QWidget {{ color: {TEXT}; font-size: {FONT_PX}px; }}
QMainWindow, QDialog, QWidget#page {{ background: {BACKGROUND}; }}
QDialog {{ border: 1px solid #3d444d; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 4px 6px; }}
QFrame#card {{ background: {SURFACE}; border: 1px solid {BORDER}; border-radius: 8px; }}
QLabel#quiet {{ color: {QUIET}; }}
QLabel#warning {{ color: {WARNING}; }}
QLabel#title {{ font-weight: 600; }}
QWidget#bar {{ background: {SURFACE}; }}
QPushButton#chip {{ background: {RAISED}; border: 1px solid transparent; border-radius: 16px;
    padding: 2px 12px; min-height: 26px; }}
QPushButton#chip[missing="true"] {{ background: {WARNING_SURFACE}; color: {WARNING}; }}
QPushButton#chip:hover, QPushButton#chip:focus {{ border-color: {ACCENT}; }}
QLabel#research {{ background: {WARNING_SURFACE}; color: {WARNING}; border-radius: 11px;
    padding: 2px 10px; min-height: 18px; }}
QPushButton, QToolButton {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 6px;
    min-height: {HIT_PX - 10}px; padding: 4px 14px; }}
QPushButton:hover, QToolButton:hover {{ background: #2d333b; }}
QPushButton:pressed, QToolButton:pressed {{ background: {BORDER}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {ACCENT}; }}
QPushButton:disabled, QToolButton:disabled {{ color: #565d66; background: {SURFACE}; }}
QPushButton:checked, QToolButton:checked {{ background: {ACCENT_QUIET}; border-color: {ACCENT}; }}
QPushButton#primary {{ background: #1f6feb; border-color: #1f6feb; color: white;
    font-weight: 600; }}
QPushButton#primary:hover {{ background: #388bfd; }}
QPushButton#primary:focus {{ border: 1px solid white; }}
QPushButton#primary:disabled {{ background: {SURFACE}; border-color: {BORDER}; color: #565d66; }}
QPushButton#flat, QToolButton#flat {{ background: transparent; border: 1px solid transparent;
    padding: 4px 8px; }}
QPushButton#flat:hover, QToolButton#flat:hover {{ background: {RAISED}; }}
QPushButton#flat:focus, QToolButton#flat:focus {{ border-color: {ACCENT}; }}
QToolButton#icon {{ background: transparent; border: 1px solid transparent; padding: 0;
    min-height: {HIT_PX - 2}px; min-width: {HIT_PX - 2}px; }}
QToolButton#icon:hover {{ background: {RAISED}; }}
QToolButton#icon:checked {{ background: {ACCENT_QUIET}; }}
QToolButton#icon:focus {{ border-color: {ACCENT}; }}
QFrame#line {{ border: none; border-bottom: 1px solid {BORDER}; margin: 0 6px 4px 6px; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QDateEdit, QPlainTextEdit, QTextEdit {{
    background: {SURFACE}; border: 1px solid {BORDER}; border-radius: 6px;
    min-height: {HIT_PX - 10}px; padding: 4px 8px; selection-background-color: {ACCENT}; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateEdit:focus,
QPlainTextEdit:focus, QTextEdit:focus {{ border-color: {ACCENT}; }}
QAbstractSpinBox QLineEdit {{ border: none; min-height: 0; padding: 0 6px;
    background: transparent; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 8px; height: 0;
    border: none; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
QAbstractSpinBox::down-button {{ subcontrol-position: top left; }}
QComboBox::drop-down, QDateEdit::drop-down {{ border: none; width: 28px; }}
QComboBox::down-arrow, QDateEdit::down-arrow {{ width: 10px; height: 6px;
    background: {_TRIANGLE}; }}
QComboBox QAbstractItemView {{ background: {SURFACE}; border: 1px solid {BORDER};
    selection-background-color: {ACCENT_QUIET}; }}
QCheckBox, QRadioButton {{ min-height: {HIT_PX}px; spacing: 8px; }}
QRadioButton::indicator, QCheckBox::indicator:unchecked {{ width: 14px; height: 14px;
    border: 1px solid {QUIET}; background: {SURFACE}; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {ACCENT};
    background: white; }}
QRadioButton::indicator:disabled, QCheckBox::indicator:unchecked:disabled {{
    border-color: #565d66; }}
QCheckBox::indicator:unchecked {{ border-radius: 3px; }}
QMenuBar {{ background: {SURFACE}; }}
QMenuBar::item {{ padding: 7px 10px; background: transparent; }}
QMenuBar::item:selected {{ background: {RAISED}; }}
QMenu {{ background: {SURFACE}; border: 1px solid {BORDER}; padding: 4px; }}
QMenu::item {{ padding: 8px 28px 8px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {ACCENT_QUIET}; }}
QMenu::item:disabled {{ color: #565d66; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: 4px 8px; }}
QTableView, QTreeView, QListView {{ background: {SURFACE}; border: none; gridline-color: {BORDER};
    selection-background-color: #1d2a3d; selection-color: {TEXT}; outline: 0; }}
QListView::item {{ min-height: {HIT_PX}px; padding: 0 8px; border-radius: 4px; }}
QListView::item:hover {{ background: {RAISED}; }}
QHeaderView {{ background: {SURFACE}; }}
QHeaderView::section {{ background: {SURFACE}; color: {QUIET}; border: none;
    border-bottom: 1px solid {BORDER}; padding: 4px 6px; }}
QProgressBar {{ background: {RAISED}; border: none; border-radius: 2px; max-height: 5px;
    min-height: 5px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 2px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: #30363d; border-radius: 4px; min-height: 32px; min-width: 32px;
    margin: 2px; }}
QScrollBar::handle:hover {{ background: #484f58; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {BORDER}; }}
QTabBar::tab {{ background: transparent; color: {QUIET}; padding: 8px 14px;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom-color: {ACCENT}; }}
QTabWidget::pane {{ border: none; }}
QStatusBar {{ background: {SURFACE}; color: {QUIET}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {QUIET}; }}
"""

_PALETTE = {
    QPalette.ColorRole.Window: BACKGROUND,
    QPalette.ColorRole.WindowText: TEXT,
    QPalette.ColorRole.Base: SURFACE,
    QPalette.ColorRole.AlternateBase: RAISED,
    QPalette.ColorRole.Text: TEXT,
    QPalette.ColorRole.PlaceholderText: QUIET,
    QPalette.ColorRole.Button: RAISED,
    QPalette.ColorRole.ButtonText: TEXT,
    QPalette.ColorRole.ToolTipBase: RAISED,
    QPalette.ColorRole.ToolTipText: TEXT,
    QPalette.ColorRole.Highlight: ACCENT,
    QPalette.ColorRole.HighlightedText: "#ffffff",
    QPalette.ColorRole.Link: ACCENT,
}


def apply_theme(app: QApplication) -> None:
    """Give the whole application the dark theme: palette, font size and style sheet."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, colour in _PALETTE.items():
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    app.setFont(text_font(FONT_PX))
    app.setStyleSheet(_STYLE)


def named(widget: W, name: str) -> W:
    """Return a widget under the name by which the style sheet knows its look."""
    widget.setObjectName(name)
    return widget


def text_font(size_px: int, *, bold: bool = False) -> QFont:
    """Return the interface font of `size_px` pixels, with tabular figures where it has them."""
    font = QFont()
    font.setPixelSize(size_px)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
