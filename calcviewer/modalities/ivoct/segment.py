"""Segmentation of IVOCT frames: network, CRF, guidewire shadows, contours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import shapely
from numpy.typing import NDArray
from skimage.measure import label as connected_regions

from calcviewer.core.annotation import FrameAnnotation, Label, LabelMap, cut_out_sectors
from calcviewer.core.contour import Contour, contours_of, trace
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import Arc
from calcviewer.core.pullback import Pullback
from calcviewer.core.study import ModelReference
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.onnx import Network, Seen
from calcviewer.inference.refinement import Predicting, refine_mean, see
from calcviewer.modalities.ivoct.confidence import (
    CalciumEvidence,
    calcium_evidence,
    doubt_about,
)
from calcviewer.modalities.ivoct.guidewire import find_guidewires
from calcviewer.modalities.ivoct.guidewire_track import track_guidewires
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, model_frame
from calcviewer.modalities.ivoct.visibility import hidden_back_sectors

# Specks below this are noise of the network, not deposits a reader would draw: 0.02 mm2 is a
# square of 0.14 mm, ten times the axial resolution.
_SMALLEST_DEPOSIT_MM2 = 0.02
_NEIGHBOUR_WEIGHTS = {0: 3.0, 1: 2.0, 2: 1.0}
"""How much frames so far away say about a frame; measured on simulated pullbacks."""
# Frames come outward from one: both ends go on needing what was seen around them.
_REMEMBERED_FRAMES = 12

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class IvoctSegmenter:
    """Segments the frames of one pullback.

    Parameters
    ----------
    image
        Returns the preprocessed frame of an index (0-based), float32 ``[480, 960]`` in [0, 1].
    frame_count
        How many there are.
    field_radius_mm
        Beyond it nothing was imaged.
    network
        A loaded `Network`, or one in training.
    crf
        Parameters of the refinement; None leaves it out.
    """

    image: Callable[[int], Image]
    frame_count: int
    field_radius_mm: float
    network: Predicting
    crf: CrfParameters | None

    @classmethod
    def of_pullback(
        cls, pullback: Pullback, network: Network, crf: CrfParameters | None
    ) -> IvoctSegmenter:
        """Return the segmenter of a pullback."""
        image = partial(model_frame, pullback)
        return cls(image, pullback.frame_count, pullback.field_radius_mm, network, crf)

    @property
    def model(self) -> ModelReference:
        """The network and the provider it really runs on.

        Raises
        ------
        TypeError
            The network is still in training: it has no name yet.
        """
        if not isinstance(self.network, Network):
            raise TypeError("a network in training has no name yet")
        card = self.network.card
        return ModelReference(card.name, card.version, card.sha256, self.network.provider)

    def predict(self, frames: Iterable[int]) -> Iterator[tuple[int, FrameAnnotation]]:
        """Yield ``(frame, annotation)`` for frame indices (0-based), in the order given.

        A frame that cannot be read is annotated with the reason; the run goes on. When all
        frames are known, those come again whose guidewires look different along the pullback.
        """
        seen = lru_cache(_REMEMBERED_FRAMES)(self._see)
        segmented: dict[int, SegmentedFrame] = {}
        for index in frames:
            try:
                segmented[index] = self._segment(index, seen)
            except CalcViewerError as error:
                yield index, FrameAnnotation(failure=str(error))
                continue
            yield index, segmented[index].annotation()
        found = {index: frame.guidewires for index, frame in segmented.items() if frame.lumen}
        for index, guidewires in track_guidewires(found).items():
            if guidewires != found[index]:
                yield index, replace(segmented[index], guidewires=guidewires).annotation()

    def _see(self, index: int) -> tuple[Image, Seen]:
        """Return a frame's image and what the network makes of it alone."""
        image = self.image(index)
        return image, see(self.network, image)

    def _segment(self, index: int, seen: Callable[[int], tuple[Image, Seen]]) -> SegmentedFrame:
        """Segment a frame together with its neighbours."""
        image, _ = seen(index)
        weighted = with_neighbours(index, self.frame_count, lambda one: seen(one)[1])
        refined = refine_mean(image, weighted, parameters=self.crf)
        frame = frame_of_labels(refined.labels, image, field_radius_mm=self.field_radius_mm)
        if frame.lumen is None:
            return frame
        evidence = calcium_evidence(
            refined.mean[Label.CALCIUM], frame.lumen, field_radius_mm=self.field_radius_mm
        )
        return replace(frame, evidence=evidence)


