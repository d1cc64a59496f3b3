"""Where the review of a pullback is kept, and what identifies its pullback."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import platformdirs

from calcviewer.core.pullback import CartesianLayout, Pullback
from calcviewer.core.study import REVIEW_SUFFIX

_FOLDER_NAME = "review"
_PART_BYTES = 1 << 20


def places(pullback: Pullback) -> tuple[Path, ...]:
    """Return where a review may lie, the preferred place first.

    In a folder of frames, or beside a file; then in the user's data folder, where reviews of
    read-only places, of the simulated demo and of pullbacks without a file are.
    """
    own = data_folder() / f"{source_identity(pullback)}{REVIEW_SUFFIX}"
    path = pullback.source.path.absolute()
    cache = Path(platformdirs.user_cache_dir("calcviewer"))
    if not path.exists() or path.is_relative_to(cache):
        return (own,)
    if path.is_dir():
        return path / f"{_FOLDER_NAME}{REVIEW_SUFFIX}", own
    return path.with_name(path.name + REVIEW_SUFFIX), own


def data_folder() -> Path:
    """Return the folder of the reviews that cannot be kept beside their pullback."""
    return Path(platformdirs.user_data_dir("calcviewer")) / "reviews"


def numbered(path: Path, number: int) -> Path:
    """Return the name of the review that takes the place of one that cannot be used, from 2."""
    stem = path.name.removesuffix(REVIEW_SUFFIX)
    return path if number == 1 else path.with_name(f"{stem}-{number}{REVIEW_SUFFIX}")


def lock_path(path: Path) -> Path:
    """Return the lock file of a review."""
    return path.with_name(path.name + "-lock")


def source_identity(pullback: Pullback) -> str:
    """Return a hash that tells a pullback from every other one, wherever its files lie.

    Of the SOP Instance UID (0008,0018) where there is one, else of sizes, first and last bytes of
    the files; and of the number and the layout of the frames.
    """
    layout = pullback.layout
    sides: tuple[int, ...]
    if isinstance(layout, CartesianLayout):
        sides = (layout.rows, layout.columns)
    else:
        sides = astuple(layout)
    content = hashlib.sha256(f"{type(layout).__name__} {sides} {pullback.frame_count}".encode())
    if pullback.source.sop_instance_uid:
        content.update(pullback.source.sop_instance_uid.encode())
    else:
        for part in _source_bytes(pullback):
            content.update(part)
    return content.hexdigest()[:32]


def _source_bytes(pullback: Pullback) -> Iterator[bytes]:
    path = pullback.source.path
    if path.is_dir():
        names = set(pullback.source.frame_names)
        files = [file for file in sorted(path.iterdir()) if {file.stem, file.name} & names]
    else:
        files = [path] if path.exists() else []
    yield pullback.name.encode() if not files else b""
    for file in files:
        yield str(file.stat().st_size).encode()
    for file in files[:1]:
        with file.open("rb") as stream:
            yield stream.read(_PART_BYTES)
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _PART_BYTES))
            yield stream.read(_PART_BYTES)
