import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.blocks import (  # noqa: E402
    CircularConv,
    enlarge,
    pool_window,
    wrap_a_lines,
)
from calcviewer.training.segnet import SegNet  # noqa: E402


@pytest.mark.parametrize("lines", [1, 3])
def test_gradient_of_the_wrap(lines):
    image = torch.rand(1, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: wrap_a_lines(x, lines), image)


@pytest.mark.parametrize("factors", [(2, 2), (1, 2), (4, 4), (1, 1)])
def test_upsampling_is_seamless(factors):
    image = torch.rand(1, 3, 8, 4)
    large = enlarge(image, factors)
    assert large.shape == (1, 3, 8 * factors[0], 4 * factors[1])
    rolled = enlarge(image.roll(1, dims=2), factors)
    torch.testing.assert_close(rolled, large.roll(factors[0], dims=2))


@pytest.mark.parametrize("dilation", [1, 3])
def test_convolutions_wrap_around_the_circle_only(dilation):
    image = torch.rand(1, 1, 16, 16)
    circular = CircularConv(1, 2, dilation=dilation)
    flat = CircularConv(1, 2, dilation=dilation, wraps=False)
    with torch.no_grad():
        torch.testing.assert_close(circular(image.roll(5, 2)), circular(image).roll(5, 2))
        assert flat(image).shape == (1, 2, 16, 16)
        assert not torch.allclose(flat(image.roll(5, 2)), flat(image).roll(5, 2))


def test_a_step_of_two_halves_both_sides():
    conv = CircularConv(1, 2, step=2)
    image = torch.rand(1, 1, 16, 8)
    with torch.no_grad():
        assert conv(image).shape == (1, 2, 8, 4)
        torch.testing.assert_close(conv(image.roll(2, 2)), conv(image).roll(1, 2))


def test_an_odd_side_is_not_pooled():
    assert pool_window(30, 60) == (2, 2)
    assert pool_window(15, 30) == (1, 2)


def test_sides_that_do_not_pool_are_refused():
    with pytest.raises(CalcViewerError, match="60 x 64"):
        SegNet(width=1 / 16)(torch.zeros(1, 1, 60, 64))


@pytest.mark.parametrize(("width", "stride"), [(0, 1), (-1, 1), (0.5, 0)])
def test_impossible_networks_are_refused(width, stride):
    with pytest.raises(CalcViewerError):
        SegNet(width=width, stride=stride)
