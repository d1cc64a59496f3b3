"""A length that a file only claims makes no room in memory."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

from calcviewer.core.bounded_file import BoundedFile


def test_reads_as_a_file_does(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)) * 1024)
    with BoundedFile(path) as stream, path.open("rb") as plain:
        assert stream.read(10) == plain.read(10)
        assert stream.seek(-5, io.SEEK_END) == plain.seek(-5, io.SEEK_END)
        assert stream.read(1 << 20) == plain.read(1 << 20)
        assert stream.seek(1 << 30) == 1 << 30
        assert stream.read(1 << 20) == b""
        stream.seek(100)
        plain.seek(100)
        assert stream.read() == plain.read()


def test_a_claimed_length_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(1000))
    with BoundedFile(path) as stream:
        tracemalloc.start()
        assert len(stream.read(0xFFFFFFFE)) == 1000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1 << 20
