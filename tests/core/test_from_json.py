"""What comes out of a file has the type that was declared for it, or is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Literal

import pytest

from calcviewer.core.from_json import parsed, record, value_of


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclass(frozen=True)
class Drawing:
    name: str
    points: tuple[Point, ...]
    kind: Literal["open", "closed"] = "open"
    span: tuple[int, int] | None = None
    notes: Mapping[int, str] | None = None


def test_a_record_comes_back() -> None:
    drawing = Drawing("a", (Point(1.0), Point(2.0, 3.0)), "closed", (1, 2), {4: "b"})
    assert record(Drawing, parsed(json.dumps(asdict(drawing)))) == drawing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 1}, "name must be str, got 1"),
        ({"name": None}, "name must be str, got None"),
        ({"points": {}}, "points must be a list"),
        ({"points": [{"x": "1"}]}, "x must be float, got '1'"),
        ({"points": [{"x": True}]}, "x must be float, got True"),
        ({"points": [{"x": float("nan")}]}, "x must be float, got nan"),
        ({"points": [{"x": 10**400}]}, "x must be float"),
        ({"points": [{}]}, "missing 1 required"),
        ({"points": [3]}, "Point must be an object"),
        ({"kind": "round"}, "kind must be"),
        ({"span": [1]}, "span must hold 2 values, got 1"),
        ({"span": [1, 2.0]}, "span must be int, got 2.0"),
        ({"colour": "red"}, "Drawing has no colour"),
        ({"name": ["x"] * 99}, r"got \['x'.*…"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record(Drawing, {"name": "a", "points": [], **change})


def test_single_values() -> None:
    assert value_of(Colour, "red") is Colour.RED
    assert value_of(float, 3) == 3.0
    assert value_of(frozenset[int], [1, 1, 2]) == {1, 2}
    assert value_of(object, {"a": [1]}) == {"a": [1]}
    for kind, value in ((Colour, "blue"), (Mapping[int, str], {"a": "b"}), (int, False)):
        with pytest.raises(ValueError, match=r"."):
            value_of(kind, value)


def test_text_nested_too_deeply_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parsed("[" * 200_000)
    with pytest.raises(ValueError, match="Expecting"):
        parsed("{")
