"""What is looked for: patient, date, modality."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QTextCharFormat
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from calcviewer.dicom.network.query import StudyQuery
from calcviewer.gui.panels.card import quiet
from calcviewer.gui.theme import SURFACE, TEXT, named

MODALITIES = ("", "IVOCT", "OCT", "OPT", "IVUS", "US", "XA", "OT")
"""What consoles call their pullbacks, and the angiography they belong to; empty: any."""
_ANY, _RANGE = "any", "range"
_CALENDAR_PX = (320, 290)
_DAYS = {"today": 1, "7 days": 7, "30 days": 30}


class QueryForm(QWidget):
    """Asks for patient, date and modality; Enter searches.

    Parameters
    ----------
    today
        Tells the day.

    Signals
    -------
    asked
        The StudyQuery to be made.
    """

    asked = Signal(object)

    def __init__(
        self, parent: QWidget | None = None, *, today: Callable[[], date] = date.today
    ) -> None:
        super().__init__(parent)
        self._today = today
        self.patient_name, self.patient_id = QLineEdit(), QLineEdit()
        self.patient_name.setPlaceholderText(self.tr("Family name, or its beginning"))
        self.patient_id.setPlaceholderText(self.tr("Any"))
        self.when = QComboBox()
        for text, key in (
            (self.tr("Today"), "today"),
            (self.tr("Last 7 days"), "7 days"),
            (self.tr("Last 30 days"), "30 days"),
            (self.tr("From … to …"), _RANGE),
            (self.tr("Any date"), _ANY),
        ):
            self.when.addItem(text, key)
        self.modality = QComboBox()
        for modality in MODALITIES:
            self.modality.addItem(modality or self.tr("Any"), modality)
        self.first, self.last = _date_field(today()), _date_field(today())
        self.search = named(QPushButton(self.tr("Search")), "primary")
        self.clear = named(QPushButton(self.tr("Clear")), "flat")
        for button in (self.search, self.clear):
            button.setAutoDefault(False)
        self._lay_out()
        self._connect()
        self._show_range()

    @property
    def query(self) -> StudyQuery:
        """What is asked for now."""
        first, last = self._days()
        return StudyQuery(
            patient_name=self.patient_name.text().strip(),
            patient_id=self.patient_id.text().strip(),
            first_date=first,
            last_date=last,
            modality=self.modality.currentData(),
        )

    def ask(self) -> None:
        """Ask for what the form says."""
        self.asked.emit(self.query)

    def ask_any_date(self) -> None:
        """Leave the date out, and ask."""
        self.when.setCurrentIndex(self.when.findData(_ANY))
        self.ask()

    def reset(self) -> None:
        """Ask for everything of today again, without asking."""
        self.patient_name.clear()
        self.patient_id.clear()
        self.when.setCurrentIndex(0)
        self.modality.setCurrentIndex(0)

    def _days(self) -> tuple[date | None, date | None]:
        key = self.when.currentData()
        if key == _ANY:
            return None, None
        if key == _RANGE:
            return _day(self.first), _day(self.last)
        # The day of the search, not of the window: it may stay open over midnight.
        today = self._today()
        return today - timedelta(days=_DAYS[key] - 1), today

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        self._to = quiet("–")
        range_row = QHBoxLayout()
        range_row.setSpacing(6)
        for widget in (self.when, self.first, self._to, self.last):
            range_row.addWidget(widget)
        fields = (
            (self.tr("Patient name"), self.patient_name, 3),
            (self.tr("Patient ID"), self.patient_id, 2),
        )
        for column, (text, field, stretch) in enumerate(fields):
            grid.addWidget(_label(text, field), 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, stretch)
        grid.addWidget(_label(self.tr("Study date"), self.when), 0, 2)
        grid.addLayout(range_row, 1, 2)
        grid.addWidget(_label(self.tr("Modality"), self.modality), 0, 3)
        grid.addWidget(self.modality, 1, 3)
        grid.addWidget(self.clear, 1, 4)
        grid.addWidget(self.search, 1, 5)
        grid.setContentsMargins(0, 0, 0, 0)
        self.setLayout(grid)

    def _connect(self) -> None:
        self.search.clicked.connect(self.ask)
        self.clear.clicked.connect(self.reset)
        for field in (self.patient_name, self.patient_id):
            field.returnPressed.connect(self.ask)
        self.when.currentIndexChanged.connect(self._show_range)
        self.first.dateChanged.connect(self.last.setMinimumDate)

    def _show_range(self) -> None:
        shown = self.when.currentData() == _RANGE
        for widget in (self.first, self._to, self.last):
            widget.setVisible(shown)


def _label(text: str, field: QWidget) -> QLabel:
    label = quiet(text)
    label.setBuddy(field)
    return label


def _date_field(day: date) -> QDateEdit:
    field = QDateEdit(QDate(day.year, day.month, day.day))
    field.setDisplayFormat("yyyy-MM-dd")
    field.setCalendarPopup(True)
    calendar = field.calendarWidget()
    calendar.setMinimumSize(*_CALENDAR_PX)
    calendar.setVerticalHeaderFormat(calendar.VerticalHeaderFormat.NoVerticalHeader)
    calendar.setStyleSheet(
        f"QWidget#qt_calendar_navigationbar {{ background: {SURFACE}; }}"
        f"QToolButton {{ background: {SURFACE}; border: none; padding: 0 8px; font-size: 16px; }}"
    )
    plain = QTextCharFormat()
    plain.setForeground(QColor(TEXT))
    for weekend in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
        calendar.setWeekdayTextFormat(weekend, plain)  # red would say that something is wrong
    for name, arrow in (("qt_calendar_prevmonth", "‹"), ("qt_calendar_nextmonth", "›")):
        button = calendar.findChild(QToolButton, name)
        if button is not None:  # Qt's own arrows are black
            button.setIcon(QIcon())
            button.setText(arrow)
    return field


def _day(field: QDateEdit) -> date:
    day = field.date()
    return date(day.year(), day.month(), day.day())
