"""Networks as ONNX graphs, written node by node, so that they take any batch size.

Batch normalisation is folded into the convolutions. SegNet's unpooling is a ``ScatterND`` on the
indices of ``MaxPool``, which runs on every provider; ``MaxUnpool`` exists on the CPU alone and is
no faster there. ("Nearest upsampling times (y == max)" is not the same: after a ReLU whole windows
tie at zero.)
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from calcviewer.inference.model_card import CLASSES
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.training.blocks import CircularConv, ConvBlock, FrameNetwork, pool_window
from calcviewer.training.deeplab import DeepLab, ResidualBlock
from calcviewer.training.scan_conversion import cartesian_grid
from calcviewer.training.segnet import SegNet
from calcviewer.training.unet import UNet

OPSET = 18
INPUT, OUTPUT = "image", "probabilities"
Window = tuple[int, int]


def build_graph(network: FrameNetwork) -> onnx.ModelProto:
    """Write a network as ONNX: ``image`` [n, 1, 480, 960] to ``probabilities`` [n, 3, 480, 960].

    Parameters
    ----------
    network
        In evaluation mode.
    """
    graph = _Graph()
    stride = network.stride
    x = graph.average(INPUT, stride)
    if network.geometry == "cartesian":
        x = graph.to_cartesian(x, network)
        x = graph.sample(_logits(graph, x, network), network.to_polar.places, "to_polar")
    else:
        x = graph.enlarge(_logits(graph, x, network), (stride, stride), wraps=True)
    graph.softmax(x)
    return _model(graph, name=type(network).__name__.lower())


def fold_batch_norm(
    layer: nn.Conv2d, norm: nn.BatchNorm2d | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias of the convolution that equals ``layer`` followed by ``norm``."""
    with torch.no_grad():
        weight, bias = layer.weight.double(), layer.bias.double()
        if norm is not None:
            scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
            weight = weight * scale[:, None, None, None]
            bias = (bias - norm.running_mean.double()) * scale + norm.bias.double()
        return weight.float().numpy(), bias.float().numpy()


