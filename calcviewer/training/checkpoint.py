"""Checkpoints: weights, what network they belong to, and what a resumed run must remember."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.training.architectures import architecture_of, build_network
from calcviewer.training.blocks import FrameNetwork


def write_checkpoint(
    path: Path, network: FrameNetwork, *, optimiser: dict[str, Any], progress: dict[str, Any]
) -> None:
    """Write a checkpoint, whole or not at all."""
    state = {
        "network": network.state_dict(),
        "architecture": architecture_of(network),
        "width": network.width,
        "stride": network.stride,
        "geometry": network.geometry,
        "optimiser": optimiser,
        "progress": progress,
    }
    with staged_file(path) as stage:
        torch.save(state, stage)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Raises
    ------
    CalcViewerError
        The file is no checkpoint of this program.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        width, stride = state["width"], state["stride"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, UnpicklingError) as error:
        raise CalcViewerError(f"{path} is not a checkpoint of this program: {error}") from error
    if not (width > 0 and stride >= 1) or MODEL_GRID.a_lines % stride:
        raise CalcViewerError(f"{path} names an impossible width {width} or stride {stride}.")
    # Checkpoints of the first version hold a SegNet for polar frames and do not say so.
    return {"architecture": "segnet", "geometry": "polar", **state}


def take_weights(network: FrameNetwork, checkpoint: Path) -> dict[str, Any]:
    """Load the weights of a checkpoint into a network; return the checkpoint.

    Weights fit every stride and geometry: what was trained on a coarse grid can be trained further
    on a fine one.

    Raises
    ------
    CalcViewerError
        The file is no checkpoint of this program, or of another architecture or width.
    """
    state = read_checkpoint(checkpoint)
    if (state["architecture"], state["width"]) != (architecture_of(network), network.width):
        raise CalcViewerError(
            f"{checkpoint} holds a {state['architecture']} of width {state['width']:g}, not a "
            f"{architecture_of(network)} of width {network.width:g}.",
            "Take another checkpoint, or give its architecture and width.",
        )
    network.load_state_dict(state["network"])
    return state


def load_network(checkpoint: Path) -> FrameNetwork:
    """Build the network of a checkpoint, in evaluation mode on the CPU.

    Raises
    ------
    CalcViewerError
        The file is no checkpoint of this program.
    """
    state = read_checkpoint(checkpoint)
    network = build_network(
        state["architecture"],
        width=state["width"],
        stride=state["stride"],
        geometry=state["geometry"],
    )
    network.load_state_dict(state["network"])
    network.eval()
    return network
