"""Objects that arrived from a peer: who they are, and the way to where they belong."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import cast
from uuid import uuid4

from pydicom import dcmread
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_STORE

from calcviewer.dicom.values import text, tolerant

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def is_uid(value: str) -> bool:
    """Whether a text is a UID (PS3.5 9.1); such a text is safe as the name of a file."""
    return len(value) <= 64 and _UID.fullmatch(value) is not None


def identity_of_file(path: Path) -> tuple[str, str]:
    """Return Study and SOP Instance UID of a DICOM file; empty where it has none or is damaged."""
    try:
        with tolerant():
            dataset = dcmread(
                path,
                stop_before_pixels=True,
                specific_tags=["StudyInstanceUID", "SOPInstanceUID"],
            )
            return text(dataset, "StudyInstanceUID"), text(dataset, "SOPInstanceUID")
    except Exception:  # arbitrary bytes make the parser fail in arbitrary ways
        return "", ""


def study_of_event(event: evt.Event) -> str | None:
    """Return the Study Instance UID of an object that came in.

    None where it cannot be stored: it is damaged, has no proper UID, or is another object than the
    message around it says.
    """
    study_uid, instance_uid = identity_of_file(event.dataset_path)
    announced = str(_request(event).AffectedSOPInstanceUID)
    if not is_uid(instance_uid) or instance_uid != announced:
        return None
    return study_uid


def place_event(event: evt.Event, folder: Path) -> Path:
    """Put an object that came in into a folder, whole or not at all, under its SOP Instance UID.

    Raises
    ------
    OSError
        When the folder cannot take it.
    """
    target = folder / f"{_request(event).AffectedSOPInstanceUID}.dcm"
    stage = folder / f".{uuid4().hex}.part"
    try:
        _close(event)  # open files cannot be moved on Windows
        shutil.move(event.dataset_path, stage)
        os.replace(stage, target)
    finally:
        stage.unlink(missing_ok=True)
        drop_event(event)
    return target


def drop_event(event: evt.Event) -> None:
    """Remove the file in which an object came in, where it still is."""
    with suppress(OSError):
        _close(event)
        event.dataset_path.unlink(missing_ok=True)


def _request(event: evt.Event) -> C_STORE:
    return cast(C_STORE, event.request)


def _close(event: evt.Event) -> None:
    file = _request(event)._dataset_file
    if file is not None:
        file.close()
