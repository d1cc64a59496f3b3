"""Smooth random fields of angle and pullback position: the raw material of the vessel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FloatArray = NDArray[np.float64]

ANGLE_BINS = 2880
"""Number of angles at which a frame's border tables are sampled (0.125 degrees each)."""


def table_angles_rad() -> FloatArray:
    """Return the angles of the border tables, shape (ANGLE_BINS,), radians in [0, 2 pi)."""
    return np.arange(ANGLE_BINS, dtype=np.float64) * (2 * np.pi / ANGLE_BINS)


@dataclass(frozen=True, eq=False)
class SmoothField:
    """A random function of angle and position: a mean plus a sum of plane waves.

    Any point can be evaluated without the others, so that frames are independent of the order
    in which they are asked for.
    """

    mean: float
    orders: FloatArray
    wavenumbers_per_mm: FloatArray
    amplitudes: FloatArray
    phases: FloatArray

    def value(self, z_mm: float, angle_rad: float = 0.0) -> float:
        """Evaluate at one point."""
        phase = self.wavenumbers_per_mm * z_mm + self.orders * angle_rad + self.phases
        return self.mean + float(np.sum(self.amplitudes * np.cos(phase)))

    def table(self, z_mm: float) -> FloatArray:
        """Evaluate at all table angles, shape (ANGLE_BINS,)."""
        phase = self.wavenumbers_per_mm * z_mm + self.phases
        spectrum = np.zeros(ANGLE_BINS // 2 + 1, dtype=np.complex128)
        waves = self.amplitudes * np.exp(1j * phase) * (ANGLE_BINS / 2)
        np.add.at(spectrum, self.orders.astype(np.intp), waves)
        spectrum[0] = 2 * spectrum[0].real
        return self.mean + np.fft.irfft(spectrum, ANGLE_BINS)


def draw_field(
    rng: np.random.Generator,
    *,
    mean: float = 0.0,
    sd: float = 1.0,
    wavelength_mm: float = 8.0,
    orders: tuple[int, int] = (0, 0),
    decay: float = 0.0,
    terms: int = 4,
) -> SmoothField:
    """Draw a field.

    Parameters
    ----------
    rng
        Source of randomness.
    mean, sd
        Mean and standard deviation of the values.
    wavelength_mm
        Shortest wavelength along the pullback.
    orders
        First and last angular order (0 is constant around the circumference).
    decay
        Amplitude of order n falls as n to the power of minus this.
    terms
        Number of waves for each order.
    """
    order = np.repeat(np.arange(orders[0], orders[1] + 1), terms).astype(np.float64)
    weight = np.maximum(order, 1.0) ** -decay * rng.uniform(0.4, 1.0, order.size)
    weight *= sd * np.sqrt(2.0 / np.sum(weight**2))
    return SmoothField(
        mean=mean,
        orders=order,
        wavenumbers_per_mm=rng.uniform(-1, 1, order.size) * (2 * np.pi / wavelength_mm),
        amplitudes=weight,
        phases=rng.uniform(0, 2 * np.pi, order.size),
    )


def angle_difference_rad(angle_rad: FloatArray, centre_rad: float) -> FloatArray:
    """Return the signed difference of angles, wrapped to [-pi, pi)."""
    return (angle_rad - centre_rad + np.pi) % (2 * np.pi) - np.pi


def smooth_circular(table: FloatArray, sigma_deg: float) -> FloatArray:
    """Blur a border table along the angle, closing it over 360 degrees."""
    blurred: FloatArray = ndimage.gaussian_filter1d(
        table, sigma_deg * ANGLE_BINS / 360, mode="wrap", truncate=3.0
    )
    return blurred
