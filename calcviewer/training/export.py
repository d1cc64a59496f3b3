"""Export of a trained network to ONNX, with batch normalisation folded into the convolutions.

The graph is written node by node, so that it takes any batch size. Unpooling is a ``ScatterND`` on
the indices of ``MaxPool``, which runs on every provider; ``MaxUnpool`` exists on the CPU alone and
is no faster there. ("Nearest upsampling times (y == max)" is not the same: after a ReLU whole
windows tie at zero.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from calcviewer.core.atomic import staged_folder
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import CLASSES, MODEL_FILE, ModelCard, sha256_of
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.training.generate import GenerateSettings, simulate_voi
from calcviewer.training.segnet import SegNet, pool_window
from calcviewer.training.train import load_network

OPSET = 18
LARGEST_FILE = 64 * 2**20
SMALLEST_AGREEMENT = 0.9999
CHECK_SEED = 424_242_424
"""Seed of the frames an export is checked on; no data set uses it."""
INPUT, OUTPUT = "image", "probabilities"


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

    def wrap(self, x: str) -> str:
        """Put the last A-line in front and the first behind."""
        parts = [self.rows(x, -1, np.iinfo(np.int64).max), x, self.rows(x, 0, 1)]
        return self.add("Concat", parts, axis=2)[0]

    def convolve(self, x: str, layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> str:
        """Convolve, circular along the A-lines, with the folded normalisation and its ReLU."""
        weight, bias = fold_batch_norm(layer, norm)
        name = f"conv_{len(self.nodes)}"
        inputs = [
            self.wrap(x),
            self.constant(f"{name}_weight", weight),
            self.constant(f"{name}_bias", bias),
        ]
        y = self.add("Conv", inputs, kernel_shape=[3, 3], pads=[0, 1, 0, 1])[0]
        return self.add("Relu", [y])[0] if norm is not None else y

    def pool(self, x: str, window: tuple[int, int]) -> tuple[str, str]:
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

    def stage(self, x: str, stage: nn.Sequential) -> str:
        for block in stage:
            x = self.convolve(x, block.circular.conv, block.norm)
        return x


def build_graph(network: SegNet) -> onnx.ModelProto:
    """Write the network as ONNX: ``image`` [n, 1, 480, 960] to ``probabilities`` [n, 3, 480, 960].

    Parameters
    ----------
    network
        In evaluation mode.
    """
    graph = _Graph()
    stride = network.stride
    x = INPUT
    if stride > 1:
        window = [stride, stride]
        x = graph.add("AveragePool", [x], kernel_shape=window, strides=window)[0]
    sides = (MODEL_GRID.a_lines // stride, MODEL_GRID.samples // stride)
    kept = []
    for stage in network.encoder:
        large = graph.stage(x, stage)
        window_px = pool_window(*sides)
        x, indices = graph.pool(large, window_px)
        kept.append((indices, large))
        sides = (sides[0] // window_px[0], sides[1] // window_px[1])
    for stage in network.decoder:
        x = graph.stage(graph.unpool(x, *kept.pop()), stage)
    x = graph.convolve(x, network.classifier.conv, None)
    if stride > 1:
        scales = graph.constant("scales", np.array([1, 1, stride, stride], dtype=np.float32))
        x = graph.add("Resize", [graph.wrap(x), "", scales], mode="linear")[0]
        x = graph.rows(x, stride, -stride)
    graph.softmax(x)
    return _model(graph)


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """What only the person who exports can say; see `ModelCard` for the meaning of each.

    ``calcium_odds`` multiplies the odds of calcium: the operating point, chosen on held-out data
    so that arcs are neither too short nor too long.
    """

    name: str
    version: str
    data_origin: Literal["simulated", "real", "mixed"]
    training_data: str
    split: Mapping[str, int]
    metrics: Mapping[str, object]
    licence: str
    calcium_odds: float = 1.0


def export_model(checkpoint: Path, models: Path, *, description: ModelDescription) -> Path:
    """Write ``models/NAME/model.onnx`` and ``card.json`` from a training checkpoint.

    The written file is loaded again as inference loads it and compared with torch on simulated
    frames before it takes the place of an older one.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    CalcViewerError
        The checkpoint cannot be read, the name is no folder name, the file is too large, or ONNX
        Runtime and torch disagree.
    """
    if Path(description.name).name != description.name or description.name.startswith("."):
        raise CalcViewerError(
            f"{description.name!r} cannot be the name of a model.", "Use a plain folder name."
        )
    network = load_network(checkpoint)
    with torch.no_grad():
        network.classifier.conv.bias[CLASSES.index("calcium")] += np.log(description.calcium_odds)
    content = build_graph(network).SerializeToString()
    if len(content) > LARGEST_FILE:
        raise CalcViewerError(
            f"The network takes {len(content) / 2**20:.0f} MB; a model may take 64 MB.",
            "Train a narrower network.",
        )
    directory = models / description.name
    with staged_folder(directory) as stage:
        (stage / MODEL_FILE).write_bytes(content)
        _card_of(network, description, sha256=sha256_of(stage / MODEL_FILE)).write(stage)
        _check(network, stage)
    return directory


def _card_of(network: SegNet, description: ModelDescription, *, sha256: str) -> ModelCard:
    return ModelCard(
        name=description.name,
        version=description.version,
        architecture=f"SegNet, width {network.width:g}, stride {network.stride}",
        data_origin=description.data_origin,
        training_data=description.training_data,
        split=description.split,
        metrics=description.metrics,
        licence=description.licence,
        sha256=sha256,
        opset=OPSET,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _check(network: SegNet, model: Path) -> None:
    """Raise unless the written model gives what torch gives."""
    images, _labels = simulate_voi(CHECK_SEED, settings=GenerateSettings(frames_per_voi=2))
    agreement = argmax_agreement(network, Network.load(model, device="cpu"), images)
    if agreement < SMALLEST_AGREEMENT:
        raise CalcViewerError(
            f"ONNX Runtime and torch agree on {100 * agreement:.3f} % of the pixels only.",
            "The network cannot be used; train it further or report this.",
        )


def argmax_agreement(network: SegNet, runtime: Network, images: NDArray[np.floating]) -> float:
    """Share of pixels of [n, 480, 960] for which torch and ONNX Runtime choose the same class."""
    same = []
    for image in images.astype(np.float32):
        with torch.no_grad():
            expected = network.probabilities(torch.from_numpy(image)[None, None]).argmax(dim=1)
        found = runtime.predict(image[None]).argmax(axis=1)
        same.append(float((expected.numpy() == found).mean()))
    return float(np.mean(same))


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


def _model(graph: _Graph) -> onnx.ModelProto:
    def value(name: str, channels: int) -> onnx.ValueInfoProto:
        shape = ["n", channels, MODEL_GRID.a_lines, MODEL_GRID.samples]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    proto = helper.make_graph(
        graph.nodes,
        "segnet",
        [value(INPUT, 1)],
        [value(OUTPUT, len(CLASSES))],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)])
    # The format version that opset 18 came with: a newer one would shut out older runtimes.
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model
