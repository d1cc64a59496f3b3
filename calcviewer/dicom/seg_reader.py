"""Reads DICOM Segmentations, the program's own and others', one source frame at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.core.annotation import Label
from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.limits import MOST_FRAMES, is_frame_size
from calcviewer.dicom.codes import EEL_SEGMENT, is_eel_segment, label_of_segment
from calcviewer.dicom.header import FOR_PROCESSING
from calcviewer.dicom.values import number, text, tolerant

PRIVATE_BLOCK = (0x0099, "CALCVIEWER")
"""Group and private creator of what the program needs to read its own file back."""
READING_AIDS, EXACT_CONTOURS = 0x01, 0x02

_BINARY_SEG = "1.2.840.10008.5.1.4.1.1.66.4"
_LABELMAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
_HINT = "Export the segmentation as binary, uncompressed, on the pixels of the pullback."


@dataclass(frozen=True)
class SegFrame:
    """One frame of a segmentation: which of the source's frames (0-based) and which segment.

    ``segment`` is None in a label map, whose values are segment numbers.
    """

    number: int
    frame: int
    segment: int | None


@dataclass(frozen=True, eq=False)
class SegHeader:
    """A segmentation: how its frames lie, and the label map of each source frame.

    Parameters
    ----------
    frame_count
        Number of source frames as far as the file tells.
    labels_by_segment
        The structure of every segment number.
    eel_segment
        Number of the segment within the external elastic lamina; None where there is none.
    pixel_spacing_mm, frame_pitch_mm
        None where the file has none; ``(row, column)`` spacing.
    first_pixel_mm
        ``(x, y)`` of the centre of pixel ``[0, 0]``; None where the file gives no position.
    polar
        Whether the source is an IVOCT For Processing image.
    instance_uids
        Of the images it refers to.
    reading_aids, exact_contours
        What the program wrote for itself; empty in files of others.
    """

    path: Path
    rows: int
    columns: int
    frame_count: int
    frames: tuple[SegFrame, ...]
    labels_by_segment: Mapping[int, Label]
    eel_segment: int | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    frame_pitch_mm: float | None = None
    first_pixel_mm: tuple[float, float] | None = None
    polar: bool = False
    instance_uids: frozenset[str] = field(default_factory=frozenset)
    reading_aids: str = ""
    exact_contours: bytes = b""

    def labels(self, index: int) -> NDArray[np.uint8]:
        """Return the label map of source frame ``index``, uint8 ``[row, column]``, as stored.

        Where structures overlap the lumen wins over calcium, and both over a shadow.
        """
        order = (Label.GUIDEWIRE_SHADOW, Label.CALCIUM, Label.LUMEN)
        drawn = [
            (self.labels_by_segment[segment], mask)
            for segment, mask in self._masks(index)
            if segment in self.labels_by_segment
        ]
        found = np.zeros((self.rows, self.columns), dtype=np.uint8)
        for label, mask in sorted(drawn, key=lambda one: order.index(one[0])):
            found[mask] = label
        return found

    def eel(self, index: int) -> NDArray[np.uint8] | None:
        """Return what lies within the external elastic lamina in source frame ``index``.

        Returns
        -------
        ``EEL_SEGMENT.number`` within and 0 elsewhere, uint8 ``[row, column]``; None where nothing
        is drawn. Of a label map, whose segments cannot cover each other, nothing is known.
        """
        found = np.zeros((self.rows, self.columns), dtype=np.uint8)
        for segment, mask in self._masks(index):
            if segment == self.eel_segment:
                found[mask] = EEL_SEGMENT.number
        return found if found.any() else None

    def _masks(self, index: int) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Yield the segments of a source frame with where they are."""
        for part in self._by_frame.get(index, ()):
            values = self._stored(part.number)
            if part.segment is not None:
                yield part.segment, values != 0
                continue
            for segment in self.labels_by_segment:
                yield segment, values == segment

    @cached_property
    def _by_frame(self) -> Mapping[int, list[SegFrame]]:
        grouped: dict[int, list[SegFrame]] = {}
        for one in self.frames:
            grouped.setdefault(one.frame, []).append(one)
        return grouped

    @cached_property
    def _pixels(self) -> tuple[NDArray[np.uint8], int]:
        """The pixel data, packed bits or bytes as the file has them, and bits per pixel."""
        try:
            with BoundedFile(self.path) as stream, tolerant():
                dataset = dcmread(stream)
                bits = int(dataset.BitsAllocated)
                if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
                    pixels = np.asarray(dataset.pixel_array, dtype=np.uint8).reshape(-1)
                    return pixels, 8
                return np.frombuffer(dataset.PixelData, dtype=np.uint8), bits
        except UnreadableInputError:
            raise
        except Exception as error:  # damaged data make parser and decoders fail in many ways
            raise UnreadableInputError(f"{self.path}: its pixels cannot be read.", _HINT) from error

    def _stored(self, number: int) -> NDArray[np.uint8]:
        data, bits = self._pixels
        size = self.rows * self.columns
        begin, end = number * size, (number + 1) * size
        if bits == 1:
            packed = data[begin // 8 : -(-end // 8)]
            values = np.unpackbits(packed, bitorder="little")[begin % 8 : begin % 8 + size]
        else:
            values = data[begin:end]
        if values.size != size:
            raise UnreadableInputError(
                f"{self.path} is truncated: its frame {number + 1} is cut short.",
                "Copy or export the file again.",
            )
        return values.reshape(self.rows, self.columns)


def is_seg(path: Path) -> bool:
    """Whether a file is a DICOM Segmentation."""
    try:
        with BoundedFile(path) as stream, tolerant():
            dataset = dcmread(stream, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except Exception:  # arbitrary bytes make the parser fail in arbitrary ways
        return False
    return text(dataset, "SOPClassUID") in (_BINARY_SEG, _LABELMAP_SEG)


def read_seg_header(path: Path) -> SegHeader:
    """Read what a segmentation holds, without its pixels.

    Raises
    ------
    UnreadableInputError
        When the file is missing, damaged, no segmentation, or holds none of the structures.
    """
    if not path.is_file():
        raise UnreadableInputError(f"{path}: there is no such file.", "Check the path.")
    try:
        with BoundedFile(path) as stream, tolerant():
            dataset = dcmread(stream, stop_before_pixels=True)
            return _header(path, dataset)
    except UnreadableInputError:
        raise
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        raise UnreadableInputError(
            f"{path} is not a readable DICOM Segmentation.", "Copy or export the file again."
        ) from error


def _header(path: Path, dataset: Dataset) -> SegHeader:
    if text(dataset, "SOPClassUID") not in (_BINARY_SEG, _LABELMAP_SEG):
        raise UnreadableInputError(f"{path} is no DICOM Segmentation.", "Choose a SEG object.")
    rows, columns = int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0)
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    if not (is_frame_size(rows, columns) and 0 < len(groups) <= MOST_FRAMES):
        raise UnreadableInputError(
            f"{path} declares {len(groups)} frames of {columns} x {rows} pixels, which no pullback "
            "has.",
            _HINT,
        )
    labels, eel_segment = _segments(path, dataset)
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or []), Dataset())
    measures = _first(shared, "PixelMeasuresSequence") or _first(groups[0], "PixelMeasuresSequence")
    positions = [_position(group) for group in groups]
    references = [_reference(group) for group in groups]
    pitch_mm, aids = _pitch(measures, positions), str(_private(dataset, READING_AIDS))
    exact = _private(dataset, EXACT_CONTOURS)
    indices = _frame_indices(references, positions, pitch_mm, from_first_frame=bool(aids))
    return SegHeader(
        path=path,
        rows=rows,
        columns=columns,
        frame_count=max(indices) + 1,
        frames=_seg_frames(groups, shared, indices, {*labels, eel_segment}),
        labels_by_segment=labels,
        eel_segment=eel_segment,
        pixel_spacing_mm=_spacing(measures),
        frame_pitch_mm=pitch_mm,
        first_pixel_mm=None if positions[0] is None else positions[0][:2],
        polar=any(one.sop_class_uid == FOR_PROCESSING for one in references),
        instance_uids=frozenset(one.sop_instance_uid for one in references if one.sop_instance_uid),
        reading_aids=aids,
        exact_contours=exact if isinstance(exact, bytes) else b"",
    )


