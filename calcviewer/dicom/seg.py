"""Writes label maps as a DICOM Segmentation (PS3.3 A.51), on the pixels of their source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import (
    Segmentation,
    SegmentationTypeValues,
    SegmentDescription,
)
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from calcviewer import __version__
from calcviewer.core.annotation import Provenance
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import ModelReference
from calcviewer.dicom.codes import (
    ARTIFICIAL_INTELLIGENCE,
    CORONARY_ARTERY,
    EEL_SEGMENT,
    SEGMENTS,
    SegmentCode,
)
from calcviewer.dicom.header import FOR_PRESENTATION
from calcviewer.dicom.ivoct_modules import decimal, new_uid
from calcviewer.dicom.seg_reader import (
    EXACT_CONTOURS,
    PRIVATE_BLOCK,
    READING_AIDS,
    read_seg_header,
)
from calcviewer.dicom.source import EQUIPMENT, PROGRAM, FrameReference, ResultSource, finished
from calcviewer.dicom.values import tolerant

_SERIES_NUMBER = 9001
_DESCRIPTION = "Lumen, calcium and guidewire shadow"
_NOTICE = "Research use only. Not for diagnostic use."


@dataclass(frozen=True, kw_only=True)
class PixelPlanes:
    """Where the pixels of a pullback lie: planes one behind the other.

    Parameters
    ----------
    pixel_spacing_mm
        mm per pixel. Of polar frames, whose rows are A-lines, that along the depth (the columns).
    frame_pitch_mm
        mm between neighbouring planes.
    first_pixel_mm
        ``(x, y)`` of the centre of pixel ``[0, 0]``; the catheter is the origin.
    """

    pixel_spacing_mm: float
    frame_pitch_mm: float
    first_pixel_mm: tuple[float, float]


def algorithm_type(provenances: Sequence[Provenance]) -> Provenance:
    """Return what a segment says about frames of several provenances.

    One that all share; frames made by both network and operator together are SEMIAUTOMATIC.
    """
    kinds = set(provenances)
    if len(kinds) == 1:
        return kinds.pop()
    return Provenance.SEMIAUTOMATIC if kinds else Provenance.AUTOMATIC


@dataclass(frozen=True, kw_only=True)
class SegPixels:
    """What is drawn, on the pixels of the source as it is stored.

    Parameters
    ----------
    labels
        Values of `Label`, ``[frame, row, column]``.
    eel
        ``EEL_SEGMENT.number`` within the external elastic lamina, else 0, of the same shape; None
        where no frame has one. It covers lumen and calcium.
    """

    labels: NDArray[np.uint8]
    eel: NDArray[np.uint8] | None = None

    def segments(self) -> tuple[tuple[SegmentCode, NDArray[np.uint8]], ...]:
        """Return every segment of the file with the array that holds its number."""
        eel = () if self.eel is None else ((EEL_SEGMENT, self.eel),)
        return (*((one, self.labels) for one in SEGMENTS), *eel)


def write_seg(
    path: Path,
    pixels: SegPixels,
    *,
    source: ResultSource,
    planes: PixelPlanes,
    provenance: Mapping[int, Provenance],
    model: ModelReference | None,
    reading_aids: str,
    exact_contours: bytes,
) -> None:
    """Write what was drawn as a binary segmentation and check what was written.

    Parameters
    ----------
    provenance
        Segment Algorithm Type (0062,0008) of each segment, by its number.
    model
        Named as the algorithm of segments that are not drawn by hand.
    reading_aids, exact_contours
        What the program needs to read them back as they were, in private attributes. They must not
        identify anybody.

    Raises
    ------
    CalcViewerError
        When the file cannot be written, or does not hold what it should.
    """
    described = [_described(one, provenance, model) for one, _ in pixels.segments()]
    with tolerant():  # patients' names and numbers are as odd as the source has them
        # Of an empty array highdicom writes every frame of every segment.
        drawn = [one for one in (pixels.labels, pixels.eel) if one is not None and one.any()]
        first, *more = [
            _segmentation(one, described, source, planes) for one in drawn or [pixels.labels]
        ]
        seg = _with_frames(first, more[0]) if more else first
    _refer(seg, source)
    private = seg.private_block(*PRIVATE_BLOCK, create=True)
    private.add_new(READING_AIDS, "UT", reading_aids)
    private.add_new(EXACT_CONTOURS, "OB", exact_contours + b"\0" * (len(exact_contours) % 2))
    finished(seg, source)
    with staged_file(path) as stage, tolerant():
        dcmwrite(stage, seg, enforce_file_format=True)
        _check(stage, pixels)


def _segmentation(
    values: NDArray[np.uint8],
    described: list[SegmentDescription],
    source: ResultSource,
    planes: PixelPlanes,
) -> Segmentation:
    return Segmentation(
        source_images=[_carrier(source, values.shape, planes)],
        pixel_array=values,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=new_uid(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=new_uid(),
        instance_number=1,
        content_description=_NOTICE,
        content_label="CALCIUM",
        content_creator_name=f"{PROGRAM}^",
        omit_empty_frames=True,
        series_description=_DESCRIPTION,
        **EQUIPMENT,
    )


def _with_frames(seg: Segmentation, other: Segmentation) -> Segmentation:
    """Return a segmentation with the frames of another one of the same pullback behind its own.

    highdicom takes segments that cover each other only as one array with an axis for segments,
    which for a long pullback does not fit into memory (highdicom 0.28).
    """
    size = int(seg.Rows) * int(seg.Columns)
    bits = int(seg.NumberOfFrames) * size
    more = np.frombuffer(other.PixelData, np.uint8)
    whole, rest = divmod(bits, 8)
    begun = np.frombuffer(seg.PixelData[whole : whole + 1], np.uint8)
    if rest:  # frames do not begin at whole bytes
        unpacked = [np.unpackbits(one, bitorder="little") for one in (begun, more)]
        more = np.packbits(np.concatenate([unpacked[0][:rest], unpacked[1]]), bitorder="little")
    groups = [*seg.PerFrameFunctionalGroupsSequence, *other.PerFrameFunctionalGroupsSequence]
    length = -(-len(groups) * size // 8)
    data = seg.PixelData[:whole] + more.tobytes()[: length - whole]
    seg.PixelData = data + b"\0" * (len(data) % 2)
    seg.NumberOfFrames = len(groups)
    seg.PerFrameFunctionalGroupsSequence = groups
    seg.SegmentsOverlap = "YES"
    depths = [float(one.PlanePositionSequence[0].ImagePositionPatient[2]) for one in groups]
    # Planes are counted against the normal, as highdicom counts them.
    place = {depth: rank for rank, depth in enumerate(sorted(set(depths), reverse=True), start=1)}
    for group, depth in zip(groups, depths, strict=True):
        content = group.FrameContentSequence[0]
        content.DimensionIndexValues = [content.DimensionIndexValues[0], place[depth]]
    return seg


def _check(path: Path, pixels: SegPixels) -> None:
    """Read a written file back: the frames of every segment, and the pixels of one frame each."""
    header = read_seg_header(path)
    for segment, values in pixels.segments():
        drawn = np.flatnonzero([(frame == segment.number).any() for frame in values])
        written = {one.frame for one in header.frames if one.segment == segment.number}
        if not drawn.size:
            continue
        index = int(drawn[0])
        back = header.eel(index) if segment is EEL_SEGMENT else header.labels(index)
        same = back is not None and np.array_equal(back, values[index])
        if not same or written != set(drawn.tolist()):
            raise _damaged(path)


def _damaged(path: Path) -> CalcViewerError:
    return CalcViewerError(
        f"{path.name} was damaged while it was written.", "Export it to another disk."
    )


def _described(
    segment: SegmentCode, provenance: Mapping[int, Provenance], model: ModelReference | None
) -> SegmentDescription:
    made = provenance[segment.number]
    return SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=segment.category,
        segmented_property_type=segment.kind,
        algorithm_type=made.value,
        algorithm_identification=None if made is Provenance.MANUAL else _algorithm(model),
        anatomic_regions=[CORONARY_ARTERY],
    )


def _algorithm(model: ModelReference | None) -> AlgorithmIdentificationSequence:
    if model is None:
        return AlgorithmIdentificationSequence(PROGRAM, ARTIFICIAL_INTELLIGENCE, __version__)
    return AlgorithmIdentificationSequence(
        name=model.name,
        family=ARTIFICIAL_INTELLIGENCE,
        version=model.version,
        source=f"{PROGRAM} {__version__}",
        parameters={"sha256": model.sha256},
    )


def _carrier(source: ResultSource, shape: tuple[int, ...], planes: PixelPlanes) -> Dataset:
    """Return an image header that highdicom takes as the source of a segmentation.

    It refuses multi-frame images without plane positions, which IVOCT images have not, and image
    classes it does not know (highdicom 0.28). So it gets an IVOCT image with planes along a
    straight pullback; the references to the true source are put in afterwards.
    """
    count, rows, columns = shape
    carrier = Dataset()
    carrier.update(source.header)
    carrier.SOPClassUID, carrier.SOPInstanceUID = FOR_PRESENTATION, new_uid()
    carrier.SeriesInstanceUID = source.series_uid or new_uid()
    carrier.Modality = "IVOCT"
    carrier.Rows, carrier.Columns, carrier.NumberOfFrames = rows, columns, count
    carrier.PositionReferenceIndicator = ""
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing = [decimal(planes.pixel_spacing_mm)] * 2
    measures.SliceThickness = measures.SpacingBetweenSlices = decimal(planes.frame_pitch_mm)
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    carrier.SharedFunctionalGroupsSequence = [shared]
    carrier.PerFrameFunctionalGroupsSequence = [_plane(planes, index) for index in range(count)]
    return carrier


def _plane(planes: PixelPlanes, index: int) -> Dataset:
    group, position = Dataset(), Dataset()
    # Against the normal of the planes: highdicom puts frames in order of falling position.
    corner = (*planes.first_pixel_mm, 0.0 - index * planes.frame_pitch_mm)
    position.ImagePositionPatient = [decimal(value) for value in corner]
    group.PlanePositionSequence = [position]
    return group


def _refer(seg: Dataset, source: ResultSource) -> None:
    """Put the references to the true source in, or take them out when it is no DICOM."""
    groups = seg.PerFrameFunctionalGroupsSequence
    # Frames of one plane share their items: all are read before any is changed.
    images = [group.DerivationImageSequence[0].SourceImageSequence[0] for group in groups]
    indices = [int(image.ReferencedFrameNumber) - 1 for image in images]
    for group, index, image in zip(groups, indices, images, strict=True):
        if not source.frames:
            del group.DerivationImageSequence
            continue
        derivation = copy(group.DerivationImageSequence[0])
        derivation.SourceImageSequence = [_reference(source.frames[index], image)]
        group.DerivationImageSequence = [derivation]
    for name in ("SourceImageSequence", "ReferencedSeriesSequence"):
        if name in seg:
            delattr(seg, name)
    if not source.frames:
        return
    instances = {one.sop_instance_uid: one.sop_class_uid for one in source.frames}
    series = Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ReferencedInstanceSequence = [_instance(*one) for one in instances.items()]
    seg.ReferencedSeriesSequence = [series]
    seg.SourceImageSequence = [_instance(*one) for one in instances.items()]


def _reference(frame: FrameReference, image: Dataset) -> Dataset:
    """Return the reference to a source frame, with the purpose of the one it takes the place of."""
    item = _instance(frame.sop_instance_uid, frame.sop_class_uid)
    item.PurposeOfReferenceCodeSequence = image.PurposeOfReferenceCodeSequence
    if frame.frame_number is not None:
        item.ReferencedFrameNumber = frame.frame_number
    if "SpatialLocationsPreserved" in image:
        item.SpatialLocationsPreserved = image.SpatialLocationsPreserved
    return item


def _instance(instance_uid: str, class_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = class_uid, instance_uid
    return item
