"""Confirmed frames as a data set to train on (`calcviewer.app.voi_file`).

Consecutive confirmed frames of a pullback are one VOI; all VOIs of a pullback name it as their
source, so that a split never parts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from calcviewer.app.review_store.reviewed_study import (
    ReviewedStudy,
    confirmed_with,
    with_predictions,
)
from calcviewer.app.session import IvoctStudy
from calcviewer.app.voi_file import (
    CALCIUM,
    LUMEN,
    OTHER,
    FrameOrigin,
    Labels,
    VoiMetadata,
    label_beyond,
    write_voi,
)
from calcviewer.core.annotation import FrameAnnotation, Label, labels_of_annotation
from calcviewer.core.atomic import staged_folder
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, model_frame

_IDENTITY_DIGITS = 12
Progress = Callable[[int, int], None]


@dataclass
class Exported:
    """What was written: VOIs, frames by who made their labels, and the frames left out.

    ``left_out`` holds ``(pullback, frame from 1, reason)``.
    """

    vois: list[str] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=dict)
    left_out: list[tuple[str, int, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the same as plain values."""
        left_out = [
            {"pullback": name, "frame": frame, "reason": reason}
            for name, frame, reason in self.left_out
        ]
        return {"vois": self.vois, "frames": self.frames, "left_out": left_out}


def export_labels(
    reviewed: Sequence[ReviewedStudy],
    output: Path,
    *,
    stride: int = 2,
    progress: Progress | None = None,
) -> Exported:
    """Write the confirmed frames of reviews into a folder, all or nothing.

    A frame that was confirmed as the model made it is segmented again, by the model that was on
    screen then; when that one is not installed, the frame is left out.

    Parameters
    ----------
    stride
        Reduce the grid by this factor; `train` reads data of its own stride or a finer one.
    progress
        Called while frames are segmented again, with (done, wanted) of one pullback.

    Raises
    ------
    CalcViewerError
        When no frame is confirmed, a pullback comes twice, or the folder cannot be written.
    """
    _check_sources(reviewed)
    exported = Exported()
    with staged_folder(output) as stage:
        for one in reviewed:
            study = _with_confirmed(one, exported, progress)
            for frames in consecutive(labelled_frames(study)):
                origins = tuple(_origin(one, study, frame) for frame in frames)
                _write_run(stage, one, study, frames=frames, origins=origins, stride=stride)
                exported.vois.append(_voi_name(one, frames[0]))
                for origin in origins:
                    made = origin.provenance
                    exported.frames[made] = exported.frames.get(made, 0) + 1
        if not exported.vois:
            raise CalcViewerError(
                "No frame is confirmed in " + ", ".join(_names(reviewed)) + ".",
                "Open the pullback in the window and confirm frames with Enter.",
            )
    return exported


def labelled_frames(study: IvoctStudy) -> list[int]:
    """Return the confirmed frames (0-based) that have a lumen and are not excluded."""
    kept = []
    for frame in sorted(study.review.confirmed_frames):
        annotation = study.annotation(frame)
        if annotation is not None and not annotation.failure and annotation.lumen is not None:
            kept.append(frame)
    return kept


def consecutive(frames: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield runs of frames without a gap."""
    cuts = [k for k in range(1, len(frames)) if frames[k] != frames[k - 1] + 1]
    for first, last in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        if last > first:
            yield tuple(frames[first:last])


def training_labels(annotation: FrameAnnotation, *, field_radius_mm: float) -> Labels:
    """Return the labels of an annotation as a network learns them, uint8 ``[480, 960]``.

    The guidewire's shadow is "other", as in simulated data; what lies beyond the field of view is
    "other", or ignored behind a lumen that leaves it.
    """
    drawn = labels_of_annotation(annotation, MODEL_GRID)
    labels = np.full(drawn.shape, OTHER, dtype=np.uint8)
    labels[drawn == Label.LUMEN] = LUMEN
    labels[drawn == Label.CALCIUM] = CALCIUM
    beyond = int(np.searchsorted(MODEL_GRID.radii_mm(), field_radius_mm))
    return label_beyond(labels, beyond)


def _check_sources(reviewed: Sequence[ReviewedStudy]) -> None:
    seen: set[str] = set()
    for one in reviewed:
        if one.identity in seen:
            raise CalcViewerError(
                f"{one.study.pullback.source.path} was given twice.",
                "Give each pullback once: its frames would count double.",
            )
        seen.add(one.identity)


def _with_confirmed(
    one: ReviewedStudy, exported: Exported, progress: Progress | None
) -> IvoctStudy:
    """Return the study with the predictions its confirmed frames need, and no others."""
    study, review = one.study, one.study.review
    as_predicted = review.confirmed_frames - review.edits.keys() - review.excluded.keys()
    if as_predicted and not study.predictions:
        # Guidewires are made consistent along all frames, as they were on screen.
        first, last = review.voi or (0, study.pullback.frame_count - 1)
        wanted = sorted(as_predicted | set(range(first, last + 1)))
        study = with_predictions(study, wanted, progress=progress)
    other_model = {
        frame for frame in as_predicted if not confirmed_with(one.last_entry(frame), study)
    }
    reason = "confirmed with another model than the one installed"
    exported.left_out += [(study.pullback.name, k + 1, reason) for k in sorted(other_model)]
    confirmed = review.confirmed_frames - other_model
    return replace(study, review=replace(review, confirmed_frames=confirmed))


def _origin(one: ReviewedStudy, study: IvoctStudy, frame: int) -> FrameOrigin:
    annotation, entry = study.annotation(frame), one.last_entry(frame)
    assert annotation is not None
    return FrameOrigin(
        frame=frame + 1,
        provenance=annotation.provenance.value,
        interpolated=frame in study.review.interpolated,
        operator="" if entry is None else entry.who,
    )


def _write_run(
    folder: Path,
    one: ReviewedStudy,
    study: IvoctStudy,
    *,
    frames: Sequence[int],
    origins: tuple[FrameOrigin, ...],
    stride: int,
) -> None:
    """Write consecutive frames as one VOI, at the scale in force."""
    pullback = study.calibrated_pullback
    labels = []
    for frame in frames:
        annotation = study.annotation(frame)
        assert annotation is not None
        labels.append(training_labels(annotation, field_radius_mm=pullback.field_radius_mm))
    images = np.stack([model_frame(pullback, frame) for frame in frames]).astype(np.float16)
    metadata = VoiMetadata(
        _voi_name(one, frames[0]),
        "real",
        source=one.identity,
        stride=stride,
        frames=origins,
        frame_step=1,
    )
    write_voi(folder, metadata, images=images, labels=np.stack(labels))


def _voi_name(one: ReviewedStudy, first: int) -> str:
    """Return a name without anything of the patient's: files and pullbacks carry names."""
    return f"review-{one.identity[:_IDENTITY_DIGITS]}-{first + 1:04d}"


def _names(reviewed: Sequence[ReviewedStudy]) -> list[str]:
    return [str(one.study.pullback.source.path) for one in reviewed]
