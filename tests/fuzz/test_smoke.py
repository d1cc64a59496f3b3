"""A few hundred damaged files for every reader, the same ones at every run."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz.judging import Verdict, judge, limits, workplace
from tests.fuzz.readers import READERS, Reader
from tests.fuzz.run import inputs_of

INPUTS = 100
_FAST = {name: 300 for name in ("labels", "masks", "model-card", "preferences", "voi")}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_damaged_files_are_read_or_refused(reader: Reader) -> None:
    verdicts = []
    with workplace() as folder:
        made = reader.make(folder)
        with limits():
            wanted = _FAST.get(reader.name, INPUTS)
            for number, path in enumerate(islice(inputs_of(reader, made, seed=7), wanted)):
                outcome = judge(reader.read, path)
                assert not outcome.is_finding, (number, path.name, outcome)
                verdicts.append(outcome.verdict)
    assert Verdict.READ in verdicts  # damage that leaves something to be read, and
    if reader.name != "preferences":  # (of which every entry falls back alone)
        assert Verdict.REFUSED in verdicts
