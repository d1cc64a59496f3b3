"""The command line: one verb each; parsing and printing only, no logic."""

from calcviewer.cli import analysis, cohort, exchange, inspect, machine, pacs, reviews
from calcviewer.cli.output import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Add every verb but those of training."""
    for group in (analysis, cohort, inspect, machine, exchange, reviews, pacs):
        group.add_verbs(verbs)
