import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.app.voi_file import Voi, VoiMetadata  # noqa: E402
from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training.checkpoint import load_network  # noqa: E402
from calcviewer.training.loss import median_frequency_weights  # noqa: E402
from calcviewer.training.train import TrainSettings, choose_device, train  # noqa: E402

SETTINGS = TrainSettings(
    width=1 / 16, stride=8, batch_size=2, max_epochs=3, device="cpu", precision="float32"
)


def voi(seed, frames=4):
    """Frames of 64 x 64: dark lumen, bright wall, a dark block of calcium in it."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0.8, 0.05, (frames, 64, 64))
    labels = np.zeros(images.shape, dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        border, start = rng.integers(15, 30), rng.integers(0, 40)
        label[:, :border] = 1
        label[start : start + 20, border + 4 : border + 16] = 2
        image[label == 1] -= 0.75
        image[label == 2] -= 0.4
    metadata = VoiMetadata(f"v{seed}", "simulated", source=f"s{seed}", seed=seed, stride=8)
    return Voi(metadata, np.clip(images, 0, 1).astype(np.float16), labels)


TRAINING, VALIDATION = [voi(0), voi(1)], [voi(2, frames=2)]


def weights(path):
    return load_network(path).state_dict()


def test_a_few_epochs_lower_the_loss(tmp_path):
    reports = []
    settings = dataclasses.replace(SETTINGS, max_epochs=8, augmentation=None, learning_rate=0.01)
    result = train(TRAINING, VALIDATION, tmp_path, settings=settings, on_epoch=reports.append)
    assert result.reason == "epochs"
    assert reports[-1].train_loss < 0.6 * reports[0].train_loss
    assert reports[-1].dice["lumen"] > 0.8
    assert result.validation_loss == min(report.validation_loss for report in reports)


def test_the_same_seed_gives_the_same_network(tmp_path):
    runs = [
        train(
            TRAINING,
            VALIDATION,
            tmp_path / str(number),
            settings=dataclasses.replace(SETTINGS, seed=seed),
        )
        for number, seed in enumerate([5, 5, 6])
    ]
    first, again, other = (weights(run.last) for run in runs)
    for name, value in first.items():
        torch.testing.assert_close(again[name], value, rtol=0, atol=0)
    assert any(not torch.equal(other[name], value) for name, value in first.items())


def test_resuming_continues_as_if_never_stopped(tmp_path):
    through = train(TRAINING, VALIDATION, tmp_path / "through", settings=SETTINGS)
    short = dataclasses.replace(SETTINGS, max_epochs=1)
    train(TRAINING, VALIDATION, tmp_path / "stopped", settings=short)
    resumed = train(TRAINING, VALIDATION, tmp_path / "stopped", settings=SETTINGS, resume=True)
    assert resumed.epochs == 3
    continued = weights(resumed.last)
    for name, value in weights(through.last).items():
        torch.testing.assert_close(continued[name], value, rtol=0, atol=0)


def test_the_stop_rule_ends_a_run_without_progress(tmp_path):
    settings = dataclasses.replace(SETTINGS, max_epochs=50, patience=2, min_improvement=0.99)
    result = train(TRAINING, VALIDATION, tmp_path, settings=settings)
    assert (result.reason, result.epochs) == ("converged", 3)


def test_the_time_limit_ends_a_run_with_a_checkpoint(tmp_path):
    settings = dataclasses.replace(SETTINGS, max_minutes=1e-6, schedule="cosine")
    result = train(TRAINING, VALIDATION, tmp_path, settings=settings)
    assert result.reason == "time"
    assert result.last.exists()


def test_cosine_ends_near_zero(tmp_path):
    reports = []
    settings = dataclasses.replace(SETTINGS, schedule="cosine")
    train(TRAINING, VALIDATION, tmp_path, settings=settings, on_epoch=reports.append)
    assert reports[-1].learning_rate < 0.1 * settings.learning_rate < reports[0].learning_rate


def test_log_is_json_lines_without_nan(tmp_path):
    lumen_only = dataclasses.replace(VALIDATION[0], labels=np.ones((2, 64, 64), dtype=np.uint8))
    settings = dataclasses.replace(SETTINGS, max_epochs=2)
    train(TRAINING, [lumen_only], tmp_path, settings=settings)
    text = (tmp_path / "log.jsonl").read_text()
    assert "NaN" not in text
    head, *epochs = map(json.loads, text.splitlines())
    assert head["settings"]["batch_size"] == 2
    assert len(head["class_weights"]) == 3
    assert [epoch["step"] for epoch in epochs] == [4, 8]


def test_starting_from_another_network(tmp_path):
    first = train(TRAINING, VALIDATION, tmp_path / "first", settings=SETTINGS)
    settings = dataclasses.replace(SETTINGS, initial=first.last, learning_rate=0.0, max_epochs=1)
    second = train(TRAINING, VALIDATION, tmp_path / "second", settings=settings)
    kernel = "encoder.0.0.circular.conv.weight"
    torch.testing.assert_close(weights(second.last)[kernel], weights(first.last)[kernel])


def test_nothing_to_train_on_is_refused(tmp_path):
    with pytest.raises(CalcViewerError, match="validate"):
        train(TRAINING, [], tmp_path, settings=SETTINGS)


def test_nothing_to_resume_is_refused(tmp_path):
    with pytest.raises(CalcViewerError, match="no run"):
        train(TRAINING, VALIDATION, tmp_path, settings=SETTINGS, resume=True)


@pytest.mark.parametrize("architecture", ["unet", "deeplabv3plus"])
def test_other_architectures_learn_too(tmp_path, architecture):
    def doubled(one):
        images, labels = (a.repeat(2, axis=1).repeat(2, axis=2) for a in (one.images, one.labels))
        return dataclasses.replace(one, images=images, labels=labels)

    reports = []
    settings = dataclasses.replace(
        SETTINGS, architecture=architecture, max_epochs=4, augmentation=None, learning_rate=0.01
    )
    train(
        [doubled(one) for one in TRAINING],
        [doubled(one) for one in VALIDATION],
        tmp_path,
        settings=settings,
        on_epoch=reports.append,
    )
    assert reports[-1].train_loss < 0.7 * reports[0].train_loss


def test_cartesian_training_turns_and_maps_frames(tmp_path):
    def published(seed):
        one = voi(seed)
        images, labels = (np.zeros((4, 60, 120), dtype=a.dtype) for a in (one.images, one.labels))
        images[:, :, :64], labels[:, :, :64] = one.images[:, :60], one.labels[:, :60]
        return dataclasses.replace(one, images=images, labels=labels)

    reports = []
    settings = dataclasses.replace(SETTINGS, geometry="cartesian", max_epochs=6, learning_rate=0.01)
    trained = train(
        [published(0), published(1)],
        [published(2)],
        tmp_path,
        settings=settings,
        on_epoch=reports.append,
    )
    assert reports[-1].train_loss < 0.8 * reports[0].train_loss
    assert load_network(trained.last).geometry == "cartesian"
    weights = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])["class_weights"]
    polar = median_frequency_weights(published(0).labels)
    # Near the catheter a sample is a small area: seen from above, the lumen is rarer.
    assert weights[1] / weights[0] > 1.5 * polar[1] / polar[0]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_without_a_device_is_refused():
    with pytest.raises(CalcViewerError, match="CUDA"):
        choose_device("cuda")
    assert choose_device("auto").type == "cpu"
