"""The pullback figure of the report: its axis with marked frames, calcium map and trends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.along_pullback import calcium_rays, shadow_rays, trends_of
from calcviewer.app.lesion_report.context import ReportContext
from calcviewer.app.lesion_report.lesion import in_force
from calcviewer.modalities.ivoct.centroid_rays import RAYS
from calcviewer.modalities.ivoct.lesion import Lesion
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.report.content import CalciumMap, Flag, PullbackAxis, Tone, Trend

_DEFAULT_CUT_DEG = 90.0
_UNKNOWN_THICKNESS_MM = 0.5


def pullback_axis(context: ReportContext, leading: Lesion | None) -> PullbackAxis:
    """Return the frames as an axis, with the marked frames of the leading lesion."""
    study = context.study
    pitch = study.calibration.frame_pitch_mm if study.pullback.motorised else None
    # A motorised pullback starts at the far end; by hand, nobody knows.
    known = study.pullback.motorised and study.pullback.frame_count > 1
    ends = ("distal", "proximal") if known else ("first frame", "last frame")
    return PullbackAxis(
        frame_count=study.pullback.frame_count,
        pitch_mm=pitch.value if pitch else None,
        start_label=ends[0],
        end_label=ends[1],
        voi=study.review.voi,
        flags=_flags(context, leading),
    )


def _flags(context: ReportContext, lesion: Lesion | None) -> tuple[Flag, ...]:
    """Return the marked frames of the lesion that the first page shows."""
    region = lesion.frame_range if lesion else context.study.review.voi
    vessel = context.vessel(region)
    lumens = (
        ("MLA", vessel.minimum_lumen, Tone.LUMEN),
        ("reference", vessel.distal_reference, Tone.NEUTRAL),
        ("reference", vessel.proximal_reference, Tone.NEUTRAL),
    )
    flags = [Flag(lumen.frame, text, tone) for text, lumen, tone in lumens if lumen is not None]
    if lesion is not None:
        maxima = (
            ("max arc", in_force(lesion).max_arc_frame, Tone.CALCIUM),
            ("max thickness", lesion.max_thickness_frame, Tone.THICKNESS),
        )
        flags += [Flag(frame, text, tone) for text, frame, tone in maxima if frame is not None]
    return tuple(flags)


def cut_deg(context: ReportContext, leading: Lesion | None) -> float:
    """Return a cut line through the middle of the leading lesion's largest arc."""
    frame = in_force(leading).max_arc_frame if leading else None
    measured = None if frame is None else context.results.frames[frame]
    if measured is None or not measured.visible_arcs:
        return _DEFAULT_CUT_DEG
    return max(measured.visible_arcs, key=lambda arc: arc.extent_deg).centre_deg


def calcium_map(context: ReportContext) -> CalciumMap:
    """Return the vessel unrolled about the lumen centre."""
    frames = context.results.frames
    thickness_mm = np.full((RAYS, len(frames)), np.nan)
    shadow = np.zeros(thickness_mm.shape, dtype=np.bool_)
    for index, frame in enumerate(frames):
        if frame is not None:
            thickness_mm[:, index] = _thickness_by_ray(frame)
            shadow[:, index] = shadow_rays(frame)
    return CalciumMap(
        thickness_mm=thickness_mm,
        shadow=shadow,
        measured=np.array([frame is not None for frame in frames]),
        scale_known=context.study.calibration.scaled,
    )


def _thickness_by_ray(frame: FrameMeasurement) -> NDArray[np.float64]:
    """Return the thickness on every ray; without a scale only where calcium is."""
    if frame.thickness_by_ray_mm is not None:
        return frame.thickness_by_ray_mm
    return np.where(calcium_rays(frame), _UNKNOWN_THICKNESS_MM, np.nan)


def trends(context: ReportContext) -> tuple[Trend, ...]:
    """Return the curves over the frames, without those that have no value at all."""
    found = trends_of(context.results.frames, context.study.protocol)
    return tuple(trend for trend in found if np.isfinite(trend.values).any())
