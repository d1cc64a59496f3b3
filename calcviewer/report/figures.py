"""The parts of the pullback figure: longitudinal view, calcium map and trends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from calcviewer.core.contour import Contour, trace
from calcviewer.core.geometry import FULL_CIRCLE_DEG, CartesianGrid
from calcviewer.report import style
from calcviewer.report.content import (
    CalciumMap,
    Longitudinal,
    ReportContent,
    RgbImage,
    Trend,
)
from calcviewer.report.views import Box, add_ring, clip_to, draw_image, hatch

_TEXT_PT = 7.0
SMALL_PT = 6.5
_MAP_TOP_MM = 1.0
_MAP_MARK_MM = 0.5


def write_with(
    canvas: Canvas, colour: Color, size: float = _TEXT_PT, font: str = style.REGULAR
) -> None:
    """Set colour and font of the text that is drawn next."""
    canvas.setFillColor(colour)
    canvas.setFont(font, size)


def frame_x(box: Box, frames: int, position: float) -> float:
    """Return where a position in frames (frame i spans i to i + 1) lies on the page."""
    return box.x + position / frames * box.width


# --- longitudinal view ---------------------------------------------------------------------------


def draw_longitudinal(canvas: Canvas, content: ReportContent, view: Longitudinal, box: Box) -> None:
    """Draw the longitudinal view with lumen, calcium, shadow and VOI into a box."""
    frames = content.axis.frame_count
    draw_image(canvas, _at_least_wide(view.image), box)
    scale = np.array([box.width / frames, box.height / (2 * view.half_height_mm)])
    origin = np.array([box.x, box.y + box.height / 2])
    canvas.saveState()
    clip_to(canvas, box)
    for contour in view.shadow:
        path = canvas.beginPath()
        for ring in contour.rings_mm:
            add_ring(path, origin + ring * scale)
        hatch(canvas, path, box, style.SHADOW_ON_IMAGE)
    canvas.setFillColor(style.CALCIUM_ON_IMAGE, alpha=style.FILL_OPACITY + 0.1)
    canvas.setStrokeColor(style.CALCIUM_ON_IMAGE)
    canvas.setLineWidth(0.6)
    canvas.setDash(*style.CALCIUM_DASH)
    for contour in view.calcium:
        path = canvas.beginPath()
        for ring in contour.rings_mm:
            add_ring(path, origin + ring * scale)
        canvas.drawPath(path, stroke=1, fill=1, fillMode=0)
    canvas.setFillAlpha(1)
    canvas.setDash()
    canvas.setStrokeColor(style.LUMEN_ON_IMAGE)
    canvas.setLineWidth(0.8)
    for row, side in enumerate((1.0, -1.0)):
        _draw_curve(canvas, side * view.lumen_mm[row] * scale[1] + origin[1], box)
    _draw_voi(canvas, content, box, veil=True)
    canvas.restoreState()
    _draw_ends(canvas, content, view, box)


def _at_least_wide(image: RgbImage, columns: int = 8) -> RgbImage:
    """Repeat the columns of a very short pullback, so that viewers do not blur them."""
    return np.repeat(image, -(-columns // image.shape[1]), axis=1)


def _draw_curve(canvas: Canvas, y: NDArray[np.floating], box: Box) -> None:
    """Draw a curve with one value a frame, interrupted where it is NaN."""
    frames = len(y)
    path = canvas.beginPath()
    for first, last in _runs(np.isfinite(y)):
        if first == last:
            path.moveTo(frame_x(box, frames, first + 0.1), y[first])
            path.lineTo(frame_x(box, frames, first + 0.9), y[first])
            continue
        path.moveTo(frame_x(box, frames, first + 0.5), y[first])
        for frame in range(first + 1, last + 1):
            path.lineTo(frame_x(box, frames, frame + 0.5), y[frame])
    canvas.drawPath(path)


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield first and last index of every run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    for first, end in zip(steps[::2], steps[1::2], strict=True):
        yield int(first), int(end) - 1


def _draw_voi(canvas: Canvas, content: ReportContent, box: Box, *, veil: bool) -> None:
    voi = content.axis.voi
    if voi is None:
        return
    frames = content.axis.frame_count
    left, right = frame_x(box, frames, voi[0]), frame_x(box, frames, voi[1] + 1)
    canvas.setDash()
    if veil:
        canvas.setFillColor(style.WHITE, alpha=0.45)
        canvas.rect(box.x, box.y, left - box.x, box.height, stroke=0, fill=1)
        canvas.rect(right, box.y, box.x + box.width - right, box.height, stroke=0, fill=1)
        canvas.setFillAlpha(1)
    canvas.setStrokeColor(style.VOI)
    canvas.setLineWidth(1.4)
    for x in (left, right):
        canvas.line(x, box.y, x, box.y + box.height)


def _draw_ends(canvas: Canvas, content: ReportContent, view: Longitudinal, box: Box) -> None:
    """Write which end is which, the cut angle, and the scale across the vessel."""
    middle = box.y + box.height / 2
    write_with(canvas, style.WHITE, SMALL_PT, style.BOLD)
    canvas.drawString(box.x + 5, box.y + 4, content.axis.start_label)
    canvas.drawRightString(box.x + box.width - 5, box.y + 4, content.axis.end_label)
    write_with(canvas, style.QUIET, SMALL_PT)
    right = box.x - 4
    canvas.drawRightString(right, box.y + box.height - 6, f"{view.cut_deg:.0f}°")
    canvas.drawRightString(right, box.y + 1, f"{(view.cut_deg + 180) % 360:.0f}°")
    canvas.setFont(style.BOLD, SMALL_PT)
    canvas.drawRightString(right, middle + 0.5, "Longitudinal")
    canvas.setFont(style.REGULAR, SMALL_PT)
    canvas.drawRightString(right, middle - 7.5, "cut line")
    if view.scale_known:
        length = box.height / (2 * view.half_height_mm)
        x = box.x + box.width + 5
        canvas.setStrokeColor(style.INK)
        canvas.setLineWidth(1.2)
        canvas.line(x, middle - length / 2, x, middle + length / 2)
        canvas.drawString(x + 4, middle - 2.5, "1 mm")


# --- calcium map ---------------------------------------------------------------------------------


def draw_calcium_map(canvas: Canvas, calcium: CalciumMap, box: Box) -> None:
    """Draw the map of thickness over angle (down) and frame, with its colour bar, into a box."""
    draw_image(canvas, _map_image(calcium), box, lossless=True)
    angles, frames = calcium.thickness_mm.shape
    scale = np.array([box.width / frames, -box.height / angles])
    for contour in _regions(calcium.shadow):
        path = canvas.beginPath()
        for ring in contour.rings_mm:
            add_ring(path, (ring + 0.5) * scale + (box.x, box.y + box.height))
        canvas.saveState()
        clip_to(canvas, box)
        hatch(canvas, path, box, style.SHADOW_ON_PAPER)
        canvas.restoreState()
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.rect(*box)
    write_with(canvas, style.QUIET, SMALL_PT)
    for angle in (0, 90, 180, 270, 360):
        y = box.y + box.height * (1 - angle / FULL_CIRCLE_DEG)
        canvas.drawRightString(box.x - 4, y - 2.3, f"{angle}°")
        canvas.line(box.x - 2.5, y, box.x, y)
    _draw_map_legend(canvas, box, calcium)
    if calcium.scale_known:
        _draw_colour_bar(canvas, Box(box.x + box.width + 6, box.y, 7, box.height))


def _map_colours(part: NDArray[np.floating]) -> RgbImage:
    """Return the colours of thicknesses given as parts of the scale, shape ``(..., 3)``."""
    thin, thick = np.array(style.MAP_THIN), np.array(style.MAP_THICK)
    colours: RgbImage = np.rint(thin + np.clip(part, 0, 1)[..., None] * (thick - thin)).astype(
        np.uint8
    )
    return colours


def _map_image(calcium: CalciumMap) -> RgbImage:
    """Return the map as an image of its own shape."""
    found = np.isfinite(calcium.thickness_mm)
    part = np.where(found, calcium.thickness_mm / _MAP_TOP_MM, 0.0)
    pale = np.array([round(255 * value) for value in style.PALE.rgb()], dtype=np.uint8)
    missing = np.array([round(255 * value) for value in style.MISSING.rgb()], dtype=np.uint8)
    image = np.where(found[..., None], _map_colours(part), pale)
    image[:, ~calcium.measured] = missing
    return _at_least_wide(image)


def _regions(mask: NDArray[np.bool_]) -> tuple[Contour, ...]:
    """Return the regions of a mask as contours in its pixels (``x`` = column)."""
    return trace(mask, CartesianGrid(mask.shape[0], mask.shape[1], 1.0, (0.0, 0.0)))


def _draw_map_legend(canvas: Canvas, box: Box, calcium: CalciumMap) -> None:
    """Write the title of the map above it, and what its hatching and grey mean."""
    y = box.y + box.height + 3
    write_with(canvas, style.INK, _TEXT_PT, style.BOLD)
    canvas.drawString(box.x, y, "Calcium map")
    x = box.x + stringWidth("Calcium map", style.BOLD, _TEXT_PT) + 5
    write_with(canvas, style.QUIET)
    colour = ", colour = thickness" if calcium.scale_known else ""
    canvas.drawString(x, y, f"angle about the lumen centre × frame{colour}")
    x = box.x + box.width
    for label in ("guidewire shadow", "not measured")[: 1 + (not calcium.measured.all())]:
        x -= stringWidth(label, style.REGULAR, _TEXT_PT)
        write_with(canvas, style.QUIET)
        canvas.drawString(x, y, label)
        swatch = Box(x - 12, y - 0.5, 9, 6.5)
        if label == "not measured":
            canvas.setFillColor(style.MISSING)
            canvas.rect(*swatch, stroke=0, fill=1)
        else:
            path = canvas.beginPath()
            path.rect(*swatch)
            hatch(canvas, path, swatch, style.SHADOW_ON_PAPER)
            canvas.rect(*swatch)
        x -= 20


def _draw_colour_bar(canvas: Canvas, box: Box) -> None:
    """Draw the thickness scale with the score's threshold marked."""
    draw_image(canvas, _map_colours(np.linspace(1, 0, 64))[:, None], box, lossless=True)
    write_with(canvas, style.QUIET, SMALL_PT)
    canvas.setStrokeColor(style.QUIET)
    for value, label in ((0.0, "0"), (_MAP_MARK_MM, "0.5"), (_MAP_TOP_MM, "≥ 1")):
        y = box.y + value / _MAP_TOP_MM * box.height
        canvas.line(box.x + box.width, y, box.x + box.width + 2.5, y)
        canvas.drawString(box.x + box.width + 4, y - 2.3, label)
    canvas.drawString(box.x - 1, box.y + box.height + 4, "mm")


