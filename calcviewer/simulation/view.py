"""How a frame shows the vessel: between displayed and vessel coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calcviewer.simulation.fields import FloatArray
from calcviewer.simulation.optics import Float32Array
from calcviewer.simulation.vessel import CrossSection

WARP_POINTS = 1440
"""Number of displayed angles at which the rotation-speed error is tabulated."""


@dataclass(frozen=True, eq=False)
class View:
    """How a frame shows space: from displayed polar coordinates to the catheter's and back.

    `turn_rad` is the rotation of the frame, `warp_rad` the rotation-speed error at
    `WARP_POINTS` displayed angles, the seam step grows from minus to plus one half of
    `seam_step_mm` from one side of the seam round to the other.
    """

    warped_rad: FloatArray
    seam_angle_rad: float
    seam_step_mm: float
    zero_offset_mm: float

    def actual_angle(self, shown_rad: FloatArray) -> FloatArray:
        """Return the beam's angle in vessel orientation for displayed angles in [0, 2 pi)."""
        grid = np.arange(WARP_POINTS + 1) * (2 * np.pi / WARP_POINTS)
        return np.asarray(np.interp(shown_rad, grid, self.warped_rad))

    def shown_angle(self, actual_rad: FloatArray) -> FloatArray:
        """Return the displayed angle in [0, 2 pi) for beam angles; inverse of the above."""
        grid = np.arange(WARP_POINTS + 1) * (2 * np.pi / WARP_POINTS)
        first = self.warped_rad[0]
        wrapped = (actual_rad - first) % (2 * np.pi) + first
        return np.asarray(np.interp(wrapped, self.warped_rad, grid) % (2 * np.pi))

    def radial_shift_mm(self, shown_rad: FloatArray) -> FloatArray:
        """Return what displayed radii exceed true ones by, at displayed angles."""
        turn = ((shown_rad - self.seam_angle_rad) % (2 * np.pi)) / (2 * np.pi) - 0.5
        return np.asarray(self.zero_offset_mm + self.seam_step_mm * turn)


@dataclass(frozen=True, eq=False)
class Grid:
    """Displayed coordinates of the pixels and what they see of the vessel."""

    line_angles_rad: FloatArray
    radius_mm: Float32Array
    view: View
    vessel: CrossSection

    def vessel_xy(self) -> tuple[Float32Array, Float32Array]:
        """Return the pixels' places about the vessel's centre, each [a_line, sample]."""
        angle = self.view.actual_angle(self.line_angles_rad)
        shift = self.view.radial_shift_mm(self.line_angles_rad)
        true_mm = self.radius_mm[None, :] - shift[:, None].astype(np.float32)
        true_mm = np.maximum(true_mm, 0)
        x = true_mm * np.cos(angle)[:, None].astype(np.float32)
        y = true_mm * np.sin(angle)[:, None].astype(np.float32)
        x += np.float32(self.vessel.offset_mm[0])
        y += np.float32(self.vessel.offset_mm[1])
        return x, y

    def canonical(self, angle_rad: FloatArray, distance_mm: FloatArray) -> FloatArray:
        """Map points given about the vessel's centre to canonical mm, shape (N, 2)."""
        x = distance_mm * np.cos(angle_rad) - self.vessel.offset_mm[0]
        y = distance_mm * np.sin(angle_rad) - self.vessel.offset_mm[1]
        shown = self.view.shown_angle(np.arctan2(y, x))
        radius = np.hypot(x, y) + self.view.radial_shift_mm(shown)
        return np.stack([radius * np.cos(shown), radius * np.sin(shown)], axis=1)
