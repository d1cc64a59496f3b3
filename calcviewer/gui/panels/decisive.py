"""The frames whose correction alone can change the score, as a queue to review."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QWidget

from calcviewer.app.review import confirmation_progress, lesion_in_view, lesion_number
from calcviewer.app.session import Facet
from calcviewer.gui.panels.card import Card, quiet, stack
from calcviewer.gui.panels.figures import decisive_value, split_reason
from calcviewer.gui.panels.panel import DECIDING, Panel
from calcviewer.gui.table import Column, FrameTable
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.lesion import Lesion


class DecisivePanel(Panel):
    """The frames whose correction alone can change the score, and which of them are confirmed."""

    facets: ClassVar[frozenset[Facet]] = DECIDING

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._frames: tuple[int, ...] = ()
        self._card = Card(self.tr("Decisive frames"))
        self._empty = quiet("", wrap=True)
        self.table = FrameTable(
            (
                Column(self.tr("frame")),
                Column(self.tr("why"), stretches=True),
                Column(self.tr("now"), figures=True),
                Column("", figures=True),
            ),
            fitted=True,
        )
        self.table.chosen.connect(self._go)
        self._card.body.addWidget(self._empty)
        self._card.body.addWidget(self.table)
        stack(self, self._card)
        self.refresh()

    def refresh(self) -> None:
        """Show the decisive frames of the lesion in view."""
        lesion = None
        if self._shown is not None:
            lesion = lesion_in_view(self._shown.session.results, self._state.frame)
        self.table.setVisible(lesion is not None)
        self._empty.setVisible(lesion is None)
        self._empty.setText(
            self.tr("The frames that decide the score appear here once a lesion is found.")
        )
        if lesion is None or self._shown is None:
            self._frames = ()
            self._card.title.setText(self.tr("Decisive frames"))
            self._card.aside.setText("")
            self.table.show_rows(())
            return
        self._show_lesion(lesion)

    def _show_lesion(self, lesion: Lesion) -> None:
        assert self._shown is not None
        study, results = self._shown.session.study, self._shown.session.results
        decisive = lesion.decisive_frames
        self._frames = tuple(one.frame for one in decisive)
        progress = confirmation_progress(decisive, study.review)
        title = self.tr("Decisive frames")
        if len(results.lesions) > 1:
            title = self.tr("Decisive frames · lesion {number}").format(
                number=lesion_number(results, lesion)
            )
        self._card.title.setText(title)
        words = self.tr("{done} of {total} confirmed · N next")
        self._card.aside.setText(words.format(done=progress.done, total=progress.total))
        confirmed = study.review.confirmed_frames
        here = self._state.frame
        self.table.show_rows(
            [
                (
                    str(one.frame + 1),
                    ",\n".join(self._reason(reason) for reason in one.reasons),
                    decisive_value(results.frames[one.frame], one.reasons),
                    "●" if one.frame in confirmed else "○",
                )
                for one in decisive
            ]
        )
        self.table.mark_row(self._frames.index(here) if here in self._frames else None)

    def _reason(self, reason: str) -> str:
        """Return a reason as briefly as a table needs it, with the protocol's numbers."""
        assert self._shown is not None
        protocol = self._shown.session.study.protocol
        arc, thickness = protocol.arc_threshold_deg, protocol.thickness_threshold_mm
        words, near_length = split_reason(reason)
        brief = {
            "maximum arc": self.tr("maximum arc"),
            "maximum bridged arc": self.tr("maximum bridged arc"),
            "maximum thickness": self.tr("maximum thickness"),
            "guidewire decides": self.tr("guidewire decides"),
            "arc near its threshold": self.tr("arc near {n:g}°").format(n=arc),
            "thickness near its threshold": self.tr("near {n:g} mm").format(n=thickness),
            "first frame of the lesion": self.tr("lesion start"),
            "last frame of the lesion": self.tr("lesion end"),
        }.get(words, words)
        near = self.tr("length near {n:g} mm").format(n=protocol.length_threshold_mm)
        return f"{brief},\n{near}" if near_length else brief

    def _go(self, row: int) -> None:
        if 0 <= row < len(self._frames):
            self._state.go_to(self._frames[row])
