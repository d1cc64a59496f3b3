import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.architectures import build_network, description_of  # noqa: E402
from calcviewer.training.checkpoint import (  # noqa: E402
    load_network,
    read_checkpoint,
    take_weights,
    write_checkpoint,
)


@pytest.mark.parametrize(
    ("architecture", "geometry"),
    [("segnet", "polar"), ("unet", "cartesian"), ("deeplabv3plus", "polar")],
)
def test_a_checkpoint_remembers_its_network(tmp_path, architecture, geometry):
    network = build_network(architecture, width=1 / 16, stride=4, geometry=geometry)
    write_checkpoint(tmp_path / "a.pt", network, optimiser={}, progress={"epoch": 3})
    read = load_network(tmp_path / "a.pt")
    assert description_of(read) == description_of(network)
    assert not read.training
    for name, value in network.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value)
    assert read_checkpoint(tmp_path / "a.pt")["progress"] == {"epoch": 3}


def test_the_first_checkpoints_hold_a_polar_segnet(tmp_path):
    network = build_network("segnet", width=1 / 16, stride=2)
    state = {"network": network.state_dict(), "width": 1 / 16, "stride": 2}
    torch.save(state, tmp_path / "old.pt")
    assert description_of(load_network(tmp_path / "old.pt")) == "SegNet, width 0.0625, stride 2"


def test_weights_fit_their_own_kind_of_network_only(tmp_path):
    network = build_network("segnet", width=1 / 16, stride=2)
    write_checkpoint(tmp_path / "a.pt", network, optimiser={}, progress={})
    coarser = build_network("segnet", width=1 / 16, stride=4, geometry="cartesian")
    take_weights(coarser, tmp_path / "a.pt")
    torch.testing.assert_close(coarser.classifier.conv.weight, network.classifier.conv.weight)
    for architecture, width in (("unet", 1 / 16), ("segnet", 1 / 8)):
        other = build_network(architecture, width=width, stride=2)
        with pytest.raises(CalcViewerError, match=r"holds a segnet of width 0\.0625, not a"):
            take_weights(other, tmp_path / "a.pt")


@pytest.mark.parametrize("content", [b"nonsense", None])
def test_other_files_are_no_checkpoint(tmp_path, content):
    path = tmp_path / "last.pt"
    if content is None:
        torch.save({"a": 1}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(CalcViewerError, match="not a checkpoint"):
        load_network(path)


@pytest.mark.parametrize(("width", "stride"), [(0, 2), (0.25, 0), (0.25, 7)])
def test_impossible_networks_are_refused(tmp_path, width, stride):
    torch.save({"network": {}, "width": width, "stride": stride}, tmp_path / "a.pt")
    with pytest.raises(CalcViewerError, match="impossible"):
        read_checkpoint(tmp_path / "a.pt")
