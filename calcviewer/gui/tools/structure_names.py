"""How structures are called and coloured in the tools."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from calcviewer.core.editing.structures import Structure
from calcviewer.gui.theme import CALCIUM, EEL, LUMEN

COLOURS = {Structure.LUMEN: LUMEN, Structure.CALCIUM: CALCIUM, Structure.EEL: EEL}


def name_of(structure: Structure) -> str:
    """Return a structure's name as it stands in a sentence."""
    if structure is Structure.LUMEN:
        return QCoreApplication.translate("Structure", "lumen")
    if structure is Structure.CALCIUM:
        return QCoreApplication.translate("Structure", "calcium")
    return QCoreApplication.translate("Structure", "EEL")
