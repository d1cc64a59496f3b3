"""The CRF of `calcviewer.inference.crf` as an ONNX graph, for a GPU.

The same points, nodes and updates as on the CPU: the sparse products become ScatterElements and
Gather, the blur of the grid becomes a convolution. On a CPU that takes several times as long as
the sparse products do, so there the graph is only the test of itself.

Operators, all of them in ONNX Runtime's CUDA provider: Add, ArgMax, Cast, Concat, Conv, Div, Exp,
Expand, Gather, Identity, Log, Max, Min, Mul, ReduceMean, ReduceSum, Reshape, ScatterElements,
Slice, Sqrt, Sub, Sum, Unsqueeze.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from calcviewer.inference.bilateral_grid import (
    BLUR,
    intensity_layers,
    position_nodes,
    smoothness_kernel,
)
from calcviewer.inference.crf import (
    MAX_LOG_ODDS,
    MIN_PROBABILITY,
    CrfParameters,
    samples_per_point,
)
from calcviewer.inference.onnx_writer import Graph, Operand, element_type

IMAGE, WEIGHTS, LABELS, MEAN = "image", "weights", "labels", "mean"


def frame_input(number: int) -> str:
    """Name of the input of the probabilities of the frame ``number``."""
    return f"probabilities_{number}"


def build_crf(
    parameters: CrfParameters,
    shape: tuple[int, ...],
    sample_spacing_mm: float,
    *,
    frames: int = 1,
) -> bytes:
    """Write the model that averages the probabilities of frames and refines the mean.

    Inputs, all float32: ``probabilities_0`` ... ``[1, class, a_line, sample]``; ``weights``
    ``[frames]``, summing to 1; ``image`` ``[a_line, sample]``. Outputs: ``labels``, uint8
    ``[a_line, sample]``, and ``mean``, float32 ``[class, a_line, sample]``: the weighted mean
    before the refinement.

    Parameters
    ----------
    shape
        Number of classes, A-lines and samples.
    frames
        Of how many frames the mean is taken.

    Returns
    -------
    bytes
        Content of an ``.onnx`` file.

    Raises
    ------
    CalcViewerError
        A kernel is too narrow for the field of view.
    """
    classes, a_lines, samples = shape
    group = samples_per_point(samples, sample_spacing_mm, parameters)
    layout = _Layout(classes - 1, a_lines, samples // group, group)
    graph = Graph()
    mean = _mean(graph, shape, frames)
    image = graph.input(IMAGE, shape[1:])
    spacing_mm = group * sample_spacing_mm
    kernels = (
        _smoothness(graph, layout, spacing_mm, parameters),
        _appearance(graph, image, layout, spacing_mm, parameters),
    )
    log_odds = _log_odds(graph, mean, layout)
    odds = log_odds
    for _ in range(parameters.iterations):
        differences = _differences(graph, odds)
        messages = [_filter(graph, kernel, differences, layout.others) for kernel in kernels]
        odds = graph.add("Add", log_odds, _at_samples(graph, graph.add("Add", *messages), layout))
    graph.output(LABELS, _labels(graph, odds, shape), np.uint8, shape[1:])
    graph.output(MEAN, mean, np.float32, shape)
    return graph.model("crf")


@dataclass(frozen=True)
class _Layout:
    """Shape of the log odds: classes but class 0, A-lines, points on each, samples in a point."""

    others: int
    a_lines: int
    depths: int
    group: int

    @property
    def points(self) -> int:
        return self.a_lines * self.depths


@dataclass(frozen=True)
class _Kernel:
    """Names of the values of a kernel, and the shape of its grid.

    ``nodes`` are int32 and ``weights`` float32, both ``[point, node of the point]``; ``factor``
    multiplies the sums.
    """

    grid: tuple[int, ...]
    nodes: str
    weights: str
    factor: float


def _mean(graph: Graph, shape: tuple[int, ...], frames: int) -> str:
    weights = graph.input(WEIGHTS, [frames])
    terms = []
    for number in range(frames):
        probabilities = graph.input(frame_input(number), [1, *shape])
        weight = graph.add("Slice", weights, [number], [number + 1], [0])
        terms.append(graph.add("Mul", probabilities, weight))
    return graph.add("Reshape", graph.add("Sum", *terms), shape)


def _smoothness(
    graph: Graph, layout: _Layout, spacing_mm: float, parameters: CrfParameters
) -> _Kernel:
    """Build the kernel on position: the same for all frames, hence constant."""
    kernel = smoothness_kernel(
        (layout.a_lines, layout.depths),
        spacing_mm,
        sigma_mm=parameters.smoothness_sigma_mm,
        weight=parameters.smoothness_weight,
    )
    nodes = kernel.nodes.indices.reshape(layout.points, -1)
    weights = kernel.nodes.data.reshape(nodes.shape)
    return _Kernel(kernel.grid, graph.constant(nodes), graph.constant(weights), kernel.weight)


def _appearance(
    graph: Graph, image: str, layout: _Layout, spacing_mm: float, parameters: CrfParameters
) -> _Kernel:
    """Build the kernel on position and intensity, and normalise it."""
    side, nodes, weights = position_nodes(
        (layout.a_lines, layout.depths), spacing_mm, parameters.appearance_sigma_mm
    )
    layers, layer_spacing = intensity_layers(side, parameters.appearance_sigma_intensity)
    samples = graph.add("Reshape", image, [layout.points, layout.group])
    intensity = graph.add("ReduceMean", samples, [1], keepdims=1)
    level = graph.add("Div", intensity, float(layer_spacing))
    layer = graph.add("Cast", level, to=element_type(np.int32))
    above = graph.add("Sub", level, graph.add("Cast", layer, to=element_type(np.float32)))
    in_layer = np.array([side * side], dtype=np.int32)
    lower = graph.add("Add", graph.add("Mul", layer, in_layer), nodes)
    upper_weights = graph.add("Mul", above, weights)
    lower_weights = graph.add("Sub", weights, upper_weights)
    kernel = _Kernel(
        (layers, side, side),
        graph.add("Concat", lower, graph.add("Add", lower, in_layer), axis=1),
        graph.add("Concat", lower_weights, upper_weights, axis=1),
        1.0,
    )
    sums = _filter(graph, kernel, np.ones((1, layout.points), dtype=np.float32), 1)
    scale = graph.add("Div", 1.0, graph.add("Sqrt", sums))
    scaled = graph.add("Mul", kernel.weights, graph.add("Reshape", scale, [layout.points, 1]))
    return _Kernel(kernel.grid, kernel.nodes, scaled, parameters.appearance_weight)


def _filter(
    graph: Graph,
    kernel: _Kernel,
    values: Operand,
    rows: int,
) -> str:
    """Sum ``values`` ``[row, point]`` with the kernel's weights, at every point."""
    nodes = int(np.prod(kernel.grid))
    axes = len(kernel.grid)
    updates = graph.add("Mul", graph.add("Unsqueeze", values, [2]), kernel.weights)
    flat_nodes = graph.add("Reshape", kernel.nodes, [1, -1])
    flat_updates = graph.add("Reshape", updates, [rows, -1])
    every_row = graph.add("Expand", flat_nodes, [rows, 1])
    empty = graph.add("Expand", 0.0, [rows, nodes])
    splatted = graph.add("ScatterElements", empty, every_row, flat_updates, axis=1, reduction="add")
    grid = graph.add("Reshape", splatted, [rows, 1, *kernel.grid])
    stencil = reduce(np.multiply.outer, [np.array(BLUR, dtype=np.float32)] * axes)
    blurred = graph.add("Conv", grid, stencil[np.newaxis, np.newaxis], pads=[1] * (2 * axes))
    flat = graph.add("Reshape", blurred, [rows, nodes])
    read = graph.add("Mul", graph.add("Gather", flat, kernel.nodes, axis=1), kernel.weights)
    return graph.add("Mul", graph.add("ReduceSum", read, [2], keepdims=0), kernel.factor)


