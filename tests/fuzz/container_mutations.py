"""Damage within what is compressed or guarded by checksums: ZIP, NPY, zlib, gzip, PNG, NIfTI."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
import zlib
from random import Random

from tests.fuzz.mutations import INTERESTING, PLAIN, Mutation

_NPY_HEADER = re.compile(rb"\{.*?\}", re.DOTALL)
_SHAPES = (b"()", b"(0,)", b"(1,)", b"(1000000, 24, 40)", b"(3, 60000, 60000)", b"(-1, 24, 40)")
_SHAPES += (b"(1, 1, 1)", b"(3, 24)", b"(3, 24, 40, 3)", b"(3, 0, 40)", b"(2**9, 1, 1)", b"(1e3,)")
_SHAPES += (b"(9223372036854775807, 2, 2)", b"(99999999999999999999, 1, 1)", b"(True, 24, 40)")
_KINDS = (b"|u1", b"|i1", b"|b1", b"<u2", b">u2", b"<f2", b"<f4", b"<f8", b"|O", b"<c8", b"<U9")
_KINDS += (b"|V8", b"<M8[s]", b"|S5", b"<f16", b"", b"<u8", b"<i8", b"x")
_BOMB_BYTES = 64 << 20


def _in_zip(data: bytes, random: Random) -> bytes:
    """Damage one member, and pack it again with the checksums that belong to it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # damaged before
        return data
    if not members:
        return data
    name = random.choice(list(members))
    odd = random.random()
    if odd < 0.1:
        del members[name]
    elif odd < 0.2:
        members[random.choice(("x.npy", "frames.npy", "../a.npy", "labels"))] = members.pop(name)
    elif odd < 0.3:
        members[name] = random.choice(list(members.values()))
    else:
        members[name] = random.choice((_npy_header, _npy_header, *PLAIN))(members[name], random)
    packed = io.BytesIO()
    kind = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED))
    if odd > 0.98:
        kind = random.choice((zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(packed, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _npy_header(data: bytes, random: Random) -> bytes:
    """Say another shape or type in the header of an array, which keeps its length."""
    found = _NPY_HEADER.search(data[:512])
    if found is None:
        return data
    header = found.group()
    if random.random() < 0.6:
        header = re.sub(rb"\([^)]*\)", random.choice(_SHAPES), header, count=1)
    else:
        header = re.sub(rb"'[^']*', 'fort", b"'" + random.choice(_KINDS) + b"', 'fort", header)
    if random.random() < 0.1:
        header = header.replace(b"False", b"True")
    header = header.ljust(len(found.group()))
    rest = data[found.end() :]
    spare = len(header) - len(found.group())
    return data[: found.start()] + header + (rest[spare:] if spare < 60 else rest)


def _in_gzip(data: bytes, random: Random) -> bytes:
    try:
        content = gzip.decompress(data)
    except Exception:  # damaged before
        return data
    mutation = random.choice((_nifti_field, _nifti_field, _nifti_field, *PLAIN, _bomb))
    return gzip.compress(mutation(content, random), 1, mtime=0)


def _in_zlib(data: bytes, random: Random) -> bytes:
    try:
        content = zlib.decompress(data)
    except zlib.error:
        return data
    return zlib.compress(random.choice((*PLAIN, *PLAIN, _bomb))(content, random), 1)


def _bomb(data: bytes, random: Random) -> bytes:
    """Grow to a size that a small compressed file does not let expect."""
    return data + bytes(_BOMB_BYTES) if random.random() < 0.2 else data + bytes(1 << 16)


def _nifti_field(data: bytes, random: Random) -> bytes:
    """Change a field of the header: sizes, type, offset, scale, extensions."""
    if len(data) < 352:
        return data
    kind = random.choice(("dim", "type", "offset", "scale", "zoom", "extension", "any"))
    changed = bytearray(data)
    if kind == "dim":
        side = random.choice((0, 1, 2, 3, 4, 5, 1024, 30000, 32767, -1, -32768))
        struct.pack_into("<h", changed, 40 + 2 * random.randrange(8), side)
    elif kind == "type":
        code = random.choice((0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1536, 2304, 9999))
        struct.pack_into("<hh", changed, 70, code, random.choice((1, 8, 16, 32, 64, 128)))
    elif kind in ("offset", "scale", "zoom"):
        place = {"offset": 108, "scale": 112 + 4 * random.randrange(2)}.get(kind, 0)
        value = random.choice((0.0, -1.0, 1.0, 352.0, 1e9, 3e38, float("nan"), float("inf"), 1e-40))
        struct.pack_into("<f", changed, place or 76 + 4 * random.randrange(8), value)
    elif kind == "extension" and len(changed) > 360:
        struct.pack_into("<l", changed, 352 + 4 * random.randrange(2), random.choice(_LONGS))
    else:
        struct.pack_into("<l", changed, 4 * random.randrange(88), random.choice(_LONGS))
    return bytes(changed)


_LONGS = tuple(one - (1 << 32) if one >= 1 << 31 else one for one in INTERESTING if one < 1 << 32)


def _png_chunk(data: bytes, random: Random) -> bytes:
    """Damage a chunk of a PNG file and write the checksum that belongs to it."""
    places = _png_chunks(data)
    if not places:
        return data
    begin, end = random.choice(places)
    kind, content = data[begin + 4 : begin + 8], data[begin + 8 : end - 4]
    if random.random() < 0.1:
        kind = random.choice((b"IDAT", b"PLTE", b"tRNS", b"zTXt", b"iTXt", b"acTL", b"gAMA"))
    content = random.choice(PLAIN)(content, random)
    chunk = struct.pack(">L", len(content)) + kind + content
    checksum = struct.pack(">L", zlib.crc32(kind + content))
    return data[:begin] + chunk + checksum + data[end:]


def _png_chunks(data: bytes) -> list[tuple[int, int]]:
    if not data.startswith(b"\x89PNG"):
        return []
    at, found = 8, []
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            break
        found.append((at, end))
        at = end
    return found


def _tiff_entry(data: bytes, random: Random) -> bytes:
    """Change tag, type, count or value of an entry of a TIFF file's first directory."""
    if data[:4] != b"II*\0" or len(data) < 16:
        return data
    begin = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[begin : begin + 2], "little")
    place = begin + 2 + 12 * random.randrange(max(count, 1))
    if not count or place + 12 > len(data):
        return data
    changed = bytearray(data)
    if random.random() < 0.15:
        codes = (1, 5, 6, 7, 8, 32773, 32946, 34712, 34887, 34925, 50000, 65000)
        struct.pack_into("<HHLL", changed, place, 259, 3, 1, random.choice(codes))
    elif random.random() < 0.3:
        struct.pack_into("<H", changed, place + 2, random.randrange(1, 19))
    else:
        offset = random.choice((4, 8, 8, 8))
        struct.pack_into("<L", changed, place + offset, random.choice(INTERESTING) & 0xFFFFFFFF)
    return bytes(changed)


def _jpeg_size(data: bytes, random: Random) -> bytes:
    """Claim another height, width or number of components in a JPEG frame header."""
    at = max(data.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2", b"\xff\xc3", b"\xff\xf7"))
    if at < 0 or at + 10 > len(data):
        return data
    changed = bytearray(data)
    if random.random() < 0.3:
        changed[at + 4] = random.choice((1, 8, 12, 16, 255))
    elif random.random() < 0.3:
        changed[at + 9] = random.choice((0, 1, 2, 3, 4, 255))
    else:
        side = random.choice((0, 1, 2, 47, 49, 16384, 60000, 65535))
        struct.pack_into(">H", changed, at + 5 + 2 * random.randrange(2), side)
    return bytes(changed)


ZIP: tuple[Mutation, ...] = (_in_zip,)
NPY: tuple[Mutation, ...] = (_npy_header,)
ZLIB: tuple[Mutation, ...] = (_in_zlib,)
NIFTI: tuple[Mutation, ...] = (_in_gzip, _nifti_field)
IMAGE: tuple[Mutation, ...] = (_png_chunk, _tiff_entry, _jpeg_size)
