"""Make the archive of the frozen folder: licences, menu entry, README, sizes.

Run by package.py with the Python of the environment the folder was frozen from:
``python finish.py WORK OUTPUT``.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution, version
from pathlib import Path

from licences import Component, LicenceError, component_of, owners, python_component, write_licences
from shared_libraries import asked_of_the_system

HERE = Path(__file__).parent
LARGEST_MB = 450
_MEGABYTE = 1e6
_GLIBC = {
    *("ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6"),
    *("libpthread.so.0", "libresolv.so.2", "librt.so.1"),
}
SYSTEM_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb.so.1": "libxcb1",
}
"""What the folder may ask of the system beside glibc, with its package in Debian."""


class PackagingError(Exception):
    """The folder cannot be handed out as it is."""


def main(work: Path, output: Path) -> int:
    """Finish what PyInstaller made in ``work``; writes the archive and the size report."""
    frozen = work / "dist" / "calcviewer"
    contents = json.loads((work / "work" / "calcviewer" / "contents.json").read_text())
    try:
        owner_of = traced(contents)
        components = [
            *owner_of.values(),
            python_component(),
            component_of(distribution("pyinstaller")),
        ]
        write_licences(components, frozen / "licences")
        if sys.platform == "linux":
            strip_python(frozen / "_internal", contents["files"], owner_of)
            add_linux_files(frozen)
        report = size_report(frozen, contents["files"], owner_of)
        archive = write_archive(frozen, output) if sys.platform == "linux" else frozen
    except (LicenceError, PackagingError) as error:
        print(f"Not packaged: {error}", file=sys.stderr)
        return 1
    report += f"{archive.stat().st_size / _MEGABYTE:8.1f} MB  {archive.name}\n"
    (output / "size-report.txt").write_text(report, encoding="utf-8")
    print(report)
    return 0


def traced(contents: Mapping[str, Mapping[str, str]]) -> dict[Path, Component]:
    """Return whose every file and module of the folder is, but what PyInstaller made itself."""
    sources = {Path(text) for part in contents.values() for text in part.values()}
    made = {path for path in sources if path.name == "base_library.zip"}
    return owners(path for path in sources - made if path.is_absolute())


def strip_python(
    folder: Path, files: Mapping[str, str], owner_of: Mapping[Path, Component]
) -> None:
    """Take the debugging symbols out of Python's libraries: 20 MB where Python was compiled here.

    Nothing else is touched: what comes in wheels is stripped already, or breaks when it is.
    """
    own = [
        folder / place
        for place, source in files.items()
        if ".so" in place and owner_of[Path(source)].name == "Python"
    ]
    subprocess.run(["strip", "--strip-debug", *own], check=True)


def add_linux_files(frozen: Path) -> None:
    """Add menu entry, icons, the script that installs them, and a README."""
    icons = HERE.parent / "resources" / "icons"
    for name, folder in (
        (HERE / "linux" / "calcviewer.desktop", frozen / "share" / "applications"),
        (icons / "calcviewer.svg", frozen / "share" / "icons"),
        (icons / "calcviewer.png", frozen / "share" / "icons"),
        (HERE / "linux" / "install.sh", frozen),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, folder)
    asked, glibc = asked_of_the_system(libraries(frozen))
    notice = (HERE / "linux" / "QT.txt").read_text(encoding="utf-8")
    words = (HERE / "linux" / "README.txt").read_text(encoding="utf-8")
    text = words.format(
        version=version("calcviewer"),
        glibc=".".join(map(str, glibc)),
        packages=" ".join(packages_for(asked)),
        qt="\n" + notice.format(version=version("PySide6-Essentials")),
    )
    (frozen / "README.txt").write_text(text, encoding="utf-8")


def packages_for(asked: Iterable[str]) -> list[str]:
    """Return the Debian packages of the libraries that the folder asks of the system.

    Raises
    ------
    PackagingError
        When it asks for one that no list names: it belongs into the folder, or into the list.
    """
    beside = set(asked) - _GLIBC
    if unknown := beside - SYSTEM_PACKAGES.keys():
        raise PackagingError(f"the folder asks the system for {', '.join(sorted(unknown))}")
    return sorted(SYSTEM_PACKAGES[name] for name in beside)


def libraries(folder: Path) -> list[Path]:
    """Return the program and the shared libraries of a folder."""
    return [
        path
        for path in folder.rglob("*")
        if path.suffix == ".so" or ".so." in path.name or path == folder / "calcviewer"
    ]


def size_report(frozen: Path, files: Mapping[str, str], owner_of: Mapping[Path, Component]) -> str:
    """Return the size on disk of every component, the largest first, and the sum.

    Raises
    ------
    PackagingError
        When the folder is larger than ``LARGEST_MB``.
    """
    sizes: Counter[str] = Counter()
    for path in frozen.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        place = path.relative_to(frozen).as_posix().removeprefix("_internal/")
        sizes[_named(place, files, owner_of)] += path.stat().st_size
    total = sum(sizes.values())
    rows = [f"{size / _MEGABYTE:8.1f} MB  {name}" for name, size in sizes.most_common()]
    text = "\n".join(rows) + f"\n{total / _MEGABYTE:8.1f} MB  in all, of {LARGEST_MB} MB\n"
    if total > LARGEST_MB * _MEGABYTE:
        raise PackagingError(f"it is too large:\n{text}")
    return text


def _named(place: str, files: Mapping[str, str], owner_of: Mapping[Path, Component]) -> str:
    source = Path(files.get(place, ""))
    if source in owner_of:
        name = owner_of[source].name
        return "system libraries" if name.endswith("(Debian)") else name
    if place.split("/")[0] == "licences":
        return "licences"
    if place in {"calcviewer", "calcviewer.exe", "base_library.zip"}:
        return "Python modules, compressed"
    return "metadata, menu entry, README"


def write_archive(frozen: Path, output: Path) -> Path:
    """Write the folder as ``calcviewer-VERSION-linux-MACHINE.tar.gz``, owned by root."""
    name = f"calcviewer-{version('calcviewer')}-linux-{platform.machine()}"
    target = output / f"{name}.tar.gz"
    partial = target.with_suffix(".partial")

    def owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    with tarfile.open(partial, "w:gz", compresslevel=6) as archive:
        archive.add(frozen, arcname=name, filter=owned)
    partial.replace(target)
    return target


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
