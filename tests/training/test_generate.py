import numpy as np
import pytest

from calcviewer.app.voi_file import CALCIUM, IGNORE, LUMEN, OTHER, read_dataset
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.simulation import PullbackSpec, simulate_pullback
from calcviewer.training.generate import (
    Export,
    GenerateSettings,
    _draw_voi,
    generate_dataset,
    model_image,
    simulate_voi,
    training_labels,
)
from calcviewer.training.regimes import REGIMES

SETTINGS = GenerateSettings(vois=2, frames_per_voi=1)


@pytest.fixture(scope="module")
def frame():
    spec = PullbackSpec(seed=1, frames=1, calcium=1.0, guidewires=1, field_radius_mm=3.5)
    return simulate_pullback(spec).frame(0)


def test_a_voi_fits_the_network():
    images, labels = simulate_voi(3, settings=SETTINGS)
    assert images.shape == labels.shape == (1, *MODEL_GRID.shape)
    assert images.dtype == np.float16
    assert 0 <= images.min() < images.max() <= 1
    assert {OTHER, LUMEN} <= set(np.unique(labels)) <= {OTHER, LUMEN, CALCIUM, IGNORE}


def test_the_seed_fixes_a_voi():
    first, again = (simulate_voi(3, settings=SETTINGS) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_shadow_is_other_and_hidden_calcium_is_ignored(frame):
    labels = training_labels(frame, field_radius_mm=3.5)
    assert np.all(labels[frame.labels == 3] == OTHER)
    assert np.all(labels[frame.labels == LUMEN] == LUMEN)
    assert np.all(labels[frame.labels == CALCIUM] == CALCIUM)
    hidden = frame.calcium_full & (frame.labels == OTHER)
    assert np.all(labels[hidden] == IGNORE)


def test_an_export_shows_the_same_frame(frame):
    direct = model_image(frame.intensity, None, field_radius_mm=3.5)
    level_db = 10 * np.log10(frame.intensity[frame.intensity > 0])
    export = Export(rows=1024, white_db=float(level_db.max()), range_db=60)
    exported = model_image(frame.intensity, export, field_radius_mm=3.5)
    inside = (MODEL_GRID.radii_mm() > 0.6) & (MODEL_GRID.radii_mm() < 3.4)
    correlation = np.corrcoef(direct[:, inside].ravel(), exported[:, inside].ravel())
    assert correlation[0, 1] > 0.95
    assert np.all(exported[:, MODEL_GRID.radii_mm() > 3.5] == 0)


@pytest.mark.slow
def test_a_data_set_is_complete_and_readable(tmp_path):
    steps = []
    paths = generate_dataset(
        tmp_path, settings=SETTINGS, processes=1, progress=lambda *step: steps.append(step)
    )
    vois = read_dataset(tmp_path, stride=2)
    assert steps == [(1, 2), (2, 2)]
    assert [voi.metadata.name for voi in vois] == [path.stem for path in paths]
    assert vois[0].images.shape == (1, 240, 480)
    assert not np.array_equal(vois[0].images, vois[1].images)
    assert set(vois[0].metadata.regimes) == set(REGIMES)
    assert vois[0].metadata.regimes["physics"] == ("fitted",)


def test_other_physics_show_other_frames_of_the_same_vessel():
    other = GenerateSettings(vois=1, frames_per_voi=1, physics=("coarse speckle",))
    image, labels = simulate_voi(3, settings=SETTINGS)
    changed, same = simulate_voi(3, settings=other)
    assert not np.array_equal(image, changed)
    assert np.mean((labels == LUMEN) == (same == LUMEN)) > 0.99


def test_vois_take_turns_among_several_physics():
    settings = GenerateSettings(vois=1, frames_per_voi=1, physics=("fitted", "noise"))
    drawn = [_draw_voi(seed, settings)[0].pullback.spec.physics for seed in range(4)]
    assert drawn == ["fitted", "noise", "fitted", "noise"]


def test_an_empty_data_set_is_refused(tmp_path):
    with pytest.raises(CalcViewerError, match="at least one VOI"):
        generate_dataset(tmp_path, settings=GenerateSettings(vois=0))