def with_neighbours(
    index: int, frame_count: int, seen: Callable[[int], Seen]
) -> list[tuple[float, Seen]]:
    """Return what the network saw in a frame and in its neighbours, with weights for the mean.

    Deposits go on from frame to frame while speckle and the network's mistakes do not: the
    mean probability of neighbours knows more than one frame, those beside it most. A
    neighbour that cannot be read is left out.

    Parameters
    ----------
    seen
        Returns what the network saw in a frame (0-based).

    Raises
    ------
    CalcViewerError
        The frame itself cannot be read.
    """
    weighted = [(_NEIGHBOUR_WEIGHTS[0], seen(index))]
    for away, weight in _NEIGHBOUR_WEIGHTS.items():
        for neighbour in (index - away, index + away) if away else ():
            if 0 <= neighbour < frame_count:
                with suppress(CalcViewerError):
                    weighted.append((weight, seen(neighbour)))
    return weighted


@dataclass(frozen=True, eq=False)
class SegmentedFrame:
    """What the image of one frame shows, before it is settled what lies behind a wire.

    ``deposits`` are the calcium regions as the network found them, shadows included; ``evidence``
    tells how sure it was of them.
    """

    lumen: Contour | None
    deposits: tuple[Contour, ...]
    guidewires: tuple[Arc, ...]
    hidden_back: tuple[Arc, ...]
    evidence: CalciumEvidence | None = None

    def annotation(self) -> FrameAnnotation:
        """Return the annotation, in which nothing is claimed behind a guidewire."""
        if self.lumen is None:
            return FrameAnnotation(failure="No lumen was found in this frame.")
        visible = cut_out_sectors(self.deposits, self.guidewires)
        calcium = tuple(one for one in visible if one.area_mm2 > _SMALLEST_DEPOSIT_MM2)
        evidence = self.evidence
        return FrameAnnotation(
            lumen=self.lumen,
            calcium=calcium,
            guidewires=self.guidewires,
            hidden_back=self.hidden_back,
            doubt=None if evidence is None else doubt_about(evidence, calcium, self.guidewires),
        )


def frame_of_labels(
    labels: LabelMap, image: NDArray[np.float32], *, field_radius_mm: float
) -> SegmentedFrame:
    """Turn the network's label map into contours, as an expert would draw them.

    The lumen is the region around the catheter; calcium lies outside it.

    Parameters
    ----------
    labels
        Classes 0 other, 1 lumen, 2 calcium; ``[480, 960]`` on the model's grid.
    image
        The preprocessed frame the labels belong to.
    field_radius_mm
        Beyond it nothing was imaged.
    """
    labels = labels.copy()
    labels[:, MODEL_GRID.radii_mm() > field_radius_mm] = Label.OTHER
    lumen_mask = _around_catheter(labels == Label.LUMEN)
    lumen = trace(lumen_mask, MODEL_GRID)
    if not lumen:
        return SegmentedFrame(None, (), (), ())
    border = lumen[0].without_holes()
    calcium = labels == Label.CALCIUM
    deposits = trace(calcium, MODEL_GRID, _SMALLEST_DEPOSIT_MM2)
    return SegmentedFrame(
        lumen=border,
        deposits=_outside(deposits, border),
        guidewires=find_guidewires(
            image, _lumen_radius_mm(lumen_mask), field_radius_mm=field_radius_mm
        ),
        hidden_back=hidden_back_sectors(image, calcium, field_radius_mm=field_radius_mm),
    )


def _around_catheter(lumen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the lumen region the catheter lies in: the largest that touches the inner samples."""
    regions = connected_regions(np.concatenate([lumen, lumen]), connectivity=1)
    wrapped = np.maximum(regions[: len(lumen)], 0)
    inner = wrapped[:, : MODEL_GRID.samples // 20]
    sizes = np.bincount(inner[inner > 0]) if (inner > 0).any() else np.zeros(1, dtype=int)
    if not sizes.any():
        return np.zeros_like(lumen)
    doubled = regions == int(np.argmax(sizes))
    return np.asarray(doubled[: len(lumen)] | doubled[len(lumen) :])


def _lumen_radius_mm(lumen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the outermost lumen border of every A-line, mm; nan where there is none."""
    beyond = lumen.shape[1] - np.argmax(lumen[:, ::-1], axis=1)
    radius = beyond * MODEL_GRID.sample_spacing_mm
    return np.where(lumen.any(axis=1), radius, np.nan)


def _outside(deposits: tuple[Contour, ...], lumen: Contour) -> tuple[Contour, ...]:
    """Return what of the deposits lies outside the lumen (whose holes were filled)."""
    if not deposits:
        return ()
    region = shapely.union_all([deposit.polygon for deposit in deposits])
    return contours_of(region.difference(lumen.polygon))
