import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.segnet import STAGES, SegNet, initialise_vgg16  # noqa: E402
from calcviewer.training.unet import UNet  # noqa: E402


@pytest.mark.parametrize(
    ("width", "millions"), [(1, 29.4), (0.5, 7.4), (0.25, 1.84), (0.125, 0.46)]
)
def test_family_has_the_published_sizes(width, millions):
    with torch.device("meta"):
        network = SegNet(width=width)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count / 1e6 == pytest.approx(millions, rel=0.01)


def vgg16_state():
    """A state dict with the layout of torchvision's VGG-16, stored as one number a tensor.

    ``features`` counts ReLU and pooling layers too: 0, 2, 5, 7, 10, ...; behind them come the
    three fully connected layers.
    """
    state = {}
    inputs, layer, value = 3, 0, 1.0
    for outputs, count in STAGES:
        for _ in range(count):
            kernel = torch.full((1,), value).expand(outputs, inputs, 3, 3)
            state[f"features.{layer}.weight"] = kernel
            state[f"features.{layer}.bias"] = torch.full((1,), 0.5).expand(outputs)
            inputs, layer, value = outputs, layer + 2, value + 1
        layer += 1
    for layer, shape in ((0, (4096, 25088)), (3, (4096, 4096)), (6, (1000, 4096))):
        state[f"classifier.{layer}.weight"] = torch.zeros(1).expand(*shape)
        state[f"classifier.{layer}.bias"] = torch.zeros(1).expand(shape[0])
    return state


def test_the_layout_is_that_of_vgg16():
    names = [name for name in vgg16_state() if name.endswith("weight")]
    assert names[:5] == [f"features.{layer}.weight" for layer in (0, 2, 5, 7, 10)]
    assert names[12:14] == ["features.28.weight", "classifier.0.weight"]
    assert len(vgg16_state()) == 32


def test_vgg16_fills_the_encoder(tmp_path):
    path = tmp_path / "vgg16.pth"
    torch.save(vgg16_state(), path)
    network = SegNet()
    assert len(initialise_vgg16(network, path)) == 64
    kernels = [p for stage in network.encoder for p in stage.parameters() if p.ndim == 4]
    assert [float(kernel.detach().mean()) for kernel in kernels] == list(range(1, 14))
    assert all(float(kernel.detach().std()) == 0 for kernel in kernels)


def test_a_batch_normalised_vgg16_fills_it_too(tmp_path):
    state = {}
    for name, value in vgg16_state().items():
        state[name] = value
        if name.startswith("features") and name.endswith("bias"):
            state[f"{name}.norm_weight"] = torch.ones(1).expand(len(value))
    path = tmp_path / "vgg16_bn.pth"
    torch.save(state, path)
    initialise_vgg16(SegNet(), path)


def test_red_green_and_blue_are_averaged(tmp_path):
    state = vgg16_state()
    colour = torch.tensor([3.0, 6.0, 0.0])[None, :, None, None].expand(64, 3, 3, 3)
    torch.save({**state, "features.0.weight": colour}, tmp_path / "vgg16.pth")
    network = SegNet()
    initialise_vgg16(network, tmp_path / "vgg16.pth")
    first = next(network.encoder.parameters()).detach()
    torch.testing.assert_close(first, torch.full((64, 1, 3, 3), 3.0))


@pytest.mark.parametrize(
    ("network", "reason"), [(SegNet(width=1 / 16), "width 1"), (UNet(width=1 / 16), "SegNet")]
)
def test_vgg16_fits_the_published_segnet_alone(tmp_path, network, reason):
    with pytest.raises(CalcViewerError, match=reason):
        initialise_vgg16(network, tmp_path / "vgg16.pth")


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
