"""The list of what can be exported: a tick for what is written, a selected row for its options."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from calcviewer.app.export import ExportKind
from calcviewer.gui import theme

_WIDTH_PX = 232
_TICK_PX = 40
KINDS = tuple(ExportKind)
_TICK = Qt.ItemDataRole.CheckStateRole
_ON, _OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class KindList(QListWidget):
    """Kinds of export in the order of `ExportKind`.

    Signals
    -------
    ticks_changed
        Other kinds are ticked now.
    """

    ticks_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(_WIDTH_PX)
        self.setStyleSheet(
            f"QListView::item:selected {{ background: {theme.ACCENT_QUIET}; color: {theme.TEXT}; }}"
            "QListView::indicator { width: 16px; height: 16px; }"
            f"QListView::indicator:unchecked {{ border: 1px solid {theme.QUIET};"
            f" border-radius: 3px; background: {theme.SURFACE}; }}"
            "QListView::indicator:unchecked:disabled { border-color: #565d66; }"
        )
        self.setItemDelegate(_WideTick(self))
        for kind in KINDS:
            item = QListWidgetItem(self.name(kind))
            item.setData(_TICK, _OFF)
            self.addItem(item)
        self.itemChanged.connect(lambda _: self.ticks_changed.emit())

    def name(self, kind: ExportKind) -> str:
        """Return what people call a kind."""
        return {
            ExportKind.PDF: self.tr("Report (PDF)"),
            ExportKind.CSV: self.tr("Tables (CSV)"),
            ExportKind.JSON: self.tr("Data (JSON)"),
            ExportKind.PNG: self.tr("Picture (PNG)"),
            ExportKind.GIF: self.tr("Animation (GIF)"),
            ExportKind.SEG: self.tr("Contours (DICOM SEG)"),
            ExportKind.SR: self.tr("Measurements (DICOM SR)"),
            ExportKind.DICOM_PDF: self.tr("Report (DICOM PDF)"),
            ExportKind.NIFTI: self.tr("Label volume (NIfTI)"),
        }[kind]

    @property
    def kind(self) -> ExportKind:
        """The kind whose options are shown."""
        return KINDS[max(self.currentRow(), 0)]

    @property
    def ticked(self) -> frozenset[ExportKind]:
        """The kinds that are to be written."""
        return frozenset(
            kind
            for kind, item in zip(KINDS, self._items(), strict=True)
            if item.checkState() is _ON and item.flags() & Qt.ItemFlag.ItemIsUserCheckable
        )

    def show_kind(self, kind: ExportKind) -> None:
        """Select a kind."""
        self.setCurrentRow(KINDS.index(kind))

    def tick(self, kinds: Iterable[ExportKind]) -> None:
        """Tick these kinds and no others."""
        wanted = frozenset(kinds)
        for kind, item in zip(KINDS, self._items(), strict=True):
            item.setCheckState(_ON if kind in wanted else _OFF)

    def offer(self, kind: ExportKind, reason: str = "") -> None:
        """Let a kind be ticked or, with the reason why, not; its options can be seen anyway."""
        item = self.item(KINDS.index(kind))
        tickable = Qt.ItemFlag.ItemIsUserCheckable
        with QSignalBlocker(self):  # only the operator's ticks are told
            item.setFlags(item.flags() & ~tickable if reason else item.flags() | tickable)
            item.setForeground(QColor(theme.QUIET if reason else theme.TEXT))
            item.setToolTip(reason)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]


class _WideTick(QStyledItemDelegate):
    """Takes clicks beside the small box too: the whole left end of a row ticks it."""

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        """Tick or untick on a click at the left end, and on what the style takes as one."""
        if not isinstance(event, QMouseEvent):
            return super().editorEvent(event, model, option, index)
        rect = option.rect
        if event.position().x() > rect.left() + _TICK_PX:
            return False
        tickable = index.flags() & Qt.ItemFlag.ItemIsUserCheckable
        if event.type() == QEvent.Type.MouseButtonRelease and tickable:
            on = Qt.CheckState(index.data(_TICK)) is _ON
            model.setData(index, _OFF if on else _ON, _TICK)
        return True
