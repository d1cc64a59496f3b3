"""The scripts of ``packaging`` are not a package: the installed one of that name must win."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging"))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
