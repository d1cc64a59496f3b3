"""What others send to this computer: where it is kept, and from whom it is taken."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from calcviewer.app.pacs.peers import load_peers
from calcviewer.dicom.network.peer import QUOTA_BYTES, DimsePeer

__all__ = ["QUOTA_BYTES", "inbox_folder", "known_senders"]


def inbox_folder() -> Path:
    """Return the folder of what was received; it may not exist yet."""
    return Path(platformdirs.user_data_dir("calcviewer")) / "inbox"


def known_senders() -> tuple[str, ...]:
    """Return the AE titles of the peers: who may send unless the operator says otherwise."""
    peers, _ = load_peers()
    return tuple(dict.fromkeys(one.ae_title for one in peers if isinstance(one, DimsePeer)))
