"""Start the window or a command; no logic."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Container, Sequence
from pathlib import Path

from calcviewer import __version__, cli
from calcviewer.app.crash_file import catching_crashes
from calcviewer.app.display import has_display
from calcviewer.app.failures import report_failure
from calcviewer.cli.analysis import simulate_demo
from calcviewer.cli.stopping import stopped_in_order
from calcviewer.core.scratch import discard_stale_scratch
from calcviewer.training import commands as training_commands

_NOTICE = "Research use only. Not for diagnostic use."


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line, one verb each."""
    return _parser_and_verbs()[0]


def _parser_and_verbs() -> tuple[argparse.ArgumentParser, Container[str]]:
    """Return the parser, and the names of its verbs."""
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
    return parser, verbs.choices


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window or run one command.

    Returns
    -------
    0 when it succeeded, 1 when it failed (with a one-line reason on standard error), 2 for bad
    usage.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser, verbs = _parser_and_verbs()
    # A folder may be called like a verb, as `models` is in a clone: that is `./models` then.
    path = Path(arguments[0]) if len(arguments) == 1 and arguments[0] not in verbs else None
    shows_window = not arguments or (path is not None and path.exists())
    args = argparse.Namespace() if shows_window else parser.parse_args(arguments)
    discard_stale_scratch()
    with catching_crashes():
        return _open_window(parser, path) if shows_window else _run_command(parser, args)


def _run_command(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    """Run one command; its failure is one line on standard error."""
    try:
        with stopped_in_order():
            if args.command != "demo" or args.headless or not has_display():
                return int(args.run(args))
            pullback = simulate_demo(args)
        return _open_window(parser, pullback)
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
    try:
        from calcviewer.gui.app import run_window  # Qt is loaded only when it is shown
    except ImportError as error:
        if "cannot open shared object file" not in str(error):
            raise
        library = str(error).partition(":")[0]
        print(
            f"calcviewer: the window needs {library}, which this system lacks. "
            "Install the libraries that the README names; commands work without them.",
            file=sys.stderr,
        )
        return 1
    return run_window(path)


if __name__ == "__main__":
    sys.exit(main())
