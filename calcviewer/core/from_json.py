"""Values read from JSON, made into the types that the program declares for them.

Files are changed by hand, cut short and written by other versions: what does not fit its type is
refused where it is read, with a ValueError that names it, and not met later in a measurement.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Hashable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
_LARGEST_WHOLE = 1 << 53
"""The largest whole number that every JSON reader keeps exactly."""


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 - whatever the text holds
    """Parse JSON.

    Raises
    ------
    ValueError
        When the text is no JSON, or nested more deeply than a parser can follow.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def record(kind: type[Kind], values: object) -> Kind:
    """Return a dataclass from a JSON object, its fields checked against their declared types.

    Raises
    ------
    ValueError
        When a field is missing, unknown or of another type. Numbers must be finite.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{kind.__name__} must be an object, got {_shown(values)}")
    hints = _hints(cast(Hashable, kind))
    unknown = sorted(map(str, values.keys() - hints.keys()))
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    fields = {name: value_of(hints[name], value, name) for name, value in values.items()}
    try:
        return kind(**fields)
    except TypeError as error:
        raise ValueError(str(error)) from error


def value_of(kind: Any, value: Any, name: str = "value") -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value as the type it must have: lists as tuples, texts as keys and enums.

    Parameters
    ----------
    kind
        ``bool``, ``int``, ``float``, ``str``, ``None``, ``object``, a dataclass, an Enum, or a
        Literal, Union, tuple, frozenset or Mapping of these.
    name
        What the value is called in the error.

    Raises
    ------
    ValueError
        When it is of another type.
    """
    if kind is object:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, name)
    if origin is tuple:
        return _tuple(arguments, value, name)
    if origin is frozenset:
        return frozenset(_tuple((*arguments, ...), value, name))
    if origin is Mapping and isinstance(value, dict):
        key, of = arguments
        return {
            int(one) if key is int else one: value_of(of, held, name) for one, held in value.items()
        }
    if origin is Literal and value in arguments and not isinstance(value, bool):
        return value
    if origin is None and is_dataclass(kind):
        return record(cast(type, kind), value)
    if origin is None and issubclass(kind, Enum):
        return kind(value)
    if origin is None and _is_plain(kind, value):
        return float(value) if kind is float else value
    raise ValueError(f"{name} must be {getattr(kind, '__name__', kind)}, got {_shown(value)}")


def _is_plain(kind: type, value: object) -> bool:
    if kind not in (int, float):
        return isinstance(value, kind)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind is int and not isinstance(value, int):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= _LARGEST_WHOLE


def _one_of(kinds: tuple[Any, ...], value: object, name: str) -> object:
    fault: ValueError | None = None
    for kind in kinds:
        try:
            return value_of(kind, value, name)
        except ValueError as error:
            fault = fault or error
    assert fault is not None
    raise fault


def _tuple(kinds: tuple[Any, ...], value: object, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list, got {_shown(value)}")
    if kinds[-1] is ...:
        return tuple(value_of(kinds[0], one, name) for one in value)
    if len(value) != len(kinds):
        raise ValueError(f"{name} must hold {len(kinds)} values, got {len(value)}")
    return tuple(value_of(kind, one, name) for kind, one in zip(kinds, value, strict=True))


@cache
def _hints(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a dataclass
    return get_type_hints(kind)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
