"""What verbs print: JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Verbs = Any  # argparse names the type of add_subparsers only privately


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error while the block runs; yields its update (done, wanted)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(title, total=None)
        yield lambda done, wanted: bars.update(bar, completed=done, total=wanted)


def print_json(document: object) -> None:
    """Print a document as JSON on standard output."""
    json.dump(document, sys.stdout, indent=2, allow_nan=False)
    print()
