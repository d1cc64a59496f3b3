"""The frames of one source as pictures: what is shown, and the intensity behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import Intensity
from calcviewer.modalities.ivoct.field import Field, find_field
from calcviewer.modalities.ivoct.gold import Inverter, invert_palette, inverter, patch

Picture = NDArray[np.generic]
FloatArray = NDArray[np.float32]

SAMPLED_FRAMES = 9
"""So many frames, spread over the pullback, show what is the same in all of them."""
_WINDOW_PERCENTILES = (2.0, 99.8)


class RawFrames(Protocol):
    """Frames as stored: grey ``[.., ..]`` of any number type or RGB uint8 ``[.., .., 3]``."""

    @property
    def count(self) -> int:
        """Number of frames."""
        ...

    def frame(self, index: int) -> Picture:
        """Read frame ``index``; raise UnreadableInputError when it cannot be read."""
        ...


class Pictures(Protocol):
    """Frames as they are shown and as intensity, before any change of geometry."""

    def shown(self, index: int) -> NDArray[np.uint8]:
        """Return frame ``index`` as grey or RGB uint8."""
        ...

    def values(self, index: int) -> FloatArray:
        """Return the intensity of frame ``index``, float32, two axes."""
        ...

    @property
    def colours(self) -> str:
        """How intensity is shown in the source, in words."""
        ...


@dataclass(frozen=True, eq=False)
class EvenFrames:
    """Frames of image files, which can differ in what their headers do not say, as their colours.

    A frame unlike the first one is refused; the others go on.
    """

    raw: RawFrames

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.raw.count

    def frame(self, index: int) -> Picture:
        """Read frame ``index``; raise UnreadableInputError when it is unlike the first one."""
        frame = self.raw.frame(index)
        if frame.shape != self._shape:
            raise UnreadableInputError(
                f"Frame {index + 1} has shape {frame.shape}, frame 1 has {self._shape}.",
                "Keep only frames of one size, all grey or all in colour.",
            )
        return frame

    @cached_property
    def _shape(self) -> tuple[int, ...]:
        return self.raw.frame(0).shape


def spread(count: int, wanted: int = SAMPLED_FRAMES) -> list[int]:
    """Return up to ``wanted`` frame indices spread evenly over a pullback."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, wanted)).round()})


@dataclass(frozen=True, eq=False)
class FieldFinder:
    """Finds the circular field of Cartesian frames once, when it is first asked for."""

    raw: RawFrames

    @cached_property
    def field(self) -> Field | None:
        """The field, or None when the frames show none."""
        return find_field(readable(self.raw, spread(self.raw.count)))


def readable(raw: RawFrames, indices: list[int]) -> list[Picture]:
    """Read some frames, leaving out damaged ones.

    Raises
    ------
    UnreadableInputError
        When none of them can be read.
    """
    frames: list[Picture] = []
    fault: UnreadableInputError | None = None
    for index in indices:
        try:
            frames.append(raw.frame(index))
        except UnreadableInputError as error:
            fault = error
    if fault is not None and not frames:
        raise fault
    return frames


