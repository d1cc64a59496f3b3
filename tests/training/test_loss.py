import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.app.voi_file import IGNORE, NOT_LUMEN  # noqa: E402
from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.loss import masked_cross_entropy, median_frequency_weights  # noqa: E402

EQUAL = torch.ones(3)


def frames():
    """100 pixels each: 50 other + 50 lumen; 70 other + 20 lumen + 10 calcium."""
    first = np.repeat([0, 1], [50, 50]).astype(np.uint8)
    second = np.repeat([0, 1, 2], [70, 20, 10]).astype(np.uint8)
    return [first.reshape(10, 10), second.reshape(10, 10)]


def test_weights_by_median_frequency():
    # Frequencies: other 120/200 = 0.6, lumen 70/200 = 0.35, calcium 10/100 = 0.1; median 0.35.
    np.testing.assert_allclose(median_frequency_weights(frames()), [0.35 / 0.6, 1, 3.5], rtol=1e-6)


def test_power_softens_the_weights():
    np.testing.assert_allclose(median_frequency_weights(frames(), power=0), [1, 1, 1])
    np.testing.assert_allclose(median_frequency_weights(frames(), power=0.5)[2], math.sqrt(3.5))


def test_ignored_pixels_do_not_weigh():
    padded = [np.concatenate([f, np.full((5, 10), IGNORE, np.uint8)]) for f in frames()]
    np.testing.assert_allclose(median_frequency_weights(padded), median_frequency_weights(frames()))


def test_partially_labelled_pixels_count_as_seen():
    lumen_only = np.repeat([NOT_LUMEN, 1], [50, 50]).astype(np.uint8).reshape(10, 10)
    # Lumen 120/300, other 120/200, calcium 10/100.
    np.testing.assert_allclose(
        median_frequency_weights([*frames(), lumen_only]), [0.4 / 0.6, 1, 4], rtol=1e-6
    )


def test_a_class_without_pixels_is_refused():
    with pytest.raises(CalcViewerError, match="calcium"):
        median_frequency_weights(frames()[:1])


def test_equals_cross_entropy_where_all_is_labelled():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5), dtype=torch.uint8)
    weights = torch.tensor([0.5, 1.0, 3.0])
    expected = torch.nn.functional.cross_entropy(logits, labels.long(), weights)
    torch.testing.assert_close(masked_cross_entropy(logits, labels, weights), expected)


def test_ignored_pixels_get_no_gradient():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    labels = torch.tensor([[[0, IGNORE], [2, IGNORE]]], dtype=torch.uint8)
    masked_cross_entropy(logits, labels, EQUAL).backward()
    assert torch.all(logits.grad[..., 1] == 0)
    assert torch.all(logits.grad[..., 0] != 0)


def test_nothing_labelled_costs_nothing():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = masked_cross_entropy(logits, torch.full((1, 2, 2), IGNORE, dtype=torch.uint8), EQUAL)
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.all(logits.grad == 0)


def test_not_lumen_leaves_other_and_calcium_open():
    probabilities = torch.tensor([0.2, 0.5, 0.3]).reshape(1, 3, 1, 1)
    labels = torch.full((1, 1, 1), NOT_LUMEN, dtype=torch.uint8)
    loss = masked_cross_entropy(probabilities.log(), labels, torch.tensor([0.7, 1.0, 5.0]))
    assert float(loss) == pytest.approx(-math.log(0.5), rel=1e-5)
