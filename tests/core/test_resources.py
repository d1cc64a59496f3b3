from __future__ import annotations

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.resources import models_path, resource_path


def test_fonts_come_with_their_licence() -> None:
    folder = resource_path("fonts")
    assert {path.name for path in folder.glob("*.ttf")} == {
        "OpenSans-Regular.ttf",
        "OpenSans-Semibold.ttf",
    }
    assert "Apache License" in (folder / "LICENSE-OpenSans.txt").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_500_000


def test_a_missing_resource_is_named() -> None:
    with pytest.raises(CalcViewerError, match=r"fonts/none\.ttf"):
        resource_path("fonts", "none.ttf")


def test_models_lie_beside_the_resources() -> None:
    assert models_path().parent == resource_path().parent
