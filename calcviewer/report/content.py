"""What a report says, free of any modality and of any page: frozen values that pages draw.

Frames are 0-based here and printed 1-based. Images are RGB uint8. Values arrive as they are to be
printed, with "—" where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc

FloatArray = NDArray[np.floating]
RgbImage = NDArray[np.uint8]

NOTHING = "—"
RESEARCH_USE = "Research use only. Not for diagnostic use."


class Tone(Enum):
    """The structure that a mark or a curve belongs to; it decides the colour."""

    LUMEN = "lumen"
    CALCIUM = "calcium"
    THICKNESS = "thickness"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Row:
    """One printed value with its name and a remark that belongs to it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A printed table; ``note`` stands below it."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Standing(Enum):
    """How a component counts: it scores, it does not, nobody has decided, or it is set aside."""

    SCORES = "scores"
    ZERO = "zero"
    OPEN = "open"
    ASIDE = "aside"


@dataclass(frozen=True)
class Criterion:
    """One component of the score; ``note`` stands below its name."""

    name: str
    value: str
    threshold: str
    margin: str
    points: str
    standing: Standing
    where: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """One frame in both views.

    Parameters
    ----------
    frame
        0-based.
    cross_section
        Square RGB image that shows the disc of ``radius_mm`` about the catheter.
    polar
        RGB ``[depth, angle]``: angle 0 to 360 degrees to the right, radius 0 to ``radius_mm`` down.
    scale_known
        False while a calibration value is unknown: no scale bar is drawn then.
    centre_mm, arc
        O and the maximum arc seen from it, drawn as its bounding rays.
    """

    title: str
    frame: int
    caption: str
    cross_section: RgbImage
    polar: RgbImage
    radius_mm: float
    annotation: FrameAnnotation
    scale_known: bool
    centre_mm: tuple[float, float] | None = None
    arc: Arc | None = None


@dataclass(frozen=True, eq=False)
class LesionSection:
    """One lesion: its score, how it came about, and its key frames.

    ``score`` is what is printed large: "3", "2 or 4" or "—". ``guidewire_decides`` and ``missing``
    are drawn as warnings.
    """

    number: int
    first_frame: int
    last_frame: int
    reviewed: bool
    score: str
    verdict: str
    criteria: tuple[Criterion, ...]
    guidewire: str
    guidewire_decides: bool = False
    probability: str = ""
    missing: tuple[str, ...] = ()
    measurements: tuple[Row, ...] = ()
    key_frames: tuple[KeyFrame, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """A marked frame above the longitudinal view."""

    frame: int
    text: str
    tone: Tone


@dataclass(frozen=True)
class PullbackAxis:
    """The frames as the horizontal axis of the longitudinal view, map and trends."""

    frame_count: int
    pitch_mm: float | None
    start_label: str
    end_label: str
    voi: tuple[int, int] | None = None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, eq=False)
class Longitudinal:
    """The longitudinal view along one cut line.

    Parameters
    ----------
    image
        RGB ``[height, frame columns]``; rows run from ``+half_height_mm`` at the side of
        ``cut_deg`` to the opposite side.
    lumen_mm
        Lumen border, shape ``(2, frames)``: distance above (row 0, at ``cut_deg``) and below the
        catheter; NaN where there is none.
    calcium, shadow
        Regions with ``x`` in frames (frame i spans i to i + 1) and ``y`` in mm, up positive.
    """

    image: RgbImage
    half_height_mm: float
    cut_deg: float
    scale_known: bool
    lumen_mm: FloatArray
    calcium: tuple[Contour, ...] = ()
    shadow: tuple[Contour, ...] = ()


@dataclass(frozen=True, eq=False)
class CalciumMap:
    """The vessel unrolled: thickness of calcium over angle and frame.

    Parameters
    ----------
    thickness_mm
        Shape ``(angles, frames)``; NaN where there is no calcium.
    shadow
        Guidewire shadow, same shape.
    measured
        Shape ``(frames,)``: False for frames that were excluded, failed or not segmented.
    """

    thickness_mm: FloatArray
    shadow: NDArray[np.bool_]
    measured: NDArray[np.bool_]
    scale_known: bool


@dataclass(frozen=True, eq=False)
class Trend:
    """One curve over the frames, NaN where nothing was measured.

    ``second`` is a dashed companion curve, ``threshold`` a horizontal line.
    """

    title: str
    unit: str
    values: FloatArray
    tone: Tone
    threshold: float | None = None
    second: FloatArray | None = None
    second_title: str = ""
    decimals: int = 1


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything a report prints. The first lesion is the one the first page shows."""

    title: str
    name: str
    generated: str
    program: str
    reviewed: bool
    simulated: bool
    identification: tuple[Row, ...]
    calibration: tuple[Row, ...]
    axis: PullbackAxis
    lesions: tuple[LesionSection, ...]
    no_lesion_text: str = ""
    longitudinal: Longitudinal | None = None
    calcium_map: CalciumMap | None = None
    trends: tuple[Trend, ...] = ()
    vessel_key_frames: tuple[KeyFrame, ...] = ()
    lesion_table: Table | None = None
    vessel: tuple[Row, ...] = ()
    protocol: tuple[Row, ...] = ()
    model: tuple[Row, ...] = ()
    notes: tuple[str, ...] = field(default=())