def _segments(path: Path, dataset: Dataset) -> tuple[dict[int, Label], int | None]:
    """Return the labels by segment number, and the number of the EEL's segment."""
    segments = {
        int(number(item, "SegmentNumber") or 0): item
        for item in dataset.get("SegmentSequence") or []
    }
    labels = {
        segment: label
        for segment, item in segments.items()
        if (label := label_of_segment(item)) is not None
    }
    eel_segment = next((one for one, item in segments.items() if is_eel_segment(item)), None)
    if not labels and eel_segment is None:
        names = ", ".join(text(item, "SegmentLabel") for item in segments.values())
        raise UnreadableInputError(
            f"{path} holds neither lumen nor calcium (segments: {names or 'none'}).",
            "Choose a segmentation of lumen and calcium.",
        )
    return labels, eel_segment


@dataclass(frozen=True)
class _Reference:
    """The source frame a frame of a segmentation refers to; 0 where it gives no number."""

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    frame_number: int = 0


def _first(dataset: Dataset, sequence: str) -> Dataset:
    return next(iter(dataset.get(sequence) or []), Dataset())


def _reference(group: Dataset) -> _Reference:
    image = _first(_first(group, "DerivationImageSequence"), "SourceImageSequence")
    return _Reference(
        text(image, "ReferencedSOPClassUID"),
        text(image, "ReferencedSOPInstanceUID"),
        int(number(image, "ReferencedFrameNumber") or 0),
    )


