"""The wheel and the source archive, built without the network from a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools", minversion="77", reason="needs setuptools to build with")

ROOT = Path(__file__).parents[2]
_COPIED = ("calcviewer", "models", "packaging", "resources", "tests", "docs", ".ci")
NETWORKS = [
    f"{folder}/{file}"
    for folder in ("segnet-cpu", "unet-cpu")
    for file in ("card.json", "model.onnx")
]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.png", "*.onnx")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both; the network's file is replaced by a small one."""
    tree = tmp_path_factory.mktemp("tree")
    for name in _COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=_LEFT_OUT)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, tree)
    for path in (ROOT / "models").rglob("*.onnx"):
        (tree / path.relative_to(ROOT)).write_bytes(b"network")
    (tree / "resources/icons/calcviewer.png").write_bytes(b"icon")
    code = (
        "from setuptools import build_meta as build;"
        "build.build_sdist('out'); build.build_wheel('out')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tree, check=True, capture_output=True)
    return tree / "out"


def test_the_wheel_holds_every_module_and_no_test(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "calcviewer").rglob("*.py")}
    assert modules <= names
    assert not any(name.startswith(("tests/", "docs/", "packaging/")) for name in names)


def test_the_wheel_holds_networks_fonts_icon_and_licence(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "calcviewer/py.typed",
        *(f"calcviewer/models/{file}" for file in NETWORKS),
        "calcviewer/resources/fonts/LICENSE-OpenSans.txt",
        "calcviewer/resources/fonts/OpenSans-Regular.ttf",
        "calcviewer/resources/icons/calcviewer.png",
        "calcviewer/resources/icons/calcviewer.svg",
    } <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_needs_no_training_package(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    needed = [
        line for line in archive.read(metadata).decode().splitlines() if "Requires-Dist" in line
    ]
    assert any("onnxruntime" in line for line in needed)
    assert not any("torch" in line and "extra ==" not in line for line in needed)


def test_the_source_archive_holds_the_whole_tree(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {
        "Makefile",
        "constraints.txt",
        *(f"models/{file}" for file in NETWORKS),
        "packaging/calcviewer.spec",
        "packaging/set_up.sh",
        "pyproject.toml",
        "resources/icons/calcviewer.svg",
        "tests/conftest.py",
        "tests/packaging/test_wheel.py",
    } <= names
    assert not any(name.endswith(".pyc") for name in names)
