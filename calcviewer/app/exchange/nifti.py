"""Label maps of a pullback as one NIfTI volume, in and out.

A volume ``[x, y, frame]`` of `Label` values, in mm. The catheter lies on the line x = y = 0, so
that it is found again; frames are ``frame pitch`` apart along z. A polar pullback is written in
Cartesian pixels, as programs for volumes expect.
"""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, cast

import numpy as np
from nibabel.nifti1 import Nifti1Extension, Nifti1Header, Nifti1Image
from numpy.typing import NDArray

from calcviewer.app.exchange.labelled_study import annotation_at, labelled_study
from calcviewer.app.exchange.reading_aids import ReadingAids, aids_of_text, aids_text
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation, Label, LabelMap, labels_of_annotation
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.geometry import CartesianGrid, centred_grid
from calcviewer.core.limits import MOST_FRAMES, is_frame_size
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    Origin,
    Pullback,
    check_scale,
)
from calcviewer.core.scratch import scratch_array

_COMMENT = 6
"""Extension code of plain text."""
_LARGEST_SIDE_PX = 1024
_LARGEST_BYTES = 4 << 30
_LARGEST_HEADER_BYTES = 4 << 20
"""With its extensions, of which ours takes a few hundred bytes a frame."""
_SAME_SIZE = 0.02
"""Frames whose sides differ by a larger part were not made on the same images."""
_CHUNK_BYTES = 1 << 14
_FARTHEST_PX = 1e6
_LEVEL = 4
_UNKNOWN_PITCH_MM = 1.0
_HINT = "Export whole-number labels 0 to 3 as one uncompressed or gzipped NIfTI-1 volume."


# --- out -----------------------------------------------------------------------------------------


def write_nifti(path: Path, study: IvoctStudy) -> None:
    """Write the annotations in force as a gzipped volume and read it back.

    Raises
    ------
    CalcViewerError
        When it cannot be written, or is damaged on the way.
    """
    pullback = study.calibrated_pullback
    grid = _cartesian(pullback)
    count = pullback.frame_count
    with scratch_array((count, *grid.shape)) as labels, staged_file(path) as stage:
        for index in range(count):
            annotation = study.annotation(index)
            if annotation is not None:
                labels[index] = labels_of_annotation(annotation, grid)
        image = Nifti1Image(labels.T, None, header=_header(study, grid))
        with stage.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as stream:
            image.to_stream(stream)
        back = _Volume(stage, gzipped=True)
        if back.shape != labels.shape or any(
            not np.array_equal(one, other) for one, other in zip(back.frames(), labels, strict=True)
        ):
            raise CalcViewerError(
                f"{path.name} was damaged while it was written.", "Export it to another disk."
            )
        del labels


def _cartesian(pullback: Pullback) -> CartesianGrid:
    grid = pullback.grid
    if isinstance(grid, CartesianGrid):
        return grid
    return centred_grid(min(_LARGEST_SIDE_PX, 2 * grid.samples), grid.end_radius_mm)


def _header(study: IvoctStudy, grid: CartesianGrid) -> Nifti1Header:
    pitch = study.calibration.frame_pitch_mm
    pitch_mm = _UNKNOWN_PITCH_MM if pitch is None else pitch.value
    spacing, (x_px, y_px) = grid.pixel_spacing_mm, grid.centre_px
    # Canonical x and y grow to the right and down, those of NIfTI to the left of DICOM's.
    affine = np.diag([-spacing, -spacing, pitch_mm, 1.0])
    affine[:2, 3] = x_px * spacing, y_px * spacing
    header = Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape((grid.columns, grid.rows, study.pullback.frame_count))
    header.set_sform(affine, code="scanner")
    header.set_qform(affine, code="scanner")
    header.set_xyzt_units("mm")
    header.set_intent("label", name="CalcViewer")
    header["descrip"] = b"0 other 1 lumen 2 calcium 3 guidewire shadow"
    text = aids_text(study, stored_order=False).encode()
    header.extensions.append(Nifti1Extension(_COMMENT, text))
    return header


# --- in ------------------------------------------------------------------------------------------


