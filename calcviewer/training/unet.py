"""U-Net (Ronneberger, Fischer & Brox, MICCAI 2015), for comparison with SegNet.

As published, except that convolutions are padded (circularly along the A-lines) and batch
normalised, and that an up-convolution is a 1 x 1 convolution followed by bilinear upsampling, which
is seamless around the circle.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from calcviewer.inference.model_card import CLASSES
from calcviewer.training.blocks import (
    CircularConv,
    ConvBlock,
    FrameNetwork,
    Geometry,
    enlarge,
    initialise_he,
    pool_window,
)

CHANNELS = (64, 128, 256, 512, 1024)


class UNet(FrameNetwork):
    """The U-Net family; width 1 is the published one (29.0 M parameters)."""

    def __init__(
        self, *, width: float = 1.0, stride: int = 1, geometry: Geometry = "polar"
    ) -> None:
        super().__init__(width=width, stride=stride, geometry=geometry)
        sizes = [max(1, round(channels * width)) for channels in CHANNELS]
        self.encoder = nn.ModuleList()
        inputs = 1
        for size in sizes:
            self.encoder.append(self._pair(inputs, size))
            inputs = size
        self.shrink, self.decoder = nn.ModuleList(), nn.ModuleList()
        for size in reversed(sizes[:-1]):
            self.shrink.append(CircularConv(inputs, size, kernel=1))
            self.decoder.append(self._pair(2 * size, size))
            inputs = size
        self.classifier = CircularConv(inputs, len(CLASSES), kernel=1)
        initialise_he(self)

    def _pair(self, inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            ConvBlock(inputs, outputs, wraps=self.wraps),
            ConvBlock(outputs, outputs, wraps=self.wraps),
        )

    def logits(self, x: Tensor) -> Tensor:
        """Logits [batch, 3, row, column] of work images [batch, 1, row, column]."""
        kept = []
        for stage in self.encoder[:-1]:
            x = stage(x)
            window = pool_window(x.shape[-2], x.shape[-1])
            kept.append((x, window))
            x = functional.max_pool2d(x, window)
        x = self.encoder[-1](x)
        for shrink, stage in zip(self.shrink, self.decoder, strict=True):
            beside, window = kept.pop()
            x = enlarge(shrink(x), window, wraps=self.wraps)
            x = stage(torch.cat([beside, x], dim=1))
        logits: Tensor = self.classifier(x)
        return logits
