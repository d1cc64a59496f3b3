"""Build everything that is handed out: ``python packaging/package.py [--output dist]``.

Source archive and wheel, and from the wheel, in an environment with nothing but its runtime
dependencies, the program in one folder with its own Python.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "package"
CONSTRAINTS = ROOT / "constraints.txt"


def main() -> int:
    """Build; returns 0, or 1 when a step failed, which has said why."""
    parser = argparse.ArgumentParser(description="Build source archive, wheel and program.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR")
    output = parser.parse_args().output.resolve()
    try:
        python = clean_environment(WORK / "venv")
        wheel = build_wheel(python, output)
        build_folder(python, wheel)
        run(python, ROOT / "packaging" / "finish.py", WORK, output)
    except subprocess.CalledProcessError as error:
        print(f"failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return 0


def clean_environment(folder: Path) -> Path:
    """Make an empty virtual environment; returns its Python."""
    say(f"A clean environment in {folder}")
    venv.create(folder, clear=True, with_pip=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def build_wheel(python: Path, output: Path) -> Path:
    """Build the source archive, and from it the wheel; returns the wheel."""
    say("Source archive and wheel")
    install(python, "build")
    # What an earlier build in the tree left behind would get into the wheel.
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    fresh = WORK / "wheel"
    shutil.rmtree(fresh, ignore_errors=True)
    run(python, "-m", "build", "--outdir", fresh, ROOT, log=WORK / "build.log")
    output.mkdir(parents=True, exist_ok=True)
    for made in fresh.iterdir():
        shutil.copy2(made, output)
        say(f"  {output / made.name}")
    (wheel,) = fresh.glob("*.whl")
    return wheel


def build_folder(python: Path, wheel: Path) -> None:
    """Install the wheel and freeze it; the folder is ``build/package/dist/calcviewer``."""
    say("Runtime dependencies")
    install(python, f"{wheel}[package]")
    say("The program in one folder")
    places = ("--distpath", WORK / "dist", "--workpath", WORK / "work")
    spec = ROOT / "packaging" / "calcviewer.spec"
    run(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *places, spec)


def install(python: Path, what: str) -> None:
    """Install something with the versions of ``constraints.txt``."""
    run(
        python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", CONSTRAINTS, what
    )


def run(python: Path, *arguments: str | Path, log: Path | None = None) -> None:
    """Run Python away from the tree, which must not be found before what is installed.

    Parameters
    ----------
    log
        Where what it says goes; None: to the terminal.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    command = [python, *arguments]
    if log is None:
        subprocess.run(command, check=True, cwd=WORK)
        return
    with log.open("w", encoding="utf-8") as stream:
        subprocess.run(command, check=True, cwd=WORK, stdout=stream)


def say(text: str) -> None:
    """Say what is being done."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
