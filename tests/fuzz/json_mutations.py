"""Damage to JSON documents that stay JSON, mostly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.fuzz.mutations import Mutation

_ODD: tuple[Any, ...] = (None, True, False, 0, 1, -1, 2, 0.5, 1e308, -1e308, 1e-320, float("nan"))
_ODD += (float("inf"), 10**6, 10**9, 2**31, 2**63, 2**64, 10**30, 10**400, "", "a", "-1", "1e5")
_ODD += ("\0", "ä\ud800", "x" * 3000, "/", ".", [], [[]], [1], [1, 2], [None], {}, {"": 0})
_ODD += ({"a": []}, [[1, 2], [3]], list(range(40)))
_DEEP = 100_000

_Place = tuple[Any, Any]
"""A container, and the key or index of a value in it."""


def _places(node: object) -> Iterator[_Place]:
    if isinstance(node, dict):
        keys: Any = list(node)
    elif isinstance(node, list):
        keys = range(len(node))
    else:
        return
    for key in keys:
        yield node, key
        yield from _places(node[key])


def _changed(data: bytes, random: Random, change: Any) -> bytes:
    """Return the document after a change at one place; unreadable documents stay as they are."""
    try:
        document = json.loads(data)
        places = list(_places(document))
    except (ValueError, RecursionError):
        return data
    if not places:
        return data
    change(*random.choice(places), random.choice(places), random)
    try:
        return json.dumps(document).encode(errors="surrogatepass")
    except (ValueError, RecursionError):  # it may hold itself
        return data


def _set_odd(holder: Any, key: Any, _: _Place, random: Random) -> None:
    holder[key] = random.choice(_ODD)


def _scale(holder: Any, key: Any, _: _Place, random: Random) -> None:
    value = holder[key]
    if isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = random.choice((-value, value + 1, value - 1, value * 1000, value // 1000))


def _delete(holder: Any, key: Any, _: _Place, random: Random) -> None:
    del holder[key]


def _copy(holder: Any, key: Any, other: _Place, random: Random) -> None:
    holder[key] = other[0][other[1]] if other[0] is not holder or other[1] != key else None


def _rename(holder: Any, key: Any, other: _Place, random: Random) -> None:
    if isinstance(holder, dict):
        name = other[1] if isinstance(other[1], str) else random.choice(("", "x", "-1", "1e9"))
        holder[name] = holder.pop(key)
    else:
        holder.insert(key, holder[key])


def _deep(data: bytes, random: Random) -> bytes:
    """Nest more deeply than a parser can follow."""
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    at = data.find(b":") + 1 if random.random() < 0.5 else 0
    return data[:at] + opening * _DEEP + b"1" + closing * _DEEP + data[at:]


def _mutation(change: Any) -> Mutation:
    return lambda data, random: _changed(data, random, change)


JSON: tuple[Mutation, ...] = (
    *([_mutation(_set_odd)] * 4),
    _mutation(_scale),
    _mutation(_delete),
    _mutation(_copy),
    _mutation(_rename),
    _deep,
)
