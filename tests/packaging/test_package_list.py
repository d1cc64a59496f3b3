from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {"calcviewer.resources": "resources", "calcviewer.models": "models"}


def _setuptools() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        return tomllib.load(stream)["tool"]["setuptools"]


def test_every_package_of_the_tree_is_installed_and_no_other() -> None:
    inside = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "calcviewer").rglob("__init__.py")
    }
    packages = _setuptools()["packages"]
    assert isinstance(packages, list)
    assert sorted(packages) == sorted(inside | TOP_LEVEL.keys())


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "calcviewer").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_resources_and_models_are_installed_inside_the_package() -> None:
    places = _setuptools()["package-dir"]
    assert isinstance(places, dict)
    assert {name: places[name] for name in TOP_LEVEL} == TOP_LEVEL
