"""Sums with Gaussian weights over all points of a polar frame, on a bilateral grid.

After Paris & Durand (ECCV 2006) and Chen, Paris & Durand (SIGGRAPH 2007): splat every point
linearly onto a coarse grid of nodes, blur, and read it back linearly.

Position is the point in the cross-section in millimetres, not the pixel index: an A-line spans
ten times more tissue at the rim than at the sheath, and the last A-line neighbours the first.
So the angle is periodic by construction and there is no seam.

Splat and read are one sparse matrix and its transpose, built once a frame. The sparse products
and the array arithmetic release the interpreter lock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from calcviewer.core.errors import CalcViewerError

FloatArray = NDArray[np.float32]

# Linear splat and read add h²/6 of variance each and the [1 2 1]/4 blur adds h²/2, h being the
# node spacing. This spacing makes the three together the variance of the asked-for Gaussian.
_NODE_SPACING_SIGMAS = math.sqrt(6 / 5)
BLUR = (1.0, 2.0, 1.0)
"""Weights of a node and its neighbours along each axis.

The factor of 4 an axis is left in: the normalisation cancels it.
"""

_MAX_NODES = 20_000_000


@dataclass(frozen=True)
class Kernel:
    """One weighted, symmetrically normalised Gaussian kernel.

    ``nodes`` is the sparse matrix ``[point, node]`` that reads the grid of shape ``grid`` at
    every point, each row scaled by 1 / sqrt(kernel sum at the point).
    """

    weight: float
    grid: tuple[int, ...]
    nodes: sparse.csr_array[np.float32]


def filter_points(kernel: Kernel, values: FloatArray) -> FloatArray:
    """Return the weighted kernel sums of ``values`` ``[point]`` at every point."""
    sums = _filter(kernel, values)
    sums *= np.float32(kernel.weight)
    return sums


# Independent of the frame, so shared by all frames of a pullback.
@lru_cache(maxsize=1)
def smoothness_kernel(
    points: tuple[int, int], spacing_mm: float, *, sigma_mm: float, weight: float
) -> Kernel:
    """Build the kernel on position alone.

    Parameters
    ----------
    points
        Number of A-lines and of points on each.
    spacing_mm
        Radial spacing of the points, mm.

    Raises
    ------
    CalcViewerError
        The kernel is too narrow for the field of view.
    """
    side, nodes, weights = position_nodes(points, spacing_mm, sigma_mm)
    return _normalised(weight, (side, side), _node_matrix(nodes, weights, side * side))


def appearance_kernel(
    intensity: FloatArray,
    points: tuple[int, int],
    spacing_mm: float,
    *,
    sigma_mm: float,
    sigma_intensity: float,
    weight: float,
) -> Kernel:
    """Build the kernel on position and ``intensity`` ``[point]`` (0..1) of one frame.

    Parameters and errors as for `smoothness_kernel`.
    """
    side, nodes, weights = position_nodes(points, spacing_mm, sigma_mm)
    layers, layer_spacing = intensity_layers(side, sigma_intensity)
    level = intensity / np.float32(layer_spacing)
    layer = level.astype(np.int32)
    above = (level - layer)[:, np.newaxis]
    # Eight nodes a point: four in the layer at or below its intensity, four in the next.
    both_nodes = np.empty((intensity.size, 8), dtype=np.int32)
    np.add(nodes, (layer * (side * side))[:, np.newaxis], out=both_nodes[:, :4])
    np.add(both_nodes[:, :4], side * side, out=both_nodes[:, 4:])
    both_weights = np.empty((intensity.size, 8), dtype=np.float32)
    np.multiply(weights, above, out=both_weights[:, 4:])
    np.subtract(weights, both_weights[:, 4:], out=both_weights[:, :4])
    matrix = _node_matrix(both_nodes, both_weights, layers * side * side)
    return _normalised(weight, (layers, side, side), matrix)


def intensity_layers(side: int, sigma_intensity: float) -> tuple[int, float]:
    """Return the number of layers ``side`` x ``side`` nodes large, and their spacing.

    Intensity 1 lies at or below the last layer but one: reading needs the one above.
    """
    spacing = _NODE_SPACING_SIGMAS * sigma_intensity
    layers = math.ceil(1 / spacing) + 2
    _check_size(layers * side * side)
    return layers, spacing


@lru_cache(maxsize=2)
def position_nodes(
    points: tuple[int, int], spacing_mm: float, sigma_mm: float
) -> tuple[int, NDArray[np.int32], FloatArray]:
    """Place every point of the polar frame on a square Cartesian grid of nodes.

    Returns the number of nodes along a side, and the four nodes around each point and their
    bilinear weights, both ``[point, 4]``. The grid is centred on the catheter.

    Raises
    ------
    CalcViewerError
        The kernel is too narrow for the field of view.
    """
    a_lines, depths = points
    node_mm = _NODE_SPACING_SIGMAS * sigma_mm
    half = math.ceil(depths * spacing_mm / node_mm)
    side = 2 * half + 2
    _check_size(side * side)
    angle = (np.arange(a_lines) + 0.5) * (2 * np.pi / a_lines)
    radius = (np.arange(depths) + 0.5) * (spacing_mm / node_mm)
    x = (np.cos(angle)[:, np.newaxis] * radius + half).reshape(-1)
    y = (np.sin(angle)[:, np.newaxis] * radius + half).reshape(-1)
    column, row = x.astype(np.int32), y.astype(np.int32)
    right, below = x - column, y - row
    first = row * side + column
    nodes = np.stack([first, first + 1, first + side, first + side + 1], axis=1)
    weights = np.stack(
        [(1 - below) * (1 - right), (1 - below) * right, below * (1 - right), below * right],
        axis=1,
    )
    return side, nodes.astype(np.int32), weights.astype(np.float32)


def _filter(kernel: Kernel, values: FloatArray) -> FloatArray:
    splatted: FloatArray = kernel.nodes.T @ values
    filtered: FloatArray = kernel.nodes @ _blur(splatted.reshape(kernel.grid)).reshape(-1)
    return filtered


def _blur(grid: FloatArray) -> FloatArray:
    """Sum of each node and its neighbours, weighted `BLUR` along every axis."""
    _, middle, _ = BLUR
    for axis in range(grid.ndim):
        lanes = np.moveaxis(grid, axis, 0)
        blurred = np.float32(middle) * lanes
        blurred[1:] += lanes[:-1]
        blurred[:-1] += lanes[1:]
        grid = np.moveaxis(blurred, 0, axis)
    return grid


def _normalised(weight: float, grid: tuple[int, ...], nodes: sparse.csr_array) -> Kernel:
    """Return the kernel whose rows are those of ``nodes`` scaled by 1 / sqrt(kernel sum)."""
    points = nodes.shape[0]
    ones = np.ones(points, dtype=np.float32)
    scale = 1 / np.sqrt(_filter(Kernel(weight, grid, nodes), ones))
    scaled = nodes.data.reshape(points, -1) * scale[:, np.newaxis]
    matrix = sparse.csr_array((scaled.reshape(-1), nodes.indices, nodes.indptr), nodes.shape)
    return Kernel(weight, grid, matrix)


def _check_size(nodes: int) -> None:
    if nodes > _MAX_NODES:
        raise CalcViewerError(
            "A CRF kernel is too narrow for this field of view.", "Use larger CRF sigmas."
        )


def _node_matrix(
    nodes: NDArray[np.int32], weights: FloatArray, count: int
) -> sparse.csr_array[np.float32]:
    points, per_point = nodes.shape
    row_ends = np.arange(0, points * per_point + 1, per_point, dtype=np.int32)
    return sparse.csr_array(
        (weights.reshape(-1), nodes.reshape(-1), row_ends), shape=(points, count)
    )