@dataclass(frozen=True, eq=False)
class GreyPictures:
    """Frames of one value a pixel."""

    raw: RawFrames
    relationship: Intensity

    def values(self, index: int) -> FloatArray:
        """Return the stored values of frame ``index`` as float32."""
        stored = self.raw.frame(index)
        with np.errstate(over="ignore"):  # float64 may hold what float32 cannot
            values = stored.astype(np.float32)
        # Dividing by zero upstream leaves such samples; they carry no signal.
        return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def shown(self, index: int) -> NDArray[np.uint8]:
        """Return frame ``index`` as 8-bit grey: as stored, or compressed to the window."""
        stored = self.raw.frame(index)
        if stored.dtype == np.uint8 and self.relationship is Intensity.LOG:
            return np.asarray(stored, dtype=np.uint8)
        low, high = self._window
        scaled = (self._compressed(self.values(index)) - low) * (255.0 / max(high - low, 1e-6))
        return np.asarray(np.clip(scaled, 0, 255), dtype=np.uint8)

    @property
    def colours(self) -> str:
        """How intensity is shown in the source, in words."""
        return "grey"

    def _compressed(self, values: FloatArray) -> FloatArray:
        if self.relationship is Intensity.LOG:
            return values
        return np.log1p(np.maximum(values, 0) / np.float32(self._noise_floor))

    @cached_property
    def _noise_floor(self) -> float:
        """A level of linear intensity below which there is nothing to see."""
        values = self.values(self.raw.count // 2)
        lit = values[values > 0]
        return float(np.percentile(lit, 20)) if lit.size else 1.0

    @cached_property
    def _window(self) -> tuple[float, float]:
        """The range shown, one for the whole pullback so that frames can be compared."""
        samples = [
            self._compressed(self.values(index)[::4, ::4]) for index in spread(self.raw.count, 3)
        ]
        low, high = np.percentile(np.stack(samples), _WINDOW_PERCENTILES)
        return float(low), float(high)


@dataclass(frozen=True, eq=False)
class ColourPictures:
    """True-colour frames behind a look-up table that is found from the frames themselves."""

    raw: RawFrames
    finder: FieldFinder

    def shown(self, index: int) -> NDArray[np.uint8]:
        """Return frame ``index`` as it is, drawings included."""
        return np.ascontiguousarray(self.raw.frame(index), dtype=np.uint8)

    def values(self, index: int) -> FloatArray:
        """Return the positions on the ramp of frame ``index``, drawings in-painted."""
        return self._inverter.intensity(self.shown(index))

    @property
    def colours(self) -> str:
        """How intensity is shown in the source, in words."""
        return f"true colour, {_RAMPS[self._inverter.ramp.name]}"

    @cached_property
    def _inverter(self) -> Inverter:
        frames = [
            np.ascontiguousarray(frame, dtype=np.uint8)
            for frame in readable(self.raw, spread(self.raw.count))
        ]
        shape = (frames[0].shape[0], frames[0].shape[1])
        field = self.finder.field
        return inverter(frames, field.mask(shape) if field else np.ones(shape, dtype=np.bool_))


_RAMPS = {
    "gold": "gold ramp",
    "grey": "grey ramp",
    "measured": "a ramp that was measured from the pictures",
    "own": "a ramp of its own",
}


@dataclass(frozen=True, eq=False)
class PalettePictures:
    """Frames of palette indices.

    Parameters
    ----------
    palette
        Colours, uint8, shape ``(256, 3)``.
    ramp_indices
        First and last index that shows intensity; the others are drawing colours.
    """

    raw: RawFrames
    palette: NDArray[np.uint8]
    ramp_indices: tuple[int, int]

    def shown(self, index: int) -> NDArray[np.uint8]:
        """Return frame ``index`` in the palette's colours."""
        return np.asarray(self.palette[self._indices(index)])

    def values(self, index: int) -> FloatArray:
        """Return the intensity behind the palette, drawing colours in-painted."""
        intensity, is_drawing, _ = self._inverse
        indices = self._indices(index)
        values = intensity[indices]
        drawn = is_drawing[indices]
        return patch(drawn).apply(values) if drawn.any() else values

    @property
    def colours(self) -> str:
        """How intensity is shown in the source, in words."""
        first, last = self.ramp_indices
        return f"palette, {_RAMPS[self._inverse[2]]} at indices {first} to {last}"

    def _indices(self, index: int) -> NDArray[np.uint8]:
        return self.raw.frame(index).astype(np.uint8, copy=False)

    @cached_property
    def _inverse(self) -> tuple[FloatArray, NDArray[np.bool_], str]:
        return invert_palette(self.palette, self.ramp_indices)


def pictures_of(
    raw: RawFrames, relationship: Intensity, finder: FieldFinder
) -> GreyPictures | ColourPictures:
    """Return grey or colour pictures, as the first frame says."""
    colour = raw.frame(0).ndim == 3
    return ColourPictures(raw, finder) if colour else GreyPictures(raw, relationship)


@dataclass(frozen=True, eq=False)
class CartesianFrames:
    """Frame source of Cartesian pictures; beyond the field the intensity is 0."""

    pictures: Pictures
    field: Field

    def display(self, index: int) -> Picture:
        """Return frame ``index`` as it is shown, drawings included."""
        return self.pictures.shown(index)

    def intensity(self, index: int) -> FloatArray:
        """Return frame ``index`` as float32 ``[row, column]``."""
        values = self.pictures.values(index)
        values[self._beyond(values.shape[0], values.shape[1])] = 0
        return values

    def _beyond(self, rows: int, columns: int) -> NDArray[np.bool_]:
        if self._mask.shape != (rows, columns):
            raise ValueError(f"frames must have shape {self._mask.shape}, got {(rows, columns)}")
        return self._mask

    @cached_property
    def _mask(self) -> NDArray[np.bool_]:
        shape = self.pictures.shown(0).shape
        return ~self.field.mask((shape[0], shape[1]))


@dataclass(frozen=True)
class Orientation:
    """How stored A-lines become canonical ones, clockwise from +x; per-frame tuples may be empty.

    Parameters
    ----------
    a_lines
        A-lines that hold data; stored ones beyond are padding.
    clockwise
        Whether stored A-lines run clockwise on screen.
    first_a_line
        Canonical index of the A-line at which the location in the header points.
    seam_indices
        Stored index of that A-line in each frame.
    shifts_px
        Samples by which each frame's A-lines move away from the catheter.
    """

    a_lines: int
    clockwise: bool = True
    first_a_line: int = 0
    seam_indices: tuple[int, ...] = ()
    shifts_px: tuple[int, ...] = ()

    def apply(self, stored: Picture, index: int) -> Picture:
        """Return frame ``index``, ``[a_line, sample]`` or with a colour axis, put right."""
        frame = stored[: self.a_lines]
        seam = self.seam_indices[index] if self.seam_indices else 0
        if seam:
            frame = np.roll(frame, -seam, axis=0)
        if not self.clockwise:
            frame = np.roll(frame[::-1], 1, axis=0)
        if self.first_a_line:
            frame = np.roll(frame, self.first_a_line, axis=0)
        shift = self.shifts_px[index] if self.shifts_px else 0
        return _shifted(frame, shift) if shift else frame

    def undo(self, frame: Picture, index: int, rows: int) -> Picture:
        """Return a canonical frame as it would be stored, in ``rows`` A-lines with padding of 0.

        Samples that `apply` moved out of the frame come back as 0.
        """
        shift = self.shifts_px[index] if self.shifts_px else 0
        stored = _shifted(frame, -shift) if shift else frame
        stored = np.roll(stored, -self.first_a_line, axis=0)
        if not self.clockwise:
            stored = np.roll(stored, -1, axis=0)[::-1]
        seam = self.seam_indices[index] if self.seam_indices else 0
        padding = np.zeros((rows - self.a_lines, *frame.shape[1:]), dtype=frame.dtype)
        return np.concatenate([np.roll(stored, seam, axis=0), padding])


def _shifted(frame: Picture, shift: int) -> Picture:
    """Move the samples of every A-line outward by ``shift``; what comes in is 0."""
    moved = np.zeros_like(frame)
    if abs(shift) >= frame.shape[1]:
        return moved
    if shift > 0:
        moved[:, shift:] = frame[:, :-shift]
    else:
        moved[:, :shift] = frame[:, -shift:]
    return moved


@dataclass(frozen=True, eq=False)
class PolarFrames:
    """Frame source of polar pictures, put into canonical order."""

    pictures: Pictures
    orientation: Orientation

    def display(self, index: int) -> Picture:
        """Return frame ``index`` as it is shown, ``[a_line, sample]``."""
        return np.ascontiguousarray(self.orientation.apply(self.pictures.shown(index), index))

    def intensity(self, index: int) -> FloatArray:
        """Return frame ``index`` as float32 ``[a_line, sample]``."""
        frame = self.orientation.apply(self.pictures.values(index), index)
        return np.ascontiguousarray(frame, dtype=np.float32)
