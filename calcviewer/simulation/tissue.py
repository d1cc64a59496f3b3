"""Tissue: backscatter and attenuation of every pixel, painted from the vessel of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calcviewer.simulation.calcium import DepositBorders
from calcviewer.simulation.fields import ANGLE_BINS, FloatArray
from calcviewer.simulation.optics import Float32Array, Optics
from calcviewer.simulation.plaque import Feature
from calcviewer.simulation.vessel import BranchView, CrossSection

BoolArray = NDArray[np.bool_]

_TEXTURE_ANGLES = 360
_TEXTURE_DEPTHS = 400
_TEXTURE_STEP_MM = 0.01
_TWO_PI = 2 * np.pi


@dataclass(frozen=True, eq=False)
class WallCoordinates:
    """Where the pixels of a frame lie in the vessel; all arrays [a_line, sample].

    `bin` indexes the tables over the angle, `depth_mm` is the depth below the lumen border along
    its normal (negative in the lumen), `distance_mm` the distance from the vessel's centre,
    `angle_rad` the angle about it.
    """

    bin: NDArray[np.intp]
    depth_mm: Float32Array
    distance_mm: Float32Array
    angle_rad: Float32Array


@dataclass(frozen=True, eq=False)
class Tissue:
    """Backscatter in dB relative to fibrous tissue and attenuation per mm, [a_line, sample].

    `lumen` and each mask of `deposits` are bool [a_line, sample]; masks follow the order of
    `CrossSection.deposits`.
    """

    backscatter_db: Float32Array
    mu_t_per_mm: Float32Array
    lumen: BoolArray
    deposits: tuple[BoolArray, ...]


def wall_coordinates(
    vessel: CrossSection, *, x_mm: Float32Array, y_mm: Float32Array
) -> WallCoordinates:
    """Locate pixels, given their place about the vessel's centre, in the wall."""
    angle = np.arctan2(y_mm, x_mm)
    # The tables are sampled at whole bins: rounding to the nearest keeps borders unbiased.
    index = np.rint(angle * (ANGLE_BINS / _TWO_PI)).astype(np.intp)
    index %= ANGLE_BINS
    distance = np.hypot(x_mm, y_mm)
    depth = distance - vessel.lumen_mm.astype(np.float32)[index]
    depth /= vessel.slant.astype(np.float32)[index]
    return WallCoordinates(index, depth, distance, angle)


def _texture(
    rng: np.random.Generator, *, sigma_deg: float, sigma_mm: float
) -> tuple[Float32Array, float]:
    noise = rng.standard_normal((_TEXTURE_ANGLES, _TEXTURE_DEPTHS), dtype=np.float32)
    noise = ndimage.gaussian_filter(
        noise,
        (sigma_deg * _TEXTURE_ANGLES / 360, sigma_mm / _TEXTURE_STEP_MM),
        mode="wrap",
        truncate=2.5,
    )
    return noise, float(noise.std())


