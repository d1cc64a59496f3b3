"""The segmentation network, run by ONNX Runtime."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import MODEL_FILE, ModelCard

Device = Literal["auto", "cpu", "cuda"]
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY = 3


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network; safe to call from several threads.

    Attributes
    ----------
    card
        Its verified model card.
    note
        Why a GPU that ONNX Runtime was built for is not used; empty otherwise.
    """

    card: ModelCard
    session: onnxruntime.InferenceSession
    note: str = ""

    @classmethod
    def load(
        cls, directory: Path, *, device: Device = "auto", threads: int | None = None
    ) -> Network:
        """Load the model of a folder.

        Parameters
        ----------
        device
            "auto" takes CUDA when it works and says in ``note`` when it should but does not.
        threads
            Threads of the CPU; all available cores by default.

        Raises
        ------
        CalcViewerError
            The card or the network does not fit, or CUDA was asked for and cannot be used.
        """
        card = ModelCard.load(directory)
        offered = _CUDA in onnxruntime.get_available_providers()
        if device == "cuda" and not offered:
            raise CalcViewerError(
                "This ONNX Runtime cannot use a GPU.",
                "Install CalcViewer with the extra 'gpu', or choose the device 'cpu'.",
            )
        wants_cuda = offered and device != "cpu"
        session = _open(directory / MODEL_FILE, cuda=wants_cuda, threads=threads)
        note = ""
        # ONNX Runtime drops a provider that cannot load without an error.
        if wants_cuda and _CUDA not in session.get_providers():
            note = "The GPU could not be used: its driver or the CUDA libraries did not load."
            if device == "cuda":
                raise CalcViewerError(note, "Check the NVIDIA driver, or choose the device 'cpu'.")
        return cls(card, session, note)

    @property
    def provider(self) -> str:
        """Name of the execution provider that really runs the network."""
        return str(self.session.get_providers()[0])

    def predict(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        """Class probabilities of preprocessed frames.

        Parameters
        ----------
        images
            ``[n, 480, 960]``, 0 to 1, on the model grid.

        Returns
        -------
        float32 ``[n, 3, 480, 960]``: other, lumen, calcium, summing to 1.
        """
        grid = (self.card.a_lines, self.card.samples)
        if images.ndim != 3 or images.shape[1:] != grid:
            raise CalcViewerError(
                f"The network needs frames of shape (n, {grid[0]}, {grid[1]}), got {images.shape}."
            )
        if not len(images):
            return np.zeros((0, len(self.card.classes), *grid), dtype=np.float32)
        batch = np.ascontiguousarray(images[:, None], dtype=np.float32)
        name = self.session.get_inputs()[0].name
        try:
            probabilities: NDArray[np.float32] = self.session.run(None, {name: batch})[0]
        except Exception as error:  # ONNX Runtime's errors share no base class of their own.
            raise CalcViewerError(
                f"The network failed on {len(images)} frame(s): {error}",
                "Use fewer frames at once, or the device 'cpu'.",
            ) from error
        return probabilities


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open(path: Path, *, cuda: bool, threads: int | None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.log_severity_level = _ERRORS_ONLY
    if cuda:
        # Finds the CUDA libraries that pip installed beside ONNX Runtime.
        onnxruntime.preload_dlls()
    try:
        return onnxruntime.InferenceSession(
            path, options, providers=[_CUDA, _CPU] if cuda else [_CPU]
        )
    except Exception as error:  # ONNX Runtime's errors share no base class of their own.
        raise CalcViewerError(
            f"{path} cannot be loaded: {error}", "Install the model again."
        ) from error
