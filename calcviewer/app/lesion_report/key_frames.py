"""Key frames of the report: both views of a frame with its contours and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from calcviewer.app.lesion_report.context import ReportContext, number
from calcviewer.app.lesion_report.frames import view_radius_mm
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import Arc
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.report.content import KeyFrame


def key_frames(
    titles: Mapping[int, list[str]], context: ReportContext, *, bridge: bool = False
) -> tuple[KeyFrame, ...]:
    """Return frames (0-based) in both views; frames that cannot be read are left out."""
    found = {frame: context.study.annotation(frame) for frame in titles}
    annotations = {frame: it for frame, it in found.items() if it is not None}
    # All of them at one scale.
    radius_mm = view_radius_mm(context.study.calibrated_pullback, annotations.values())
    made = []
    for frame, annotation in annotations.items():
        names = titles[frame]
        title = " · ".join([names[0], *(_continued(name) for name in names[1:])])
        with suppress(CalcViewerError):
            key = _key_frame(frame, annotation, radius_mm, context, bridge=bridge)
            made.append(replace(key, title=title))
    return tuple(made)


def _continued(title: str) -> str:
    """Return a title as it stands behind another: in lower case, but for abbreviations."""
    return title if title.isupper() else title[0].lower() + title[1:]


def _key_frame(
    frame: int,
    annotation: FrameAnnotation,
    radius_mm: float,
    context: ReportContext,
    *,
    bridge: bool,
) -> KeyFrame:
    measured = context.results.frames[frame]
    size_px = context.size_px
    centre = annotation.lumen.centroid_mm if annotation.lumen is not None else None
    return KeyFrame(
        title="",
        frame=frame,
        caption=_caption(measured, annotation, confirmed=frame in _confirmed(context)),
        cross_section=context.pictures.cross_section(frame, radius_mm=radius_mm, size_px=size_px),
        polar=context.pictures.polar(frame, radius_mm=radius_mm, size_px=size_px),
        radius_mm=radius_mm,
        annotation=annotation,
        scale_known=context.study.calibration.scaled,
        centre_mm=centre,
        arc=_largest_arc(measured, bridge=bridge),
    )


def _confirmed(context: ReportContext) -> frozenset[int]:
    return context.study.review.confirmed_frames


def _largest_arc(measured: FrameMeasurement | None, *, bridge: bool) -> Arc | None:
    if measured is None:
        return None
    arcs = measured.bridged_arcs if bridge else measured.visible_arcs
    return max(arcs, key=lambda arc: arc.extent_deg, default=None)


def _caption(
    measured: FrameMeasurement | None, annotation: FrameAnnotation, *, confirmed: bool
) -> str:
    parts = []
    if measured is not None:
        visible, bridged = measured.max_arc_deg_visible, measured.max_arc_deg_bridged
        parts.append(f"arc {number(visible, '°', 0)} visible, {number(bridged, '°', 0)} bridged")
        values: list[tuple[str, Callable[[FrameMeasurement], float | None], str]] = [
            ("thickness", lambda frame: frame.max_thickness_mm, "mm"),
            ("depth", lambda frame: frame.min_depth_mm, "mm"),
            ("lumen", lambda frame: frame.lumen_area_mm2, "mm²"),
        ]
        parts += [f"{name} {number(of(measured), unit)}" for name, of, unit in values]
    parts.append(made_by(annotation) + (", confirmed" if confirmed else ""))
    return " · ".join(parts)


def made_by(annotation: FrameAnnotation) -> str:
    """Return in a word or two how contours came about."""
    if annotation.taken_from:
        return f"from {annotation.taken_from}"
    return {
        Provenance.AUTOMATIC: "automatic",
        Provenance.SEMIAUTOMATIC: "corrected",
        Provenance.MANUAL: "drawn",
    }[annotation.provenance]
