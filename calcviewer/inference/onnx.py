"""The segmentation network, run by ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import MODEL_FILE, ModelCard, load_verified

Device = Literal["auto", "cpu", "cuda"]
Place = Literal["cpu", "cuda"]
Seen: TypeAlias = NDArray[np.float32] | onnxruntime.OrtValue
"""Class probabilities of a frame, float32 ``[1, 3, 480, 960]``, in memory or where they came up."""

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
# TF32 rounds factors to 11 bits: labels would differ from the CPU's.
_CUDA_OPTIONS = {"use_tf32": "0"}
_ERRORS_ONLY = 3
_OTHER_FILES = "session.model_external_initializers_file_folder_path"


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
        card, content = load_verified(directory)
        offered = _CUDA in available_providers()
        if device == "cuda" and not offered:
            raise CalcViewerError(
                "This ONNX Runtime cannot use a GPU.",
                "Install onnxruntime-gpu in place of onnxruntime, or choose the device 'cpu'.",
            )
        wants_cuda = offered and device != "cpu"
        name = str(directory / MODEL_FILE)
        session = open_session(content, name, cuda=wants_cuda, threads=threads)
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

    @property
    def place(self) -> Place:
        """Where the network runs."""
        return "cuda" if self.provider == _CUDA else "cpu"

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
        batch = self._batch(images)
        if not len(batch):
            return np.zeros((0, len(self.card.classes), *batch.shape[2:]), dtype=np.float32)
        with failures(f"The network failed on {len(images)} frame(s)"):
            inputs = {self.session.get_inputs()[0].name: batch}
            probabilities: NDArray[np.float32] = self.session.run(None, inputs)[0]
        return probabilities

    def see(self, image: NDArray[np.floating]) -> Seen:
        """Class probabilities of one preprocessed frame ``[480, 960]``, left where they are.

        On a GPU `calcviewer.inference.refinement` takes them from there.
        """
        with failures("The network failed on a frame"):
            inputs = {self.session.get_inputs()[0].name: self._batch(image[None])}
            output = self.session.get_outputs()[0].name
            return run_bound(self.session, inputs, {output: self.place})[0]

    def _batch(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        grid = (self.card.a_lines, self.card.samples)
        if images.ndim != 3 or images.shape[1:] != grid:
            raise CalcViewerError(
                f"The network needs frames of shape (n, {grid[0]}, {grid[1]}), got {images.shape}."
            )
        return np.ascontiguousarray(images[:, None], dtype=np.float32)


def run_bound(
    session: onnxruntime.InferenceSession,
    inputs: Mapping[str, Seen],
    outputs: Mapping[str, Place],
) -> list[onnxruntime.OrtValue]:
    """Run a session on values that may lie on its device, and leave its outputs in their places."""
    binding = session.io_binding()
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            binding.bind_cpu_input(name, value)
        else:
            binding.bind_ortvalue_input(name, value)
    for name, place in outputs.items():
        binding.bind_output(name, place)
    session.run_with_iobinding(binding)
    return list(binding.get_outputs())


def open_session(
    model: bytes, name: str, *, cuda: bool, threads: int | None = None
) -> onnxruntime.InferenceSession:
    """Open a model on the CPU, or on CUDA if that loads.

    Parameters
    ----------
    model
        The content of the whole file: weights in other files, which no hash covers, are refused.
    name
        What an error calls it.

    Raises
    ------
    CalcViewerError
        It cannot be loaded.
    """
    # What `calcviewer.inference` says to other builds, the one for Windows has to be told so.
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    # Other files of a model are looked for here, where none can be, and not in the working folder.
    options.add_session_config_entry(_OTHER_FILES, os.devnull)
    options.intra_op_num_threads = threads or available_cores()
    # Idle threads that spin take the processor from the CRF and the window.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    if cuda:
        # Finds the CUDA libraries that pip installed beside ONNX Runtime.
        onnxruntime.preload_dlls()
    try:
        return onnxruntime.InferenceSession(
            model, options, providers=[(_CUDA, _CUDA_OPTIONS), _CPU] if cuda else [_CPU]
        )
    except Exception as error:  # ONNX Runtime's errors share no base class of their own.
        if "external data" in str(error).lower():
            raise CalcViewerError(
                f"{name} has weights in another file, which its card does not cover.",
                "Export the model as one file.",
            ) from error
        raise CalcViewerError(
            f"{name} cannot be loaded: {error}", "Install the model again."
        ) from error


@contextmanager
def failures(what: str) -> Iterator[None]:
    """Turn what ONNX Runtime raises in the block into a CalcViewerError."""
    try:
        yield
    except Exception as error:  # ONNX Runtime's errors share no base class of their own.
        raise CalcViewerError(
            f"{what}: {error}", "Use fewer frames at once, or the device 'cpu'."
        ) from error


def available_providers() -> list[str]:
    """Return where this ONNX Runtime was built to run networks, the preferred place first."""
    return list(onnxruntime.get_available_providers())


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
