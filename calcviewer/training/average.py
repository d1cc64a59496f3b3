"""The average of checkpoints of one network: what only one of them believes, it believes less.

Networks trained on from the same weights can be averaged weight by weight (Wortsman et al. 2022,
"Model soups"). The statistics of batch normalisation belong to the weights they were measured
with, so that they are measured anew (Izmailov et al. 2018, "Averaging weights leads to wider
optima").
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from calcviewer.app.voi_file import Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.training import augment
from calcviewer.training.blocks import FrameNetwork
from calcviewer.training.checkpoint import load_network, take_weights, write_checkpoint
from calcviewer.training.dataset import batches

_BATCHES, _BATCH_SIZE = 80, 4
"""On so many training frames, a few hundred, the statistics are measured."""


def average_checkpoints(
    checkpoints: Sequence[Path],
    training: Sequence[Voi],
    output: Path,
    *,
    seed: int = 0,
) -> None:
    """Write the average of checkpoints as a checkpoint.

    Parameters
    ----------
    checkpoints
        Two or more of the same architecture and width; the first gives stride and geometry.
    training
        VOIs the networks were trained on, read at the stride of the first.
    seed
        Draws the frames on which the statistics are measured.

    Raises
    ------
    CalcViewerError
        There is nothing to average, the networks differ, or there are no VOIs.
    """
    if len(checkpoints) < 2 or not training:
        raise CalcViewerError(
            "An average needs two checkpoints or more, and VOIs.", "Name them all."
        )
    average = load_network(checkpoints[0])
    states = [take_weights(average, path)["network"] for path in checkpoints]
    for name, own in average.state_dict().items():
        if own.is_floating_point():
            own.copy_(torch.stack([state[name] for state in states]).mean(dim=0))
    _measure_statistics(average, training, seed)
    write_checkpoint(output, average, optimiser={}, progress={})


def _measure_statistics(network: FrameNetwork, training: Sequence[Voi], seed: int) -> None:
    """Measure mean and variance of every batch normalisation on frames as in training."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # of all batches alike
    network.train()
    shuffled = batches(
        training,
        batch_size=_BATCH_SIZE,
        seed=seed,
        augmentation=augment.suited_to(augment.DEFAULT, network.geometry),
        shuffle=True,
    )
    with torch.no_grad():
        for images, _ in islice(shuffled, _BATCHES):
            network.work_logits(network.work_images(torch.from_numpy(images).unsqueeze(1)))
    network.eval()
