"""Which pullbacks lie at the paths that a cohort is made of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from calcviewer.app.labels_file import holds_labels
from calcviewer.core.atomic import system_reason
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.study import REVIEW_SUFFIX
from calcviewer.dicom.header import (
    FOR_PRESENTATION,
    FOR_PROCESSING,
    DicomHeader,
    is_dicom,
    read_dataset_of,
    read_header,
    sop_class_name,
    sop_class_of,
)
from calcviewer.modalities.ivoct.read_dicom import shows_pullback
from calcviewer.modalities.ivoct.read_files import (
    ARRAY_SUFFIXES,
    IMAGE_SUFFIXES,
    TIFF_SUFFIXES,
    natural_key,
    open_tiff,
)

_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Member:
    """A pullback of a cohort.

    Parameters
    ----------
    name
        Its name in the cohort: the folder of its results, and its rows in the tables.
    path
        What `read_pullback` opens, absolute.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class PassedOver:
    """A file in a searched folder that could be a pullback and is none, with the reason."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """What lies at the paths of a cohort; names may occur more than once."""

    members: tuple[Member, ...]
    passed_over: tuple[PassedOver, ...]


def find_pullbacks(paths: Sequence[Path], *, leave_out: Path) -> Found:
    """Find the pullbacks at some paths.

    A file is taken as it is, so that a damaged or missing one is reported and not forgotten.
    Folders are searched with all that lies below them, but for hidden ones: a folder of single
    frames is one pullback; every multi-frame DICOM image, multi-page TIFF and array is one, and so
    is a DICOM image whose header cannot be read. What a study holds For Processing and For
    Presentation is taken For Processing.

    Parameters
    ----------
    leave_out
        A folder that is not searched, absolute: the one of the results.

    Raises
    ------
    CalcViewerError
        When there is none.
    """
    members: dict[Path, Member] = {}
    passed_over: list[PassedOver] = []
    for given in (Path(os.path.abspath(path)) for path in paths):
        for one in _below(given, leave_out) if given.is_dir() else [given]:
            if isinstance(one, PassedOver):
                passed_over.append(one)
            else:
                name = _name(one, given, several=len(paths) > 1)
                members.setdefault(one.resolve(), Member(name, one))
    if not members:
        raise CalcViewerError(
            f"No pullback was found in {', '.join(map(str, paths))}.",
            "Give pullbacks, or folders that hold some; inspect says what a file is.",
        )
    return Found(tuple(members.values()), tuple(passed_over))


def _name(path: Path, given: Path, *, several: bool) -> str:
    """Return a name made of the folders from the given one on; a file's has at least one.

    The given folder itself is left out where it is the only one and others tell what is what.
    """
    above = given.parent if given.is_dir() else given.parent.parent
    parts = path.relative_to(above).parts
    if given.is_dir() and path != given and not several:
        parts = parts[1:] if len(parts) > 2 or path.is_dir() else parts
    words = [*parts[:-1], _stem(path)]
    return "-".join(words)[-_LONGEST_NAME:].lstrip("-. ") or "pullback"


def _stem(path: Path) -> str:
    known = _DICOM_SUFFIXES | IMAGE_SUFFIXES | TIFF_SUFFIXES | ARRAY_SUFFIXES
    return path.stem if path.suffix.lower() in known and not path.is_dir() else path.name


def _below(folder: Path, leave_out: Path) -> Iterator[Path | PassedOver]:
    """Yield the pullbacks of a folder and of all folders below it, and what is none."""
    refused: list[OSError] = []
    for name, folders, files in os.walk(folder, onerror=refused.append):
        here = Path(name)
        folders[:] = sorted(
            one for one in folders if not one.startswith(".") and here / one != leave_out
        )
        if here != leave_out:
            shown = [here / one for one in files if may_count(one)]
            readable = [path for path in shown if _opens(path, refused)]
            yield from _in_folder(here, sorted(readable, key=natural_key))
    for error in refused:
        yield PassedOver(Path(error.filename), f"{error.filename}: {system_reason(error)}.")


def _opens(path: Path, refused: list[OSError]) -> bool:
    """Whether a file can be read; a link may lead nowhere."""
    try:
        path.open("rb").close()
    except OSError as error:
        refused.append(error)
        return False
    return True


def may_count(name: str) -> bool:
    """Whether a file of this name may hold frames: not hidden, no review and no index."""
    return not (name.startswith(".") or REVIEW_SUFFIX in name or name.upper() == "DICOMDIR")


def _in_folder(folder: Path, files: Sequence[Path]) -> Iterator[Path | PassedOver]:
    """Yield what one folder holds: DICOM before image files before arrays, as the readers do."""
    instances = [path for path in files if is_dicom(path)]
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES | TIFF_SUFFIXES]
    taken = list(_dicom_pullbacks(folder, instances))
    yield from taken
    if any(isinstance(one, Path) for one in taken):
        return
    if images:
        yield from _image_pullbacks(folder, images)
        return
    for path in files:
        if path.suffix.lower() in ARRAY_SUFFIXES and not holds_labels(path):
            yield path


def _dicom_pullbacks(folder: Path, instances: Sequence[Path]) -> Iterator[Path | PassedOver]:
    looks = {path: _look(path) for path in instances}
    headers = [seen for seen in looks.values() if isinstance(seen, DicomHeader)]
    single = {one.path for one in headers if one.pixels.frame_count == 1}
    if len(single) > 1 and len(single) == len(headers) and None not in looks.values():
        yield folder
        return
    shown_again = _shown_again([one for one in headers if one.path not in single])
    for path, seen in looks.items():
        if path in single:
            yield PassedOver(path, f"{path} is a single frame.")
        elif path in shown_again:
            yield PassedOver(path, f"{path} shows what is there For Processing as well.")
        else:
            yield seen if isinstance(seen, PassedOver) else path


def _shown_again(headers: Sequence[DicomHeader]) -> set[Path]:
    """Return the images For Presentation of studies that have as many For Processing.

    Consoles store a pullback both ways; nothing in the files says which belong together.
    """
    shown: set[Path] = set()
    for study in {one.study_instance_uid for one in headers}:
        of = [one for one in headers if one.study_instance_uid == study]
        presented = {one.path for one in of if one.sop_class_uid == FOR_PRESENTATION}
        if len(presented) == sum(one.sop_class_uid == FOR_PROCESSING for one in of):
            shown |= presented
    return shown


def _look(path: Path) -> DicomHeader | PassedOver | None:
    """Return the header of an image that shows a pullback; None when it cannot be told."""
    try:
        header = read_header(path)
    except UnreadableInputError as error:
        return PassedOver(path, str(error)) if _is_no_image(path) else None
    if shows_pullback(header):
        return header
    return PassedOver(path, f"{path} holds modality {header.modality or '(none)'}.")


def _is_no_image(path: Path) -> bool:
    """Whether a DICOM file that is no readable image says that it is something else."""
    try:
        sop_class_uid = sop_class_of(read_dataset_of(path)[0])
    except UnreadableInputError:
        return False
    return bool(sop_class_uid) and "image storage" not in sop_class_name(sop_class_uid).lower()


def _image_pullbacks(folder: Path, images: Sequence[Path]) -> Iterator[Path | PassedOver]:
    if all(path.suffix.lower() in TIFF_SUFFIXES for path in images) and _has_pages(images[0]):
        yield from images
    elif len(images) > 1:
        yield folder
    else:
        yield PassedOver(images[0], f"{images[0]} is a single picture.")


def _has_pages(path: Path) -> bool:
    try:
        return open_tiff(path).count > 1
    except UnreadableInputError:
        return True  # so that it is reported as damaged
