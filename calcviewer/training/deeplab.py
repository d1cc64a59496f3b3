"""DeepLabV3+ (Chen et al., ECCV 2018), for comparison with SegNet.

A residual encoder (the blocks of ResNet-18, He et al., CVPR 2016) that keeps an eighth of the
resolution by dilation, atrous spatial pyramid pooling, and a decoder that adds the details of an
early stage. Two measures are fitted to polar frames: details come from half the resolution, since
calcium may be a few samples thin, and the pyramid's rates are half the published 6, 12, 18, since
a whole turn is 30 A-lines at its resolution.
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
    reduce,
)

STAGES = ((64, 1, 1), (128, 2, 1), (256, 2, 1), (512, 1, 2))
"""Channels, step and dilation of each stage of two residual blocks."""
PYRAMID, DETAIL, DECODER = 256, 48, 256
RATES = (3, 6, 9)


class ResidualBlock(nn.Module):  # type: ignore[misc]
    """Two convolutions beside a shortcut, which averages where the first one steps."""

    def __init__(self, inputs: int, outputs: int, *, step: int, dilation: int, wraps: bool) -> None:
        super().__init__()
        self.first = ConvBlock(inputs, outputs, step=step, dilation=dilation, wraps=wraps)
        self.second = ConvBlock(outputs, outputs, relu=False, dilation=dilation, wraps=wraps)
        self.step = step
        # A 1 x 1 convolution that steps corrupts memory in the backward pass of torch 2.13 (CPU).
        grows = inputs != outputs
        self.shortcut = ConvBlock(inputs, outputs, relu=False, kernel=1) if grows else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to ``x`` of shape [batch, channel, a_line, sample]."""
        beside = self.shortcut(reduce(x, self.step)) if self.shortcut else x
        return functional.relu(self.second(self.first(x)) + beside)


class DeepLab(FrameNetwork):
    """The DeepLabV3+ family; width 1 has the channels of ResNet-18 (16.6 M parameters)."""

    def __init__(
        self, *, width: float = 1.0, stride: int = 1, geometry: Geometry = "polar"
    ) -> None:
        super().__init__(width=width, stride=stride, geometry=geometry)

        def scaled(channels: int) -> int:
            return max(1, round(channels * width))

        wraps = self.wraps
        inputs = scaled(STAGES[0][0])
        self.stem = ConvBlock(1, inputs, step=2, wraps=wraps)
        self.stages = nn.ModuleList()
        for channels, step, dilation in STAGES:
            outputs = scaled(channels)
            self.stages.append(
                nn.Sequential(
                    ResidualBlock(inputs, outputs, step=step, dilation=dilation, wraps=wraps),
                    ResidualBlock(outputs, outputs, step=1, dilation=dilation, wraps=wraps),
                )
            )
            inputs = outputs
        pyramid, detail, decoder = scaled(PYRAMID), scaled(DETAIL), scaled(DECODER)
        self.point = ConvBlock(inputs, pyramid, kernel=1)
        self.atrous = nn.ModuleList(
            ConvBlock(inputs, pyramid, dilation=rate, wraps=wraps) for rate in RATES
        )
        # One value a frame and channel cannot be normalised over a batch of one.
        self.overall = CircularConv(inputs, pyramid, kernel=1)
        self.project = ConvBlock((2 + len(RATES)) * pyramid, pyramid, kernel=1)
        self.detail = ConvBlock(scaled(STAGES[0][0]), detail, kernel=1)
        self.decoder = nn.Sequential(
            ConvBlock(pyramid + detail, decoder, wraps=wraps),
            ConvBlock(decoder, decoder, wraps=wraps),
        )
        self.classifier = CircularConv(decoder, len(CLASSES), kernel=1)
        initialise_he(self)

    def logits(self, x: Tensor) -> Tensor:
        """Logits [batch, 3, row, column] of work images [batch, 1, row, column]."""
        early = x = self.stages[0](self.stem(x))
        for stage in self.stages[1:]:
            x = stage(x)
        branches = [self.point(x), *(branch(x) for branch in self.atrous)]
        overall = functional.relu(self.overall(x.mean(dim=(2, 3), keepdim=True)))
        branches.append(overall.expand_as(branches[0]))
        x = self.project(torch.cat(branches, dim=1))
        x = enlarge(x, (4, 4), wraps=self.wraps)
        x = self.decoder(torch.cat([x, self.detail(early)], dim=1))
        return enlarge(self.classifier(x), (2, 2), wraps=self.wraps)
