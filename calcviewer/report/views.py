"""Key frames in both views: the frame as a raster image, everything drawn on it as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.colors import Color
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import Flowable

from calcviewer.core.contour import Contour
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, to_polar, to_xy
from calcviewer.report import style
from calcviewer.report.content import KeyFrame, RgbImage

_JPEG_QUALITY = 82
_OUTLINE_PT = 0.9
_SIMPLIFY_MM = 0.004
_POLAR_STEP_MM = 0.08
_HATCH_STEP_PT = 3.0
_SCALE_STEPS_MM = (5.0, 2.0, 1.0, 0.5, 0.2, 0.1)
_CAPTION_PT = 13.0
_AXIS_PT = 9.0
_SMALLEST_ROW_PT = 82.0
_LARGEST_ROW_PT = 168.0


class Box(NamedTuple):
    """A rectangle on the page, points, origin at its lower left."""

    x: float
    y: float
    width: float
    height: float


def draw_image(canvas: Canvas, image: RgbImage, box: Box, *, lossless: bool = False) -> None:
    """Draw an RGB image into a box: frames as JPEG, maps lossless."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    if lossless:
        reader = ImageReader(picture)
    else:
        stream = BytesIO()
        picture.save(stream, "JPEG", quality=_JPEG_QUALITY)
        stream.seek(0)
        reader = ImageReader(stream)
    canvas.drawImage(reader, box.x, box.y, box.width, box.height)


def hatch(canvas: Canvas, path: PDFPathObject, box: Box, colour: Color) -> None:
    """Hatch the inside (even-odd) of a path that lies within a box."""
    canvas.saveState()
    canvas.clipPath(path, stroke=0, fill=0, fillMode=0)
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.4)
    canvas.setDash()
    lines = canvas.beginPath()
    for offset in np.arange(-box.height, box.width, _HATCH_STEP_PT):
        lines.moveTo(box.x + offset, box.y)
        lines.lineTo(box.x + offset + box.height, box.y + box.height)
    canvas.drawPath(lines)
    canvas.restoreState()


def clip_to(canvas: Canvas, box: Box) -> None:
    """Limit what is drawn next to a box, until the canvas state is restored."""
    path = canvas.beginPath()
    path.rect(*box)
    canvas.clipPath(path, stroke=0, fill=0)


def add_ring(path: PDFPathObject, points_pt: NDArray[np.float64]) -> None:
    """Add a closed ring to a path."""
    path.moveTo(*points_pt[0])
    for point in points_pt[1:]:
        path.lineTo(*point)
    path.close()


def scale_bar_mm(available_mm: float) -> float:
    """Return the longest round scale bar that fits."""
    return next((step for step in _SCALE_STEPS_MM if step <= available_mm), _SCALE_STEPS_MM[-1])


