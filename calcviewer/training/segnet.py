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

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
SIDE_MULTIPLE = 2 ** (len(STAGES) - 1)


class _WrapALines(torch.autograd.Function):  # type: ignore[misc]
    """Append the last A-line in front and the first one behind.

    Autograd through slices and a concatenation allocates two full-size zero gradients a layer,
    a fifth of a training step; this backward adds two rows.
    """

    @staticmethod
    def forward(_context: object, x: Tensor) -> Tensor:
        """Wrap ``x`` of shape [batch, channel, a_line, sample] to a_line + 2."""
        return torch.cat([x[:, :, -1:], x, x[:, :, :1]], dim=2)

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        """Fold the gradient of the two appended A-lines back onto their origin."""
        inner = gradient[:, :, 1:-1].clone()
        inner[:, :, -1] += gradient[:, :, 0]
        inner[:, :, 0] += gradient[:, :, -1]
        return inner


def wrap_a_lines(x: Tensor) -> Tensor:
    """Neighbours across the seam: [batch, channel, a_line, sample] to a_line + 2."""
    wrapped: Tensor = _WrapALines.apply(x)
    return wrapped


class CircularConv(nn.Module):  # type: ignore[misc]
    """A 3 x 3 convolution, circular along the A-lines and zero-padded along the depth."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` of shape [batch, channel, a_line, sample]; the shape is kept."""
        convolved: Tensor = self.conv(wrap_a_lines(x))
        return convolved


class ConvBlock(nn.Module):  # type: ignore[misc]
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.circular = CircularConv(inputs, outputs)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block; the spatial shape is kept."""
        return functional.relu(self.norm(self.circular(x)), inplace=True)


class SegNet(nn.Module):  # type: ignore[misc]
    """The SegNet family.

    Parameters
    ----------
    width
        Channel multiplier: 1 is the seed's network (29.4 M parameters), 1/4 the light one.
    stride
        Reduction at the entrance. With 2 the network averages 2 x 2 samples, works on a quarter of
        the pixels with twice the receptive field, and upsamples its logits at the exit; the outer
        interface does not change.
    """

    def __init__(self, *, width: float = 1.0, stride: int = 1) -> None:
        super().__init__()
        if width <= 0 or stride < 1:
            raise CalcViewerError(
                f"A SegNet of width {width} and stride {stride} does not exist.",
                "Use a positive width (1, 0.5, 0.25, 0.125) and a stride of 1 or 2.",
            )
        self.width = width
        self.stride = stride
        sizes = [(max(1, round(channels * width)), count) for channels, count in STAGES]
        self.encoder = nn.ModuleList()
        inputs = 1
        for outputs, count in sizes:
            self.encoder.append(_stage([inputs] + [outputs] * count))
            inputs = outputs
        self.decoder = nn.ModuleList()
        for index in range(len(sizes) - 1, -1, -1):
            channels, count = sizes[index]
            # The last convolution of the last stage is the classifier.
            last = [sizes[index - 1][0]] if index > 0 else []
            self.decoder.append(_stage([channels] * count + last))
        self.classifier = CircularConv(sizes[0][0], len(CLASSES))
        initialise_he(self)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits [batch, 3, a_line, sample] of images [batch, 1, a_line, sample]."""
        return upsample(self.work_logits(reduce(x, self.stride)), self.stride)

    def work_logits(self, x: Tensor) -> Tensor:
        """Logits on the work grid, of images already reduced by ``stride``.

        Both sides of the work grid must be multiples of 16.
        """
        if x.shape[-2] % SIDE_MULTIPLE or x.shape[-1] % SIDE_MULTIPLE:
            raise CalcViewerError(
                f"The network cannot work on {x.shape[-2]} x {x.shape[-1]} pixels.",
                f"After the stride both sides must be multiples of {SIDE_MULTIPLE}.",
            )
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

    def probabilities(self, x: Tensor) -> Tensor:
        """Softmax class probabilities [batch, 3, a_line, sample]."""
        return torch.softmax(self(x).float(), dim=1)


def pool_window(a_lines: int, samples: int) -> tuple[int, int]:
    """Pooling window at one stage: 2 along an even side, 1 along an odd one.

    480 x 960 pools five times by 2 x 2. At stride 2 the fifth stage meets 15 A-lines, which no
    window of 2 divides without breaking the circle: it pools along the depth alone.
    """
    return 2 - a_lines % 2, 2 - samples % 2


def reduce(x: Tensor, stride: int) -> Tensor:
    """Average ``stride`` x ``stride`` samples of [batch, channel, a_line, sample]."""
    return x if stride == 1 else functional.avg_pool2d(x, stride)


def upsample(x: Tensor, stride: int) -> Tensor:
    """Bilinear upsampling by ``stride``, circular along the A-lines."""
    if stride == 1:
        return x
    large = functional.interpolate(
        wrap_a_lines(x), scale_factor=float(stride), mode="bilinear", align_corners=False
    )
    return large[:, :, stride:-stride]


def initialise_he(network: nn.Module) -> None:
    """Draw every convolution after He (fan-in, ReLU); biases are zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def initialise_vgg16(network: SegNet, path: Path) -> str:
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
        The file cannot be read, does not hold VGG-16, or the network is not of width 1.
    """
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


def _stage(channels: list[int]) -> nn.Sequential:
    return nn.Sequential(*(ConvBlock(*pair) for pair in itertools.pairwise(channels)))
