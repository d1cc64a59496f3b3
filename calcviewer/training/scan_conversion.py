"""Scan conversion inside a network: polar frames to Cartesian ones, and logits back.

Gharaibeh et al. 2019 (section 2.1, Table 1) trained the same network on Cartesian frames of
700 x 700 pixels of 14.3 um. Here the side is 704 / stride, which pools evenly.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from calcviewer.app.voi_file import IGNORE
from calcviewer.core.geometry import CartesianGrid, PolarGrid, centred_grid, to_polar, to_xy
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID

SIDE_PX = 704


def cartesian_grid(stride: int) -> CartesianGrid:
    """Return the Cartesian work grid: the disc of the published grid, corner to corner."""
    return centred_grid(SIDE_PX // stride, MODEL_GRID.end_radius_mm)


def _polar_grid(stride: int) -> PolarGrid:
    spacing_mm = MODEL_GRID.sample_spacing_mm * stride
    return PolarGrid(MODEL_GRID.a_lines // stride, MODEL_GRID.samples // stride, spacing_mm)


def _normalised(
    column: NDArray[np.floating], row: NDArray[np.floating], shape: tuple[int, int]
) -> Tensor:
    """Return places [row, column, 2] as `grid_sample` counts them: -1 and 1 are end pixels."""
    x = 2 * column / (shape[1] - 1) - 1
    y = 2 * row / (shape[0] - 1) - 1
    return torch.from_numpy(np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float32))


class ToCartesian(nn.Module):  # type: ignore[misc]
    """Scan conversion of polar frames that are reduced by ``stride``; 0 outside the disc.

    Attributes
    ----------
    places
        [row, column, 2]: where in the frame, with one A-line wrapped around at either end, each
        pixel lies.
    inside
        [row, column]: 1 within the disc, 0 outside.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        source, target = _polar_grid(stride), cartesian_grid(stride)
        row, column = np.mgrid[: target.rows, : target.columns]
        angle_deg, radius_mm = to_polar(target.to_mm(np.stack([column, row], axis=-1)))
        line = source.a_line_index(angle_deg) + 1
        places = _normalised(
            source.sample_index(radius_mm), line, (source.a_lines + 2, source.samples)
        )
        inside = torch.from_numpy((radius_mm < source.end_radius_mm).astype(np.float32))
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("inside", inside, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Images [batch, 1, a_line, sample] to [batch, 1, row, column]."""
        return self._sample(x, "bilinear") * self.inside

    def labels(self, labels: Tensor) -> Tensor:
        """Labels, uint8 [batch, a_line, sample], to [batch, row, column]; ignored outside."""
        near = self._sample(labels.unsqueeze(1).float(), "nearest").squeeze(1)
        return torch.where(self.inside > 0, near, IGNORE).to(torch.uint8)

    def _sample(self, x: Tensor, mode: str) -> Tensor:
        wrapped = torch.cat([x[:, :, -1:], x, x[:, :, :1]], dim=2)
        return _grid_sample(wrapped, self.places, mode)


class ToPolar(nn.Module):  # type: ignore[misc]
    """Cartesian logits back onto the published polar grid.

    Attributes
    ----------
    places
        [a_line, sample, 2]: where in the Cartesian frame each sample lies.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        source = cartesian_grid(stride)
        angle_deg, radius_mm = MODEL_GRID.angles_deg()[:, None], MODEL_GRID.radii_mm()[None, :]
        px = source.to_px(to_xy(angle_deg, radius_mm))
        places = _normalised(px[..., 0], px[..., 1], source.shape)
        self.register_buffer("places", places, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, class, row, column] to [batch, class, 480, 960]."""
        return _grid_sample(x, self.places, "bilinear")


def _grid_sample(x: Tensor, places: Tensor, mode: str) -> Tensor:
    grid = places.expand(len(x), *places.shape).to(x.dtype)
    sampled: Tensor = functional.grid_sample(
        x, grid, mode=mode, padding_mode="border", align_corners=True
    )
    return sampled
