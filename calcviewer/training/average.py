"""The average of checkpoints of one network: what only one of them believes, it believes less.

Networks trained on from the same weights can be averaged weight by weight (Wortsman et al. 2022,
"Model soups"). The statistics of batch normalisation belong to the weights they were measured
with, so that they are measured anew (Izmailov et al. 2018, "Averaging weights leads to wider
optima").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from calcviewer.app.voi_file import Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.training import augment
from calcviewer.training.blocks import FrameNetwork
from calcviewer.training.checkpoint import load_network, write_checkpoint
from calcviewer.training.dataset import batches


@dataclass(frozen=True)
class AverageSettings:
    """On how many batches of training frames the statistics are measured, and which."""

    batches: int = 80
    batch_size: int = 4
    seed: int = 0


def average_checkpoints(
    checkpoints: Sequence[Path],
    training: Sequence[Voi],
    output: Path,
    *,
    settings: AverageSettings = AverageSettings(),
) -> None:
    """Write the average of checkpoints as a checkpoint.

    Parameters
    ----------
    checkpoints
        Two or more of the same architecture, width, stride and geometry.
    training
        VOIs the networks were trained on, read at their stride.

    Raises
    ------
    CalcViewerError
        There is nothing to average, the networks differ, or there are no VOIs.
    """
    if len(checkpoints) < 2 or not training:
        raise CalcViewerError(
            "An average needs two checkpoints or more, and VOIs.", "Name them all."
        )
    networks = [load_network(path) for path in checkpoints]
    states = [network.state_dict() for network in networks]
    for path, network, state in zip(checkpoints, networks, states, strict=True):
        if _kind(network) != _kind(networks[0]) or _shapes(state) != _shapes(states[0]):
            raise CalcViewerError(
                f"{path} holds another kind of network than {checkpoints[0]}.",
                "Only networks trained on from the same weights can be averaged.",
            )
    average = networks[0]
    for name, own in states[0].items():
        if own.is_floating_point():
            own.copy_(torch.stack([state[name] for state in states]).mean(dim=0))
    _measure_statistics(average, training, settings)
    write_checkpoint(output, average, optimiser={}, progress={})


def _kind(network: FrameNetwork) -> tuple[object, ...]:
    return type(network), network.width, network.stride, network.geometry


def _shapes(state: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.items()}


def _measure_statistics(
    network: FrameNetwork, training: Sequence[Voi], settings: AverageSettings
) -> None:
    """Measure mean and variance of every batch normalisation on frames as in training."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # of all batches alike
    network.train()
    whole = network.geometry == "cartesian"
    shuffled = batches(
        training,
        batch_size=settings.batch_size,
        seed=settings.seed,
        augmentation=replace(augment.DEFAULT, turn_whole_frames=whole),
        shuffle=True,
    )
    with torch.no_grad():
        for images, _ in islice(shuffled, settings.batches):
            network.work_logits(network.work_images(torch.from_numpy(images).unsqueeze(1)))
    network.eval()