def _position(group: Dataset) -> tuple[float, float, float] | None:
    values = _first(group, "PlanePositionSequence").get("ImagePositionPatient")
    if values is None or len(values) != 3:
        return None
    x, y, z = (float(value) for value in values)
    return x, y, z


def _frame_indices(
    references: list[_Reference],
    positions: list[tuple[float, float, float] | None],
    pitch_mm: float | None,
    *,
    from_first_frame: bool,
) -> list[int]:
    """Return the source frame (0-based) of every frame.

    From the frame it refers to; else from its place along the pullback, which begins at 0 or
    (unless ``from_first_frame``) at the first plane; else from its order.
    """
    depths_mm = [position[2] for position in positions if position is not None]
    if all(one.frame_number for one in references):
        indices = [one.frame_number - 1 for one in references]
    elif len(depths_mm) == len(positions):
        begin_mm = 0.0 if from_first_frame else min(depths_mm)
        indices = [round(abs(depth - begin_mm) / (pitch_mm or 1.0)) for depth in depths_mm]
    else:
        indices = list(range(len(references)))
    if max(indices) >= MOST_FRAMES:
        raise UnreadableInputError(
            f"It refers to frame {max(indices) + 1}, which no pullback has.", _HINT
        )
    return indices


def _seg_frames(
    groups: list[Dataset], shared: Dataset, indices: list[int], wanted: Set[int | None]
) -> tuple[SegFrame, ...]:
    found = []
    for place, group in enumerate(groups):
        segment = _first(group, "SegmentIdentificationSequence") or _first(
            shared, "SegmentIdentificationSequence"
        )
        known = number(segment, "ReferencedSegmentNumber")
        if known is None:
            found.append(SegFrame(place, indices[place], None))
        elif int(known) in wanted:
            found.append(SegFrame(place, indices[place], int(known)))
    return tuple(found)


def _spacing(measures: Dataset) -> tuple[float, float] | None:
    values = measures.get("PixelSpacing")
    if values is None or len(values) != 2 or min(map(float, values)) <= 0:
        return None
    return float(values[0]), float(values[1])


def _pitch(measures: Dataset, positions: list[tuple[float, float, float] | None]) -> float | None:
    """Return mm between planes: as stated, else the smallest step between positions."""
    stated = number(measures, "SpacingBetweenSlices")
    if stated:
        return abs(stated)
    depths = np.unique([round(one[2], 6) for one in positions if one is not None])
    return float(np.diff(depths).min()) if depths.size > 1 else None


def _private(dataset: Dataset, element: int) -> Any:  # noqa: ANN401 - the type the element has
    """Return the value of an element of the program's private block; empty when there is none."""
    try:
        return dataset.private_block(*PRIVATE_BLOCK)[element].value or ""
    except KeyError:
        return ""