def study_of_nifti(path: Path) -> IvoctStudy:
    """Read a volume as a study whose predictions are its labels.

    In a volume of another program the catheter is taken to lie in the middle of the frames.

    Raises
    ------
    UnreadableInputError
        When it is missing, damaged, or does not hold labels 0 to 3.
    """
    volume = _Volume.opened(path)
    aids = volume.aids
    count, rows, columns = volume.shape
    known = None if aids is None else aids.calibration
    return labelled_study(
        path,
        volume.labels,
        kind="NIfTI",
        frame_count=count,
        layout=CartesianLayout(rows, columns, volume.centre_px, min(rows, columns) / 2),
        calibration=volume.calibration(known),
        working_spacing_mm=volume.spacing_mm[0],
        aids=aids,
    )


def annotations_of_nifti(path: Path, pullback: Pullback) -> Mapping[int, FrameAnnotation]:
    """Read a volume as annotations of a pullback, in mm of its own calibration.

    Raises
    ------
    CalcViewerError
        When it cannot be read, or has another number of frames or frames of another size.
    """
    volume = _Volume.opened(path)
    count, rows, columns = volume.shape
    if count != pullback.frame_count:
        raise CalcViewerError(
            f"{path} has {count} frames, the pullback {pullback.frame_count}.",
            "Choose the label volume that was made on this pullback.",
        )
    own = _cartesian(pullback)
    same_pixels = own.shape == (rows, columns)
    if not same_pixels:
        _check_size(volume, own)
    grid = (
        own if same_pixels else CartesianGrid(rows, columns, volume.spacing_mm[0], volume.centre_px)
    )
    found = {
        index: annotation_at(volume.labels(index), grid, index, aids=volume.aids)
        for index in range(count)
    }
    return MappingProxyType({k: one for k, one in found.items() if one is not None})


def is_own_nifti(path: Path) -> bool:
    """Whether the program wrote a volume, and what it needs to read it exactly is still there."""
    return _Volume.opened(path).aids is not None


def _check_size(volume: _Volume, own: CartesianGrid) -> None:
    """Refuse frames that are not as large as the pullback's, whatever their pixels."""
    spacing = volume.spacing_mm[0]
    theirs_mm = [side * spacing for side in volume.shape[1:]]
    own_mm = [side * own.pixel_spacing_mm for side in own.shape]
    if any(abs(a / b - 1) > _SAME_SIZE for a, b in zip(theirs_mm, own_mm, strict=True)):
        raise CalcViewerError(
            f"{volume.path} has frames of {theirs_mm[1]:.1f} x {theirs_mm[0]:.1f} mm, the pullback "
            f"of {own_mm[1]:.1f} x {own_mm[0]:.1f} mm.",
            "Choose the label volume that was made on this pullback.",
        )


def _beginning(stream: IO[bytes]) -> io.BytesIO:
    """Return a stream of the header, whose extensions may claim any length, and what follows it."""
    found = bytearray()
    with suppress(OSError, EOFError, zlib.error):  # damage is met again where it matters
        while len(found) < _LARGEST_HEADER_BYTES and (piece := stream.read(_CHUNK_BYTES)):
            found += piece
    return io.BytesIO(found)


