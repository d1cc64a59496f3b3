"""What the networks are built of, and what they share: the way to their work grid and back.

Every network takes images [batch, 1, a_line, sample] on the published grid and gives class logits
of the same size. Inside it works on a coarser polar grid, or on a Cartesian one.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from calcviewer.core.errors import CalcViewerError
from calcviewer.training.scan_conversion import ToCartesian, ToPolar

Geometry = Literal["polar", "cartesian"]
SIDE_MULTIPLE = 8


class _WrapALines(torch.autograd.Function):  # type: ignore[misc]
    """Append the last A-lines in front and the first ones behind.

    Autograd through slices and a concatenation allocates two full-size zero gradients a layer,
    a fifth of a training step; this backward adds a few rows.
    """

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x: Tensor, lines: int) -> Tensor:
        """Wrap ``x`` of shape [batch, channel, a_line, sample] to a_line + 2 ``lines``."""
        context.lines = lines
        return torch.cat([x[:, :, -lines:], x, x[:, :, :lines]], dim=2)

    @staticmethod
    def backward(
        context: torch.autograd.function.FunctionCtx, gradient: Tensor
    ) -> tuple[Tensor, None]:
        """Fold the gradient of the appended A-lines back onto their origin."""
        lines = context.lines
        inner = gradient[:, :, lines:-lines].clone()
        inner[:, :, -lines:] += gradient[:, :, :lines]
        inner[:, :, :lines] += gradient[:, :, -lines:]
        return inner, None


def wrap_a_lines(x: Tensor, lines: int = 1) -> Tensor:
    """Neighbours across the seam: [batch, channel, a_line, sample] to a_line + 2 ``lines``."""
    wrapped: Tensor = _WrapALines.apply(x, lines)
    return wrapped


class CircularConv(nn.Module):  # type: ignore[misc]
    """A square convolution, circular along the A-lines and zero-padded along the depth.

    Parameters
    ----------
    wraps
        False on Cartesian frames, which are zero-padded on all sides.
    step
        Distance of the outputs: 2 halves both sides.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        wraps: bool = True,
        kernel: int = 3,
        dilation: int = 1,
        step: int = 1,
    ) -> None:
        super().__init__()
        self.reach = dilation * (kernel // 2)
        self.wraps = wraps and self.reach > 0
        padding = (0 if self.wraps else self.reach, self.reach)
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride=step, padding=padding, dilation=dilation
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` of shape [batch, channel, a_line, sample]."""
        convolved: Tensor = self.conv(wrap_a_lines(x, self.reach) if self.wraps else x)
        return convolved


class ConvBlock(nn.Module):  # type: ignore[misc]
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        relu: bool = True,
        wraps: bool = True,
        kernel: int = 3,
        dilation: int = 1,
        step: int = 1,
    ) -> None:
        super().__init__()
        self.circular = CircularConv(
            inputs, outputs, wraps=wraps, kernel=kernel, dilation=dilation, step=step
        )
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to ``x`` of shape [batch, channel, a_line, sample]."""
        normed: Tensor = self.norm(self.circular(x))
        return functional.relu(normed, inplace=True) if self.relu else normed


class FrameNetwork(nn.Module):  # type: ignore[misc]
    """What all architectures share; `logits` is what each of them adds.

    Parameters
    ----------
    width
        Channel multiplier of the published network.
    stride
        Reduction at the entrance. With 2 the network averages 2 x 2 samples, works on a quarter of
        the pixels with twice the receptive field, and upsamples its logits at the exit; the outer
        interface does not change.
    geometry
        "cartesian": the frame is scan converted at the entrance and the logits are mapped back at
        the exit, so that such a network is used and judged like any other.

    Attributes
    ----------
    classifier
        The last convolution, a `CircularConv`.
    """

    classifier: CircularConv

    def __init__(
        self, *, width: float = 1.0, stride: int = 1, geometry: Geometry = "polar"
    ) -> None:
        super().__init__()
        if width <= 0 or stride < 1:
            raise CalcViewerError(
                f"A network of width {width} and stride {stride} does not exist.",
                "Use a positive width (1, 0.5, 0.25, 0.125) and a stride of 1, 2 or 4.",
            )
        self.width = width
        self.stride = stride
        self.geometry = geometry
        self.wraps = geometry == "polar"
        if geometry == "cartesian":
            self.to_cartesian = ToCartesian(stride)
            self.to_polar = ToPolar(stride)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits [batch, 3, a_line, sample] of images [batch, 1, a_line, sample]."""
        logits = self.work_logits(self.work_images(reduce(x, self.stride)))
        if self.geometry == "cartesian":
            mapped: Tensor = self.to_polar(logits)
            return mapped
        return enlarge(logits, (self.stride, self.stride))

    def work_images(self, images: Tensor) -> Tensor:
        """Bring polar images that are reduced by ``stride`` onto the work grid.

        [batch, 1, a_line, sample] to [batch, 1, row, column].
        """
        return self.to_cartesian(images) if self.geometry == "cartesian" else images

    def work_labels(self, labels: Tensor) -> Tensor:
        """Bring the labels of such images, uint8 [batch, a_line, sample], onto the work grid."""
        return self.to_cartesian.labels(labels) if self.geometry == "cartesian" else labels

    def work_logits(self, x: Tensor) -> Tensor:
        """Logits on the work grid, of images on the work grid.

        Raises
        ------
        CalcViewerError
            A side is no multiple of 8.
        """
        if x.shape[-2] % SIDE_MULTIPLE or x.shape[-1] % SIDE_MULTIPLE:
            raise CalcViewerError(
                f"The network cannot work on {x.shape[-2]} x {x.shape[-1]} pixels.",
                f"After the stride both sides must be multiples of {SIDE_MULTIPLE}.",
            )
        return self.logits(x)

    def logits(self, x: Tensor) -> Tensor:
        """Logits [batch, 3, row, column] of work images [batch, 1, row, column]."""
        raise NotImplementedError

    def probabilities(self, x: Tensor) -> Tensor:
        """Softmax class probabilities [batch, 3, a_line, sample]."""
        return torch.softmax(self(x).float(), dim=1)


def pool_window(rows: int, columns: int) -> tuple[int, int]:
    """Pooling window at one stage: 2 along an even side, 1 along an odd one.

    480 x 960 pools five times by 2 x 2. At stride 2 the fifth stage meets 15 A-lines, which no
    window of 2 divides without breaking the circle: it pools along the depth alone.
    """
    return 2 - rows % 2, 2 - columns % 2


def reduce(x: Tensor, stride: int) -> Tensor:
    """Average ``stride`` x ``stride`` samples of [batch, channel, a_line, sample]."""
    return x if stride == 1 else functional.avg_pool2d(x, stride)


def enlarge(x: Tensor, factors: tuple[int, int], *, wraps: bool = True) -> Tensor:
    """Bilinear upsampling by whole factors (rows, columns), circular along the A-lines."""
    if factors == (1, 1):
        return x
    scale = tuple(map(float, factors))
    across = wraps and factors[0] > 1
    large: Tensor = functional.interpolate(
        wrap_a_lines(x) if across else x, scale_factor=scale, mode="bilinear", align_corners=False
    )
    return large[:, :, factors[0] : -factors[0]] if across else large


def initialise_he(network: nn.Module) -> None:
    """Draw every convolution after He (fan-in, ReLU); biases are zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
