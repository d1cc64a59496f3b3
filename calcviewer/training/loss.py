"""The loss of the segmentation network: weighted cross entropy with partial labels."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calcviewer.app.voi_file import CALCIUM, IGNORE, NOT_LUMEN, OTHER, Labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import CLASSES


def median_frequency_weights(
    frames: Iterable[Labels], *, power: float = 1.0
) -> NDArray[np.float32]:
    """Class weights by median frequency (Eigen & Fergus 2015; seed section 3.2).

    The frequency of a class is its pixels over all labelled pixels of the frames that hold it; its
    weight is the median frequency over its own.

    Parameters
    ----------
    frames
        Label frames [a_line, sample].
    power
        1 is the published rule, 0 switches the weighting off; a value between them trades
        sensitivity for precision of the rare class.

    Returns
    -------
    ndarray
        Shape (3,): other, lumen, calcium.
    """
    pixels = np.zeros(len(CLASSES))
    present_in = np.zeros(len(CLASSES))
    for labels in frames:
        counts = np.bincount(labels.ravel(), minlength=256)
        labelled = counts[: len(CLASSES)].sum() + counts[NOT_LUMEN]
        found = counts[: len(CLASSES)]
        pixels += found
        present_in += np.where(found > 0, labelled, 0)
    if not np.all(pixels):
        missing = [name for name, count in zip(CLASSES, pixels, strict=True) if count == 0]
        raise CalcViewerError(
            f"The training data holds no pixel of: {', '.join(missing)}.",
            "Add VOIs that show every class.",
        )
    frequency = pixels / present_in
    return ((np.median(frequency) / frequency) ** power).astype(np.float32)


def masked_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean cross entropy over the labelled pixels.

    ``IGNORE`` pixels take no part. A ``NOT_LUMEN`` pixel is scored by p(other) + p(calcium), with
    the weight of "other". Without any labelled pixel the loss is 0.

    Parameters
    ----------
    logits
        [batch, 3, a_line, sample].
    labels
        uint8 [batch, a_line, sample].
    weights
        Shape (3,).
    """
    log_p = torch.log_softmax(logits.float(), dim=1)
    target = labels.long()
    known = target < len(CLASSES)
    chosen = torch.where(known, target, OTHER)
    log_likelihood = log_p.gather(1, chosen.unsqueeze(1)).squeeze(1)
    partial = target == NOT_LUMEN
    if bool(partial.any()):
        either = torch.logaddexp(log_p[:, OTHER], log_p[:, CALCIUM])
        log_likelihood = torch.where(partial, either, log_likelihood)
    pixel_weights = torch.where(target == IGNORE, 0.0, weights[chosen])
    return -(pixel_weights * log_likelihood).sum() / pixel_weights.sum().clamp(min=1e-6)
