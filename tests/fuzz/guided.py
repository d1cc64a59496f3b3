"""Lets coverage guide the damage: ``python -m tests.fuzz.guided --reader seg --seconds 600``.

Needs atheris, which the project does not. An input that reaches new lines of the program, or of the
pure Python libraries it reads with, is damaged further. Findings are kept as by `tests.fuzz.run`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(
    include=["calcviewer", "pydicom", "nibabel", "tifffile", "zipfile"]
):
    from tests.fuzz.judging import judge, limits, workplace
    from tests.fuzz.mutations import mutated
    from tests.fuzz.readers import READERS, reader_named
    from tests.fuzz.run import keep

_LONGEST = 1 << 17


def main() -> None:
    """Run until the time is over; libFuzzer ends the process itself."""
    options = _parser().parse_args()
    reader = reader_named(options.reader)
    with workplace() as folder, limits():
        (folder / "sound").mkdir()
        made = reader.make(folder / "sound")
        sound = [path.read_bytes() for path in made]

        def try_one(data: bytes) -> None:
            """Judge an input; its first byte chooses the sound file that it takes the place of."""
            if not data:
                return
            path = made[data[0] % len(made)]
            path.write_bytes(data[1:])
            outcome = judge(reader.read, path)
            path.write_bytes(sound[data[0] % len(made)])
            if outcome.is_finding:
                keep(options.output, f"{reader.name}--{path.name}", data[1:], outcome)

        def damage(data: bytes, longest: int, seed: int) -> bytes:
            random = Random(seed)
            changed = mutated(data[1:], random, aware=reader.aware, others=sound)
            return (data[:1] + changed)[:longest]

        corpus = folder / "corpus"
        corpus.mkdir()
        for number, data in enumerate(sound):
            (corpus / str(number)).write_bytes(bytes([number]) + data)
        libfuzzer = [f"-max_total_time={options.seconds}", f"-max_len={_LONGEST}", str(corpus)]
        arguments = [sys.argv[0], "-rss_limit_mb=0", "-timeout=0", *libfuzzer]
        atheris.Setup(arguments, try_one, custom_mutator=damage)
        atheris.Fuzz()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--reader", choices=[one.name for one in READERS], required=True)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--output", type=Path, default=Path("out/fuzz"), help="for findings")
    return parser


if __name__ == "__main__":
    main()