class _Painter:
    """Pixels of one frame under the brush: backscatter, attenuation and shared look-ups."""

    def __init__(
        self, rng: np.random.Generator, optics: Optics, vessel: CrossSection, where: WallCoordinates
    ) -> None:
        self.rng = rng
        self.optics = optics
        self.vessel = vessel
        self.where = where
        self.lumen: BoolArray = where.depth_mm < 0
        self.layer_depth = self._layer_depth()
        texture_bin = where.bin // (ANGLE_BINS // _TEXTURE_ANGLES)
        texture_depth = np.clip(
            where.depth_mm * (1 / _TEXTURE_STEP_MM), 0, _TEXTURE_DEPTHS - 1
        ).astype(np.intp)
        self.texture_index = texture_bin * _TEXTURE_DEPTHS + texture_depth
        self.backscatter_db = np.zeros(where.depth_mm.shape, dtype=np.float32)
        self.mu_t = np.zeros(where.depth_mm.shape, dtype=np.float32)

    def at(self, table: FloatArray) -> Float32Array:
        """Look a table over the angle up at all pixels."""
        return table.astype(np.float32)[self.where.bin]

    def texture(self, *, sd: float, sigma_deg: float, sigma_mm: float) -> Float32Array:
        """Return a random texture fixed to the wall, [a_line, sample]."""
        noise, measured = _texture(self.rng, sigma_deg=sigma_deg, sigma_mm=sigma_mm)
        texture: Float32Array = np.take(noise * np.float32(sd / measured), self.texture_index)
        return texture

    def _layer_depth(self) -> Float32Array:
        """Depth below the nearest free surface: the lumen's or a side branch's."""
        depth = self.where.depth_mm
        for branch in self.vessel.branches:
            depth = np.where(self.lumen, depth, np.minimum(depth, self._branch_depth(branch)))
        return np.asarray(depth, dtype=np.float32)

    def _branch_depth(self, branch: BranchView) -> Float32Array:
        offset = (self.where.angle_rad - branch.angle_rad + np.pi) % _TWO_PI - np.pi
        if branch.open_half_rad > 0:
            aside = np.clip(np.abs(offset) - branch.open_half_rad, 0, np.pi / 2)
            return np.asarray(self.where.distance_mm * np.sin(aside), dtype=np.float32)
        away = np.hypot(
            self.where.distance_mm * np.cos(offset) - branch.disc_distance_mm,
            self.where.distance_mm * np.sin(offset),
        )
        return np.asarray(away - branch.disc_radius_mm, dtype=np.float32)

    def layers(self) -> None:
        """Paint intima, media with its two laminae, adventitia and the loose tissue beyond."""
        optics, depth = self.optics, self.layer_depth
        past_intima = depth - self.at(self.vessel.intima_mm)
        past_media = past_intima - self.at(self.vessel.media_mm)
        past_adventitia = past_media - self.at(self.vessel.adventitia_mm)
        media = _step(past_intima, 0.015) * (1 - _step(past_media, 0.015))
        adventitia = _step(past_media, 0.03)
        fat = _step(past_adventitia, 0.15)
        strands = self.texture(sd=1.0, sigma_deg=4.0, sigma_mm=0.014)
        fine = self.texture(sd=1.0, sigma_deg=1.2, sigma_mm=0.04)
        coarse = self.texture(sd=1.0, sigma_deg=6.0, sigma_mm=0.12)
        self.backscatter_db += optics.texture_db * (0.5 * fine + coarse)
        self.backscatter_db += optics.media_db * media
        loose = np.minimum(strands, 0.8) * optics.strands_db
        self.backscatter_db += adventitia * (optics.adventitia_db + loose)
        self.backscatter_db += fat * (optics.fat_db + 1.5 * np.abs(strands) * optics.strands_db - 2)
        if optics.lamina_db > 0.5:
            lamina = (np.abs(past_intima) < 0.012) | (np.abs(past_media) < 0.012)
            self.backscatter_db += optics.lamina_db * (lamina & (depth > 0.02))
        self.mu_t += optics.fibrous_mu_t
        self.mu_t += (optics.media_mu_t - optics.fibrous_mu_t) * media
        self.mu_t += (optics.adventitia_mu_t - optics.fibrous_mu_t) * adventitia
        self.mu_t *= 1 - 0.4 * fat

    def feature(self, feature: Feature, profile: FloatArray, z_mm: float) -> None:
        """Paint a plaque feature with its diffuse front border."""
        ripple = 1 + 0.2 * feature.noise.table(z_mm)
        front = feature.depth_mm * ripple + feature.soft_mm * (1 - profile)
        inside = self.where.depth_mm - self.at(front)
        weight = _step(inside - 0.5 * feature.soft_mm, feature.soft_mm)
        thickness = feature.thickness_mm * profile * np.clip(ripple, 0.4, 1.6)
        back_soft = max(0.6 * feature.soft_mm, 0.01)
        weight *= 1 - _step(inside - self.at(thickness), back_soft)
        weight *= self.at(np.clip(profile * 6, 0.0, 1.0))
        self.backscatter_db += weight * feature.brightness_db
        if feature.kind == "lipid":
            weight = weight * self.at(np.clip(profile * 1.5, 0.0, 1.0))
        self.mu_t += weight * (feature.mu_t_per_mm - self.mu_t)

    def calcium(self, borders: DepositBorders) -> BoolArray:
        """Paint a deposit with sharp borders; return its mask."""
        depth = self.where.depth_mm
        front, back = self.at(borders.front_mm), self.at(borders.back_mm)
        mask: BoolArray = (depth >= front) & (depth < back)
        mask &= ~self.lumen
        deposit = borders.deposit
        texture = self.texture(sd=deposit.texture_db, sigma_deg=2.5, sigma_mm=0.035)
        self.backscatter_db[mask] = deposit.brightness_db + texture[mask]
        self.mu_t[mask] = deposit.mu_t_per_mm
        if deposit.edge_db > 0:
            edge = mask & (depth < front + 0.02) & (depth > 0.02)
            self.backscatter_db[edge] += deposit.edge_db
        return mask

    def microvessels(self) -> None:
        """Paint a few sharp-edged dark holes."""
        for _ in range(int(self.rng.poisson(1.0))):
            angle = self.rng.uniform(0, _TWO_PI)
            depth = self.rng.uniform(0.1, 0.8)
            index = int(angle / _TWO_PI * ANGLE_BINS) % ANGLE_BINS
            blocked = any(b.present[index] for b in self.vessel.deposits)
            distance = float(self.vessel.lumen_mm[index]) + depth
            along = distance * ((self.where.angle_rad - angle + np.pi) % _TWO_PI - np.pi)
            across = self.where.distance_mm - distance
            size = self.rng.uniform(0.03, 0.1)
            stretch = self.rng.uniform(1.0, 2.5)
            hole = (along / stretch) ** 2 + across**2 < size**2
            if not blocked:
                self.backscatter_db[hole] = self.rng.uniform(-32, -16)
                self.mu_t[hole] = 0.3

    def struts(self) -> None:
        """Paint stent struts: metal reflects all light, so that the wall behind is dark."""
        for strut, angle in self.vessel.struts:
            offset = (self.where.angle_rad - angle + np.pi) % _TWO_PI - np.pi
            metal = np.abs(self.where.distance_mm * offset) < 0.5 * strut.width_mm
            metal &= np.abs(self.where.depth_mm - strut.depth_mm) < 0.012
            self.backscatter_db[metal] = self.rng.uniform(6, 16)
            self.mu_t[metal] = 150.0

    def lumen_content(self, blood: float) -> None:
        """Empty the lumen and the side branches, or leave swirls of blood in them."""
        empty = self.layer_depth < 0
        self.backscatter_db[empty] = -90.0
        self.mu_t[empty] = 0.0
        if blood > 0:
            swirl = self._swirls() - (1.6 - 1.6 * blood)
            bloody = empty & (swirl > 0)
            strength = np.clip(swirl[bloody] * 2, 0.05, 1.0)
            self.backscatter_db[bloody] = self.optics.blood_db + 10 * np.log10(strength)
            self.mu_t[bloody] = self.optics.blood_mu_t * strength

    def _swirls(self) -> Float32Array:
        shape = self.where.depth_mm.shape
        coarse = self.rng.standard_normal((24, 20), dtype=np.float32)
        coarse = ndimage.gaussian_filter(coarse, 1.2, mode="wrap")
        coarse /= coarse.std()
        rows = np.linspace(0, 24, shape[0], endpoint=False)[:, None]
        radius = np.linspace(0, 20, shape[1], endpoint=False)[None, :]
        rows, radius = np.broadcast_arrays(rows + 0.4 * radius, radius)
        swirl: Float32Array = ndimage.map_coordinates(
            coarse, [rows, radius], order=1, mode="grid-wrap"
        )
        return swirl


def _step(value: Float32Array, width_mm: float) -> Float32Array:
    """Return a ramp from 0 to 1 of the given width, centred on zero."""
    ramp: Float32Array = np.clip(value * np.float32(1 / width_mm) + np.float32(0.5), 0, 1)
    return ramp


def paint(
    rng: np.random.Generator,
    optics: Optics,
    vessel: CrossSection,
    *,
    where: WallCoordinates,
    z_mm: float,
    blood: float,
) -> Tissue:
    """Paint the tissue of a frame.

    Parameters
    ----------
    rng
        Source of the frame's textures.
    optics
        Optical properties of the pullback.
    vessel
        The vessel in this frame.
    where
        Places of the pixels in the wall.
    z_mm
        Position of the frame.
    blood
        Residual blood in the lumen, 0 (flushed) to 1.
    """
    painter = _Painter(rng, optics, vessel, where)
    painter.layers()
    for feature, profile in vessel.features:
        painter.feature(feature, profile, z_mm)
    painter.microvessels()
    masks = tuple(painter.calcium(borders) for borders in vessel.deposits)
    painter.lumen_content(blood)
    painter.struts()
    return Tissue(painter.backscatter_db, painter.mu_t, painter.lumen, masks)
