"""Data sets for training: one ``.npz`` and one ``.json`` per volume of interest (VOI).

``NAME.npz`` holds ``images`` (float16, [frame, a_line, sample], preprocessed, 0 to 1) and
``labels`` (uint8, same shape). ``NAME.json`` holds the :class:`VoiMetadata`. Both arrays lie on the
model grid of 480 x 960, or on that grid reduced by the ``stride`` named in the metadata. A VOI is
never split: all its frames are on one side of every split.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed, record
from calcviewer.core.npz import read_member
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID

FORMAT = 1
OTHER, LUMEN, CALCIUM = 0, 1, 2
NOT_LUMEN = 254
"""Label of a pixel known not to be lumen, in a frame where nobody looked for calcium."""
IGNORE = 255
"""Label of a pixel that takes no part in the loss or in any count."""

Images = NDArray[np.float16]
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class FrameOrigin:
    """Where the labels of one frame of a VOI come from.

    Parameters
    ----------
    frame
        Its number in the pullback, from 1.
    provenance
        Who made them: a value of `calcviewer.core.annotation.Provenance`.
    interpolated
        Whether they lie between frames that were drawn.
    operator
        Account that last decided about the frame.
    """

    frame: int
    provenance: str
    interpolated: bool = False
    operator: str = ""


@dataclass(frozen=True)
class VoiMetadata:
    """What is known about a VOI.

    ``source`` names the patient or pullback: VOIs of one source stay together in a split.
    ``frames`` tells, where an operator confirmed the labels, where those of each frame come from.
    ``regimes`` tells, of simulated VOIs, under which conditions they were made: values by name.
    ``frame_step`` is 1 where the frames follow one another in the pullback, None where that was
    not written down.
    """

    name: str
    origin: Literal["simulated", "real"]
    source: str
    seed: int | None = None
    stride: int = 1
    a_lines: int = MODEL_GRID.a_lines
    samples: int = MODEL_GRID.samples
    sample_spacing_mm: float = MODEL_GRID.sample_spacing_mm
    format: int = FORMAT
    frames: tuple[FrameOrigin, ...] = ()
    regimes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frame_step: int | None = None


@dataclass(frozen=True)
class Voi:
    """Frames of one pullback with labels: two arrays [frame, a_line, sample] of one shape."""

    metadata: VoiMetadata
    images: Images
    labels: Labels


def write_voi(directory: Path, metadata: VoiMetadata, *, images: Images, labels: Labels) -> Path:
    """Write a VOI, reducing arrays on the model grid by ``metadata.stride`` first.

    Parameters
    ----------
    images, labels
        [frame, 480, 960], images from 0 to 1, labels 0, 1, 2, ``NOT_LUMEN`` or ``IGNORE``.

    Returns
    -------
    Path
        The ``.npz`` file. Its metadata is written after it, so a VOI without one is incomplete.
    """
    if images.shape != labels.shape or images.shape[1:] != MODEL_GRID.shape:
        raise CalcViewerError(
            f"Images and labels must have shape (frames, 480, 960), got {images.shape} and "
            f"{labels.shape}."
        )
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{metadata.name}.npz"
    np.savez(
        path,
        images=reduce_images(images, metadata.stride),
        labels=reduce_labels(labels, metadata.stride),
    )
    path.with_suffix(".json").write_text(
        json.dumps(asdict(metadata), indent=2) + "\n", encoding="utf-8"
    )
    return path


def read_dataset(directory: Path, *, stride: int = 1) -> list[Voi]:
    """Read every VOI of a directory into memory, reduced to ``stride``, sorted by name.

    A frame takes 1.4 MB at stride 1 and 0.35 MB at stride 2.

    Raises
    ------
    CalcViewerError
        The directory holds no VOI, a file is damaged, or a VOI is coarser than ``stride``.
    """
    paths = sorted(directory.glob("*.json"))
    if not paths:
        raise CalcViewerError(
            f"{directory} holds no training data.",
            "Give the folder that holds the .npz and .json files of the VOIs.",
        )
    return [_read_voi(path, stride) for path in paths]


def _read_voi(path: Path, stride: int) -> Voi:
    try:
        metadata = record(VoiMetadata, parsed(path.read_text(encoding="utf-8")))
        with ZipFile(path.with_suffix(".npz")) as archive:
            images: Images = read_member(archive, "images.npy").astype(np.float16, copy=False)
            labels: Labels = read_member(archive, "labels.npy").astype(np.uint8, copy=False)
    except Exception as error:  # arbitrary bytes make the parsers fail in arbitrary ways
        raise CalcViewerError(f"{path} could not be read as training data: {error}") from error
    sound = metadata.format == FORMAT and metadata.stride > 0
    if not sound or (metadata.a_lines, metadata.samples) != MODEL_GRID.shape:
        raise CalcViewerError(f"{path} is not of format {FORMAT} on the 480 x 960 model grid.")
    expected = (metadata.a_lines // metadata.stride, metadata.samples // metadata.stride)
    if images.shape != labels.shape or images.shape[1:] != expected:
        raise CalcViewerError(
            f"{path} names frames of {expected}, its arrays have {images.shape} and {labels.shape}."
        )
    factor, rest = divmod(stride, metadata.stride)
    if rest:
        raise CalcViewerError(
            f"{path} is stored at stride {metadata.stride} and cannot be read at stride {stride}.",
            "Train with the stride of the data, or generate the data at stride 1.",
        )
    metadata = replace(metadata, stride=stride)
    return Voi(metadata, reduce_images(images, factor), reduce_labels(labels, factor))


def reduce_images(images: NDArray[Any], stride: int) -> Images:
    """Average ``stride`` x ``stride`` samples of [frame, a_line, sample]."""
    if stride == 1:
        return images.astype(np.float16, copy=False)
    frames, a_lines, samples = images.shape
    blocks = images.reshape(frames, a_lines // stride, stride, samples // stride, stride)
    reduced: Images = blocks.mean(axis=(2, 4), dtype=np.float32).astype(np.float16)
    return reduced


def reduce_labels(labels: Labels, stride: int) -> Labels:
    """Most frequent label of ``stride`` x ``stride`` samples of [frame, a_line, sample].

    A tie goes to calcium, then to the lumen: thin calcium must survive the reduction.
    """
    if stride == 1:
        return labels
    frames, a_lines, samples = labels.shape
    blocks = labels.reshape(frames, a_lines // stride, stride, samples // stride, stride)
    order = np.array([CALCIUM, LUMEN, OTHER, NOT_LUMEN, IGNORE], dtype=np.uint8)
    best = np.zeros((frames, a_lines // stride, samples // stride), dtype=np.uint8)
    most = np.zeros_like(best)
    for label in order:
        count = (blocks == label).sum(axis=(2, 4), dtype=np.uint8)
        better = count > most
        best[better] = label
        most[better] = count[better]
    return best


def label_beyond(labels: Labels, first: int) -> Labels:
    """Label the black from sample ``first`` on, beyond the rim of the field.

    It is "other", so that the network learns to find nothing there, except behind A-lines that
    leave the field within the lumen: nobody can tell where that lumen ends.
    """
    if not 0 < first < labels.shape[1]:
        return labels
    open_ended = np.isin(labels[:, first - 1], (LUMEN, IGNORE))
    labels = labels.copy()
    labels[:, first:] = np.where(open_ended, IGNORE, OTHER)[:, None]
    return labels