def _log_odds(graph: Graph, mean: str, layout: _Layout) -> str:
    """Log odds against class 0 as ``[class - 1, point, sample in point]``."""
    least = graph.add("Max", mean, MIN_PROBABILITY)
    logs = graph.add("Log", least)
    others = graph.add("Slice", logs, [1], [layout.others + 1], [0])
    odds = graph.add("Sub", others, graph.add("Slice", logs, [0], [1], [0]))
    return graph.add("Reshape", odds, [layout.others, layout.points, layout.group])


def _differences(graph: Graph, odds: str) -> str:
    """Mean over a point's samples of the marginals less class 0's, ``[class - 1, point]``."""
    powers = graph.add("Exp", graph.add("Min", odds, MAX_LOG_ODDS))
    total = graph.add("Add", graph.add("ReduceSum", powers, [0], keepdims=1), 1.0)
    differences = graph.add("Div", graph.add("Sub", powers, 1.0), total)
    return graph.add("ReduceMean", differences, [2], keepdims=0)


def _at_samples(graph: Graph, messages: str, layout: _Layout) -> str:
    """Interpolate messages ``[class - 1, point]`` to ``[class - 1, point, sample in point]``.

    Linear along the A-line, and continued so beyond its ends.
    """
    if layout.group == 1:
        return graph.add("Unsqueeze", messages, [2])
    lines = graph.add("Reshape", messages, [layout.others, layout.a_lines, layout.depths])
    steps = graph.add(
        "Sub",
        graph.add("Slice", lines, [1], [layout.depths], [2]),
        graph.add("Slice", lines, [0], [layout.depths - 1], [2]),
    )
    first = graph.add("Slice", steps, [0], [1], [2])
    last = graph.add("Slice", steps, [layout.depths - 2], [layout.depths - 1], [2])
    before = graph.add("Concat", first, steps, axis=2)
    after = graph.add("Concat", steps, last, axis=2)
    slopes = graph.add("Mul", graph.add("Add", before, after), 0.5)
    offsets = (np.arange(layout.group, dtype=np.float32) + 0.5) / layout.group - 0.5
    rise = graph.add("Mul", graph.add("Unsqueeze", slopes, [3]), offsets)
    at_samples = graph.add("Add", graph.add("Unsqueeze", lines, [3]), rise)
    return graph.add("Reshape", at_samples, [layout.others, layout.points, layout.group])


def _labels(graph: Graph, odds: str, shape: tuple[int, ...]) -> str:
    others = graph.add("Reshape", odds, [shape[0] - 1, *shape[1:]])
    reference = np.zeros((1, *shape[1:]), dtype=np.float32)
    every = graph.add("Concat", reference, others, axis=0)
    return graph.add(
        "Cast", graph.add("ArgMax", every, axis=0, keepdims=0), to=element_type(np.uint8)
    )
