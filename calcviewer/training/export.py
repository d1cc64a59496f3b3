"""Export of a trained network to ONNX with its model card."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from calcviewer.core.atomic import staged_folder
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import CLASSES, MODEL_FILE, ModelCard, sha256_of
from calcviewer.inference.onnx import Network
from calcviewer.training.architectures import description_of
from calcviewer.training.blocks import FrameNetwork
from calcviewer.training.checkpoint import load_network
from calcviewer.training.generate import GenerateSettings, simulate_voi
from calcviewer.training.onnx_graph import OPSET, build_graph

LARGEST_FILE = 64 * 2**20
SMALLEST_AGREEMENT = 0.9999
CHECK_SEED = 424_242_424
"""Seed of the frames an export is checked on; no data set uses it."""


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


def _card_of(network: FrameNetwork, description: ModelDescription, *, sha256: str) -> ModelCard:
    return ModelCard(
        name=description.name,
        version=description.version,
        architecture=description_of(network),
        data_origin=description.data_origin,
        training_data=description.training_data,
        split=description.split,
        metrics=description.metrics,
        licence=description.licence,
        sha256=sha256,
        opset=OPSET,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _check(network: FrameNetwork, model: Path) -> None:
    """Raise unless the written model gives what torch gives."""
    images, _labels = simulate_voi(CHECK_SEED, settings=GenerateSettings(frames_per_voi=2))
    agreement = argmax_agreement(network, Network.load(model, device="cpu"), images)
    if agreement < SMALLEST_AGREEMENT:
        raise CalcViewerError(
            f"ONNX Runtime and torch agree on {100 * agreement:.3f} % of the pixels only.",
            "The network cannot be used; train it further or report this.",
        )


def argmax_agreement(
    network: FrameNetwork, runtime: Network, images: NDArray[np.floating]
) -> float:
    """Share of pixels of [n, 480, 960] for which torch and ONNX Runtime choose the same class."""
    same = []
    for image in images.astype(np.float32):
        with torch.no_grad():
            expected = network.probabilities(torch.from_numpy(image)[None, None]).argmax(dim=1)
        found = runtime.predict(image[None]).argmax(axis=1)
        same.append(float((expected.numpy() == found).mean()))
    return float(np.mean(same))
