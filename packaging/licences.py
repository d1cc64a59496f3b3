"""Whose files are in the packaged program, and under which licences.

Every file is traced to the distribution, the Python or the system package it came from. The build
fails on a file that cannot be traced and on a component without a licence text.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

TEXTS = Path(__file__).parent / "licence_texts"
_LICENCE_FILE = re.compile(
    r"(licen[cs]e|copying|notice|copyright|authors)(?!\w*\.py)", re.IGNORECASE
)
_COMMON_TEXT = re.compile(r"/usr/share/common-licenses/[\w.-]*\w")
_STANDARD = (
    ("LGPL-3.0", ("LGPL-3.0.txt", "GPL-3.0.txt")),
    ("Apache", ("Apache-2.0.txt",)),
    ("MIT", ("MIT.txt",)),
    ("BSD", ("BSD-3-Clause.txt",)),
)
"""Standard texts for distributions that declare a licence but bring no text, by a word of it."""
_INSIDE = {"pyjpegls": ("CharLS, Copyright (c) Team CharLS", "BSD-3-Clause.txt")}
"""What is compiled into a distribution that does not say so: its notice, and its text."""


class LicenceError(Exception):
    """A file of unknown origin, or a component without a licence."""


@dataclass(frozen=True)
class Component:
    """Something with a version and a licence of its own.

    Parameters
    ----------
    licence
        As declared, in a few words.
    texts
        Licence texts and notices by file name.
    """

    name: str
    version: str
    licence: str
    texts: Mapping[str, str]


def owners(sources: Iterable[Path]) -> dict[Path, Component]:
    """Return which component every file belongs to.

    Raises
    ------
    LicenceError
        When a file belongs to none, or its component has no licence text.
    """
    known = {}
    for dist in distributions():
        root = Path(str(dist.locate_file(""))).resolve()
        # Joining texts: resolving tens of thousands of paths takes half a minute.
        known.update({os.path.normpath(f"{root}/{file}"): dist for file in dist.files or ()})
    found = {}
    for source in sources:
        path = source.resolve()
        if str(path) in known:
            found[source] = _component(known[str(path)].metadata["Name"])
        elif _is_python(path):
            found[source] = python_component()
        else:
            found[source] = _debian_component(_debian_package(path))
    return found


def component_of(dist: Distribution) -> Component:
    """Return an installed distribution with its licence texts.

    Raises
    ------
    LicenceError
        When it neither brings a text nor declares a licence whose text is known.
    """
    metadata = dist.metadata
    name, version, licence = metadata["Name"], dist.version, declared(dist)
    texts = {
        str(file).partition(".dist-info/")[2].replace("/", "-") or file.name: _read(dist, file)
        for file in dist.files or ()
        if _LICENCE_FILE.search(file.name) and file.suffix not in {".py", ".pyc", ".pyi"}
    }
    if not texts:
        author = metadata.get("Author") or metadata.get("Author-email") or f"authors of {name}"
        heading = f"{name} {version}\nLicence: {licence}\nCopyright (c) {author}\n\n"
        texts = {file: heading + (TEXTS / file).read_text() for file in _standard_texts(licence)}
    if not texts:
        raise LicenceError(f"{name} {version} has no licence text and declares {licence!r}")
    if name in _INSIDE:
        notice, file = _INSIDE[name]
        texts[f"inside-{file}"] = f"{notice}\n\n{(TEXTS / file).read_text()}"
    return Component(name, version, licence, texts)


def declared(dist: Distribution) -> str:
    """Return the licence that a distribution declares, in a few words."""
    metadata = dist.metadata
    # `get`: the backport of importlib.metadata, where it is loaded, raises for a missing field.
    named = metadata.get("License-Expression") or metadata.get("License") or ""
    if 0 < len(named) < 80 and "\n" not in named and named != "LICENSE":
        return str(named)
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or ()
        if text.startswith("License :: ")
    ]
    return "; ".join(classifiers) or "see its text"


def python_component() -> Component:
    """Return the Python that is bundled."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    text = (stdlib / "LICENSE.txt").read_text(encoding="utf-8")
    version = sysconfig.get_config_var("py_version")
    return Component("Python", str(version), "PSF-2.0", {"LICENSE.txt": text})


def write_licences(components: Iterable[Component], folder: Path) -> None:
    """Write every licence text, a folder a component, and a table of all of them."""
    rows = ["Component | version | licence | folder"]
    for one in sorted(set_of(components), key=lambda one: one.name.lower()):
        place = folder / re.sub(r"[^\w.+-]", "_", one.name)
        place.mkdir(parents=True, exist_ok=True)
        for name, text in one.texts.items():
            (place / name).write_text(text, encoding="utf-8")
        rows.append(f"{one.name} | {one.version} | {one.licence} | {place.name}/")
    (folder / "components.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")


def set_of(components: Iterable[Component]) -> list[Component]:
    """Return each component once."""
    return list({one.name: one for one in components}.values())


@cache
def _component(name: str) -> Component:
    return component_of(distribution(name))


def _read(dist: Distribution, file: object) -> str:
    return Path(str(dist.locate_file(str(file)))).read_text(encoding="utf-8", errors="replace")


def _standard_texts(licence: str) -> tuple[str, ...]:
    return next((files for word, files in _STANDARD if word in licence), ())


def _is_python(path: Path) -> bool:
    roots = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    inside = any(root in path.parents for root in roots) and "site-packages" not in path.parts
    return inside or path.name.startswith("libpython")


@cache
def _debian_package(path: Path) -> str:
    """Return the package that a system library belongs to."""
    packages = []
    if shutil.which("dpkg-query"):
        told = subprocess.run(
            ["dpkg-query", "-S", f"*/{path.name}"], check=False, capture_output=True, text=True
        )
        packages = sorted({line.partition(":")[0] for line in told.stdout.splitlines()})
    if not packages:
        raise LicenceError(f"{path} belongs to no distribution and no system package")
    return packages[0]


@cache
def _debian_component(package: str) -> Component:
    text = Path(f"/usr/share/doc/{package}/copyright")
    if not text.is_file():
        raise LicenceError(f"the system package {package} has no copyright file")
    told = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}\n", package],
        check=True,
        capture_output=True,
        text=True,
    )
    words = text.read_text(encoding="utf-8", errors="replace")
    texts = {"copyright.txt": words}
    for common in sorted({Path(place) for place in _COMMON_TEXT.findall(words)}):
        if common.is_file():
            texts[f"{common.name}.txt"] = common.read_text(encoding="utf-8", errors="replace")
    name, version = f"{package} (Debian)", told.stdout.split()[0]
    return Component(name, version, "see copyright.txt", texts)
