"""The lesions of the pullback."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QWidget

from calcviewer.app.lesion_report.lesion import in_force, score_text
from calcviewer.app.review import lesion_in_view, segmentation_progress
from calcviewer.app.session import Facet
from calcviewer.gui.panels.card import Card, quiet, stack
from calcviewer.gui.panels.figures import frame_range, number
from calcviewer.gui.panels.panel import DECIDING, Panel
from calcviewer.gui.table import Column, FrameTable
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.lesion import Lesion


class LesionsPanel(Panel):
    """One row a lesion; choosing one leads to its maximum arc."""

    facets: ClassVar[frozenset[Facet]] = DECIDING

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._lesions: tuple[Lesion, ...] = ()
        self._card = Card(self.tr("Lesions"))
        self._empty = quiet("", wrap=True)
        self.table = FrameTable(
            (
                Column(self.tr("lesion")),
                Column(self.tr("frames"), stretches=True, figures=True),
                Column(self.tr("mm"), figures=True),
                Column(self.tr("arc"), figures=True),
                Column(self.tr("thick"), figures=True),
                Column(self.tr("score"), figures=True),
            ),
            fitted=True,
        )
        self.table.chosen.connect(self._go)
        self._card.body.addWidget(self._empty)
        self._card.body.addWidget(self.table)
        stack(self, self._card)
        self.refresh()

    def refresh(self) -> None:
        """Show the lesions as they are."""
        self._lesions = ()
        if self._shown is not None:
            results = self._shown.session.results
            self._lesions = results.lesions
        self.table.setVisible(bool(self._lesions))
        self._empty.setVisible(not self._lesions)
        self._empty.setText(
            self.tr("Lesions appear here when a pullback is open and segmented.")
            if self._shown is None
            else self.tr("No calcified frame so far.")
        )
        self._card.aside.setText("")
        if self._shown is None or not self._lesions:
            self.table.show_rows(())
            return
        marked = lesion_in_view(results, self._state.frame)
        study = self._shown.session.study
        confirmed = study.review.confirmed_lesions
        segmented = segmentation_progress(study)
        running = segmented.done < segmented.total  # frames to come may change any score
        self._show_rule(self._lesions[0])
        self.table.show_rows(
            [
                self._texts(
                    place,
                    lesion,
                    # While the guidewire decides there is no score that anybody confirmed.
                    confirmed=lesion.frame_range in confirmed and lesion.verdict is not None,
                    running=running,
                )
                for place, lesion in enumerate(self._lesions, start=1)
            ]
        )
        self.table.mark_row(None if marked is None else self._lesions.index(marked))

    def _texts(
        self, place: int, lesion: Lesion, *, confirmed: bool, running: bool
    ) -> tuple[str, ...]:
        cap = "≥ " if lesion.thickness_capped else ""
        score = score_text(lesion)
        thickness = number(lesion.max_thickness_mm)
        return (
            f"{place} ✓" if confirmed else str(place),
            frame_range(*lesion.frame_range),
            number(lesion.length_mm),
            number(in_force(lesion).max_arc_deg, "°", 0),
            thickness if lesion.max_thickness_mm is None else cap + thickness,
            self.tr("{score} so far").format(score=score) if running else score,
        )

    def _show_rule(self, lesion: Lesion) -> None:
        assert self._shown is not None
        study = self._shown.session.study
        protocol = study.protocol
        if study.review.voi is not None:
            words = self.tr("one in the VOI")
        elif study.calibration.frame_pitch_mm is None or not study.pullback.motorised:
            words = self.tr("gap rule {n} frames").format(n=protocol.lesion_gap_frames)
        else:
            words = self.tr("gap rule {n:.1f} mm").format(n=protocol.lesion_gap_mm)
        self._card.aside.setText(words)
        self._card.aside.setToolTip(lesion.grouping)

    def _go(self, row: int) -> None:
        if 0 <= row < len(self._lesions):
            lesion = self._lesions[row]
            frame = in_force(lesion).max_arc_frame
            self._state.go_to(lesion.first_frame if frame is None else frame)
