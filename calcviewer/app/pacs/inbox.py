"""What others send to this computer: where it is kept, how much of it, and from whom."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from calcviewer.app.pacs.peers import load_peers
from calcviewer.dicom.network.peer import DimsePeer

QUOTA_BYTES = 20 * 10**9
"""What the inbox may hold unless the operator says otherwise."""


def inbox_folder() -> Path:
    """Return the folder of what was received; it may not exist yet."""
    return Path(platformdirs.user_data_dir("calcviewer")) / "inbox"


def inbox_bytes(folder: Path) -> int:
    """Return what the inbox holds, as the receiver counts it against its quota."""
    return sum(path.stat().st_size for path in folder.glob("*.dcm"))


def known_senders() -> tuple[str, ...]:
    """Return the AE titles of the peers: who may send unless the operator says otherwise."""
    peers, _ = load_peers()
    return tuple(dict.fromkeys(one.ae_title for one in peers if isinstance(one, DimsePeer)))
