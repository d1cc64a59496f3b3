"""What is declared, imported, pinned and documented is the same set of libraries."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(one) for one in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(one) for one in wanted]
    for name, wanted in PROJECT["optional-dependencies"].items()
}
# Declared without an import of their own, each with its reason.
NOT_IMPORTED = {
    "pyjpegls": "pydicom decodes JPEG-LS with it",
    "pylibjpeg": "pydicom decodes with its plug-ins",
    "pylibjpeg-openjpeg": "pydicom decodes JPEG 2000 with it",
    "pylibjpeg-rle": "pydicom decodes RLE with it",
    "urllib3": "HTTPResponse.shutdown, new in 2.3, is called on the responses of requests",
}
# Imported where an extra is installed: the extra, and the only part that may import it.
OPTIONAL = {
    "distributed": ("cluster", "dask", "app/cohort"),
    "onnx": ("train", "onnx", "training"),
    "onnxscript": ("train", "onnxscript", "training"),
    "torch": ("train", "torch", "training"),
}
PLATFORMS = [("linux", "Linux", "posix"), ("win32", "Windows", "nt"), ("darwin", "Darwin", "posix")]


def canonical(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().split()
    return {canonical(name): version for name, version in (one.split("==") for one in lines)}


@cache
def imported() -> dict[str, set[str]]:
    """Return the top-level modules that are imported, with the files that do."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "calcviewer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                place = path.relative_to(ROOT / "calcviewer").as_posix()
                found.setdefault(name.split(".")[0], set()).add(place)
    return {
        name: places
        for name, places in found.items()
        if name not in sys.stdlib_module_names and name != "calcviewer"
    }


def closure(wanted: list[Requirement]) -> set[str]:
    """Return what installing these brings, on every platform, as far as it is installed here."""
    found: set[str] = set()
    waiting = [(one, frozenset(one.extras)) for one in wanted]
    environments = [
        default_environment()
        | {"sys_platform": platform, "platform_system": system, "os_name": name}
        | {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1", "extra": ""}
        for platform, system, name in PLATFORMS
        for minor in (11, 12, 13)
    ]
    while waiting:
        one, extras = waiting.pop()
        marks = [env | {"extra": extra} for env in environments for extra in {"", *extras}]
        if one.marker is not None and not any(one.marker.evaluate(env) for env in marks):
            continue
        name = canonical(one.name)
        if name in found:
            continue
        found.add(name)
        try:
            asked = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:
            continue
        waiting += [
            (next_one, frozenset(next_one.extras))
            for next_one in asked
            if "extra" not in str(next_one.marker or "")
        ]
    return found


def test_every_import_is_declared() -> None:
    declared = {canonical(one.name) for one in RUNTIME}
    known = packages_distributions()
    missing = {
        name: sorted(places)
        for name, places in imported().items()
        if name not in OPTIONAL and not {canonical(one) for one in known.get(name, [])} & declared
    }
    assert missing == {}


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_an_extra_brings_is_imported_in_its_own_part_only(name: str) -> None:
    extra, wanted, part = OPTIONAL[name]
    assert wanted in [one.name for one in EXTRAS[extra]]
    assert all(place.startswith(f"{part}/") for place in imported().get(name, ()))


def test_everything_declared_is_imported_or_has_its_reason() -> None:
    known = packages_distributions()
    used = {canonical(one) for name in imported() for one in known.get(name, [])}
    declared = {canonical(one.name) for one in RUNTIME}
    assert declared - used == set(NOT_IMPORTED)


def test_every_library_a_user_gets_is_pinned() -> None:
    assert closure(RUNTIME) - pins().keys() == set()


def test_pins_are_what_is_declared() -> None:
    versions = pins()
    wrong = [
        f"{one} is pinned to {versions[canonical(one.name)]}"
        for one in (*RUNTIME, *(one for wanted in EXTRAS.values() for one in wanted))
        if canonical(one.name) in versions
        and not one.specifier.contains(versions[canonical(one.name)])
    ]
    assert wrong == []


def test_every_library_is_documented() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    rows = {canonical(name) for name in re.findall(r"^\| `([\w.-]+)`", page, re.MULTILINE)}
    assert rows == {canonical(one.name) for one in RUNTIME}
    others = {canonical(name) for name in re.findall(r"`([\w.-]+)`", page)}
    assert closure(RUNTIME) - others == set()
