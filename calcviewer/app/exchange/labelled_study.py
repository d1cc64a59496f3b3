"""A study whose annotations are given as label maps: from SEG or NIfTI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.exchange.reading_aids import NOT_MEASURED, ReadingAids
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import (
    FrameAnnotation,
    LabelMap,
    annotation_from_labels,
    labels_of_annotation,
)
from calcviewer.core.contour import Contour, rasterise, trace
from calcviewer.core.geometry import Grid
from calcviewer.core.pullback import (
    Calibration,
    Intensity,
    Layout,
    Pullback,
    SourceReference,
)
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol

LabelsAt = Callable[[int], LabelMap]
"""Returns the canonical label map of a frame, 0-based."""
EelAt = Callable[[int], LabelMap | None]
"""Returns a map that is not 0 within the external elastic lamina of a frame; None without one."""

_NONE: Mapping[int, FrameAnnotation] = MappingProxyType({})
_LEVELS = np.array([0, 85, 255, 170], dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class LabelPictures:
    """Shows label maps where a pullback would show its image."""

    labels_at: LabelsAt

    def display(self, index: int) -> NDArray[np.generic]:
        """Return frame ``index`` as grey: calcium white, shadow light, lumen dark."""
        return np.asarray(_LEVELS[self.labels_at(index)])

    def intensity(self, index: int) -> NDArray[np.float32]:
        """Return the same as float32."""
        return self.display(index).astype(np.float32)


def annotation_at(
    labels: LabelMap,
    grid: Grid,
    index: int,
    *,
    aids: ReadingAids | None,
    exact: FrameAnnotation | None = None,
    eel: LabelMap | None = None,
) -> FrameAnnotation | None:
    """Return the annotation a label map stands for; None where the frame has none.

    Without aids every frame has one.

    Parameters
    ----------
    exact
        The annotation the label map was drawn from. It counts only while it still gives the same
        pixels: another program may have changed them.
    eel
        Not 0 within the external elastic lamina; None where none is drawn.
    """
    lamina = None if eel is None else _largest(eel != 0, grid)
    if aids is None:
        return replace(annotation_from_labels(labels, grid), eel=lamina)
    if index in aids.failed:
        return FrameAnnotation(failure=NOT_MEASURED)
    if exact is not None and _gives(exact, grid, labels, eel):
        return exact
    if index not in aids.provenance:
        return None
    annotation = annotation_from_labels(labels, grid, provenance=aids.provenance[index])
    hidden = aids.hidden_back.get(index, ())
    return replace(annotation, hidden_back=hidden, eel=lamina)


def _largest(mask: NDArray[np.bool_], grid: Grid) -> Contour | None:
    """Return the largest region of a mask, without its holes."""
    regions = trace(mask, grid)
    return regions[0].without_holes() if regions else None


def _gives(annotation: FrameAnnotation, grid: Grid, labels: LabelMap, eel: LabelMap | None) -> bool:
    """Whether an annotation, drawn on pixels, is what the pixels show."""
    drawn = [] if annotation.eel is None else [annotation.eel]
    shown = np.zeros(grid.shape, dtype=np.bool_) if eel is None else eel != 0
    return np.array_equal(labels_of_annotation(annotation, grid), labels) and np.array_equal(
        rasterise(drawn, grid), shown
    )


def labelled_study(
    path: Path,
    labels_at: LabelsAt,
    *,
    kind: str,
    frame_count: int,
    layout: Layout,
    calibration: Calibration,
    working_spacing_mm: float,
    aids: ReadingAids | None,
    exact: Mapping[int, FrameAnnotation] = _NONE,
    eel_at: EelAt = lambda _: None,
) -> IvoctStudy:
    """Return a study whose predictions are given label maps; see `annotation_at`."""
    pullback = Pullback(
        name=path.name.split(".")[0],
        frames=LabelPictures(labels_at),
        frame_count=frame_count,
        layout=layout,
        calibration=calibration,
        intensity=Intensity.LOG,
        source=SourceReference(path, kind),
        working_spacing_mm=working_spacing_mm,
        motorised=aids is None or aids.motorised,
    )
    found = {
        index: annotation_at(
            labels_at(index),
            pullback.grid,
            index,
            aids=aids,
            exact=exact.get(index),
            eel=eel_at(index),
        )
        for index in range(frame_count)
    }
    given = {index: one for index, one in found.items() if one is not None}
    if aids is None:
        return Study(pullback, Protocol(), MappingProxyType(given))
    return Study(pullback, aids.protocol, MappingProxyType(given), review=aids.review)
