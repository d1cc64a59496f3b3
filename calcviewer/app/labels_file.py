"""`labels.npz`: label maps of a pullback, as `measure` reads and `analyze` and `simulate` write.

Members: ``labels`` uint8 ``[frame, a_line, sample]`` (0 other, 1 lumen, 2 calcium, 3 guidewire
shadow), ``sample_spacing_mm``, optional ``frame_pitch_mm``, ``zero_radius_mm`` (radius at the start
of sample 0, default 0) and ``back_hidden`` bool ``[frame, a_line]`` (the back border of calcium
cannot be seen on this A-line). An analysis without calibration writes ``working_spacing_mm``
instead of ``sample_spacing_mm``: angles can be measured, lengths cannot.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.annotation import (
    FrameAnnotation,
    Label,
    LabelMap,
    annotation_from_labels,
)
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.geometry import PolarGrid, arcs_of_mask
from calcviewer.core.npz import npy_header, open_member, read_member
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    Intensity,
    Origin,
    PolarLayout,
    Pullback,
    SourceReference,
    check_scale,
)
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol

_LARGEST_BYTES = 4 << 30
_FORMAT_HINT = "See docs/file-formats.md for what a label file must hold."


def write_labels(
    path: Path,
    labels: Iterable[LabelMap],
    *,
    grid: PolarGrid,
    frame_count: int,
    frame_pitch_mm: float | None,
    back_hidden: NDArray[np.bool_] | None = None,
    calibrated: bool = True,
) -> None:
    """Write label maps one frame at a time, compressed.

    Parameters
    ----------
    labels
        ``frame_count`` uint8 arrays of shape ``grid.shape``.
    back_hidden
        bool ``[frame_count, a_lines]``; None leaves the member out.
    calibrated
        Whether the grid's spacing is a calibrated one.
    """
    scalars = {
        "sample_spacing_mm" if calibrated else "working_spacing_mm": grid.sample_spacing_mm,
        "zero_radius_mm": grid.zero_radius_mm,
        "frame_pitch_mm": frame_pitch_mm,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        with archive.open("labels.npy", "w", force_zip64=True) as member:
            header = {"descr": "|u1", "fortran_order": False, "shape": (frame_count, *grid.shape)}
            np.lib.format.write_array_header_1_0(member, header)
            for frame in labels:
                member.write(np.ascontiguousarray(frame, dtype=np.uint8).tobytes())
        for name, value in scalars.items():
            if value is not None:
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.array(value, dtype=np.float64))
        if back_hidden is not None:
            with archive.open("back_hidden.npy", "w") as member:
                np.lib.format.write_array(member, back_hidden)


def holds_labels(path: Path) -> bool:
    """Whether a file is a label file; False too when it cannot be told."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "labels.npy" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read_labels(path: Path, protocol: Protocol) -> Study[Protocol]:
    """Read a label file as a study whose predictions are the given labels.

    Raises
    ------
    UnreadableInputError
        When the file is missing, damaged, or does not hold what a label file must hold.
    """
    if not path.is_file():
        raise UnreadableInputError(f"{path}: there is no such file.", "Check the path.")
    try:
        with zipfile.ZipFile(path) as archive:
            return _study_from(archive, path, protocol)
    except CalcViewerError:
        raise
    except Exception as error:  # arbitrary bytes make the parsers fail in arbitrary ways
        raise UnreadableInputError(
            f"{path}: is not a readable label file ({error}).", _FORMAT_HINT
        ) from error


@dataclass(frozen=True, eq=False)
class _LabelsAsFrames:
    """Shows label maps where a pullback would show its image."""

    levels: NDArray[np.uint8]
    source: Path
    shape: tuple[int, int]

    @cached_property
    def _packed(self) -> tuple[bytes, ...]:
        """Every frame, compressed: a few kB each, where the archive holds one long stream."""
        with zipfile.ZipFile(self.source) as archive:
            return tuple(
                zlib.compress(frame.tobytes(), 1) for frame in _frames_of(archive, self.source)[1]
            )

    def display(self, index: int) -> NDArray[np.generic]:
        labels = np.frombuffer(zlib.decompress(self._packed[index]), dtype=np.uint8)
        return self.levels[labels.reshape(self.shape)]

    def intensity(self, index: int) -> NDArray[np.float32]:
        return self.display(index).astype(np.float32)


