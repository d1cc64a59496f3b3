"""Weights are averaged; the statistics of batch normalisation are measured with the average."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.__main__ import main  # noqa: E402
from calcviewer.app.voi_file import VoiMetadata, read_dataset, write_voi  # noqa: E402
from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training import average  # noqa: E402
from calcviewer.training.architectures import build_network  # noqa: E402
from calcviewer.training.average import average_checkpoints  # noqa: E402
from calcviewer.training.checkpoint import load_network, write_checkpoint  # noqa: E402

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three VOIs of two frames at stride 4."""
    directory = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for seed in range(3):
        images = rng.random((2, 480, 960)).astype(np.float16)
        labels = np.zeros((2, 480, 960), dtype=np.uint8)
        metadata = VoiMetadata(f"v{seed}", "simulated", source=f"s{seed}", stride=4)
        write_voi(directory, metadata, images=images, labels=labels)
    return directory


def checkpoint(path, seed, width=1 / 16):
    torch.manual_seed(seed)
    network = build_network("unet", width=width, stride=4)
    write_checkpoint(path, network, optimiser={}, progress={})
    return path


def test_the_average(tmp_path, data):
    paths = [checkpoint(tmp_path / f"{seed}.pt", seed) for seed in (1, 2, 3)]
    out = tmp_path / "average.pt"
    average_checkpoints(paths, read_dataset(data, stride=4), out)
    states = [load_network(path).state_dict() for path in paths]
    for name, value in load_network(out).state_dict().items():
        if name.endswith(STATISTICS):
            continue
        wanted = sum(state[name] for state in states) / 3
        torch.testing.assert_close(value, wanted, msg=name)


def test_statistics_are_those_of_the_average_on_the_data(tmp_path, data, monkeypatch):
    images = np.random.default_rng(1).random((3, 480, 960), dtype=np.float32)
    monkeypatch.setattr(average, "batches", lambda *_, **__: iter([(images, None)]))
    paths = [checkpoint(tmp_path / f"{seed}.pt", seed) for seed in (1, 2)]
    out = tmp_path / "average.pt"
    average_checkpoints(paths, read_dataset(data, stride=4), out)
    network = load_network(out)
    first = next(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    seen = []
    first.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.no_grad():
        network.work_logits(network.work_images(torch.from_numpy(images)[:, None]))
    torch.testing.assert_close(first.running_mean, seen[0].mean(dim=(0, 2, 3)))
    torch.testing.assert_close(first.running_var, seen[0].var(dim=(0, 2, 3)))


def test_the_command_makes_a_checkpoint_that_repeats(tmp_path, data):
    paths = [str(checkpoint(tmp_path / f"{seed}.pt", seed)) for seed in (1, 2)]
    made = [tmp_path / name for name in ("a.pt", "b.pt")]
    for out in made:
        command = ["average-checkpoints", *paths, "--data", str(data), "-o", str(out)]
        assert main(command) == 0
    first, second = (load_network(out).state_dict() for out in made)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_what_cannot_be_averaged_is_refused(tmp_path, data):
    vois = read_dataset(data, stride=4)
    one, wider = checkpoint(tmp_path / "1.pt", 1), checkpoint(tmp_path / "2.pt", 2, width=1 / 8)
    out = tmp_path / "average.pt"
    with pytest.raises(CalcViewerError, match=r"2\.pt holds a unet of width 0\.125, not a"):
        average_checkpoints([one, wider], vois, out)
    with pytest.raises(CalcViewerError, match="two checkpoints or more"):
        average_checkpoints([one], vois, out)
    with pytest.raises(CalcViewerError, match="and VOIs"):
        average_checkpoints([one, one], [], out)
    assert not out.exists()
