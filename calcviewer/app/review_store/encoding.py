"""What a step changed in the review, as bytes and plain values that are read back exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

import numpy as np

from calcviewer.core.annotation import (
    FrameAnnotation,
    Provenance,
    moved_radially,
    points_moved_radially,
)
from calcviewer.core.contour import Contour, Points
from calcviewer.core.doubt import CalciumDoubt
from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.core.from_json import parsed, value_of
from calcviewer.core.geometry import Arc, Grid
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision, Review

BY_FRAME = ("excluded", "comments", "free_measurements")
SETS = ("confirmed_frames", "confirmed_lesions", "bookmarks", "interpolated")
WHOLE = ("guidewire_decisions", "voi", "calibration")
_PARTS = get_type_hints(Review)
_LENGTH_BYTES = 4
_FARTHEST_MM = 1e6
"""No point of a review lies farther from the catheter, whatever the calibration."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What makes one review out of another.

    Parameters
    ----------
    edits
        The annotation now in force of every frame (0-based) whose edit is another one; None where
        the edit was taken away.
    others
        Every other part of the review that is another one, as values for JSON: for parts by frame
        ``{"set": {frame: value}, "gone": [frame]}``, for sets ``{"in": [..], "out": [..]}``, else
        the new value.
    """

    edits: Mapping[int, FrameAnnotation | None]
    others: Mapping[str, Any]


def changes_between(before: Review, after: Review) -> Changes:
    """Return what makes ``after`` out of ``before``."""
    edits: dict[int, FrameAnnotation | None] = {}
    if before.edits is not after.edits:
        frames = before.edits.keys() | after.edits.keys()
        edits = {
            frame: after.edits.get(frame)
            for frame in sorted(frames)
            if before.edits.get(frame) is not after.edits.get(frame)
        }
    others: dict[str, Any] = {}
    for name in BY_FRAME + SETS + WHOLE:
        old, new = getattr(before, name), getattr(after, name)
        if old is new or old == new:
            continue
        if name in BY_FRAME:
            others[name] = {
                "set": {str(key): _plain(new[key]) for key in new if old.get(key) != new[key]},
                "gone": sorted(old.keys() - new.keys()),
            }
        elif name in SETS:
            others[name] = {"in": sorted(new - old), "out": sorted(old - new)}
        else:
            others[name] = _plain(new)
    return Changes(edits, others)


def decides(review: Review) -> bool:
    """Return whether a review holds any decision."""
    changes = changes_between(Review(), review)
    return bool(changes.edits or changes.others)


def applied(changes: Changes, review: Review) -> Review:
    """Return a review with changes made to it.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the changes are not those of this version of the program.
    """
    parts: dict[str, Any] = {}
    if changes.edits:
        parts["edits"] = _updated(review.edits, changes.edits)
    for name, value in changes.others.items():
        if name not in BY_FRAME + SETS + WHOLE:
            raise ValueError(f"a review has no {name}")
        now = getattr(review, name)
        if name in BY_FRAME:
            new = {int(key): _taken(name, entry) for key, entry in _object(value["set"]).items()}
            gone = value_of(tuple[int, ...], value["gone"], name)
            parts[name] = _updated(now, {**new, **dict.fromkeys(gone)})
        elif name in SETS:
            added, gone = (value_of(_PARTS[name], value[key], name) for key in ("in", "out"))
            parts[name] = (now - gone) | added
        else:
            parts[name] = _taken(name, value)
    return replace(review, **parts)


def moved(changes: Changes, source: Grid, target: Grid) -> Changes:
    """Return changes whose contours and points stay on their pixels on another grid."""
    edits = {
        frame: annotation and moved_radially(annotation, source, target)
        for frame, annotation in changes.edits.items()
    }
    others = dict(changes.others)
    if "free_measurements" in others:
        old = others["free_measurements"]
        others["free_measurements"] = {
            "gone": old["gone"],
            "set": {
                frame: [_moved_measurement(one, source, target) for one in measurements]
                for frame, measurements in old["set"].items()
            },
        }
    return Changes(edits, others)


def _moved_measurement(stored: dict[str, Any], source: Grid, target: Grid) -> dict[str, Any]:
    points = points_moved_radially(np.array(stored["points_mm"]), source, target)
    return {"kind": stored["kind"], "points_mm": points.tolist()}


def _updated(old: Mapping[int, Any], new: Mapping[int, Any]) -> Mapping[int, Any]:
    merged = {**old, **new}
    return MappingProxyType({key: value for key, value in merged.items() if value is not None})


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"an object was expected, got {type(value).__name__}")
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a review
    """Return a part of a review as values for JSON."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, FreeMeasurement):
        return {"kind": value.kind, "points_mm": value.points_mm.tolist()}
    if isinstance(value, Calibration):
        entries = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {
            name: entry and [entry.value, entry.origin.value, entry.note] for name, entry in entries
        }
    return asdict(value) if isinstance(value, GuidewireDecision) else value


