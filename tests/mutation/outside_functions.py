"""Leaves to cosmic-ray what mutmut does not change: constants, classes, decorated functions."""

from __future__ import annotations

import ast
import sys
from argparse import Namespace
from functools import cache
from pathlib import Path

from cosmic_ray.tools.filters.filter_app import FilterApp
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import WorkerOutcome, WorkResult


class OutsideFunctions(FilterApp):
    """Skips the mutations inside functions and methods without a decorator."""

    def filter(self, work_db: WorkDB, _: Namespace) -> None:
        """Mark them as skipped."""
        for item in list(work_db.pending_work_items):
            (mutation,) = item.mutations
            if mutation.start_pos[0] in _lines_of_functions(mutation.module_path):
                work_db.set_result(
                    item.job_id,
                    WorkResult(output="changed by mutmut", worker_outcome=WorkerOutcome.SKIPPED),
                )


@cache
def _lines_of_functions(path: Path) -> frozenset[int]:
    return frozenset(
        line
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    )


if __name__ == "__main__":
    sys.exit(OutsideFunctions().main())
