"""Every window test runs off screen, with its own settings folder, and deletes what it made."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("CALCVIEWER_TEST_PLATFORM", "offscreen")

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from calcviewer.gui.theme import apply_theme
from tests.gui.stored_studies import PhantomSegmenter


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """Return the application, in the theme the product wears."""
    apply_theme(qapp)
    qapp.setCursorFlashTime(0)  # a window with a caret that blinks never comes to rest
    return qapp


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the operator's own settings and logs out of the tests."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture(autouse=True)
def no_leaked_widgets(qapp: QApplication) -> Iterator[None]:
    """Delete every top-level widget a test left, so that none outlives it."""
    yield
    for widget in qapp.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


@pytest.fixture
def segmenter(monkeypatch: pytest.MonkeyPatch) -> PhantomSegmenter:
    """Put a segmenter that finds known calcium in the place of the network."""
    phantom = PhantomSegmenter()
    monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", lambda *_: phantom)
    return phantom