def _taken(name: str, value: Any) -> Any:  # noqa: ANN401 - any part of a review
    """Return a part of a review from its values in JSON."""
    if name == "free_measurements":
        return tuple(
            FreeMeasurement(one["kind"], _within_reach(np.array(one["points_mm"], np.float64)))
            for one in value
        )
    if name == "calibration" and value is not None:
        entries = _object(value).items()
        return Calibration(**{part: _calibrated(entry) for part, entry in entries})
    kind = _PARTS[name]
    return value_of(get_args(kind)[1] if name in BY_FRAME else kind, value, name)


def _calibrated(entry: object) -> CalibratedValue | None:
    if entry is None:
        return None
    return CalibratedValue(*value_of(tuple[float, Origin, str], entry))


def _within_reach(points_mm: Points) -> Points:
    if not np.all(np.abs(points_mm) <= _FARTHEST_MM):
        raise ValueError("a point lies nowhere")
    return points_mm


# --- annotations ---------------------------------------------------------------------------------


def annotation_bytes(annotation: FrameAnnotation) -> bytes:
    """Return an annotation as bytes.

    Four bytes (little-endian) with the length of a head, the head in JSON, then the points of all
    rings, in the order in which the head names them, as float64 pairs (little-endian).
    """
    rings: list[Points] = []
    head = {
        one.name: _described(getattr(annotation, one.name), rings) for one in fields(annotation)
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    points = np.concatenate(rings).astype("<f8").tobytes() if rings else b""
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + points


def annotation_of(stored: bytes) -> FrameAnnotation:
    """Return the annotation that `annotation_bytes` stored.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the bytes hold none.
    """
    end = _LENGTH_BYTES + int.from_bytes(stored[:_LENGTH_BYTES], "little")
    points = _within_reach(np.frombuffer(stored[end:], dtype="<f8").reshape(-1, 2))
    head = parsed(stored[_LENGTH_BYTES:end])
    at = 0

    def built(value: Any) -> Any:  # noqa: ANN401 - as described
        nonlocal at
        if isinstance(value, list):
            return tuple(built(entry) for entry in value)
        if not isinstance(value, dict):
            return value
        if "arc" in value:
            return Arc(*value_of(tuple[float, float], value["arc"], "arc"))
        if "doubt" in value:
            return CalciumDoubt(*(built(arcs) for arcs in value["doubt"]))
        rings = []
        for length in value_of(tuple[int, ...], value["rings"], "rings"):
            rings.append(points[at : at + length])
            at += length
        outer, *holes = rings
        return Contour(outer, tuple(holes))

    parts = {name: built(value) for name, value in _object(head).items()}
    parts["provenance"] = Provenance(parts["provenance"])
    return _checked(FrameAnnotation(**parts))


def _checked(annotation: FrameAnnotation) -> FrameAnnotation:
    """Return an annotation whose parts are of the types they are declared as.

    Raises
    ------
    ValueError
        When they are not.
    """
    doubt = annotation.doubt
    sound = (
        isinstance(annotation.lumen, Contour | None),
        isinstance(annotation.eel, Contour | None),
        isinstance(annotation.failure, str),
        isinstance(doubt, CalciumDoubt | None),
        _all_are(Contour, annotation.calcium),
        _all_are(Arc, annotation.guidewires),
        _all_are(Arc, annotation.hidden_back),
    )
    if not all(sound) or not (doubt is None or _all_are(Arc, (*doubt.missed, *doubt.doubtful))):
        raise ValueError("a part of the annotation is of another kind")
    return annotation


def _all_are(kind: type, entries: object) -> bool:
    return isinstance(entries, tuple) and all(isinstance(one, kind) for one in entries)


def _described(value: Any, rings: list[Points]) -> Any:  # noqa: ANN401 - a part of an annotation
    if isinstance(value, tuple):
        return [_described(entry, rings) for entry in value]
    if isinstance(value, Contour):
        rings.extend(value.rings_mm)
        return {"rings": [len(ring) for ring in value.rings_mm]}
    if isinstance(value, Arc):
        return {"arc": [value.start_deg, value.extent_deg]}
    if isinstance(value, CalciumDoubt):
        return {"doubt": [_described(arcs, rings) for arcs in (value.missed, value.doubtful)]}
    return value.value if isinstance(value, Provenance) else value
