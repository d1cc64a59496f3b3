"""What label maps alone do not say, as text that travels with them in SEG and NIfTI files.

Scale with its origin, layout, who made which frame, where the back of calcium is hidden, and the
decisions a score rests on. No name, no date, no path, no free text: it identifies nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.errors import CalibrationError
from calcviewer.core.from_json import parsed, record, value_of
from calcviewer.core.geometry import Arc, CartesianGrid, Grid, PolarGrid
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    Layout,
    Origin,
    PolarLayout,
    Pullback,
    check_scale,
)
from calcviewer.core.study import GuidewireDecision, Review
from calcviewer.modalities.ivoct.pictures import Orientation, PolarFrames
from calcviewer.modalities.ivoct.protocol import Protocol

_VERSION = 1
_LENGTHS = ("sample_spacing_mm", "frame_pitch_mm", "zero_radius_mm")
_DECISIONS = tuple[tuple[int, int, bool], ...]
_ARCS = tuple[tuple[float, float], ...]
NOT_MEASURED = "not segmented"


@dataclass(frozen=True, eq=False)
class ReadingAids:
    """What was written with label maps.

    Parameters
    ----------
    provenance
        Of every frame (0-based) that has an annotation.
    hidden_back
        Of the frames in which the back border of calcium is hidden somewhere.
    orientation
        How stored A-lines become canonical ones; None where they are already.
    """

    frame_count: int
    layout: Layout
    calibration: Calibration
    working_spacing_mm: float
    motorised: bool
    protocol: Protocol
    review: Review
    provenance: Mapping[int, Provenance]
    failed: frozenset[int]
    hidden_back: Mapping[int, tuple[Arc, ...]]
    orientation: Orientation | None = None

    @property
    def grid(self) -> Grid:
        """The grid of the frames, in mm of the calibration that was in force."""
        spacing = self.calibration.sample_spacing_mm
        spacing_mm = self.working_spacing_mm if spacing is None else spacing.value
        layout, zero = self.layout, self.calibration.zero_radius_mm
        if isinstance(layout, CartesianLayout):
            return CartesianGrid(layout.rows, layout.columns, spacing_mm, layout.centre_px)
        zero_mm = 0.0 if zero is None else zero.value
        return PolarGrid(layout.a_lines, layout.samples, spacing_mm, zero_mm)


def orientation_of(pullback: Pullback) -> Orientation | None:
    """Return how the stored A-lines of a pullback became canonical ones."""
    frames = pullback.frames
    return frames.orientation if isinstance(frames, PolarFrames) else None


def aids_text(study: IvoctStudy, *, stored_order: bool) -> str:
    """Return what is to travel with the label maps of a study, as JSON.

    Parameters
    ----------
    stored_order
        Whether the label maps are on the pixels of the source as it is stored.
    """
    pullback = study.calibrated_pullback
    annotations = annotations_in_force(study)
    orientation = orientation_of(pullback) if stored_order else None
    review = study.review
    kind = "polar" if isinstance(pullback.layout, PolarLayout) else "cartesian"
    document = {
        "version": _VERSION,
        "frames": pullback.frame_count,
        "layout": {"kind": kind, **asdict(pullback.layout)},
        "orientation": None if orientation is None else asdict(orientation),
        "calibration": {name: _plain(getattr(study.calibration, name)) for name in _LENGTHS},
        "working_spacing_mm": pullback.working_spacing_mm,
        "motorised": pullback.motorised,
        "protocol": asdict(study.protocol),
        "voi": review.voi,
        "excluded": sorted(review.excluded),
        "guidewire_decisions": [
            [one.first_frame, one.last_frame, one.bridge] for one in review.guidewire_decisions
        ],
        "provenance": {
            kind.value: [k for k, one in annotations.items() if one.provenance is kind]
            for kind in Provenance
        },
        "failed": [k for k, one in annotations.items() if one.failure],
        "hidden_back": {
            str(k): [[arc.start_deg, arc.extent_deg] for arc in one.hidden_back]
            for k, one in annotations.items()
            if one.hidden_back
        },
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def aids_of_text(text: str) -> ReadingAids | None:
    """Read what `aids_text` wrote; None when it is something else, or of a newer version."""
    try:
        document = parsed(text)
        if document["version"] != _VERSION:
            return None
        return _aids(document)
    except (ValueError, KeyError, TypeError, AttributeError, CalibrationError):
        return None


def annotations_in_force(study: IvoctStudy) -> dict[int, FrameAnnotation]:
    """Return the annotation of every frame (0-based) that has one."""
    found = ((k, study.annotation(k)) for k in range(study.pullback.frame_count))
    return {k: one for k, one in found if one is not None}


def _plain(entry: CalibratedValue | None) -> list[Any] | None:
    return None if entry is None else [entry.value, entry.origin.value]


def _aids(document: dict[str, Any]) -> ReadingAids:
    calibration = {
        name: None if entry is None else CalibratedValue(*value_of(tuple[float, Origin], entry))
        for name, entry in document["calibration"].items()
    }
    working_spacing_mm = value_of(float, document["working_spacing_mm"])
    check_scale("the working spacing", working_spacing_mm)
    excluded = value_of(tuple[int, ...], document["excluded"])
    voi = value_of(tuple[int, int] | None, document["voi"])
    if voi is not None and not 0 <= voi[0] <= voi[1] < document["frames"]:
        raise ValueError(f"VOI {voi}")
    review = Review(
        voi=voi,
        excluded=MappingProxyType(dict.fromkeys(excluded, "excluded")),
        guidewire_decisions=tuple(
            GuidewireDecision(first, last, bridge, "", "")
            for first, last, bridge in value_of(_DECISIONS, document["guidewire_decisions"])
        ),
    )
    makers = value_of(Mapping[str, tuple[int, ...]], document["provenance"])
    hidden = value_of(Mapping[int, _ARCS], document["hidden_back"])
    return ReadingAids(
        frame_count=value_of(int, document["frames"]),
        layout=_layout(document["layout"]),
        calibration=Calibration(**calibration),
        working_spacing_mm=working_spacing_mm,
        motorised=value_of(bool, document["motorised"]),
        protocol=record(Protocol, document["protocol"]),
        review=review,
        provenance=MappingProxyType(
            {k: Provenance(kind) for kind, frames in makers.items() for k in frames}
        ),
        failed=value_of(frozenset[int], document["failed"]),
        hidden_back=MappingProxyType(
            {k: tuple(Arc(*arc) for arc in arcs) for k, arcs in hidden.items()}
        ),
        orientation=value_of(Orientation | None, document["orientation"]),
    )


def _layout(document: Mapping[str, Any]) -> Layout:
    values = {name: value for name, value in document.items() if name != "kind"}
    kind = PolarLayout if document["kind"] == "polar" else CartesianLayout
    layout: Layout = value_of(kind, values, "layout")
    return layout
