"""Damage to the elements of a DICOM file in explicit VR little-endian."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from tests.fuzz.mutations import INTERESTING, TEXT_NUMBERS, Mutation

_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"})
_VRS = (b"US", b"SS", b"UL", b"FD", b"FL", b"DS", b"IS", b"LO", b"CS", b"UI", b"SQ", b"OB", b"UN")
_VRS += (b"PN", b"AT", b"OW", b"UT", b"\0\0", b"ZZ")
_PACKED = {b"US": "<H", b"SS": "<H", b"UL": "<L", b"SL": "<L", b"FL": "<f", b"FD": "<d"}
_UNDEFINED = 0xFFFFFFFF
_ITEM_GROUP = 0xFFFE
_PREAMBLE = 132
_DEEPEST = 16
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-320, 1e308, -1e308, float("inf"), float("nan"), 1e-38, 3e38)
_TEXTS = (b"", b" ", b"YES", b"NO", b"\\", b"1\\2", b"\\".join([b"1"] * 50), b"\0\0", b"\xff\xfe")
_TEXTS += (b"PALETTE COLOR ", b"YBR_FULL_422", b"RGB ", b"MONOCHROME1 ", b"IVOCT ", b"A" * 70)
_SYNTAXES = (b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.99")
_SYNTAXES += (b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.5", b"1.2.840.10008.1.2.4.50")
_SYNTAXES += (b"1.2.840.10008.1.2.4.57", b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.90")
_SYNTAXES += (b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.4.201", b"1.2.3", b"")


@dataclass(frozen=True)
class _Element:
    """Where an element lies.

    Parameters
    ----------
    start, value, end
        Of its tag, of its value, and behind it.
    vr
        Empty for an item of a sequence.
    size
        Where its length is written, and in how many bytes.
    parents
        Where the lengths of the sequences and items around it are written, where they have one.
    """

    start: int
    value: int
    end: int
    vr: bytes
    size: tuple[int, int]
    parents: tuple[int, ...]


@lru_cache(maxsize=256)
def _elements(data: bytes) -> tuple[_Element, ...]:
    if data[128:_PREAMBLE] != b"DICM":
        return ()
    return tuple(_walk(data, (_PREAMBLE, len(data)), (), 0))


def _walk(
    data: bytes, span: tuple[int, int], parents: tuple[int, ...], depth: int
) -> Iterator[_Element]:
    """Yield elements and, after each sequence or item, those within it; stop at nonsense."""
    at, end = span
    while at + 8 <= end and depth < _DEEPEST:
        found = _element_at(data, at, end, parents)
        if found is None:
            return
        yield found
        at = found.end
        if found.vr in (b"SQ", b""):
            place, _ = found.size
            known = data[place : place + 4] != b"\xff\xff\xff\xff"
            within = (*parents, place) if known else parents
            yield from _walk(data, (found.value, found.end), within, depth + 1)


def _element_at(data: bytes, at: int, end: int, parents: tuple[int, ...]) -> _Element | None:
    (group,) = struct.unpack_from("<H", data, at)
    vr = b"" if group == _ITEM_GROUP else data[at + 4 : at + 6]
    if vr and vr not in _LONG:
        place, width = at + 6, 2
    else:
        place, width = at + (8 if vr else 4), 4
    value = place + width
    if value > end:
        return None
    length = int.from_bytes(data[place:value], "little")
    last = end if length == _UNDEFINED else value + length
    return _Element(at, value, last, vr, (place, width), parents) if last <= end else None


def _any_element(data: bytes, random: Random) -> _Element | None:
    known = _elements(data)
    return random.choice(known) if known else None


def _replaced(data: bytes, element: _Element, value: bytes) -> bytes:
    """Return the file with another value, all lengths being right."""
    value += b"\0" * (len(value) % 2)
    place, width = element.size
    grown = bytearray(data)
    known = data[place : place + 4] != b"\xff\xff\xff\xff"
    if width == 2:
        grown[place : place + 2] = (len(value) & 0xFFFF).to_bytes(2, "little")
    elif known:
        grown[place : place + 4] = len(value).to_bytes(4, "little")
    _enlarge(grown, element, len(value) - (element.end - element.value))
    return bytes(grown[: element.value]) + value + bytes(grown[element.end :])


def _enlarge(data: bytearray, element: _Element, growth: int) -> None:
    for place in element.parents:
        length = int.from_bytes(data[place : place + 4], "little") + growth
        data[place : place + 4] = max(length, 0).to_bytes(4, "little")


def _value_set(data: bytes, random: Random) -> bytes:
    element = _any_element(data, random)
    if element is None or element.end - element.value > 4096:
        return data
    return _replaced(data, element, _value(element, random))


def _value(element: _Element, random: Random) -> bytes:
    """Return an odd value, mostly one of the element's kind."""
    form = _PACKED.get(element.vr)
    if form is None or random.random() < 0.1:
        kinds = (_SYNTAXES,) if element.vr == b"UI" else (TEXT_NUMBERS, _TEXTS)
        return random.choice(random.choice(kinds))
    if form in ("<f", "<d"):
        value = random.choice(_FLOATS)
        return struct.pack(form, max(min(value, 3e38), -3e38) if form == "<f" else value)
    width = struct.calcsize(form)
    return (random.choice(INTERESTING) & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _syntax_set(data: bytes, random: Random) -> bytes:
    """Say that the file is in another transfer syntax."""
    tag = b"\x02\x00\x10\x00UI"
    one = next((e for e in _elements(data) if data[e.start : e.start + 6] == tag), None)
    return data if one is None else _replaced(data, one, random.choice(_SYNTAXES))


def _length_set(data: bytes, random: Random) -> bytes:
    element = _any_element(data, random)
    if element is None:
        return data
    place, width = element.size
    length = random.choice((*INTERESTING, len(data), element.end - element.value + 1))
    packed = (length & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    return data[:place] + packed + data[place + width :]


def _vr_set(data: bytes, random: Random) -> bytes:
    element = _any_element(data, random)
    if element is None or not element.vr:
        return data
    return data[: element.start + 4] + random.choice(_VRS) + data[element.start + 6 :]


def _deleted(data: bytes, random: Random) -> bytes:
    element = _any_element(data, random)
    if element is None:
        return data
    kept = bytearray(data)
    _enlarge(kept, element, element.start - element.end)
    return bytes(kept[: element.start] + kept[element.end :])


def _doubled(data: bytes, random: Random) -> bytes:
    element = _any_element(data, random)
    if element is None or element.end - element.start > 1 << 14:
        return data
    times = random.choice((1, 1, 2, 200))
    kept = bytearray(data)
    _enlarge(kept, element, times * (element.end - element.start))
    piece = data[element.start : element.end]
    return bytes(kept[: element.end]) + piece * times + bytes(kept[element.end :])


def _tag_set(data: bytes, random: Random) -> bytes:
    """Give an element the tag of another one."""
    element, other = _any_element(data, random), _any_element(data, random)
    if element is None or other is None:
        return data
    return data[: element.start] + data[other.start : other.start + 4] + data[element.start + 4 :]


def _value_of_another(data: bytes, random: Random) -> bytes:
    element, other = _any_element(data, random), _any_element(data, random)
    if element is None or other is None or other.end - other.value > 4096:
        return data
    return _replaced(data, element, data[other.value : other.end])


def _nested(data: bytes, random: Random) -> bytes:
    """Put sequences within sequences where an element was."""
    element = _any_element(data, random)
    if element is None:
        return data
    head = struct.pack("<HH", 0x5200, 0x9230) + b"SQ\0\0\xff\xff\xff\xff"
    item = struct.pack("<HHL", _ITEM_GROUP, 0xE000, _UNDEFINED)
    deep = (head + item) * random.choice((2, 20, 600, 5000))
    return data[: element.start] + deep + data[element.start :]


DICOM: tuple[Mutation, ...] = (
    _value_set,
    _value_set,
    _value_set,
    _length_set,
    _vr_set,
    _deleted,
    _doubled,
    _tag_set,
    _value_of_another,
    _syntax_set,
    _nested,
)
