"""Feeds every reader damaged files: ``python -m tests.fuzz.run --inputs 200000``.

Each reader runs in a process of its own, whose memory and time are limited; a reader that ends its
process is a finding too. Findings are kept as files, ready to be read again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from tests.fuzz.judging import Outcome, Verdict, judge, limits, workplace
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import READERS, Reader, reader_named

_SAME_PLACE = 3
"""So many findings at one place of the program are kept; more say nothing new."""


@dataclass
class Tally:
    """What became of the inputs of one reader."""

    verdicts: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)

    @property
    def inputs(self) -> int:
        """Number of inputs judged."""
        return self.verdicts.total()


def inputs_of(reader: Reader, made: list[Path], seed: int, first: int = 0) -> Iterator[Path]:
    """Write damaged seeds one after the other and yield where each lies; it goes with the next.

    Parameters
    ----------
    made
        What the reader's ``make`` returned.
    seed, first
        The same ones give the same damage; seeds hold identifiers and times of their own.
    """
    sound = {path: path.read_bytes() for path in made}
    number = first
    while True:
        random = Random(f"{reader.name} {seed} {number}")
        path = made[number % len(made)]
        others = [data for other, data in sound.items() if other.suffix == path.suffix]
        path.write_bytes(mutated(sound[path], random, aware=reader.aware, others=others))
        yield path
        path.write_bytes(sound[path])
        number += 1


def keep(folder: Path, name: str, data: bytes, outcome: Outcome) -> Path:
    """Keep an input as ``READER--HASH--FILE``, and what it did in the same with ``.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(data).hexdigest()[:8]
    kept = folder / name.replace("--", f"--{digest}--", 1)
    kept.write_bytes(data)
    about = {"verdict": outcome.verdict.value, "said": outcome.said, "where": outcome.where}
    kept.with_name(kept.name + ".json").write_text(json.dumps(about, indent=1) + "\n")
    return kept


# --- one process ---------------------------------------------------------------------------------


def _work(
    name: str, seed: int, first: int, place: str, pipe: Connection, other_end: Connection
) -> None:
    """Judge inputs until the other side of the pipe is closed, telling each outcome."""
    other_end.close()  # this copy of it would keep the pipe open for ever
    reader = reader_named(name)
    made = reader.make(Path(place))
    # Libraries for images write what they think of an input to the terminal.
    silent, told = os.open(os.devnull, os.O_WRONLY), os.dup(sys.stderr.fileno())
    with limits():
        for path in inputs_of(reader, made, seed, first):
            pipe.send(path)
            os.dup2(silent, sys.stderr.fileno())
            outcome = judge(reader.read, path)
            os.dup2(told, sys.stderr.fileno())
            pipe.send((outcome, path.read_bytes() if outcome.is_finding else b""))


def _run_reader(reader: Reader, options: argparse.Namespace, inputs: int, end: float) -> Tally:
    tally = Tally()
    while tally.inputs < inputs and time.monotonic() < end:
        with workplace() as folder:
            _run_process(reader, options, folder, tally, inputs, end)
    return tally


def _run_process(
    reader: Reader,
    options: argparse.Namespace,
    folder: Path,
    tally: Tally,
    inputs: int,
    end: float,
) -> None:
    """Tally the outcomes of one process until it dies or there are enough."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    receiving, sending = context.Pipe(duplex=False)
    arguments = (reader.name, options.seed, tally.inputs, str(folder), sending, receiving)
    process = context.Process(target=_work, args=arguments, daemon=True)
    process.start()
    sending.close()
    path = None
    try:
        while tally.inputs < inputs and time.monotonic() < end:
            path = receiving.recv()
            _count(reader, options, path.name, receiving.recv(), tally)
            path = None
    except EOFError:
        process.join()
        if path is None:
            raise RuntimeError(f"The inputs of {reader.name} cannot be made.") from None
        died = Outcome(Verdict.CRASH, f"the process ended: {process.exitcode}", "native code")
        _count(reader, options, path.name, (died, path.read_bytes()), tally)
    finally:
        process.kill()
        process.join()


def _count(
    reader: Reader,
    options: argparse.Namespace,
    name: str,
    judged: tuple[Outcome, bytes],
    tally: Tally,
) -> None:
    outcome, data = judged
    tally.verdicts[outcome.verdict.value] += 1
    if not outcome.is_finding:
        return
    tally.places[outcome.where] += 1
    if tally.places[outcome.where] <= _SAME_PLACE:
        kept = keep(options.output, f"{reader.name}--{name}", data, outcome)
        print(f"\n  {kept.name}: {outcome.verdict.value}: {outcome.said} ({outcome.where})")


# --- all readers ---------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as told, print the figures of every reader, and return 1 when something was found."""
    options = _parser().parse_args(arguments)
    chosen = [one for one in READERS if options.reader in (None, one.name)]
    begun = time.monotonic()
    total = Tally()
    for index, reader in enumerate(chosen):
        left = options.seconds - (time.monotonic() - begun)
        end = time.monotonic() + left / (len(chosen) - index)
        share = -(-(options.inputs - total.inputs) // (len(chosen) - index))
        started = time.monotonic()
        tally = _run_reader(reader, options, share, end)
        each_ms = 1000 * (time.monotonic() - started) / max(tally.inputs, 1)
        print(f"{reader.name:18}{_figures(tally)}  {each_ms:6.2f} ms each", flush=True)
        total.verdicts += tally.verdicts
        total.places += tally.places
    print(f"{'all':18}{_figures(total)}")
    return 1 if total.places else 0


def _figures(tally: Tally) -> str:
    counts = "".join(f"  {one.value} {tally.verdicts[one.value]:7}" for one in Verdict)
    return f"{tally.inputs:8} inputs{counts}  places {len(tally.places)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="in all")
    parser.add_argument("--seconds", type=float, default=3600, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=[one.name for one in READERS])
    parser.add_argument("--output", type=Path, default=Path("out/fuzz"), help="for findings")
    return parser


if __name__ == "__main__":
    sys.exit(main())
