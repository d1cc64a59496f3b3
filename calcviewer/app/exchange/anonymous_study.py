"""A study as it may leave the house: nothing says whose vessel it is, who read it, or when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import to_polar
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    FrameSource,
    Origin,
    Pullback,
    SourceReference,
)
from calcviewer.core.study import Review
from calcviewer.dicom.header import FOR_PROCESSING
from calcviewer.dicom.source import burned_in_annotation

NAME = "De-identified pullback"
_KEPT = ("modality", "manufacturer", "model", "image_compression")
_ARRAYS = ("npy", "npz")


def anonymous(study: IvoctStudy) -> IvoctStudy:
    """Return the study without identity, names, dates, paths and free text.

    Its measurements are the same. Of Cartesian frames, into whose corners consoles write, only the
    image field is left; its notes say what may still be in it.
    """
    pullback = study.pullback
    source = pullback.source
    bare = replace(
        source,
        path=Path("de-identified"),
        sop_instance_uid="",
        study_instance_uid="",
        frame_names=(),
        header=MappingProxyType({k: v for k, v in source.header.items() if k in _KEPT}),
    )
    clean = replace(
        pullback,
        name=NAME,
        source=bare,
        frames=_frames(pullback),
        calibration=_calibration(pullback.calibration),
        notes=(
            *(note for note in pullback.notes if not _names(note, pullback)),
            *burned_in_warnings(pullback),
        ),
    )
    predictions = {k: _annotation(one) for k, one in study.predictions.items()}
    return replace(
        study,
        pullback=clean,
        predictions=MappingProxyType(predictions),
        review=_review(study.review),
    )


def burned_in_warnings(pullback: Pullback) -> tuple[str, ...]:
    """Return what must be said before pictures of a pullback leave the house; often nothing.

    By Burned In Annotation (0028,0301) of the source. Arrays, A-lines as they were acquired, and
    images that say they hold no text, need no warning.
    """
    source = pullback.source
    stated = burned_in_annotation(_one_file(source)) if source.kind == "dicom" else ""
    if source.sop_class_uid == FOR_PROCESSING or source.kind in _ARRAYS or stated == "NO":
        return ()
    known = "says that" if stated == "YES" else "does not say whether"
    rest = "text in them"
    if isinstance(pullback.layout, CartesianLayout):
        rest = "only the round image field is shown, and text within it"
    return (
        f"The source {known} text is written into its images (Burned In Annotation): {rest} is not "
        "removed. Look at the pictures before they leave the house.",
    )


def _one_file(source: SourceReference) -> Path:
    """Return the file of a source, the first one of a series."""
    if not source.path.is_dir():
        return source.path
    stems = set(source.frame_names)
    files = sorted(one for one in source.path.iterdir() if one.stem in stems)
    return files[0] if files else source.path


def _review(review: Review) -> Review:
    own = review.calibration
    edits = {k: _annotation(one) for k, one in review.edits.items()}
    return replace(
        review,
        edits=MappingProxyType(edits),
        excluded=MappingProxyType(dict.fromkeys(review.excluded, "by the operator")),
        guidewire_decisions=tuple(
            replace(one, operator="", when="date removed") for one in review.guidewire_decisions
        ),
        comments=MappingProxyType({}),
        calibration=None if own is None else _calibration(own),
    )


def _annotation(annotation: FrameAnnotation) -> FrameAnnotation:
    """Return the annotation; why a frame failed may name the file, a program its house."""
    if not annotation.failure and not annotation.taken_from:
        return annotation
    return replace(
        annotation,
        failure="not segmented" if annotation.failure else "",
        taken_from="another program" if annotation.taken_from else "",
    )


def _calibration(calibration: Calibration) -> Calibration:
    """Return the calibration without what an operator typed."""

    def clean(value: CalibratedValue | None) -> CalibratedValue | None:
        if value is None or value.origin is not Origin.OPERATOR:
            return value
        return replace(value, note="")

    return Calibration(
        clean(calibration.sample_spacing_mm),
        clean(calibration.frame_pitch_mm),
        clean(calibration.zero_radius_mm),
    )


def _names(note: str, pullback: Pullback) -> bool:
    """Whether a reader's note names the file or the folder."""
    path = pullback.source.path
    return any(part and part in note for part in (pullback.name, path.name, str(path)))


@dataclass(frozen=True, eq=False)
class _FieldOnly:
    """Frames of which only the round image field is shown."""

    frames: FrameSource
    beyond: NDArray[np.bool_]

    def display(self, index: int) -> NDArray[np.generic]:
        shown = self.frames.display(index).copy()
        shown[self.beyond] = 0
        return shown

    def intensity(self, index: int) -> NDArray[np.float32]:
        return self.frames.intensity(index)


def _frames(pullback: Pullback) -> FrameSource:
    layout = pullback.layout
    if not isinstance(layout, CartesianLayout):
        return pullback.frames
    y_px, x_px = np.mgrid[: layout.rows, : layout.columns]
    _, radius_px = to_polar(np.stack([x_px, y_px], axis=-1) - np.array(layout.centre_px))
    return _FieldOnly(pullback.frames, radius_px > layout.field_radius_px)
