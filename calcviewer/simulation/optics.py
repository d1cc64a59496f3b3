"""Light: detected power along an A-line, speckle and noise.

Single scattering after Xu et al., J Biomed Opt 2008, 13:034003: I(r) = C(r) mu_b(r)
exp(-2 integral of mu_t). The attenuation coefficients used are effective ones (multiple
scattering makes the light reach deeper than the published coefficients say).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Optics:
    """Optical properties of one pullback; decibels are relative to fibrous tissue in focus.

    ``looks`` (rounded) is how many independent speckle patterns are averaged, as consoles with
    two polarisations or repeated A-lines do.
    """

    focus_mm: float
    rayleigh_mm: float
    rolloff_mm: float
    spot_mm: float
    axial_mm: float
    noise_db: float
    gain: float
    smoothing_px: float
    fibrous_mu_t: float
    media_db: float
    media_mu_t: float
    adventitia_db: float
    adventitia_mu_t: float
    fat_db: float
    lamina_db: float
    texture_db: float
    strands_db: float
    blood_db: float
    blood_mu_t: float
    looks: float = 1.0


def draw_optics(rng: np.random.Generator) -> Optics:
    """Draw the optical properties of a pullback."""
    return Optics(
        focus_mm=rng.uniform(1.0, 2.0),
        rayleigh_mm=rng.uniform(1.2, 3.0),
        rolloff_mm=rng.uniform(3.5, 8.0),
        spot_mm=rng.uniform(0.025, 0.042),
        axial_mm=rng.uniform(0.015, 0.021),
        noise_db=rng.uniform(-40.0, -26.0),
        gain=float(10 ** rng.uniform(2.0, 6.0)),
        smoothing_px=rng.choice([0.0, rng.uniform(0.5, 1.3)]),
        fibrous_mu_t=rng.uniform(1.5, 4.0),
        media_db=rng.uniform(-10.0, -1.0),
        media_mu_t=rng.uniform(1.5, 3.2),
        adventitia_db=rng.uniform(-2.0, 2.0),
        adventitia_mu_t=rng.uniform(1.5, 3.4),
        fat_db=rng.uniform(-12.0, -4.0),
        lamina_db=rng.uniform(0.0, 4.0),
        texture_db=rng.uniform(0.5, 1.8),
        strands_db=rng.uniform(0.3, 3.8),
        blood_db=rng.uniform(-22.0, -10.0),
        blood_mu_t=rng.uniform(0.3, 3.0),
    )


def depth_response(optics: Optics, radius_mm: Float32Array) -> Float32Array:
    """Return the confocal function times the sensitivity roll-off, 1 at best.

    Confocal function as in van Soest et al., J Biomed Opt 2010, 15:011105.
    """
    confocal = 1 / (1 + ((radius_mm - optics.focus_mm) / optics.rayleigh_mm) ** 2)
    rolloff = np.exp(-((np.maximum(radius_mm, 0) / optics.rolloff_mm) ** 2))
    return np.asarray(confocal * rolloff, dtype=np.float32)


def transmission(mu_t_per_mm: Float32Array, *, sample_spacing_mm: float) -> Float32Array:
    """Return the two-way transmission to each sample, shape [a_line, sample]."""
    depth = np.cumsum(mu_t_per_mm, axis=1, dtype=np.float32)
    depth -= 0.5 * mu_t_per_mm
    depth *= -2 * sample_spacing_mm
    return np.exp(depth, out=depth)


def speckle_field(
    rng: np.random.Generator,
    optics: Optics,
    *,
    shape: tuple[int, int],
    radius_mm: Float32Array,
    sample_spacing_mm: float,
) -> NDArray[np.complex64]:
    """Draw a circular complex Gaussian field of unit mean power, shape [a_line, sample].

    Its intensity is correlated over the axial resolution along the A-line and over the beam's spot,
    which widens away from the focus, across them (full widths at half maximum). White noise is
    drawn in the Fourier domain of the angle, where the spot is a multiplication and the circle
    closes by itself.
    """
    lines, samples = shape
    white = np.empty((lines, samples, 2), dtype=np.float32)
    rng.standard_normal(out=white, dtype=np.float32)
    sigma = optics.axial_mm / 2.355 / sample_spacing_mm
    white = ndimage.gaussian_filter1d(white, sigma, axis=1, mode="wrap", truncate=3.0)
    spot = optics.spot_mm * np.sqrt(1 + ((radius_mm - optics.focus_mm) / optics.rayleigh_mm) ** 2)
    step_mm = np.maximum(radius_mm, 0.05) * (2 * np.pi / lines)
    sigma_lines = np.minimum(spot / 2.355 / step_mm, 12.0)
    frequency = np.fft.fftfreq(lines)[:, None]
    pass_band = np.exp(-2 * (np.pi * frequency * sigma_lines[None, :]) ** 2)
    pass_band /= np.sqrt(np.mean(pass_band**2, axis=0))
    white *= pass_band.astype(np.float32)[:, :, None]
    field = np.fft.ifft(white.view(np.complex64)[:, :, 0], axis=0)
    field *= np.float32(1 / np.sqrt(np.mean(np.abs(field) ** 2)))
    return np.asarray(field, dtype=np.complex64)


def detect(
    rng: np.random.Generator,
    *,
    scattered: Float32Array,
    specular: Float32Array,
    field: NDArray[np.complex64],
    noise: float,
    smoothing_px: float,
    looks: int = 1,
) -> Float32Array:
    """Return the detected intensity, shape [a_line, sample].

    Scattered power is carried by the speckle field, specular power has none, and both interfere
    with the noise. Some consoles then average looks or neighbours, which lowers the speckle
    contrast.
    """
    white = np.empty((*scattered.shape, 2), dtype=np.float32)
    rng.standard_normal(out=white, dtype=np.float32)
    white *= np.float32(np.sqrt(noise / 2))
    own_noise = white.view(np.complex64)[:, :, 0]
    amplitude, mirror = np.sqrt(scattered), np.sqrt(specular)
    intensity: Float32Array = np.zeros(scattered.shape, dtype=np.float32)
    for look in range(looks):
        # The patterns of other directions are as good as new ones, and cost nothing.
        turn = look * len(scattered) // looks
        total = np.roll(own_noise, turn, axis=0) + amplitude * np.roll(field, turn, axis=0)
        total.real += mirror
        intensity += total.real**2 + total.imag**2
    intensity /= np.float32(looks)
    if smoothing_px > 0:
        sigma = (0.6 * smoothing_px, smoothing_px)
        ndimage.gaussian_filter(intensity, sigma, mode=("wrap", "nearest"), output=intensity)
    return intensity
