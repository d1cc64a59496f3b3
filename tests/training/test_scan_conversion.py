import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.app.voi_file import IGNORE  # noqa: E402
from calcviewer.core.geometry import resample  # noqa: E402
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID  # noqa: E402
from calcviewer.training.architectures import build_network  # noqa: E402
from calcviewer.training.scan_conversion import ToCartesian, ToPolar, cartesian_grid  # noqa: E402


def smooth_frame():
    angle = np.deg2rad(MODEL_GRID.angles_deg())[:, None]
    radius = MODEL_GRID.radii_mm()[None, :]
    return (0.5 + 0.4 * np.cos(2 * angle) * np.sin(radius)).astype(np.float32)


def test_it_equals_the_programs_own_resampling():
    frame = smooth_frame()
    grid = cartesian_grid(1)
    found = ToCartesian(1)(torch.from_numpy(frame)[None, None])[0, 0].numpy()
    expected = resample(frame, MODEL_GRID, grid)
    row, column = np.mgrid[:704, :704] - 351.5
    radius_px = np.hypot(row, column)
    inside = (radius_px > 3) & (radius_px < 351)
    np.testing.assert_allclose(found[inside], expected[inside], atol=2e-3)
    assert np.all(found[radius_px > 353] == 0)


@pytest.mark.parametrize("stride", [2, 4])
def test_there_and_back(stride):
    frame = torch.from_numpy(smooth_frame())[None, None]
    reduced = torch.nn.functional.avg_pool2d(frame, stride)
    back = ToPolar(stride)(ToCartesian(stride)(reduced))
    seen = slice(8 * stride, 960 - 8 * stride)
    error = (back - frame)[..., seen].abs()
    assert back.shape == (1, 1, 480, 960)
    assert float(error.max()) < 0.05
    assert float(error.mean()) < 0.005


def test_labels_stay_labels():
    labels = torch.zeros(1, 240, 480, dtype=torch.uint8)
    labels[:, :, :100] = 1
    labels[:, 60:120, 120:200] = 2
    labels[:, 200:, 300:] = 254
    found = ToCartesian(2).labels(labels)
    assert found.dtype == torch.uint8
    assert found.shape == (1, 352, 352)
    assert set(found.unique().tolist()) == {0, 1, 2, 254, IGNORE}
    # A quarter turn of calcium from 90 to 180 degrees: to the lower left of the catheter.
    row, column = np.nonzero(found[0].numpy() == 2)
    assert row.min() > 175
    assert column.max() < 176
    area_mm2 = (found == 2).sum() * cartesian_grid(2).pixel_spacing_mm ** 2
    expected_mm2 = np.pi / 4 * (2.08**2 - 1.248**2)
    assert float(area_mm2) == pytest.approx(expected_mm2, rel=0.02)


@pytest.mark.parametrize("name", ["segnet", "unet", "deeplabv3plus"])
def test_a_cartesian_network_looks_like_any_other(name):
    torch.manual_seed(0)
    network = build_network(name, width=1 / 16, stride=4, geometry="cartesian").eval()
    with torch.no_grad():
        found = network.probabilities(torch.rand(1, 1, 480, 960))
    assert found.shape == (1, 3, 480, 960)
    assert network.work_images(torch.rand(1, 1, 120, 240)).shape == (1, 1, 176, 176)
    labels = torch.zeros(1, 120, 240, dtype=torch.uint8)
    assert network.work_labels(labels).shape == (1, 176, 176)
    assert not [key for key in network.state_dict() if "places" in key]
