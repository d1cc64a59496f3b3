"""The command line: one verb each; parsing and printing only, no logic."""

from calcviewer.cli import analysis, exchange, machine, reviews
from calcviewer.cli.output import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Add every verb but those of training."""
    for group in (analysis, machine, exchange, reviews):
        group.add_verbs(verbs)
