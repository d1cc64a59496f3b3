"""Objects while they arrive from a peer: in hidden files beside the place where they belong."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA

from calcviewer.dicom.network.quiet import cut

_PREFIX, _SUFFIX = ".arriving-", ".part"


def arrive_in(
    association: Association, folder: Path, *, on_fault: Callable[[OSError], None]
) -> None:
    """Have the objects of an association written to a folder while they arrive.

    The library writes to the system's temporary folder. That is often too small for a pullback; a
    full one would end the library's thread and leave connection and file behind.

    Parameters
    ----------
    on_fault
        Called in a thread of the library when an object cannot be written; the connection ends
        then.
    """
    provider: Any = association.dimse
    take: Callable[[P_DATA], None] = provider.receive_primitive
    failed = threading.Event()

    def receive(primitive: P_DATA) -> None:
        if failed.is_set():  # what was on its way when the connection was cut
            return
        try:
            take(primitive)
            _move_to(folder, provider.message)
        except OSError as error:
            failed.set()
            on_fault(error)
            discard_partial(association)
            cut(association)

    provider.receive_primitive = receive


def _move_to(folder: Path, message: Any) -> None:  # noqa: ANN401 - what is changed is private
    """Go on in a folder with an object whose first bytes came in."""
    begun = None if message is None else message._data_set_file
    if begun is None or Path(begun.name).parent == folder:
        return
    begun.close()
    here = NamedTemporaryFile(dir=folder, prefix=_PREFIX, suffix=_SUFFIX, delete=False)
    message._data_set_file, message._data_set_path = here, Path(here.name)
    with open(begun.name, "rb") as source:
        shutil.copyfileobj(source, here)
    Path(begun.name).unlink()


def discard_partial(association: Association) -> None:
    """Remove the part of an object whose transfer broke off; the library leaves it behind."""
    message = association.dimse.message
    begun = None if message is None else message._data_set_file
    if begun is not None:
        with suppress(OSError):
            begun.close()
        with suppress(OSError):
            Path(begun.name).unlink(missing_ok=True)


def discard_stale(folder: Path) -> None:
    """Remove what a program that was killed left of objects that were arriving in a folder."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):
            path.unlink()
