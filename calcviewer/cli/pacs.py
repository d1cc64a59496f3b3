"""Archives of the hospital: peers, echo, query, retrieve, send, receive."""

from __future__ import annotations

import argparse
import datetime
import getpass
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from calcviewer.app.pacs.files import dicom_files
from calcviewer.app.pacs.inbox import inbox_folder, known_senders
from calcviewer.app.pacs.peers import load_peers, peer_named, remove_peer, save_peer
from calcviewer.app.pacs.secrets import SECRET_VARIABLE, keep_secret, secret_of
from calcviewer.cli.output import Verbs, print_json, progress_bar
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import (
    LOOPBACK,
    OWN_AE_TITLE,
    QUOTA_BYTES,
    RECEIVER_PORT,
    DimsePeer,
    Peer,
    Timeouts,
    TlsFiles,
    WebPeer,
)
from calcviewer.dicom.network.query import SeriesRecord, StudyQuery, StudyRecord, Transfer

_GB = 10**9
_PAUSE_S = 0.5


def add_verbs(verbs: Verbs) -> None:
    """Add the verb whose own verbs talk to archives."""
    parser = verbs.add_parser(
        "pacs", help="query archives, retrieve from and send to them (DICOM, DICOMweb)"
    )
    own = parser.add_subparsers(title="commands", metavar="COMMAND", dest="verb", required=True)
    for add in (_add_peers, _add_add, _add_remove, _add_echo, _add_query, _add_retrieve):
        add(own)
    for add in (_add_send, _add_receive):
        add(own)


def _add_peers(verbs: Verbs) -> None:
    parser = verbs.add_parser("peers", help="list the archives that were added")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_run_peers)


def _add_add(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "add",
        help="add an archive, or change one",
        description="Add an archive: by --aet, --host and --port, or by --url.",
    )
    parser.add_argument("name", metavar="NAME", help="what you call it")
    dicom = parser.add_argument_group("an archive that speaks DICOM")
    dicom.add_argument("--aet", metavar="TITLE", help="its AE title")
    dicom.add_argument("--host", help="its name or address")
    dicom.add_argument("--port", type=int, default=104, help="default: %(default)s")
    dicom.add_argument(
        "--own-aet", default=OWN_AE_TITLE, metavar="TITLE", help="ours; default: %(default)s"
    )
    dicom.add_argument("--tls", action="store_true", help="encrypted")
    dicom.add_argument("--certificate", default="", metavar="PEM", help="ours, where it is wanted")
    dicom.add_argument("--key", default="", metavar="PEM", help="of our certificate")
    web = parser.add_argument_group("an archive that speaks DICOMweb")
    web.add_argument("--url", help="such as https://archive.example/dicom-web")
    web.add_argument("--user", default="", help="where it asks for one")
    parser.add_argument("--ca-file", default="", metavar="PEM", help="what vouches for the archive")
    parser.add_argument(
        "--connect-timeout",
        type=float,
        default=5.0,
        metavar="S",
        help="seconds to wait for a connection",
    )
    parser.add_argument(
        "--answer-timeout",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds to wait for an answer",
    )
    parser.add_argument(
        "--secret",
        action="store_true",
        help="ask for the password (of the user, or of the key) and keep it in the keyring; "
        f"for one run it can be given in {SECRET_VARIABLE}",
    )
    parser.set_defaults(run=_run_add)


def _add_remove(verbs: Verbs) -> None:
    parser = verbs.add_parser("remove", help="forget an archive and its secret")
    parser.add_argument("name", metavar="NAME", help="of the archive, as it was added")
    parser.set_defaults(run=_run_remove)


def _add_echo(verbs: Verbs) -> None:
    parser = verbs.add_parser("echo", help="ask whether an archive is there and takes us")
    parser.add_argument("name", metavar="NAME", help="of the archive, as it was added")
    parser.set_defaults(run=_run_echo)


def _add_query(verbs: Verbs) -> None:
    parser = verbs.add_parser("query", help="list studies, or with --study the series of one")
    parser.add_argument("name", metavar="NAME", help="of the archive, as it was added")
    parser.add_argument("--patient-name", default="", metavar="TEXT", help="its beginning; or * ?")
    parser.add_argument("--patient-id", default="", metavar="TEXT", help="its number")
    parser.add_argument(
        "--from", dest="first", type=day, metavar="YYYY-MM-DD", help="first day of the study"
    )
    parser.add_argument(
        "--to", dest="last", type=day, metavar="YYYY-MM-DD", help="last day of the study"
    )
    parser.add_argument("--modality", default="", metavar="TEXT", help="such as IVOCT")
    parser.add_argument("--study", metavar="UID", help="list its series")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_run_query)


