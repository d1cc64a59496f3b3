"""What operators confirmed trains a network: from reviews to a step of the training loop."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.__main__ import main  # noqa: E402
from calcviewer.app.labelled_export import export_labels  # noqa: E402
from tests.app.test_labelled_export import edits, reviewed  # noqa: E402

pytestmark = pytest.mark.slow


def test_a_network_trains_a_step_on_exported_reviews(tmp_path):
    reviews = [
        reviewed(letter * 32, edits=edits(0, 1), confirmed_frames=frozenset({0, 1}))
        for letter in "abc"
    ]
    export_labels(reviews, tmp_path / "data", stride=2)
    run = tmp_path / "run"
    arguments = ["train", str(tmp_path / "data"), "-o", str(run), "--stride", "2"]
    arguments += ["--width", "0.0625", "--epochs", "1", "--folds", "3", "--device", "cpu"]
    assert main(arguments) == 0
    weights = torch.load(run / "last.pt", weights_only=True)
    log = (run / "log.jsonl").read_text().splitlines()
    assert weights
    assert log
    assert np.all(["nan" not in line.lower() for line in log])
