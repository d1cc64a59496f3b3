"""An animated GIF of a range of frames, with what is drawn over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from calcviewer.app.analysis_file import NOTICE
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.atomic import staged_file
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import CartesianGrid
from calcviewer.core.resources import resource_path

Rgb = NDArray[np.uint8]

MOST_FRAMES = 240
"""A longer range is thinned to this many frames."""
_SIZE_PX = 420
_LEAST_WIDTH_PX = 420
_STRIP_PX = 26
_FINER = 2
_FONT_PX = 14
_OUTLINE_PX = 1.5
_FILL = 64  # a quarter
_LUMEN, _CALCIUM, _WIRE = (229, 72, 77), (68, 147, 248), (154, 160, 166)
_INK, _GROUND, _WHITE = (215, 220, 226), (14, 17, 23), (255, 255, 255)
_COLOURS = 128
_PALETTE_FRAMES = 6
_BAR_MM = 1.0


@dataclass(frozen=True, kw_only=True)
class AnimationSource:
    """Where the pictures of an animation come from.

    Parameters
    ----------
    picture
        Returns a frame (0-based) in colours, uint8 ``[row, column, 3]`` on ``grid``.
    annotation
        Returns what is drawn over a frame, None for nothing.
    frame_count
        Number of frames of the pullback, for the caption.
    scaled
        Whether the grid's mm are true, so that a scale bar can be drawn.
    """

    picture: Callable[[int], Rgb]
    annotation: Callable[[int], FrameAnnotation | None]
    grid: CartesianGrid
    frame_count: int
    scaled: bool


def animation_frames(first: int, last: int) -> range:
    """Return the frames (0-based) of an animation from first to last, thinned where too many."""
    count = last - first + 1
    step = -(-count // MOST_FRAMES)
    return range(first, last + 1, step)


def write_animation(
    path: Path, source: AnimationSource, frames: Sequence[int], *, frames_per_second: int
) -> Iterator[tuple[int, int]]:
    """Write an animated GIF that repeats, yielding (frames done, frames in all).

    It is left out, and an older file kept, when the iteration is ended early.

    Raises
    ------
    CalcViewerError
        When the file cannot be written.
    """
    total = len(frames)
    sample = [frames[int(i)] for i in np.linspace(0, total - 1, min(_PALETTE_FRAMES, total))]
    palette = _common_palette([drawn_frame(source, frame) for frame in sample])
    pictures = []
    with staged_file(path) as stage:
        for done, frame in enumerate(frames, start=1):
            picture = drawn_frame(source, frame)
            pictures.append(picture.quantize(palette=palette, dither=Image.Dither.NONE))
            yield done, total
        pictures[0].save(
            stage,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 / frames_per_second),
            loop=0,
        )
        yield total, total  # the last place to stop before the file takes its place


def drawn_frame(source: AnimationSource, frame: int) -> Image.Image:
    """Return one picture of the animation, RGB: frame, contours, scale bar and caption."""
    grid = source.grid
    scale = _SIZE_PX / max(grid.shape)
    width, height = round(grid.columns * scale), round(grid.rows * scale)
    fine = (width * _FINER, height * _FINER)
    picture = Image.fromarray(source.picture(frame)).resize(fine, Image.Resampling.BILINEAR)
    annotation = source.annotation(frame)
    if annotation is not None:
        picture = _with_contours(picture, annotation, grid)
    picture = picture.resize((width, height), Image.Resampling.BOX)
    whole = Image.new("RGB", (max(width, _LEAST_WIDTH_PX), height + _STRIP_PX), _GROUND)
    whole.paste(picture)
    _write_caption(whole, f"frame {frame + 1} / {source.frame_count}")
    if source.scaled:
        _draw_bar(whole, (width, height), _BAR_MM / grid.pixel_spacing_mm * scale)
    return whole


def _with_contours(
    picture: Image.Image, annotation: FrameAnnotation, grid: CartesianGrid
) -> Image.Image:
    scale = picture.width / grid.columns
    width = round(_OUTLINE_PX * _FINER)
    drawn = picture.convert("RGBA")
    contours: list[tuple[Contour, tuple[int, int, int], int]] = [
        (contour, _CALCIUM, _FILL) for contour in annotation.calcium
    ]
    if annotation.lumen is not None:
        contours.append((annotation.lumen, _LUMEN, 0))
    for contour, colour, fill in contours:
        rings = [(grid.to_px(ring) + 0.5) * scale for ring in contour.rings_mm]
        if fill:
            drawn.paste(colour, mask=_region(rings, picture.size, fill))
        draw = ImageDraw.Draw(drawn)
        for ring in rings:
            points = [(float(x), float(y)) for x, y in (*ring, ring[0])]
            draw.line(points, fill=colour, width=width, joint="curve")
    draw = ImageDraw.Draw(drawn)
    x, y = ((place + 0.5) * scale for place in grid.centre_px)
    reach = min(x, y, picture.width - x, picture.height - y) - _FINER
    for wire in annotation.guidewires:
        box = (x - reach, y - reach, x + reach, y + reach)  # an arc at the rim marks its sector
        end_deg = wire.start_deg + wire.extent_deg
        draw.arc(box, wire.start_deg, end_deg, fill=_WIRE, width=3 * _FINER)
    return drawn.convert("RGB")


def _region(rings: Sequence[NDArray[np.float64]], size: tuple[int, int], fill: int) -> Image.Image:
    """Return a mask of the first ring without the others."""
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    for number, ring in enumerate(rings):
        draw.polygon([(float(x), float(y)) for x, y in ring], fill=0 if number else fill)
    return mask


def _write_caption(picture: Image.Image, words: str) -> None:
    draw = ImageDraw.Draw(picture)
    font = _font()
    baseline = picture.height - 8
    draw.text((8, baseline), words, fill=_INK, font=font, anchor="ls")
    draw.text((picture.width - 8, baseline), NOTICE, fill=_INK, font=font, anchor="rs")


def _draw_bar(picture: Image.Image, size: tuple[int, int], length_px: float) -> None:
    draw = ImageDraw.Draw(picture)
    right, bottom = size[0] - 12, size[1] - 12
    draw.line([(right - length_px, bottom), (right, bottom)], fill=_WHITE, width=2)
    middle = right - length_px / 2
    draw.text((middle, bottom - 5), "1 mm", fill=_WHITE, font=_font(), anchor="ms")


def _common_palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return a picture that holds the colours common to some pictures."""
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width, height * len(pictures)))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (0, number * height))
    return sheet.quantize(colors=_COLOURS, method=Image.Quantize.MEDIANCUT)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(resource_path("fonts", "OpenSans-Regular.ttf")), _FONT_PX)
