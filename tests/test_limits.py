"""The limits that are documented are those in force, and none is left out."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "limits.md").read_text()
UNITS = {"": 1, "bytes": 1, "MB": 10**6, "GB": 10**9, "MiB": 1 << 20, "GiB": 1 << 30}
ROW = re.compile(r"^\| .* \| ([\d ]+?) ?([A-Za-z]*) \| `([\w.]+)` \|$", re.MULTILINE)
# Of what comes in, or fills a disk.
LIMIT = re.compile(r"_?(?:LARGEST|MOST|LONGEST|QUOTA)\w*(?:BYTES|INSTANCES|MATCHES|ELEMENTS)")


def documented() -> dict[str, int]:
    rows = ROW.findall(PAGE)
    return {name: int(number.replace(" ", "")) * UNITS[unit] for number, unit, name in rows}


def test_every_row_is_what_is_in_force() -> None:
    rows = documented()
    assert len(rows) == PAGE.count("| `")
    in_force = {}
    for name in rows:
        module, _, constant = name.rpartition(".")
        in_force[name] = getattr(import_module(f"calcviewer.{module}"), constant)
    assert rows == in_force


def test_no_limit_is_left_out() -> None:
    known = set()
    for path in (ROOT / "calcviewer").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "calcviewer").with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
            if LIMIT.fullmatch(name):
                known.add(f"{module}.{name}")
    assert len(known) > 10
    assert known - documented().keys() == set()
