import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.segnet import (  # noqa: E402
    STAGES,
    SegNet,
    initialise_vgg16,
    pool_window,
    upsample,
    wrap_a_lines,
)


def small(stride: int = 1):
    torch.manual_seed(0)
    return SegNet(width=1 / 16, stride=stride).double().eval()


@pytest.mark.parametrize(
    ("width", "millions"), [(1, 29.4), (0.5, 7.4), (0.25, 1.84), (0.125, 0.46)]
)
def test_family_has_the_published_sizes(width, millions):
    with torch.device("meta"):
        network = SegNet(width=width)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count / 1e6 == pytest.approx(millions, rel=0.01)


@pytest.mark.parametrize("stride", [1, 2])
def test_output_has_the_size_of_the_input_and_sums_to_one(stride):
    with torch.no_grad():
        probabilities = small(stride).probabilities(torch.rand(2, 1, 64, 96).double())
    assert probabilities.shape == (2, 3, 64, 96)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2, 64, 96))


@pytest.mark.parametrize(("stride", "a_lines"), [(1, 96), (2, 160)])
def test_rolling_the_input_rolls_the_output(stride, a_lines):
    network = small(stride)
    image = torch.rand(1, 1, a_lines, 64).double()
    with torch.no_grad():
        rolled = network(image.roll(32, dims=2))
        expected = network(image).roll(32, dims=2)
    torch.testing.assert_close(rolled, expected)


def test_depth_is_not_circular():
    network = small()
    image = torch.rand(1, 1, 64, 64).double()
    with torch.no_grad():
        rolled = network(image.roll(32, dims=3))
        expected = network(image).roll(32, dims=3)
    assert not torch.allclose(rolled, expected)


def test_gradient_of_the_wrap():
    image = torch.rand(1, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(wrap_a_lines, image)


def test_upsampling_is_seamless():
    image = torch.rand(1, 3, 8, 4)
    torch.testing.assert_close(
        upsample(image.roll(1, dims=2), 2), upsample(image, 2).roll(2, dims=2)
    )


def test_an_odd_side_is_not_pooled():
    assert pool_window(30, 60) == (2, 2)
    assert pool_window(15, 30) == (1, 2)


def test_sides_that_do_not_pool_are_refused():
    with pytest.raises(CalcViewerError, match="60 x 64"):
        small()(torch.zeros(1, 1, 60, 64).double())


@pytest.mark.parametrize(("width", "stride"), [(0, 1), (-1, 1), (0.5, 0)])
def test_impossible_networks_are_refused(width, stride):
    with pytest.raises(CalcViewerError):
        SegNet(width=width, stride=stride)


def vgg16_state():
    """A VGG-16 state dict of constant kernels, stored as one number each."""
    state = {}
    inputs = 3
    value = 1.0
    for outputs, count in STAGES:
        for _ in range(count):
            state[f"features.{len(state)}.weight"] = torch.full((1,), value).expand(
                outputs, inputs, 3, 3
            )
            state[f"features.{len(state)}.bias"] = torch.zeros(1).expand(outputs)
            inputs = outputs
            value += 1
    return state


def test_vgg16_fills_the_encoder(tmp_path):
    path = tmp_path / "vgg16.pth"
    torch.save(vgg16_state(), path)
    network = SegNet()
    assert len(initialise_vgg16(network, path)) == 64
    kernels = [p for stage in network.encoder for p in stage.parameters() if p.ndim == 4]
    assert [float(kernel.detach().mean()) for kernel in kernels] == list(range(1, 14))


def test_vgg16_needs_width_one(tmp_path):
    with pytest.raises(CalcViewerError, match="width 1"):
        initialise_vgg16(small(), tmp_path / "vgg16.pth")


@pytest.mark.parametrize("state", [None, {"a": torch.zeros(64, 3, 3, 3)}])
def test_other_files_are_not_vgg16(tmp_path, state):
    path = tmp_path / "other.pth"
    if state is None:
        path.write_bytes(b"no weights")
    else:
        torch.save(state, path)
    with torch.device("meta"):
        network = SegNet()
    with pytest.raises(CalcViewerError, match="VGG-16"):
        initialise_vgg16(network, path)
