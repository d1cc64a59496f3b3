"""Attribute values of a DICOM dataset as plain numbers and texts, however odd the dataset."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset


@contextmanager
def tolerant() -> Iterator[None]:
    """Let odd values pass without a word: those that matter are checked where they are used."""
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def text(dataset: Dataset, name: str) -> str:
    """Return an attribute as text; empty when absent."""
    value = _value(dataset, name)
    return "" if value is None else str(value).strip()


def number(dataset: Dataset, name: str) -> float | None:
    """Return an attribute as a finite number; None when it is absent or none."""
    try:
        result = float(_value(dataset, name))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return result if np.isfinite(result) else None


def positive(dataset: Dataset, name: str) -> float | None:
    """Return an attribute as a number above zero, else None."""
    result = number(dataset, name)
    return result if result is not None and result > 0 else None


def yes_no(dataset: Dataset, name: str) -> bool | None:
    """Return whether an attribute says YES or NO; None when neither."""
    return {"YES": True, "NO": False}.get(text(dataset, name).upper())


def _value(dataset: Dataset, name: str) -> object:
    """Return an attribute's value; None when absent or not decodable."""
    try:
        return dataset.get(name)
    except Exception:  # values are decoded on access, and a damaged one fails in many ways
        return None