def _study_from(archive: zipfile.ZipFile, path: Path, protocol: Protocol) -> Study[Protocol]:
    (count, a_lines, samples), frames = _frames_of(archive, path)
    spacing = _scalar(archive, path, "sample_spacing_mm")
    pitch = _scalar(archive, path, "frame_pitch_mm")
    zero = _scalar(archive, path, "zero_radius_mm")
    working = _scalar(archive, path, "working_spacing_mm") if spacing is None else spacing
    if working is None:
        raise UnreadableInputError(f"{path}: sample_spacing_mm is missing.", _FORMAT_HINT)
    check_scale(f"The spacing in {path}", working)
    calibration = Calibration(
        None if spacing is None else CalibratedValue(spacing, Origin.FILE),
        None if pitch is None else CalibratedValue(pitch, Origin.FILE),
        CalibratedValue(zero or 0.0, Origin.FILE, "" if zero is not None else "default"),
    )
    grid = PolarGrid(a_lines, samples, working, zero or 0.0)
    hidden = _back_hidden(archive, path, (count, a_lines))
    annotations = {
        index: _annotation(labels, grid, hidden[index]) for index, labels in enumerate(frames)
    }
    pullback = Pullback(
        name=path.stem,
        frames=_LabelsAsFrames(
            np.array([0, 85, 255, 170], dtype=np.uint8), path, (a_lines, samples)
        ),
        frame_count=count,
        layout=PolarLayout(a_lines, samples),
        calibration=calibration,
        intensity=Intensity.LOG,
        source=SourceReference(path, "label maps"),
        working_spacing_mm=working,
    )
    return Study(pullback, protocol, MappingProxyType(annotations))


def _annotation(
    labels: LabelMap, grid: PolarGrid, back_hidden: NDArray[np.bool_]
) -> FrameAnnotation:
    annotation = annotation_from_labels(labels, grid)
    reaches_end = labels[:, -1] == Label.CALCIUM
    return replace(annotation, hidden_back=arcs_of_mask(back_hidden | reaches_end))


def _frames_of(
    archive: zipfile.ZipFile, path: Path
) -> tuple[tuple[int, int, int], Iterator[LabelMap]]:
    """Return the shape of ``labels`` and its frames one by one, after checking the header."""
    member = _member(archive, path, "labels")
    shape, dtype = _header(member, path, "labels")
    if len(shape) != 3 or min(shape) < 1 or dtype != np.uint8:
        raise UnreadableInputError(
            f"{path}: labels must be uint8 [frame, a_line, sample], got {dtype} {shape}.",
            _FORMAT_HINT,
        )
    count, a_lines, samples = shape
    declared = archive.getinfo("labels.npy").file_size
    if not count * a_lines * samples < min(declared, _LARGEST_BYTES):
        raise UnreadableInputError(f"{path}: labels is cut short or too large.", _FORMAT_HINT)

    def frames() -> Iterator[LabelMap]:
        for index in range(count):
            data = member.read(a_lines * samples)
            if len(data) != a_lines * samples:
                raise UnreadableInputError(f"{path}: labels is cut short.", _FORMAT_HINT)
            frame = np.frombuffer(data, dtype=np.uint8).reshape(a_lines, samples)
            if frame.max() > max(Label):
                raise UnreadableInputError(
                    f"{path}: frame {index + 1} holds label {frame.max()}; only 0 to 3 are known.",
                    _FORMAT_HINT,
                )
            yield frame

    return (count, a_lines, samples), frames()


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> IO[bytes]:
    if f"{name}.npy" not in archive.namelist():
        raise UnreadableInputError(f"{path}: {name} is missing.", _FORMAT_HINT)
    return open_member(archive, f"{name}.npy")


def _header(
    member: IO[bytes], path: Path, name: str
) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    shape, fortran_order, dtype = npy_header(member)
    if fortran_order or dtype.hasobject:
        raise UnreadableInputError(f"{path}: {name} must be a plain C-ordered array.", _FORMAT_HINT)
    return shape, dtype


def _scalar(archive: zipfile.ZipFile, path: Path, name: str) -> float | None:
    """Return a number of the file; None when it is not there."""
    if f"{name}.npy" not in archive.namelist():
        return None
    array = read_member(archive, f"{name}.npy")
    must_be_positive = name != "zero_radius_mm"
    if array.size != 1 or not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise UnreadableInputError(f"{path}: {name} must be one number.", _FORMAT_HINT)
    value = float(array.reshape(-1)[0])
    if value < 0 or (value == 0 and must_be_positive):
        raise UnreadableInputError(f"{path}: {name} must be positive, got {value}.", _FORMAT_HINT)
    return value


def _back_hidden(archive: zipfile.ZipFile, path: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    if "back_hidden.npy" not in archive.namelist():
        return np.zeros(shape, dtype=np.bool_)
    hidden = read_member(archive, "back_hidden.npy")
    if hidden.shape != shape or hidden.dtype != np.bool_:
        raise UnreadableInputError(
            f"{path}: back_hidden must be bool {shape}, got {hidden.dtype} {hidden.shape}.",
            _FORMAT_HINT,
        )
    return hidden