class _CrossSection:
    """Canonical mm about the catheter to a square box."""

    def __init__(self, key: KeyFrame, box: Box) -> None:
        self.box = box
        self.pt_per_mm = box.width / (2 * key.radius_mm)

    def to_pt(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert ``(N, 2)`` mm to points on the page."""
        centre = self.box.x + self.box.width / 2, self.box.y + self.box.height / 2
        return np.asarray(points_mm) * (self.pt_per_mm, -self.pt_per_mm) + centre

    def add_rings(self, path: PDFPathObject, contour: Contour) -> None:
        """Add a contour's region to a path, for even-odd filling."""
        for ring in _rings(contour, _SIMPLIFY_MM):
            add_ring(path, self.to_pt(ring))

    add_borders = add_rings

    def add_sector(self, path: PDFPathObject, sector: Arc, radius_mm: float) -> None:
        """Add an angular sector about the catheter to a path."""
        angles = sector.start_deg + np.linspace(0, sector.extent_deg, 24)
        rim = to_xy(angles, np.full_like(angles, 1.5 * radius_mm))
        add_ring(path, self.to_pt(np.concatenate([[[0.0, 0.0]], rim])))

    def add_line(self, path: PDFPathObject, points_mm: NDArray[np.float64]) -> None:
        """Add an open line to a path."""
        _add_line(path, self.to_pt(points_mm))


class _Polar:
    """Canonical mm about the catheter to a box of angle (right) by radius (down); theta wraps."""

    def __init__(self, key: KeyFrame, box: Box) -> None:
        self.box = box
        self.pt_per_mm = box.height / key.radius_mm

    def _to_pt(
        self, angle_deg: NDArray[np.float64], radius_mm: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        x = self.box.x + angle_deg / FULL_CIRCLE_DEG * self.box.width
        return np.stack([x, self.box.y + self.box.height - radius_mm * self.pt_per_mm], axis=1)

    def _unrolled(self, points_mm: NDArray[np.float64]) -> Iterable[NDArray[np.float64]]:
        """Yield a line as points on the page, once for every turn in which it is seen."""
        angle, radius = to_polar(points_mm)
        unwrapped = np.rad2deg(np.unwrap(np.deg2rad(angle)))
        low, high = np.floor(np.array([unwrapped.min(), unwrapped.max()]) / FULL_CIRCLE_DEG)
        for turn in range(int(low), int(high) + 1):
            yield self._to_pt(unwrapped - turn * FULL_CIRCLE_DEG, radius)

    def add_rings(self, path: PDFPathObject, contour: Contour) -> None:
        """Add a contour's region to a path; rings about the catheter are closed through it."""
        top = self.box.y + self.box.height
        for ring in _rings(contour, _SIMPLIFY_MM, _POLAR_STEP_MM):
            for line in self._unrolled(np.concatenate([ring, ring[:1]])):
                if abs(line[-1, 0] - line[0, 0]) > self.box.width / 2:
                    ends = np.array([[line[-1, 0], top], [line[0, 0], top]])
                    line = np.concatenate([line, ends])
                add_ring(path, line)

    def add_borders(self, path: PDFPathObject, contour: Contour) -> None:
        """Add a contour's borders to a path."""
        for ring in _rings(contour, _SIMPLIFY_MM, _POLAR_STEP_MM):
            self.add_line(path, np.concatenate([ring, ring[:1]]))

    def add_sector(self, path: PDFPathObject, sector: Arc, radius_mm: float) -> None:
        """Add an angular sector about the catheter to a path."""
        for turn in (0.0, FULL_CIRCLE_DEG):
            ends = np.array([sector.start_deg, sector.start_deg + sector.extent_deg]) - turn
            corners = self._to_pt(ends[[0, 1, 1, 0]], np.array([0, 0, 1, 1]) * radius_mm)
            add_ring(path, corners)

    def add_line(self, path: PDFPathObject, points_mm: NDArray[np.float64]) -> None:
        """Add an open line to a path, through theta = 0."""
        for line in self._unrolled(points_mm):
            _add_line(path, line)


_View = _CrossSection | _Polar


def _rings(
    contour: Contour, tolerance_mm: float, step_mm: float | None = None
) -> list[NDArray[np.float64]]:
    """Return a contour's rings with no more points than print shows."""
    region = contour.polygon.simplify(tolerance_mm)
    if step_mm is not None:
        region = region.segmentize(step_mm)
    # A region that narrows to a point comes back in several parts.
    rings = [
        ring for part in shapely.get_parts(region) for ring in (part.exterior, *part.interiors)
    ]
    return [np.asarray(ring.coords)[:-1] for ring in rings if len(ring.coords) > 3]


def _add_line(path: PDFPathObject, points_pt: NDArray[np.float64]) -> None:
    path.moveTo(*points_pt[0])
    for point in points_pt[1:]:
        path.lineTo(*point)


def draw_cross_section(canvas: Canvas, key: KeyFrame, box: Box) -> None:
    """Draw the cross-section with overlay, O, bounding rays and scale bar into a square box."""
    draw_image(canvas, key.cross_section, box)
    view = _CrossSection(key, box)
    _draw_overlay(canvas, key, view)
    _draw_scale_bar(canvas, key, view)


def draw_polar(canvas: Canvas, key: KeyFrame, box: Box) -> None:
    """Draw the polar view with overlay, bounding rays, scale bar and angles under it."""
    draw_image(canvas, key.polar, box)
    view = _Polar(key, box)
    _draw_overlay(canvas, key, view)
    _draw_depth_bar(canvas, key, view)
    canvas.setFont(style.REGULAR, 6)
    canvas.setFillColor(style.QUIET)
    for angle in range(0, 361, 90):
        x = box.x + angle / FULL_CIRCLE_DEG * box.width
        text = f"{angle}°"
        shift = {0: 0.0, 360: 1.0}.get(angle, 0.5) * stringWidth(text, style.REGULAR, 6)
        canvas.drawString(x - shift, box.y - 7, text)


def _draw_overlay(canvas: Canvas, key: KeyFrame, view: _View) -> None:
    canvas.saveState()
    clip_to(canvas, view.box)
    annotation = key.annotation
    if annotation.guidewires:
        _draw_shadow(canvas, key, view)
    if annotation.calcium:
        _draw_region(canvas, view, annotation.calcium)
    if annotation.lumen is not None:
        path = canvas.beginPath()
        view.add_borders(path, annotation.lumen)
        canvas.setDash()
        canvas.setLineWidth(_OUTLINE_PT)
        canvas.setStrokeColor(style.LUMEN_ON_IMAGE)
        canvas.drawPath(path)
    if key.centre_mm is not None:
        _draw_bounding_rays(canvas, key, view)
    canvas.restoreState()


def _draw_region(canvas: Canvas, view: _View, contours: Sequence[Contour]) -> None:
    canvas.setFillColor(style.CALCIUM_ON_IMAGE, alpha=style.FILL_OPACITY)
    canvas.setStrokeColor(style.CALCIUM_ON_IMAGE)
    canvas.setLineWidth(_OUTLINE_PT)
    for contour in contours:
        region = canvas.beginPath()
        view.add_rings(region, contour)
        canvas.drawPath(region, stroke=0, fill=1, fillMode=0)
        canvas.setDash(*style.CALCIUM_DASH)
        borders = canvas.beginPath()
        view.add_borders(borders, contour)
        canvas.drawPath(borders)
    canvas.setFillAlpha(1)


def _draw_shadow(canvas: Canvas, key: KeyFrame, view: _View) -> None:
    """Hatch the guidewire sectors from the lumen border outward."""
    canvas.saveState()
    _clip_outside_lumen(canvas, key, view)
    sectors = canvas.beginPath()
    for sector in key.annotation.guidewires:
        view.add_sector(sectors, sector, key.radius_mm)
    hatch(canvas, sectors, view.box, style.SHADOW_ON_IMAGE)
    canvas.restoreState()


def _clip_outside_lumen(canvas: Canvas, key: KeyFrame, view: _View) -> None:
    """Limit what is drawn next to the outside of the lumen."""
    if key.annotation.lumen is None:
        return
    outside = canvas.beginPath()
    outside.rect(*view.box)
    view.add_rings(outside, key.annotation.lumen)
    canvas.clipPath(outside, stroke=0, fill=0, fillMode=0)


def _draw_bounding_rays(canvas: Canvas, key: KeyFrame, view: _View) -> None:
    assert key.centre_mm is not None
    centre = np.asarray(key.centre_mm)
    canvas.setStrokeColor(style.WHITE)
    if key.arc is not None and key.arc.extent_deg < FULL_CIRCLE_DEG:
        canvas.saveState()
        if isinstance(view, _Polar):
            # Before the border the rays would be curves that say nothing.
            _clip_outside_lumen(canvas, key, view)
        canvas.setLineWidth(0.5)
        canvas.setDash(2, 1.6)
        rays = canvas.beginPath()
        steps = np.linspace(0.01, 3 * key.radius_mm, 120)[:, None]
        for angle in (key.arc.start_deg, key.arc.end_deg):
            view.add_line(rays, centre + steps * to_xy(np.array(angle), np.array(1.0)))
        canvas.drawPath(rays)
        canvas.restoreState()
    canvas.setDash()
    if isinstance(view, _CrossSection):
        x, y = view.to_pt(centre[None])[0]
        canvas.setLineWidth(0.7)
        canvas.circle(x, y, 1.7, stroke=1, fill=0)
        canvas.setFillColor(style.WHITE)
        canvas.setFont(style.BOLD, 6)
        canvas.drawString(x + 2.8, y + 1.6, "O")


def _draw_scale_bar(canvas: Canvas, key: KeyFrame, view: _CrossSection) -> None:
    box = view.box
    canvas.setFont(style.BOLD, 6.5)
    canvas.setFillColor(style.WHITE)
    if not key.scale_known:
        canvas.drawRightString(box.x + box.width - 5, box.y + 5, "no mm scale")
        return
    bar_mm = scale_bar_mm(0.3 * 2 * key.radius_mm)
    right = box.x + box.width - 5
    left = right - bar_mm * view.pt_per_mm
    canvas.setStrokeColor(style.WHITE)
    canvas.setLineWidth(1.4)
    canvas.line(left, box.y + 5, right, box.y + 5)
    canvas.drawCentredString((left + right) / 2, box.y + 7.5, f"{bar_mm:g} mm")


def _draw_depth_bar(canvas: Canvas, key: KeyFrame, view: _Polar) -> None:
    if not key.scale_known:
        return
    box = view.box
    bar_mm = scale_bar_mm(0.35 * key.radius_mm)
    x, bottom = box.x + box.width - 5, box.y + 5
    canvas.setStrokeColor(style.WHITE)
    canvas.setLineWidth(1.4)
    canvas.line(x, bottom, x, bottom + bar_mm * view.pt_per_mm)
    canvas.setFillColor(style.WHITE)
    canvas.setFont(style.BOLD, 6.5)
    middle = bottom + bar_mm * view.pt_per_mm / 2 - 2.3
    canvas.drawRightString(x - 3, middle, f"{bar_mm:g} mm")


class KeyFrameSheet(Flowable):  # type: ignore[misc, unused-ignore]
    """Key frames below one another, as large as the rest of the page allows."""

    def __init__(self, key_frames: Sequence[KeyFrame]) -> None:
        super().__init__()
        self.key_frames = key_frames

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Take the rest of the page, within limits."""
        count = len(self.key_frames)
        row = np.clip(available_height / count, _SMALLEST_ROW_PT, _LARGEST_ROW_PT)
        self.width, self.height = available_width, float(row) * count
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        """Return one sheet for what fits at a readable size, and one for the rest."""
        fits = int(available_height // _SMALLEST_ROW_PT)
        if fits == 0:
            return []
        return [KeyFrameSheet(self.key_frames[:fits]), KeyFrameSheet(self.key_frames[fits:])]

    def draw(self) -> None:
        """Draw the rows from the top."""
        row = self.height / len(self.key_frames)
        # One long title moves all captions, so that the rows stay alike.
        own_line = any(_heading_pt(key) > self.width for key in self.key_frames)
        for index, key in enumerate(self.key_frames):
            box = Box(0, self.height - (index + 1) * row, self.width, row)
            _draw_row(self.canv, key, box, own_line=own_line)


def _title(key: KeyFrame) -> str:
    return f"{key.title} · frame {key.frame + 1}"


def _heading_pt(key: KeyFrame) -> float:
    """Return the width of title and caption on one line."""
    title = stringWidth(_title(key), style.BOLD, 8.5)
    return float(title + 12 + stringWidth(key.caption, style.REGULAR, 8))


def _draw_row(canvas: Canvas, key: KeyFrame, row: Box, *, own_line: bool) -> None:
    """Draw the caption, the cross-section at the left and the polar view beside it."""
    top = row.y + row.height - 9.5
    canvas.setFillColor(style.INK)
    canvas.setFont(style.BOLD, 8.5)
    canvas.drawString(row.x, top, _title(key))
    canvas.setFillColor(style.QUIET)
    canvas.setFont(style.REGULAR, 8)
    if own_line:
        canvas.drawString(row.x, top - 10.5, key.caption)
    else:
        canvas.drawRightString(row.x + row.width, top, key.caption)
    side = row.height - _CAPTION_PT - _AXIS_PT - 4 - 10.5 * own_line
    bottom = row.y + _AXIS_PT + 2
    draw_cross_section(canvas, key, Box(row.x, bottom, side, side))
    left = row.x + side + 8
    draw_polar(canvas, key, Box(left, bottom, row.x + row.width - left, side))
