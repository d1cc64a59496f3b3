"""Start the window or a command; no logic."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from calcviewer import __version__, cli
from calcviewer.app.display import has_display
from calcviewer.app.failures import report_failure
from calcviewer.cli.analysis import simulate_demo
from calcviewer.training import commands as training_commands

_NOTICE = "Research use only. Not for diagnostic use."


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line, one verb each."""
    parser = argparse.ArgumentParser(
        prog="calcviewer",
        description="Coronary calcium in intravascular OCT: segment, measure, score, report. "
        "Without a command, or with nothing but a PATH, the window opens.",
        epilog=_NOTICE,
    )
    parser.add_argument("--version", action="version", version=f"calcviewer {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    cli.add_verbs(verbs)
    training_commands.add_verbs(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window or run one command.

    Returns
    -------
    0 when it succeeded, 1 when it failed (with a one-line reason on standard error), 2 for bad
    usage.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser()
    path = Path(arguments[0]) if len(arguments) == 1 else None
    if not arguments or (path is not None and path.exists()):
        return _open_window(parser, path)
    args = parser.parse_args(arguments)
    try:
        if args.command == "demo" and has_display() and not args.headless:
            return _open_window(parser, simulate_demo(args))
        return int(args.run(args))
    except KeyboardInterrupt:
        print("calcviewer: stopped; nothing half-written was left.", file=sys.stderr)
        return 1
    except Exception as error:
        print(f"calcviewer: {report_failure(error)}", file=sys.stderr)
        return 1


def _open_window(parser: argparse.ArgumentParser, path: Path | None) -> int:
    """Open the window, or say why it cannot be and what there is instead."""
    if not has_display():
        print("calcviewer: there is no display for the window.", file=sys.stderr)
        parser.print_help()
        return 1
    from calcviewer.gui.app import run_window  # Qt is loaded only when it is shown

    return run_window(path)


if __name__ == "__main__":
    sys.exit(main())
