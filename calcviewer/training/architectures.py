"""The architectures by name: SegNet, the paper's, and two to compare it with."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.training.blocks import FrameNetwork, Geometry
from calcviewer.training.deeplab import DeepLab
from calcviewer.training.result import ON_CARTESIAN_FRAMES
from calcviewer.training.segnet import SegNet
from calcviewer.training.unet import UNet


@dataclass(frozen=True)
class Architecture:
    """A family of networks; of width 1/4 they take about the same time."""

    title: str
    network: type[FrameNetwork]


ARCHITECTURES = {
    "segnet": Architecture("SegNet", SegNet),
    "unet": Architecture("U-Net", UNet),
    "deeplabv3plus": Architecture("DeepLabV3+", DeepLab),
}


@dataclass(frozen=True)
class Cost:
    """Size of a network and its work for one frame of 480 x 960."""

    parameters: int
    multiply_adds: int

    def __str__(self) -> str:
        """Both in words."""
        millions, billions = self.parameters / 1e6, self.multiply_adds / 1e9
        return f"{millions:.2f} M parameters, {billions:.1f} G multiply-adds a frame"


def build_network(
    architecture: str, *, width: float, stride: int, geometry: Geometry = "polar"
) -> FrameNetwork:
    """Build a network with fresh weights.

    Raises
    ------
    CalcViewerError
        There is no such architecture, width, stride or geometry.
    """
    known = ARCHITECTURES.get(architecture)
    if known is None or geometry not in ("polar", "cartesian"):
        raise CalcViewerError(
            f"There is no {geometry} network called {architecture!r}.",
            f"Architectures: {', '.join(ARCHITECTURES)}; geometries: polar, cartesian.",
        )
    return known.network(width=width, stride=stride, geometry=geometry)


def architecture_of(network: FrameNetwork) -> str:
    """Return the name of a network's architecture."""
    return next(name for name, one in ARCHITECTURES.items() if one.network is type(network))


def describe(architecture: str, *, width: float, stride: int, geometry: Geometry = "polar") -> str:
    """Name a network in words, e.g. "SegNet, width 0.25, stride 2"."""
    words = f"{ARCHITECTURES[architecture].title}, width {width:g}, stride {stride}"
    return words if geometry == "polar" else f"{words}, {ON_CARTESIAN_FRAMES}"


def description_of(network: FrameNetwork) -> str:
    """Name a network in words."""
    return describe(
        architecture_of(network),
        width=network.width,
        stride=network.stride,
        geometry=network.geometry,
    )


def cost_of(network: FrameNetwork) -> Cost:
    """Count parameters, and the multiply-adds of all convolutions for one frame."""
    total = 0

    def count(layer: nn.Conv2d, _inputs: object, output: Tensor) -> None:
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            network(torch.zeros(1, 1, *MODEL_GRID.shape, device=device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return Cost(sum(parameter.numel() for parameter in network.parameters()), total)
