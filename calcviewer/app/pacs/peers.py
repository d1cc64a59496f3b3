"""The archives an operator works with, by name: one small file, and no secret in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import platformdirs

from calcviewer.app.pacs.secrets import forget_secret, keep_secret, secret_of
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed, record
from calcviewer.dicom.network.peer import DimsePeer, Peer, WebPeer

__all__ = [
    "forget_secret",
    "keep_secret",
    "load_peers",
    "peer_named",
    "peers_path",
    "remove_peer",
    "save_peer",
    "secret_of",
]

_KINDS: dict[str, type[Peer]] = {"dicom": DimsePeer, "dicomweb": WebPeer}


def peers_path() -> Path:
    """Return where the peers are kept."""
    return Path(platformdirs.user_config_dir("calcviewer")) / "pacs.json"


def load_peers() -> tuple[tuple[Peer, ...], str]:
    """Read the peers.

    Returns
    -------
    The peers in the order they were added, and what is to be told about them: which could not be
    read, else empty.
    """
    path = peers_path()
    try:
        stored = parsed(path.read_text(encoding="utf-8"))
        entries = stored["peers"]
    except FileNotFoundError:
        return (), ""
    except (OSError, ValueError, KeyError, TypeError):
        return (), f"{path} cannot be read; move it away and enter the peers again."
    read = [_peer(entry) for entry in entries] if isinstance(entries, list) else [None]
    peers = tuple(peer for peer in read if peer is not None)
    wrong = len(read) - len(peers)
    return peers, f"{path}: {wrong} of {len(read)} peers cannot be used." if wrong else ""


def peer_named(name: str) -> Peer:
    """Return the peer of a name.

    Raises
    ------
    CalcViewerError
        When there is none.
    """
    peers, note = load_peers()
    for peer in peers:
        if peer.name == name:
            return peer
    known = ", ".join(peer.name for peer in peers)
    hint = f"Known are: {known}." if known else "Add it with `calcviewer pacs add`."
    raise CalcViewerError(f"There is no peer {name!r}.", f"{hint} {note}".strip())


def save_peer(peer: Peer, *, replaces: str = "") -> None:
    """Keep a peer; one of the same name, and the one it ``replaces``, make place for it.

    A secret is kept under the name of its peer, so that of a renamed one has to be entered again.

    Raises
    ------
    CalcViewerError
        When the file cannot be written, or holds what would be lost.
    """
    peers = list(_kept())
    names = [one.name for one in peers]
    gone = {peer.name, replaces}
    at = min((names.index(name) for name in gone if name in names), default=len(peers))
    others = [one for one in peers if one.name not in gone]
    _write([*others[:at], peer, *others[at:]])


def remove_peer(name: str) -> None:
    """Forget a peer and its secret.

    Raises
    ------
    CalcViewerError
        When there is none of this name, or the file cannot be written.
    """
    peer = peer_named(name)
    forget_secret(peer)
    _write([one for one in _kept() if one.name != name])


def _kept() -> tuple[Peer, ...]:
    peers, note = load_peers()
    if note:
        raise CalcViewerError(note, "Nothing was changed, so that nothing in it is lost.")
    return peers


def _write(peers: list[Peer]) -> None:
    path = peers_path()
    kinds = {kind: name for name, kind in _KINDS.items()}
    document = {"peers": [{"kind": kinds[type(one)], **asdict(one)} for one in peers]}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CalcViewerError(
            f"{path.parent} cannot be made ({error.strerror}).", "Check the folder's rights."
        ) from error
    with staged_file(path) as stage:
        stage.write_text(json.dumps(document, indent=2), encoding="utf-8")


def _peer(entry: object) -> Peer | None:
    """Return a peer as it was stored; None when it was changed into something that is none."""
    if not isinstance(entry, dict):
        return None
    values = dict(entry)
    kind = _KINDS.get(str(values.pop("kind", "")))
    try:
        return None if kind is None else record(kind, values)
    except (ValueError, CalcViewerError):
        return None
