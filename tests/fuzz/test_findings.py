"""Inputs that once made a reader fail: each is now read, or refused with a clear message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from tests.fuzz.judging import Verdict, judge, limits, workplace
from tests.fuzz.readers import READERS, reader_named

FINDINGS = sorted(Path(__file__).with_name("findings").iterdir())
_LARGEST_BYTES = 20 << 10


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, list[Path]]]:
    """The sound files of every reader, among which a finding takes the place of one."""
    with workplace() as folder:
        places: dict[str, list[Path]] = {}
        for reader in READERS:
            (folder / reader.name).mkdir()
            places[reader.name] = reader.make(folder / reader.name)
        yield places


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.name)
def test_a_finding_is_mended(made: dict[str, list[Path]], path: Path) -> None:
    name, _, file = path.name.split("--", 2)
    reader = reader_named(name)
    place = next(one for one in made[name] if one.name == file)
    sound = place.read_bytes()
    place.write_bytes(path.read_bytes())
    try:
        with limits():
            outcome = judge(reader.read, place)
    finally:
        place.write_bytes(sound)
    assert not outcome.is_finding, outcome


def test_findings_are_small() -> None:
    assert all(path.stat().st_size < _LARGEST_BYTES for path in FINDINGS)


def test_every_reader_reads_its_sound_files(made: dict[str, list[Path]]) -> None:
    for reader in READERS:
        for path in made[reader.name]:
            outcome = judge(reader.read, path)
            refused = path.stem == "jpeg-lossless"  # its decoder is not installed
            assert outcome.verdict is (Verdict.REFUSED if refused else Verdict.READ), outcome


# --- what counts as a finding --------------------------------------------------------------------


def _fail(error: BaseException) -> None:
    raise error


def _refuse_for_lack_of_memory() -> None:
    try:
        bytearray(4 << 30)
    except Exception as error:
        raise CalcViewerError("The file is damaged.") from error


def _spin() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        (lambda: None, Verdict.READ),
        (lambda: _fail(CalcViewerError("no")), Verdict.REFUSED),
        (lambda: _fail(KeyError("no")), Verdict.CRASH),
        (lambda: _fail(type("PanicException", (BaseException,), {})()), Verdict.CRASH),
        (lambda: bytearray(4 << 30), Verdict.MEMORY),
        (_refuse_for_lack_of_memory, Verdict.MEMORY),
    ],
)
def test_verdicts(tmp_path: Path, action: object, verdict: Verdict) -> None:
    with limits():
        assert judge(lambda _: action(), tmp_path).verdict is verdict  # type: ignore[operator]


def test_a_reader_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.judging.TIME_LIMIT_S", 0.05)
    with limits():
        assert judge(lambda _: _spin(), tmp_path).verdict is Verdict.HANG