@dataclass
class _Graph:
    """Nodes and constants under construction; every method returns the name of its output."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def add(
        self, operator: str, inputs: list[str], outputs: int = 1, **attributes: object
    ) -> list[str]:
        names = [f"{operator}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants[name] = value
        return name

    def integers(self, *values: int) -> str:
        name = "int_" + "_".join(str(value) for value in values)
        return self.constant(name, np.array(values, dtype=np.int64))

    def rows(self, x: str, start: int, end: int) -> str:
        """Slice A-lines ``start`` to ``end``."""
        bounds = [self.integers(start), self.integers(end), self.integers(2)]
        return self.add("Slice", [x, *bounds])[0]

    def wrap(self, x: str, lines: int = 1) -> str:
        """Put the last A-lines in front and the first behind."""
        parts = [self.rows(x, -lines, np.iinfo(np.int64).max), x, self.rows(x, 0, lines)]
        return self.add("Concat", parts, axis=2)[0]

    def join(self, parts: Iterable[str]) -> str:
        """Concatenate channels."""
        return self.add("Concat", list(parts), axis=1)[0]

    def relu(self, x: str) -> str:
        return self.add("Relu", [x])[0]

    def convolve(self, x: str, circular: CircularConv, norm: nn.BatchNorm2d | None = None) -> str:
        """Convolve, circular along the A-lines where the layer is, with normalisation folded."""
        layer = circular.conv
        weight, bias = fold_batch_norm(layer, norm)
        name = f"conv_{len(self.nodes)}"
        inputs = [
            self.wrap(x, circular.reach) if circular.wraps else x,
            self.constant(f"{name}_weight", weight),
            self.constant(f"{name}_bias", bias),
        ]
        return self.add(
            "Conv",
            inputs,
            kernel_shape=list(layer.kernel_size),
            pads=[*layer.padding, *layer.padding],
            strides=list(layer.stride),
            dilations=list(layer.dilation),
        )[0]

    def block(self, x: str, block: ConvBlock) -> str:
        y = self.convolve(x, block.circular, block.norm)
        return self.relu(y) if block.relu else y

    def blocks(self, x: str, blocks: Iterable[ConvBlock]) -> str:
        for one in blocks:
            x = self.block(x, one)
        return x

    def average(self, x: str, step: int) -> str:
        """Average ``step`` x ``step`` samples."""
        if step == 1:
            return x
        return self.add("AveragePool", [x], kernel_shape=[step, step], strides=[step, step])[0]

    def pool(self, x: str, window: Window) -> tuple[str, str]:
        """Maximum and its index."""
        y, indices = self.add("MaxPool", [x], 2, kernel_shape=window, strides=window)
        return y, indices

    def unpool(self, x: str, indices: str, like: str) -> str:
        """Put values back at ``indices``, zeros elsewhere; ``like`` has the wanted shape."""
        shape = self.add("Shape", [like])[0]
        length = self.add("ReduceProd", [shape], keepdims=1)[0]
        zeros = self.add("ConstantOfShape", [length])[0]
        column = self.add("Reshape", [indices, self.integers(-1, 1)])[0]
        values = self.add("Reshape", [x, self.integers(-1)])[0]
        flat = self.add("ScatterND", [zeros, column, values])[0]
        return self.add("Reshape", [flat, shape])[0]

    def enlarge(self, x: str, factors: Window, *, wraps: bool) -> str:
        """Bilinear upsampling, circular along the A-lines where the network is."""
        if factors == (1, 1):
            return x
        across = wraps and factors[0] > 1
        name = f"scales_{factors[0]}_{factors[1]}"
        scales = self.constant(name, np.array([1, 1, *factors], dtype=np.float32))
        large = self.add("Resize", [self.wrap(x) if across else x, "", scales], mode="linear")[0]
        return self.rows(large, factors[0], -factors[0]) if across else large

    def to_cartesian(self, x: str, network: FrameNetwork) -> str:
        sampled = self.sample(self.wrap(x), network.to_cartesian.places, "to_cartesian")
        inside = self.constant("inside", network.to_cartesian.inside.numpy())
        return self.add("Mul", [sampled, inside])[0]

    def sample(self, x: str, places: torch.Tensor, name: str) -> str:
        """Sample bilinearly at ``places`` [row, column, 2]."""
        grid = self.constant(name, places[None].numpy())
        frames = self.add("Shape", [x], start=0, end=1)[0]
        shape = self.add("Concat", [frames, self.integers(*places.shape)], axis=0)[0]
        grids = self.add("Expand", [grid, shape])[0]
        return self.add(
            "GridSample",
            [x, grids],
            mode="bilinear",
            padding_mode="border",
            align_corners=1,
        )[0]

    def softmax(self, x: str) -> None:
        """End in the class probabilities.

        Written out, because ONNX Runtime's Softmax over channels transposes the whole image twice:
        a fifth of the time of a light network.
        """
        axis = self.integers(1)
        largest = self.add("ReduceMax", [x, axis])[0]
        powers = self.add("Exp", self.add("Sub", [x, largest]))[0]
        total = self.add("ReduceSum", [powers, axis])[0]
        self.nodes.append(helper.make_node("Div", [powers, total], [OUTPUT]))


def _logits(graph: _Graph, x: str, network: FrameNetwork) -> str:
    if isinstance(network, SegNet):
        return _segnet(graph, x, network)
    if isinstance(network, UNet):
        return _unet(graph, x, network)
    assert isinstance(network, DeepLab)
    return _deeplab(graph, x, network)


def _work_sides(network: FrameNetwork) -> tuple[int, int]:
    if network.geometry == "cartesian":
        return cartesian_grid(network.stride).shape
    return MODEL_GRID.a_lines // network.stride, MODEL_GRID.samples // network.stride


def _segnet(graph: _Graph, x: str, network: SegNet) -> str:
    sides = _work_sides(network)
    kept = []
    for stage in network.encoder:
        large = graph.blocks(x, stage)
        window = pool_window(*sides)
        x, indices = graph.pool(large, window)
        kept.append((indices, large))
        sides = (sides[0] // window[0], sides[1] // window[1])
    for stage in network.decoder:
        x = graph.blocks(graph.unpool(x, *kept.pop()), stage)
    return graph.convolve(x, network.classifier)


def _unet(graph: _Graph, x: str, network: UNet) -> str:
    sides = _work_sides(network)
    kept = []
    for stage in network.encoder[:-1]:
        x = graph.blocks(x, stage)
        window = pool_window(*sides)
        kept.append((x, window))
        x = graph.add("MaxPool", [x], kernel_shape=window, strides=window)[0]
        sides = (sides[0] // window[0], sides[1] // window[1])
    x = graph.blocks(x, network.encoder[-1])
    for shrink, stage in zip(network.shrink, network.decoder, strict=True):
        beside, window = kept.pop()
        x = graph.enlarge(graph.convolve(x, shrink), window, wraps=network.wraps)
        x = graph.blocks(graph.join([beside, x]), stage)
    return graph.convolve(x, network.classifier)


def _residual(graph: _Graph, x: str, block: ResidualBlock) -> str:
    beside = x
    if block.shortcut:
        beside = graph.block(graph.average(x, block.step), block.shortcut)
    y = graph.block(graph.block(x, block.first), block.second)
    return graph.relu(graph.add("Add", [y, beside])[0])


def _deeplab(graph: _Graph, x: str, network: DeepLab) -> str:
    x = graph.block(x, network.stem)
    outputs = []
    for stage in network.stages:
        for block in stage:
            x = _residual(graph, x, block)
        outputs.append(x)
    branches = [graph.block(x, branch) for branch in (network.point, *network.atrous)]
    mean = graph.add("GlobalAveragePool", [x])[0]
    overall = graph.relu(graph.convolve(mean, network.overall))
    shape = graph.add("Shape", [branches[0]])[0]
    branches.append(graph.add("Expand", [overall, shape])[0])
    x = graph.block(graph.join(branches), network.project)
    x = graph.enlarge(x, (4, 4), wraps=network.wraps)
    detail = graph.block(outputs[0], network.detail)
    x = graph.blocks(graph.join([x, detail]), network.decoder)
    return graph.enlarge(graph.convolve(x, network.classifier), (2, 2), wraps=network.wraps)


def _model(graph: _Graph, *, name: str) -> onnx.ModelProto:
    def value(name: str, channels: int) -> onnx.ValueInfoProto:
        shape = ["n", channels, MODEL_GRID.a_lines, MODEL_GRID.samples]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    proto = helper.make_graph(
        graph.nodes,
        name,
        [value(INPUT, 1)],
        [value(OUTPUT, len(CLASSES))],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)])
    # The format version that opset 18 came with: a newer one would shut out older runtimes.
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model
