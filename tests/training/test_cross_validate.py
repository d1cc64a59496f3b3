import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.app.voi_file import Voi, VoiMetadata  # noqa: E402
from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.training import cross_validate as module  # noqa: E402
from calcviewer.training.cross_validate import (  # noqa: E402
    Listener,
    TorchPredictor,
    cross_validate,
    read_cross_validation,
)
from calcviewer.training.train import TrainSettings  # noqa: E402

SETTINGS = TrainSettings(
    width=1 / 16, stride=4, batch_size=2, max_epochs=1, device="cpu", precision="float32"
)


def voi(seed):
    """Two frames on the published grid at stride 4, with all classes."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((2, 120, 240), dtype=np.uint8)
    labels[:, :, : 60 + seed] = 1
    labels[:, 20:60, 80:120] = 2
    images = 0.8 - 0.7 * (labels == 1) - 0.4 * (labels == 2) + rng.normal(0, 0.05, labels.shape)
    metadata = VoiMetadata(f"v{seed}", "simulated", source=f"s{seed // 2}", seed=seed, stride=4)
    return Voi(metadata, np.clip(images, 0, 1).astype(np.float16), labels)


VOIS = [voi(seed) for seed in range(6)]


def run(directory, *, settings=SETTINGS, listener=None, vois=VOIS):
    return cross_validate(vois, directory, settings=settings, folds=3, crf=None, listener=listener)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    torch.set_num_threads(1)
    directory = tmp_path_factory.mktemp("folds")
    return directory, run(directory)


def test_every_voi_is_tested_once_and_never_trained_on_beside_its_source(finished):
    directory, result = finished
    assert sorted(result.pooled.before.of_voi) == [f"v{seed}" for seed in range(6)]
    for fold, evaluation in enumerate(result.folds):
        log = (directory / f"fold-{fold}" / "log.jsonl").read_text().splitlines()
        head = json.loads(log[0])
        tested = {int(name[1:]) // 2 for name in evaluation.before.of_voi}
        seen = {int(name[1:]) // 2 for name in head["training"] + head["validation"]}
        assert not tested & seen
    assert result.title == "SegNet, width 0.0625, stride 4, 3 folds"
    assert result.pooled.frames == 12


def test_finished_folds_are_kept(finished, monkeypatch):
    directory, result = finished
    monkeypatch.setattr(module, "train", None)
    seen = []
    listener = Listener(lambda *one: seen.append(one), None, None)
    again = run(directory, listener=listener)
    assert seen == [(0, True), (1, True), (2, True)]
    assert again.as_dict() == result.as_dict()
    assert read_cross_validation(directory).as_dict() == result.as_dict()


def test_what_was_stopped_goes_on(finished, tmp_path, monkeypatch):
    _, result = finished
    trained = module.train

    def stopped(*args, **kwargs):
        if args[2].name == "fold-1":
            trained(*args, **kwargs)
            raise KeyboardInterrupt
        return trained(*args, **kwargs)

    monkeypatch.setattr(module, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    with pytest.raises(CalcViewerError, match="no finished cross-validation"):
        read_cross_validation(tmp_path)
    monkeypatch.setattr(module, "train", trained)
    seen = []
    again = run(tmp_path, listener=Listener(lambda *one: seen.append(one), lambda _: None, None))
    assert seen == [(0, True), (1, False), (2, False)]
    assert again.as_dict() == result.as_dict()


def test_a_folder_keeps_to_its_plan(finished):
    directory, _ = finished
    with pytest.raises(CalcViewerError, match="other settings"):
        run(directory, settings=dataclasses.replace(SETTINGS, width=1 / 8))
    with pytest.raises(CalcViewerError, match="other vois"):
        run(directory, vois=VOIS[:5])
    run(directory, settings=dataclasses.replace(SETTINGS, max_minutes=5))


@pytest.mark.parametrize("content", [b"{", b"[]", b"[" * 100_000])
def test_a_damaged_plan_is_said(tmp_path, content):
    (tmp_path / module.PLAN).write_bytes(content)
    with pytest.raises(CalcViewerError, match=r"plan\.json cannot be read"):
        run(tmp_path)
    with pytest.raises(CalcViewerError, match="no finished cross-validation"):
        module.read_cross_validation(tmp_path)


def test_there_are_no_more_folds_than_sources(tmp_path, monkeypatch):
    plans = []
    monkeypatch.setattr(module, "_keep_to", lambda plan, _: plans.append(plan))
    monkeypatch.setattr(module, "train", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyError))
    with pytest.raises(KeyError):
        cross_validate(VOIS, tmp_path, settings=SETTINGS, folds=10, crf=None)
    assert plans[0]["folds"] == 3


@pytest.mark.parametrize("geometry", ["polar", "cartesian"])
def test_the_predictor_gives_what_inference_gives(tmp_path, geometry):
    settings = dataclasses.replace(SETTINGS, geometry=geometry)
    best = module.train(VOIS[:4], VOIS[4:], tmp_path, settings=settings).best
    predictor = TorchPredictor.load(best, torch.device("cpu"))
    found = predictor.predict(np.zeros((2, 480, 960), dtype=np.float32))
    assert found.shape == (2, 3, 480, 960)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
