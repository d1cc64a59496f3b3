"""Files that are either written whole or not at all.

What a killed process leaves half-written has a hidden name beside its target, and goes when the
same target is written to at least a day later: no write lasts as long.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from calcviewer.core.errors import CalcViewerError

_STAGE = ".calcviewer-"
_HEX = "[0-9a-f]" * 8
_DAY_S = 86400.0


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder whose files move to ``target`` when the block ends without error.

    Files of the same name are replaced, others in ``target`` stay. After an error, ``target`` is
    as it was before.

    Raises
    ------
    CalcViewerError
        When ``target`` cannot be written to.
    """
    existed = target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        _discard_left_behind(target.glob(f"{_STAGE}*"))
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=target))
        older = stage.with_name(f"{stage.name}-older")
    except OSError as error:
        raise CalcViewerError(
            f"Cannot write to {target}: {error.strerror}.", "Choose another folder with -o."
        ) from error
    try:
        yield stage
        _move_all(stage, target, older)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        shutil.rmtree(older, ignore_errors=True)
        if not existed and not any(target.iterdir()):
            target.rmdir()


def system_reason(error: OSError) -> str:
    """Return why the system refused something, however often the error was wrapped since."""
    first: BaseException | None = error
    while isinstance(first, OSError) and not first.strerror:
        first = first.__cause__
    known = first.strerror if isinstance(first, OSError) else None
    return known or str(error).splitlines()[0]


def _move_all(stage: Path, target: Path, older: Path) -> None:
    """Move every file to its place; where one cannot be moved, all are as they were before.

    On Windows a file that another program has open can be neither replaced nor moved.
    """
    moved: list[Path] = []
    try:
        for source in sorted(path for path in stage.rglob("*") if path.is_file()):
            name = source.relative_to(stage)
            place, kept = target / name, older / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_file():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(place, kept)
            os.replace(source, place)
            moved.append(name)
    except OSError:
        for name in moved:
            with suppress(OSError):
                if (older / name).is_file():
                    os.replace(older / name, target / name)
                else:
                    (target / name).unlink()
        raise


@contextmanager
def staged_file(target: Path) -> Iterator[Path]:
    """Yield a new, empty file beside ``target`` that takes its place when the block succeeds.

    Its name ends like the target's. It is on the disk before it takes the target's place: what the
    block reads back is what people get. After an error, and when the block is left early,
    ``target`` is as it was before.

    Raises
    ------
    CalcViewerError
        When the file cannot be written.
    """
    stage = target.with_name(f".{target.stem}-{uuid4().hex[:8]}{target.suffix}")
    try:
        left_behind = f".{glob.escape(target.stem)}-{_HEX}{glob.escape(target.suffix)}"
        _discard_left_behind(target.parent.glob(left_behind))
        stage.touch(exist_ok=False)
        yield stage
        with stage.open("rb+") as written:  # Windows syncs only what may be written to
            os.fsync(written.fileno())
        os.replace(stage, target)
    except OSError as error:
        raise CalcViewerError(
            f"{target} could not be written: {system_reason(error)}.",
            "Choose another folder, or make room on the disk, and try again.",
        ) from error
    finally:
        with suppress(OSError):
            stage.unlink(missing_ok=True)


def _discard_left_behind(paths: Iterable[Path]) -> None:
    """Remove those files and folders in which nothing was changed for a day."""
    for path in paths:
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime < _DAY_S:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