class _Volume:
    """A volume on disk, whose frames are read once, one after the other."""

    def __init__(self, path: Path, *, gzipped: bool) -> None:
        self.path, self._gzipped = path, gzipped
        with self._stream() as stream:
            header = Nifti1Header.from_fileobj(_beginning(stream))
        shape = [int(side) for side in header.get_data_shape()]
        while len(shape) > 3 and shape[-1] == 1:
            shape.pop()
        kind = header.get_data_dtype()
        if len(shape) != 3 or min(shape) < 1 or kind.kind not in "uif":
            raise UnreadableInputError(f"{path} holds no volume of labels.", _HINT)
        if header.get_slope_inter() not in ((None, None), (1.0, 0.0)):
            raise UnreadableInputError(f"{path} holds scaled values.", _HINT)
        allowed = is_frame_size(shape[1], shape[0]) and shape[2] <= MOST_FRAMES
        if not allowed or math.prod(shape) * kind.itemsize > _LARGEST_BYTES:
            raise UnreadableInputError(f"{path} is too large: {shape}.", _HINT)
        self.shape = shape[2], shape[1], shape[0]
        self._header, self._kind = header, kind
        self._offset = int(header.get_data_offset())
        zooms = [float(one) for one in header.get_zooms()[:3]]
        if not all(math.isfinite(one) and one > 0 for one in zooms):
            raise UnreadableInputError(f"{path} gives no size of its voxels.", _HINT)
        for one in zooms:
            check_scale(f"The voxel size in {path}", one)
        self.spacing_mm = zooms[0], zooms[1], zooms[2]

    @classmethod
    def opened(cls, path: Path) -> _Volume:
        """Open a volume of labels."""
        if not path.is_file():
            raise UnreadableInputError(f"{path}: there is no such file.", "Check the path.")
        try:
            volume = cls(path, gzipped=path.name.lower().endswith(".gz"))
        except CalcViewerError:
            raise
        except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
            raise UnreadableInputError(f"{path} is not a readable NIfTI file.", _HINT) from error
        if abs(volume.spacing_mm[0] / volume.spacing_mm[1] - 1) > 1e-3:
            raise UnreadableInputError(f"{path} has pixels that are not square.", _HINT)
        if not all(abs(one) <= _FARTHEST_PX for one in volume.centre_px):
            raise UnreadableInputError(f"{path} does not say where its middle is.", _HINT)
        return volume

    @cached_property
    def aids(self) -> ReadingAids | None:
        """What the program wrote for itself; None in files of others."""
        for one in self._header.extensions:
            if one.get_code() != _COMMENT:
                continue
            found = aids_of_text(bytes(one.get_content()).rstrip(b"\0").decode(errors="replace"))
            if found is not None and found.frame_count == self.shape[0]:
                return found
        return None

    @property
    def centre_px(self) -> tuple[float, float]:
        """Where the catheter lies, ``(x, y)``."""
        _, rows, columns = self.shape
        if self.aids is not None:
            affine = self._header.get_best_affine()
            return float(-affine[0, 3] / affine[0, 0]), float(-affine[1, 3] / affine[1, 1])
        return (columns - 1) / 2, (rows - 1) / 2

    def calibration(self, known: Calibration | None) -> Calibration:
        """Return the volume's scale, or none where the program had none when it wrote it."""
        if known is not None and not known.scaled:
            pitch = known.frame_pitch_mm
            return Calibration(frame_pitch_mm=pitch)
        spacing = CalibratedValue(self.spacing_mm[0], Origin.FILE, "voxel size")
        zero = CalibratedValue(0.0, Origin.FILE, "the frames' middle is the catheter")
        pitch_mm = CalibratedValue(self.spacing_mm[2], Origin.FILE, "voxel size")
        if known is not None:
            return Calibration(known.sample_spacing_mm and spacing, known.frame_pitch_mm, zero)
        return Calibration(spacing, pitch_mm, zero)

    def labels(self, index: int) -> LabelMap:
        """Return the label map of a frame."""
        return np.frombuffer(zlib.decompress(self._packed[index]), np.uint8).reshape(self.shape[1:])

    @cached_property
    def _packed(self) -> tuple[bytes, ...]:
        """Every frame, compressed: a few kB each, where the file is one long stream."""
        return tuple(zlib.compress(frame.tobytes(), 1) for frame in self.frames())

    def frames(self) -> Iterator[LabelMap]:
        """Yield the label maps in order."""
        count, rows, columns = self.shape
        size = rows * columns * self._kind.itemsize
        try:
            with self._stream() as stream:
                stream.seek(self._offset)
                for index in range(count):
                    data = stream.read(size)
                    if len(data) != size:
                        raise EOFError
                    yield self._checked(np.frombuffer(data, self._kind), index)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableInputError(
                f"{self.path} is damaged or cut short.", "Copy or export the file again."
            ) from error

    def _checked(self, values: NDArray[Any], index: int) -> LabelMap:
        labels = values.astype(np.uint8)
        if not np.array_equal(labels, values) or labels.max() > max(Label):
            raise UnreadableInputError(
                f"{self.path}: frame {index + 1} holds other values than the labels 0 to 3.", _HINT
            )
        return labels.reshape(self.shape[1:])

    def _stream(self) -> IO[bytes]:
        if self._gzipped:
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")
