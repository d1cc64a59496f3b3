"""SegNet for polar intravascular OCT frames (Gharaibeh 2019, section 2.2).

VGG-16 encoder of five stages, a mirrored decoder that upsamples with the encoder's pooling
indices, batch normalisation and ReLU after every convolution. Convolutions wrap around along the
A-lines, because A-line 0 is the neighbour of the last one, and are zero-padded along the depth.
"""

import hashlib
import itertools
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn import functional

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import CLASSES
from calcviewer.training.blocks import (
    CircularConv,
    ConvBlock,
    FrameNetwork,
    Geometry,
    initialise_he,
    pool_window,
)

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class SegNet(FrameNetwork):
    """The SegNet family: width 1 is the paper's network (29.4 M parameters), 1/4 the light one."""

    def __init__(
        self, *, width: float = 1.0, stride: int = 1, geometry: Geometry = "polar"
    ) -> None:
        super().__init__(width=width, stride=stride, geometry=geometry)
        sizes = [(max(1, round(channels * width)), count) for channels, count in STAGES]
        self.encoder = nn.ModuleList()
        inputs = 1
        for outputs, count in sizes:
            self.encoder.append(self._stage([inputs] + [outputs] * count))
            inputs = outputs
        self.decoder = nn.ModuleList()
        for index in range(len(sizes) - 1, -1, -1):
            channels, count = sizes[index]
            # The last convolution of the last stage is the classifier.
            last = [sizes[index - 1][0]] if index > 0 else []
            self.decoder.append(self._stage([channels] * count + last))
        self.classifier = CircularConv(sizes[0][0], len(CLASSES), wraps=self.wraps)
        initialise_he(self)

    def _stage(self, channels: list[int]) -> nn.Sequential:
        pairs = itertools.pairwise(channels)
        return nn.Sequential(*(ConvBlock(*pair, wraps=self.wraps) for pair in pairs))

    def logits(self, x: Tensor) -> Tensor:
        """Logits [batch, 3, row, column] of work images [batch, 1, row, column]."""
        kept = []
        for stage in self.encoder:
            x = stage(x)
            window = pool_window(x.shape[-2], x.shape[-1])
            x, indices = functional.max_pool2d(x, window, return_indices=True)
            kept.append((indices, window))
        for stage in self.decoder:
            indices, window = kept.pop()
            x = stage(functional.max_unpool2d(x, indices, window))
        logits: Tensor = self.classifier(x)
        return logits


def initialise_vgg16(network: FrameNetwork, path: Path) -> str:
    """Copy the convolutions of a torchvision VGG-16 state dict into the encoder.

    The first layer's red, green and blue kernels are averaged, since a frame has one channel. A
    batch-normalised VGG-16 (``vgg16_bn``) works too: only convolution weights are taken.

    Returns
    -------
    str
        The SHA-256 of the file, for the record of the run.

    Raises
    ------
    CalcViewerError
        The file cannot be read, does not hold VGG-16, or the network is no SegNet of width 1.
    """
    if not isinstance(network, SegNet):
        raise CalcViewerError(
            "VGG-16 weights fit the encoder of SegNet alone.",
            "Train SegNet, or leave the initialisation file out.",
        )
    if network.width != 1:
        raise CalcViewerError(
            f"VGG-16 weights fit a network of width 1, not {network.width:g}.",
            "Train with width 1, or leave the initialisation file out.",
        )
    try:
        content = path.read_bytes()
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        kernels = [value for value in state.values() if value.ndim == 4]
    except (OSError, RuntimeError, ValueError, AttributeError, UnpicklingError) as error:
        raise CalcViewerError(
            f"{path} could not be read as VGG-16 weights: {error}",
            "Give a torchvision VGG-16 state dict (.pth).",
        ) from error
    targets = [m for stage in network.encoder for m in stage.modules() if isinstance(m, nn.Conv2d)]
    expected = [tuple(target.weight.shape) for target in targets]
    expected[0] = (expected[0][0], 3, 3, 3)
    if [tuple(kernel.shape) for kernel in kernels] != expected:
        raise CalcViewerError(
            f"{path} does not hold the 13 convolutions of VGG-16.",
            "Give a torchvision VGG-16 state dict (.pth).",
        )
    kernels[0] = kernels[0].mean(dim=1, keepdim=True)
    with torch.no_grad():
        for target, kernel in zip(targets, kernels, strict=True):
            target.weight.copy_(kernel)
    return hashlib.sha256(content).hexdigest()