# --- trends --------------------------------------------------------------------------------------


def draw_trend(canvas: Canvas, content: ReportContent, trend: Trend, box: Box) -> None:
    """Draw one curve with its threshold, value axis and VOI into a box, its title above it."""
    colour = style.TONE_ON_PAPER[trend.tone]
    top = _nice_top(trend)
    _draw_trend_title(canvas, trend, box, colour)
    canvas.setFillColor(style.PALE)
    canvas.rect(*box, stroke=0, fill=1)
    _draw_voi(canvas, content, box, veil=False)
    write_with(canvas, style.QUIET, SMALL_PT)
    for value in (0.0, top):
        y = box.y + value / top * box.height
        canvas.drawRightString(box.x - 4, y - (0 if value == 0 else 4.6), f"{value:g}")
    if trend.threshold is not None:
        _draw_threshold(canvas, trend, box, top)
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.9)
    if trend.second is not None:
        canvas.setDash(2.5, 1.5)
        _draw_curve(canvas, box.y + trend.second / top * box.height, box)
        canvas.setDash()
    _draw_curve(canvas, box.y + trend.values / top * box.height, box)
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.line(box.x, box.y, box.x + box.width, box.y)


def _draw_trend_title(canvas: Canvas, trend: Trend, box: Box, colour: Color) -> None:
    y = box.y + box.height + 3
    write_with(canvas, style.INK, _TEXT_PT, style.BOLD)
    canvas.drawString(box.x, y, trend.title)
    x = box.x + stringWidth(trend.title, style.BOLD, _TEXT_PT) + 4
    write_with(canvas, style.QUIET)
    canvas.drawString(x, y, trend.unit)
    if trend.second is None:
        return
    x = box.x + box.width
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.9)
    for label, dash in ((trend.second_title, (2.5, 1.5)), ("visible", ())):
        x -= stringWidth(label, style.REGULAR, _TEXT_PT)
        canvas.drawString(x, y, label)
        canvas.setDash(*dash) if dash else canvas.setDash()
        canvas.line(x - 16, y + 2.3, x - 3, y + 2.3)
        x -= 24
    canvas.setDash()


def _draw_threshold(canvas: Canvas, trend: Trend, box: Box, top: float) -> None:
    assert trend.threshold is not None
    y = box.y + trend.threshold / top * box.height
    canvas.setStrokeColor(style.WARNING)
    canvas.setLineWidth(0.7)
    canvas.setDash(4, 2)
    canvas.line(box.x, y, box.x + box.width, y)
    canvas.setDash()
    write_with(canvas, style.WARNING, SMALL_PT, style.BOLD)
    unit = "°" if trend.unit == "°" else f" {trend.unit}"
    canvas.drawString(box.x + box.width + 4, y - 2.3, f"{trend.threshold:g}{unit}")


def _nice_top(trend: Trend) -> float:
    """Return the end of the value axis: a round number above all values and the threshold."""
    curves = [trend.values] + ([] if trend.second is None else [trend.second])
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    largest = max(float(finite.max(initial=0.0)), 1.25 * (trend.threshold or 0.0), 1e-3)
    if trend.unit == "°" and largest > 225:
        return FULL_CIRCLE_DEG
    power = 10.0 ** np.floor(np.log10(largest))
    return float(
        next(
            step * power
            for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
            if step * power >= largest * 1.001 or step == 10
        )
    )