def _add_retrieve(verbs: Verbs) -> None:
    parser = verbs.add_parser("retrieve", help="fetch a study, or one series of it")
    parser.add_argument("name", metavar="NAME", help="of the archive, as it was added")
    parser.add_argument("study", metavar="STUDY", help="Study Instance UID, see query")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the files"
    )
    parser.add_argument("--series", metavar="UID", help="only this series")
    parser.add_argument(
        "--receive-on",
        type=address,
        metavar="[HOST:]PORT",
        help="for archives that do not hand over (C-GET) but send (C-MOVE): where they reach us",
    )
    parser.add_argument("--json", action="store_true", help="print the files as JSON")
    parser.set_defaults(run=_run_retrieve)


def _add_send(verbs: Verbs) -> None:
    parser = verbs.add_parser("send", help="send DICOM files as they are")
    parser.add_argument("name", metavar="NAME", help="of the archive, as it was added")
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="files or folders")
    parser.set_defaults(run=_run_send)


def _add_receive(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "receive", help="take what archives send, until it is stopped (Ctrl+C)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="default: the inbox")
    parser.add_argument(
        "--allow",
        action="append",
        metavar="TITLE",
        help="AE title that may send; once for each; default: those of the peers",
    )
    parser.add_argument("--aet", default=OWN_AE_TITLE, metavar="TITLE", help="ours")
    parser.add_argument(
        "--listen",
        type=address,
        default=(LOOPBACK, RECEIVER_PORT),
        metavar="[HOST:]PORT",
        help=f"default: {LOOPBACK}:{RECEIVER_PORT}, which only this machine reaches",
    )
    parser.add_argument(
        "--quota-gb", type=float, default=QUOTA_BYTES / _GB, metavar="GB", help="room it may take"
    )
    parser.set_defaults(run=_run_receive)


def day(text: str) -> datetime.date:
    """Parse a date for argparse."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2025-03-31") from None


def address(text: str) -> tuple[str, int]:
    """Parse ``[HOST:]PORT`` for argparse; without a host it is the loopback."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not [HOST:]PORT")
    return host.strip("[]") or LOOPBACK, int(port)


def _run_peers(args: argparse.Namespace) -> int:
    peers, note = load_peers()
    if args.json:
        print_json([asdict(peer) for peer in peers])
    else:
        _print_table([(peer.name, peer.place) for peer in peers])
    if note:
        print(f"calcviewer: {note}", file=sys.stderr)
    return 0


def _run_add(args: argparse.Namespace) -> int:
    peer = _peer(args)
    if args.secret and not peer.takes_secret:
        raise CalcViewerError(
            "This peer needs no secret.", "Give --user, or a --certificate with its --key."
        )
    if args.secret:
        asked = sys.stdin.isatty()
        typed = getpass.getpass("Secret: ") if asked else sys.stdin.readline().rstrip("\r\n")
        keep_secret(peer, typed)
    save_peer(peer)
    print(f"{peer.name}: {peer.place}")
    return 0


def _peer(args: argparse.Namespace) -> Peer:
    timeouts = Timeouts(connect_s=args.connect_timeout, answer_s=args.answer_timeout)
    if args.url and not (args.aet or args.host):
        return WebPeer(
            name=args.name, url=args.url, user=args.user, ca_file=args.ca_file, timeouts=timeouts
        )
    if args.url or not (args.aet and args.host):
        raise CalcViewerError(
            "A peer is either a DICOM or a DICOMweb service.",
            "Give --aet, --host and --port, or --url.",
        )
    tls = None
    if args.tls or args.ca_file or args.certificate:
        tls = TlsFiles(ca_file=args.ca_file, certificate=args.certificate, key=args.key)
    return DimsePeer(
        name=args.name,
        ae_title=args.aet,
        host=args.host,
        port=args.port,
        calling_ae_title=args.own_aet,
        tls=tls,
        timeouts=timeouts,
    )


