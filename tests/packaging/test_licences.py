from __future__ import annotations

import os
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from licences import LicenceError, component_of, declared, owners, write_licences
from packaging.requirements import Requirement


def _runtime() -> list[Distribution]:
    """Return what an installation of the program brings, itself included."""
    found: dict[str, Distribution] = {}
    waiting = ["calcviewer"]
    while waiting:
        name = waiting.pop()
        if name.lower() in found:
            continue
        found[name.lower()] = distribution(name)
        needed = (Requirement(text) for text in distribution(name).requires or ())
        waiting += [one.name for one in needed if not one.marker or one.marker.evaluate()]
    return list(found.values())


def _installed(folder: Path, metadata: str) -> Distribution:
    place = folder / "thing-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n{metadata}")
    (place / "RECORD").write_text("thing.py,,\n")
    return Distribution.at(place)


@pytest.mark.parametrize("dist", _runtime(), ids=lambda dist: dist.metadata["Name"])
def test_everything_that_is_installed_has_a_licence_text(dist: Distribution) -> None:
    component = component_of(dist)
    assert component.licence
    assert sum(map(len, component.texts.values())) > 400


def test_qt_comes_with_lgpl_and_gpl() -> None:
    texts = component_of(distribution("PySide6-Essentials")).texts
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in texts["LGPL-3.0.txt"]
    assert "GNU GENERAL PUBLIC LICENSE" in texts["GPL-3.0.txt"]


def test_a_licence_that_is_only_declared_gets_its_text_and_its_author(tmp_path: Path) -> None:
    component = component_of(_installed(tmp_path, "License: MIT\nAuthor: A. Body\n"))
    assert "Copyright (c) A. Body" in component.texts["MIT.txt"]
    assert "Permission is hereby granted" in component.texts["MIT.txt"]


def test_without_any_licence_nothing_is_packaged(tmp_path: Path) -> None:
    with pytest.raises(LicenceError, match=r"thing 1\.0 has no licence text"):
        component_of(_installed(tmp_path, "License: my own\n"))


def test_a_long_licence_field_gives_way_to_the_classifier(tmp_path: Path) -> None:
    long = "License: " + "words " * 40 + "\nClassifier: License :: OSI Approved :: BSD License\n"
    assert declared(_installed(tmp_path, long)) == "BSD License"


def test_a_file_of_nobody_is_refused(tmp_path: Path) -> None:
    stray = tmp_path / "of-nobody-at-all.so"
    stray.touch()
    with pytest.raises(LicenceError, match="belongs to no distribution and no system package"):
        owners([stray])


def test_files_are_traced_to_their_distribution_and_to_python() -> None:
    module = Path(str(distribution("numpy").locate_file("numpy/__init__.py")))
    found = owners([module, Path(os.__file__)])
    assert found[module].name == "numpy"
    assert found[Path(os.__file__)].name == "Python"


def test_every_component_has_a_folder_and_a_row(tmp_path: Path) -> None:
    component = component_of(distribution("numpy"))
    write_licences([component, component], tmp_path)
    table = (tmp_path / "components.txt").read_text(encoding="utf-8").splitlines()
    assert len(table) == 2
    assert table[1].startswith("numpy | ")
    assert (tmp_path / "numpy").is_dir()
