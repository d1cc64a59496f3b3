"""Limits of memory and time are set, and memory is read, as Linux does it."""

from __future__ import annotations

import sys

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]
