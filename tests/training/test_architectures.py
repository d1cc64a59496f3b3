import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.architectures import (  # noqa: E402
    ARCHITECTURES,
    Cost,
    architecture_of,
    build_network,
    cost_of,
    describe,
    description_of,
)

NAMES = list(ARCHITECTURES)


def small(name, *, stride=1):
    torch.manual_seed(0)
    return build_network(name, width=1 / 16, stride=stride).double().eval()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_output_has_the_size_of_the_input_and_sums_to_one(name, stride):
    with torch.no_grad():
        probabilities = small(name, stride=stride).probabilities(
            torch.rand(2, 1, 320, 192).double()
        )
    assert probabilities.shape == (2, 3, 320, 192)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2, 320, 192))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("stride", "a_lines"), [(1, 96), (2, 160)])
def test_rolling_the_input_rolls_the_output(name, stride, a_lines):
    network = small(name, stride=stride)
    image = torch.rand(1, 1, a_lines, 64).double()
    with torch.no_grad():
        rolled = network(image.roll(32, dims=2))
        expected = network(image).roll(32, dims=2)
    torch.testing.assert_close(rolled, expected)


@pytest.mark.parametrize("name", NAMES)
def test_depth_is_not_circular(name):
    network = small(name)
    image = torch.rand(1, 1, 96, 96).double()
    with torch.no_grad():
        rolled = network(image.roll(32, dims=3))
        expected = network(image).roll(32, dims=3)
    assert not torch.allclose(rolled, expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_is_used(name):
    network = build_network(name, width=1 / 16, stride=4)
    network(torch.rand(2, 1, 320, 192)).square().sum().backward()
    unused = [key for key, value in network.named_parameters() if value.grad is None]
    assert unused == []


def test_light_networks_cost_about_the_same():
    costs = {name: cost_of(build_network(name, width=1 / 4, stride=2)) for name in NAMES}
    reference = costs["segnet"].multiply_adds
    assert all(0.95 < cost.multiply_adds / reference < 1.2 for cost in costs.values())
    assert all(1e6 < cost.parameters < 2e6 for cost in costs.values())


def test_the_published_segnet_costs_what_is_known():
    with torch.device("meta"):
        cost = cost_of(build_network("segnet", width=1, stride=1))
    assert cost.parameters == pytest.approx(29.4e6, rel=0.01)
    assert 2 * cost.multiply_adds == pytest.approx(563e9, rel=0.01)


def test_cost_in_words():
    assert str(Cost(1_845_123, 4_445_798_400)) == "1.85 M parameters, 4.4 G multiply-adds a frame"


def test_networks_are_named_in_words():
    network = build_network("unet", width=0.25, stride=2, geometry="cartesian")
    assert architecture_of(network) == "unet"
    assert description_of(network) == "U-Net, width 0.25, stride 2, Cartesian frames"
    words = describe("deeplabv3plus", width=1 / 8, stride=4)
    assert words == "DeepLabV3+, width 0.125, stride 4"


@pytest.mark.parametrize(("name", "geometry"), [("alexnet", "polar"), ("unet", "spherical")])
def test_unknown_networks_are_refused(name, geometry):
    with pytest.raises(CalcViewerError, match="Architectures: segnet, unet, deeplabv3plus"):
        build_network(name, width=1, stride=1, geometry=geometry)
