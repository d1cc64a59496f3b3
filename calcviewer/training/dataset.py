"""Data sets for training: one ``.npz`` and one ``.json`` per volume of interest (VOI).

``NAME.npz`` holds ``images`` (float16, [frame, a_line, sample], preprocessed, 0 to 1) and
``labels`` (uint8, same shape). ``NAME.json`` holds the :class:`VoiMetadata`. Both arrays lie on the
model grid of 480 x 960, or on that grid reduced by the ``stride`` named in the metadata. A VOI is
never split: all its frames are on one side of every split.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.training.augment import Augmentation, augment, cut_frame

FORMAT = 1
OTHER, LUMEN, CALCIUM = 0, 1, 2
NOT_LUMEN = 254
"""Label of a pixel known not to be lumen, in a frame where nobody looked for calcium."""
IGNORE = 255
"""Label of a pixel that takes no part in the loss or in any count."""

Images = NDArray[np.float16]
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class VoiMetadata:
    """What is known about a VOI.

    ``source`` names the patient or pullback: VOIs of one source stay together in a split.
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


@dataclass(frozen=True)
class Voi:
    """Consecutive frames with labels: two arrays [frame, a_line, sample] of one shape."""

    metadata: VoiMetadata
    images: Images
    labels: Labels


@dataclass(frozen=True)
class Split:
    """Disjoint VOIs for training, for the stop rule and for the final test."""

    train: list[Voi]
    validation: list[Voi]
    test: list[Voi]


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
    path.with_suffix(".json").write_text(json.dumps(asdict(metadata), indent=2) + "\n")
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
        metadata = VoiMetadata(**json.loads(path.read_text()))
        with path.with_suffix(".npz").open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            images: Images = arrays["images"].astype(np.float16, copy=False)
            labels: Labels = arrays["labels"].astype(np.uint8, copy=False)
    except (OSError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise CalcViewerError(f"{path} could not be read as training data: {error}") from error
    expected = (metadata.a_lines // metadata.stride, metadata.samples // metadata.stride)
    if metadata.format != FORMAT or (metadata.a_lines, metadata.samples) != MODEL_GRID.shape:
        raise CalcViewerError(f"{path} is not of format {FORMAT} on the 480 x 960 model grid.")
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
    metadata = VoiMetadata(**{**asdict(metadata), "stride": stride})
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


def split_vois(vois: Sequence[Voi], *, fold: int = 0, folds: int = 10, seed: int = 0) -> Split:
    """One fold of a cross-validation (section 3.2): about 80 % train, 10 % validation, 10 % test.

    Sources are dealt to the folds in a random order fixed by ``seed``; ``fold`` is tested, the
    next one validates, the others train. VOIs of one source stay together.
    """
    sources = sorted({voi.metadata.source for voi in vois})
    if len(sources) < 3 or folds < 3:
        raise CalcViewerError(
            f"{len(sources)} source(s) in {folds} folds cannot be split three ways.",
            "Training needs at least three patients or pullbacks and three folds.",
        )
    folds = min(folds, len(sources))
    order = np.random.default_rng(seed).permutation(len(sources))
    fold_of = {sources[index]: position % folds for position, index in enumerate(order)}
    parts: tuple[list[Voi], list[Voi], list[Voi]] = ([], [], [])
    for voi in vois:
        distance = (fold_of[voi.metadata.source] - fold) % folds
        parts[{0: 2, 1: 1}.get(distance, 0)].append(voi)
    return Split(*parts)


def batches(
    vois: Sequence[Voi],
    *,
    batch_size: int,
    seed: int = 0,
    epoch: int = 0,
    augmentation: Augmentation | None = None,
    shuffle: bool = False,
) -> Iterator[tuple[NDArray[np.float32], Labels]]:
    """Batches of images [n, a_line, sample] and labels, prepared one batch ahead.

    Every frame appears once. Order and augmentation depend on ``seed`` and ``epoch`` alone.
    """
    frames = [(voi, frame) for voi in vois for frame in range(len(voi.images))]
    order = np.arange(len(frames))
    if shuffle:
        order = np.random.default_rng([seed, epoch]).permutation(len(frames))
    groups = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def prepare(group: NDArray[Any]) -> tuple[NDArray[np.float32], Labels]:
        pairs = []
        for index in group:
            rng = np.random.default_rng([seed, epoch, int(index)])
            voi, frame = frames[index]
            pairs.append(_sample(voi, frame, augmentation, rng))
        return np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])

    ahead: deque[Future[tuple[NDArray[np.float32], Labels]]] = deque()
    with ThreadPoolExecutor(max_workers=1) as pool:
        for group in groups:
            ahead.append(pool.submit(prepare, group))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _sample(
    voi: Voi, frame: int, augmentation: Augmentation | None, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Labels]:
    if augmentation is None:
        return voi.images[frame].astype(np.float32), voi.labels[frame]
    offset = int(rng.integers(augmentation.theta_shifts)) * augmentation.theta_shift_a_lines
    image, labels = cut_frame(
        voi.images, voi.labels, frame=frame, offset=offset // voi.metadata.stride
    )
    return augment(image, labels, rng, settings=augmentation)
