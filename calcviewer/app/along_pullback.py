"""What changes along a pullback: curves over the frames, and calcium by ray and frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.geometry import sectors_mask
from calcviewer.modalities.ivoct.centroid_rays import ray_angles_deg
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.report.content import Tone, Trend


def trends_of(frames: Sequence[FrameMeasurement | None], protocol: Protocol) -> tuple[Trend, ...]:
    """Return the four curves over the frames; NaN where a frame has no value."""

    def curve(of: Callable[[FrameMeasurement], float | None]) -> NDArray[np.float64]:
        values = [None if frame is None else of(frame) for frame in frames]
        return np.array([np.nan if value is None else value for value in values])

    return (
        Trend(
            title="Maximum arc",
            unit="°",
            values=curve(lambda frame: frame.max_arc_deg_visible),
            tone=Tone.CALCIUM,
            threshold=protocol.arc_threshold_deg,
            second=curve(lambda frame: frame.max_arc_deg_bridged),
            second_title="bridged",
        ),
        Trend(
            title="Maximum thickness",
            unit="mm",
            values=curve(lambda frame: frame.max_thickness_mm),
            tone=Tone.THICKNESS,
            threshold=protocol.thickness_threshold_mm,
        ),
        Trend(
            title="Minimum depth",
            unit="mm",
            values=curve(lambda frame: frame.min_depth_mm),
            tone=Tone.NEUTRAL,
            threshold=protocol.superficial_mm,
        ),
        Trend(
            title="Lumen area",
            unit="mm²",
            values=curve(lambda frame: frame.lumen_area_mm2),
            tone=Tone.LUMEN,
        ),
    )


def calcium_rays(frame: FrameMeasurement) -> NDArray[np.bool_]:
    """Return which rays see calcium, shape ``(360,)``: known without any scale."""
    return sectors_mask(frame.visible_arcs, ray_angles_deg())


def shadow_rays(frame: FrameMeasurement) -> NDArray[np.bool_]:
    """Return which rays lie in a guidewire shadow, shape ``(360,)``."""
    return sectors_mask(frame.shadow_arcs, ray_angles_deg())
