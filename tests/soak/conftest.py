"""What watches the window is tried on the window of the other tests."""

from __future__ import annotations

from tests.gui.conftest import no_leaked_widgets, own_folders, qapp, segmenter

__all__ = ["no_leaked_widgets", "own_folders", "qapp", "segmenter"]
