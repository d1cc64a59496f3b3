"""The numbers of the frame on screen, who drew it, and the lumen along the vessel."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget

from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.study import Review
from calcviewer.gui import theme
from calcviewer.gui.panels.card import Card, Row, cell, chip, quiet, stack, warning
from calcviewer.gui.panels.figures import NOTHING, number
from calcviewer.gui.panels.panel import Panel
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.vessel import LumenAt, VesselSummary


class _Lines(QWidget):
    """Names with figures, which may lead to a frame."""

    def __init__(
        self, state: ViewState, names: dict[str, str], parent: QWidget, *, height_px: int
    ) -> None:
        super().__init__(parent)
        self._figures: dict[str, QLabel] = {}
        self._rows: dict[str, Row] = {}
        for key, name in names.items():
            self._figures[key] = cell()
            row = Row(name, (self._figures[key],), self, height_px=height_px)
            row.clicked.connect(
                lambda _=False, row=row: None if row.frame is None else state.go_to(row.frame)
            )
            self._rows[key] = row
        stack(self, *self._rows.values()).setSpacing(0)

    def leading(self, key: str) -> Row:
        """Return a row that may lead to a frame."""
        return self._rows[key]

    def show_texts(self, texts: dict[str, str]) -> None:
        """Show the figures."""
        for key, text in texts.items():
            self._figures[key].setText(text)


class FramePanel(Panel):
    """What is measured in the frame on screen, and in the vessel."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._frame_card = Card("")
        self._stamp = self._frame_card.aside
        self._empty = quiet("", wrap=True)
        self._warning = warning()
        self._origin = quiet("", wrap=True)
        self._lines = _Lines(
            state,
            {
                "arc": self.tr("Maximum arc"),
                "thickness": self.tr("Thickness, max · mean"),
                "depth": self.tr("Depth, min · mean"),
                "calcium": self.tr("Calcium area"),
                "quadrants": self.tr("Quadrants with calcium"),
                "lumen": self.tr("Lumen area"),
                "diameter": self.tr("Lumen diameter"),
                "eel": self.tr("EEL area · plaque burden"),
            },
            self,
            height_px=theme.HIT_PX - 6,
        )
        for widget in (self._empty, self._warning, self._lines, self._origin):
            self._frame_card.body.addWidget(widget)
        self._vessel_card = Card(self.tr("Vessel"))
        self._vessel = _Lines(
            state,
            {
                "mla": self.tr("MLA"),
                "distal": self.tr("Reference (distal)"),
                "proximal": self.tr("Reference (proximal)"),
                "stenosis": self.tr("Area stenosis"),
            },
            self,
            height_px=theme.HIT_PX,
        )
        self._vessel_note = quiet("", wrap=True)
        self._vessel_card.body.addWidget(self._vessel)
        self._vessel_card.body.addWidget(self._vessel_note)
        stack(self, self._frame_card, self._vessel_card)
        self.refresh()

    def refresh(self) -> None:
        """Show the frame on screen."""
        shown, frame = self._shown, self._state.frame
        known = shown is not None and frame < shown.session.study.pullback.frame_count
        self._vessel_card.setVisible(known)
        if shown is None or not known:
            self._show_nothing(self.tr("Frame"), self.tr("The numbers of a frame appear here."))
            return
        study, results = shown.session.study, shown.session.results
        title = self.tr("Frame {n} of {count}")
        title = title.format(n=frame + 1, count=study.pullback.frame_count)
        annotation = study.annotation(frame)
        measured = results.frames[frame]
        fault = self._fault(frame, annotation, study.review) or shown.pictures.fault(frame)
        if measured is None:
            words = "" if fault else self.tr("Not segmented yet.")
            self._show_nothing(title, words)
        else:
            self._show_measured(title, measured)
        self._warning.setText(fault)
        self._warning.setVisible(bool(fault))
        self._show_origin(frame, annotation, study.review)
        self._show_vessel(results.vessel)

    def _show_nothing(self, title: str, words: str) -> None:
        self._frame_card.title.setText(title)
        self._empty.setText(words)
        self._empty.setVisible(bool(words))
        for widget in (self._stamp, self._warning, self._lines, self._origin):
            widget.hide()

    def _show_measured(self, title: str, measured: FrameMeasurement) -> None:
        self._frame_card.title.setText(title)
        self._empty.hide()
        self._lines.show()
        arc = number(measured.max_arc_deg_visible, "°", 0)
        if measured.max_arc_deg_bridged != measured.max_arc_deg_visible:
            bridged = number(measured.max_arc_deg_bridged, "°", 0)
            arc = self.tr("{visible} visible · {bridged} bridged").format(
                visible=arc, bridged=bridged
            )
        self._lines.leading("eel").setVisible(measured.eel_area_mm2 is not None)
        eel, burden = measured.eel_area_mm2, measured.plaque_burden_percent
        cap = "≥ " if measured.thickness_capped else ""
        self._lines.show_texts(
            {
                "arc": arc,
                "thickness": cap + _pair(measured.max_thickness_mm, measured.mean_thickness_mm),
                "depth": _pair(measured.min_depth_mm, measured.mean_depth_mm),
                "calcium": number(measured.calcium_area_mm2, "mm²"),
                "quadrants": NOTHING if measured.quadrants is None else str(measured.quadrants),
                "lumen": number(measured.lumen_area_mm2, "mm²"),
                "diameter": _pair(
                    measured.min_lumen_diameter_mm, measured.max_lumen_diameter_mm, "–"
                ),
                "eel": f"{number(eel, 'mm²')} · {number(burden, '%', 0)}",
            }
        )

    def _fault(self, frame: int, annotation: FrameAnnotation | None, review: Review) -> str:
        """Return why the frame is not measured; empty when it is, or merely not yet."""
        if frame in review.excluded:
            reason = review.excluded[frame] or self.tr("no reason given")
            return self.tr("Excluded: {reason}.").format(reason=reason)
        if annotation is not None and annotation.failure:
            return self.tr("Not segmented: {reason}").format(reason=annotation.failure)
        return ""

    def _show_origin(self, frame: int, annotation: FrameAnnotation | None, review: Review) -> None:
        confirmed = frame in review.confirmed_frames
        self._stamp.setText(self.tr("confirmed") if confirmed else "")
        self._stamp.setVisible(confirmed)
        chip(self._stamp, ink="#56d364", surface="#12321d")
        words = []
        if frame in review.interpolated:
            words.append(self.tr("Contours: interpolated between corrected frames"))
        elif annotation is not None and annotation.taken_from:
            words.append(self.tr("Contours: from {name}").format(name=annotation.taken_from))
        elif annotation is not None and not annotation.failure:
            words.append(
                {
                    Provenance.AUTOMATIC: self.tr("Contours: model"),
                    Provenance.SEMIAUTOMATIC: self.tr("Contours: model, corrected"),
                    Provenance.MANUAL: self.tr("Contours: drawn by hand"),
                }[annotation.provenance]
            )
        if frame in review.bookmarks:
            words.append(self.tr("bookmarked"))
        if review.comments.get(frame):
            words.append(f"“{review.comments[frame]}”")
        self._origin.setText(" · ".join(words))
        self._origin.setVisible(bool(words))

    def _show_vessel(self, vessel: VesselSummary) -> None:
        self._vessel.show_texts(
            {
                "mla": self._lumen(vessel.minimum_lumen),
                "distal": self._lumen(vessel.distal_reference),
                "proximal": self._lumen(vessel.proximal_reference),
                "stenosis": number(vessel.area_stenosis_percent, "%", 0),
            }
        )
        lumens = {
            "mla": vessel.minimum_lumen,
            "distal": vessel.distal_reference,
            "proximal": vessel.proximal_reference,
        }
        for key, lumen in lumens.items():
            frame = None if lumen is None else lumen.frame
            tip = "" if frame is None else self.tr("Go to frame {n}").format(n=frame + 1)
            self._vessel.leading(key).lead_to(frame, tip)
        why = vessel.references_unavailable
        words = self.tr("No references: {why}.").format(why=why) if why else ""
        self._vessel_note.setText(words)
        self._vessel_note.setVisible(bool(words))

    def _lumen(self, lumen: LumenAt | None) -> str:
        if lumen is None:
            return NOTHING
        frame = self.tr("frame {n}").format(n=lumen.frame + 1)
        return f"{number(lumen.area_mm2, 'mm²')} · {frame}"


def _pair(first: float | None, second: float | None, between: str = " · ") -> str:
    """Return two lengths, mm, with one unit."""
    if first is None and second is None:
        return NOTHING
    return f"{number(first)}{between}{number(second, 'mm')}"
