"""Splits and batches of the data sets that training reads (`calcviewer.app.voi_file`)."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.voi_file import Labels, Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.training.augment import Augmentation, augment, cut_frame


@dataclass(frozen=True)
class Split:
    """Disjoint VOIs for training, for the stop rule and for the final test."""

    train: list[Voi]
    validation: list[Voi]
    test: list[Voi]


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
    if augmentation.turn_whole_frames:
        turn = int(rng.integers(voi.labels.shape[1]))
        image = np.roll(voi.images[frame], turn, axis=0).astype(np.float32)
        label = np.roll(voi.labels[frame], turn, axis=0)
        return augment(image, label, rng, settings=augmentation)
    offset = int(rng.integers(augmentation.theta_shifts)) * augmentation.theta_shift_a_lines
    image, label = cut_frame(
        voi.images, voi.labels, frame=frame, offset=offset // voi.metadata.stride
    )
    return augment(image, label, rng, settings=augmentation)
