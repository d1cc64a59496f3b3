"""Attribute values of a DICOM dataset as plain numbers and texts, however odd the dataset."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue


@contextmanager
def tolerant() -> Iterator[None]:
    """Let odd values pass without a word: those that matter are checked where they are used.

    A decoder written in Rust panics on damaged data; that is a ValueError here.
    """
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        try:
            yield
        except BaseException as error:
            # Its class cannot be imported, and is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise ValueError(f"the decoder gave up: {error}") from error


def text(dataset: Dataset, name: str) -> str:
    """Return an attribute as text; empty when absent."""
    value = value_of(dataset, name)
    return "" if value is None else str(value).strip()


_LONGEST_LABEL = 64


def label(dataset: Dataset, name: str) -> str:
    """Return an attribute as a short text of one line, fit to be shown whatever the file holds."""
    shown = "".join(one if one.isprintable() else "?" for one in text(dataset, name))
    return shown if len(shown) <= _LONGEST_LABEL else f"{shown[:_LONGEST_LABEL]}…"


def number(dataset: Dataset, name: str) -> float | None:
    """Return an attribute as a finite number; None when it is absent or none."""
    try:
        result = float(value_of(dataset, name))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return result if np.isfinite(result) else None


def numbers(dataset: Dataset, name: str) -> tuple[float, ...]:
    """Return an attribute of one or more values; empty when it is absent or one is no number."""
    value: Any = value_of(dataset, name)
    several = value if isinstance(value, MultiValue | list) else [value]
    try:
        found = tuple(float(one) for one in several)
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if np.isfinite(found).all() else ()


def positive(dataset: Dataset, name: str) -> float | None:
    """Return an attribute as a number above zero, else None."""
    result = number(dataset, name)
    return result if result is not None and result > 0 else None


def yes_no(dataset: Dataset, name: str) -> bool | None:
    """Return whether an attribute says YES or NO; None when neither."""
    return {"YES": True, "NO": False}.get(text(dataset, name).upper())


def value_of(dataset: Dataset, name: str) -> object:
    """Return an attribute's value; None when absent or not decodable."""
    try:
        return dataset.get(name)
    except Exception:  # values are decoded on access, and a damaged one fails in many ways
        return None
