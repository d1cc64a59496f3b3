"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# The same examples at every run: a failure is repeatable, and so is a success.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