def _run_remove(args: argparse.Namespace) -> int:
    remove_peer(args.name)
    return 0


def _run_echo(args: argparse.Namespace) -> int:
    from calcviewer.dicom.network import archive  # the network libraries take long to load

    peer, began = peer_named(args.name), time.monotonic()
    archive.echo(peer, secret=secret_of(peer))
    print(f"{peer.place} answered in {(time.monotonic() - began) * 1000:.0f} ms.")
    return 0


def _run_query(args: argparse.Namespace) -> int:
    from calcviewer.dicom.network import archive

    peer = peer_named(args.name)
    if args.study:
        _print_series(archive.find_series(peer, args.study, secret=secret_of(peer)), args.json)
        return 0
    query = StudyQuery(
        patient_name=args.patient_name,
        patient_id=args.patient_id,
        first_date=args.first,
        last_date=args.last,
        modality=args.modality,
    )
    _print_studies(archive.find_studies(peer, query, secret=secret_of(peer)), args.json)
    return 0


def _run_retrieve(args: argparse.Namespace) -> int:
    from calcviewer.dicom.network import archive
    from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions

    peer = peer_named(args.name)
    receiver = None
    if args.receive_on:
        if not isinstance(peer, DimsePeer):
            raise CalcViewerError(
                f"{peer.name} hands over what it is asked for.", "Leave --receive-on out."
            )
        host, port = args.receive_on
        options = ReceiverOptions(
            folder=inbox_folder(),
            allowed=(peer.ae_title,),
            ae_title=peer.calling_ae_title,
            host=host,
            port=port,
        )
        receiver = Receiver(options)
    with receiver or nullcontext():
        transfers = archive.retrieve(
            peer,
            args.study,
            args.output,
            series_uid=args.series,
            secret=secret_of(peer),
            receiver=receiver,
        )
        paths = _followed("Retrieving", transfers)
    if args.json:
        print_json([str(path.resolve()) for path in paths])
    else:
        for path in paths:
            print(path.resolve())
    return 0


def _run_send(args: argparse.Namespace) -> int:
    from calcviewer.dicom.network import archive

    peer = peer_named(args.name)
    transfers = archive.send(peer, dicom_files(args.paths), secret=secret_of(peer))
    sent = _followed("Sending", transfers)
    print(f"{len(sent)} sent to {peer.name}.")
    return 0


def _run_receive(args: argparse.Namespace) -> int:
    from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions

    host, port = args.listen
    options = ReceiverOptions(
        folder=args.output or inbox_folder(),
        allowed=tuple(args.allow or known_senders()),
        ae_title=args.aet,
        host=host,
        port=port,
        quota_bytes=int(args.quota_gb * _GB),
    )
    try:
        with Receiver(options, on_stored=lambda path: print(path.resolve(), flush=True)):
            print(f"{options.ae_title} listens on {host}:{port}; Ctrl+C stops it.", file=sys.stderr)
            while True:
                time.sleep(_PAUSE_S)
    except KeyboardInterrupt:
        return 0


def _followed(title: str, transfers: Iterable[Transfer]) -> list[Path]:
    """Show a transfer on a bar until it is complete; returns its files."""
    paths = []
    with progress_bar(title) as update:
        for one in transfers:
            if one.path is not None:
                paths.append(one.path)
            if one.total:
                update(one.done, one.total)
    return paths


def _print_studies(studies: Iterable[StudyRecord], as_json: bool) -> None:
    if as_json:
        print_json([_plain(asdict(one)) for one in studies])
        return
    _print_table(
        (
            one.date,
            one.patient_id,
            one.patient_name,
            "/".join(one.modalities),
            one.instance_count,
            one.study_uid,
            one.description,
        )
        for one in studies
    )


def _print_series(series: Iterable[SeriesRecord], as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in series])
        return
    _print_table(
        (one.number, one.modality, one.instance_count, one.series_uid, one.description)
        for one in series
    )


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Return values with dates and times as JSON has them."""
    return {
        name: value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
        for name, value in values.items()
    }


def _print_table(rows: Iterable[Iterable[object]]) -> None:
    for row in rows:
        print("\t".join("" if value is None else _printable(str(value)) for value in row))


def _printable(text: str) -> str:
    """Return a text of an archive without what a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in text)
