"""Damage that knows nothing of what the bytes mean, and how much of it an input gets."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

Mutation = Callable[[bytes, Random], bytes]
"""Returns damaged bytes; the same bytes where it finds nothing that it could change."""

INTERESTING = (0, 1, 2, 3, 7, 8, 16, 32, 64, 100, 127, 128, 255, 256, 1000, 4096, 16384, 16385)
INTERESTING += (32767, 32768, 60000, 65535, 65536, 100_000, 100_001, 1_000_000, 0x7FFFFFFF)
INTERESTING += (0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
TEXT_NUMBERS = (b"0", b"-0", b"-1", b"1", b"2", b"60000", b"1000000", b"99999999999", b"1e308")
TEXT_NUMBERS += (b"1e400", b"-1e308", b"1e-320", b"nan", b"inf", b"0x10", b"", b"9" * 400, b"1.5")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_LONGEST = 1 << 20
_MOST_STEPS = 4


def mutated(
    data: bytes, random: Random, *, aware: Sequence[Mutation], others: Sequence[bytes]
) -> bytes:
    """Return an input: a seed damaged once to a few times.

    Parameters
    ----------
    aware
        Damage that knows the format; it is tried for about two of three steps.
    others
        Seeds of the same reader, of which pieces are put in.
    """
    for _ in range(random.randint(1, _MOST_STEPS)):
        if aware and random.random() < 0.65:
            data = random.choice(aware)(data, random)
        elif others and random.random() < 0.1:
            data = spliced(data, random.choice(others), random)
        else:
            data = random.choice(PLAIN)(data, random)
    return data[:_LONGEST]


def spliced(data: bytes, other: bytes, random: Random) -> bytes:
    """Put a piece of another seed in the place of a piece of this one."""
    first, last = _span(data, random)
    begin, end = _span(other, random)
    return data[:first] + other[begin:end] + data[last:]


def _span(data: bytes, random: Random) -> tuple[int, int]:
    """Return a piece: mostly a short one, sometimes of any length."""
    first = random.randint(0, len(data))
    longest = len(data) - first
    if random.random() < 0.7:
        longest = min(longest, 64)
    return first, first + random.randint(0, longest)


def _bits_flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16)) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _bytes_set(data: bytes, random: Random) -> bytes:
    first, last = _span(data, random)
    filling = random.choice((b"\0", b"\xff", b" ", b"0", random.randbytes(1)))
    return data[:first] + filling * (last - first) + data[last:]


def _cut_off(data: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _removed(data: bytes, random: Random) -> bytes:
    first, last = _span(data, random)
    return data[:first] + data[last:]


def _repeated(data: bytes, random: Random) -> bytes:
    first, last = _span(data, random)
    times = random.choice((1, 1, 2, 10, 300))
    return data[:last] + data[first:last] * times + data[last:]


def _inserted(data: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.randbytes(random.randint(1, 32)) + data[at:]


def _number_set(data: bytes, random: Random) -> bytes:
    """Write an interesting number, in either byte order, over any place."""
    width, code = random.choice(((1, "B"), (2, "H"), (4, "L"), (8, "Q")))
    if len(data) < width:
        return data
    at = random.randint(0, len(data) - width)
    value = random.choice(INTERESTING) & ((1 << 8 * width) - 1)
    packed = struct.pack(random.choice("<>") + code, value)
    return data[:at] + packed + data[at + width :]


def _text_number_set(data: bytes, random: Random) -> bytes:
    """Replace a number that is written in digits."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    one = random.choice(found)
    return data[: one.start()] + random.choice(TEXT_NUMBERS) + data[one.end() :]


def _moved(data: bytes, random: Random) -> bytes:
    first, last = _span(data, random)
    rest = data[:first] + data[last:]
    at = random.randint(0, len(rest))
    return rest[:at] + data[first:last] + rest[at:]


PLAIN: tuple[Mutation, ...] = (
    _bits_flipped,
    _bytes_set,
    _cut_off,
    _removed,
    _repeated,
    _inserted,
    _number_set,
    _number_set,
    _text_number_set,
    _moved,
)
