"""The envelope of an object comes off, however it was cut into pieces."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.dicom.network.multipart import Enclosed, boundary_of, first_part

BOUNDARY = b"edge"


def message(content: bytes, after: bytes = b"--\r\n") -> bytes:
    return (
        b"--edge\r\nContent-Type: application/dicom\r\nContent-Length: 9\r\n\r\n"
        + content
        + b"\r\n--edge"
        + after
    )


@given(
    content=st.binary(max_size=200) | st.sampled_from([b"\r\n--edg", b"\r\n--", b"\r\n\r\n--e"]),
    cuts=st.lists(st.integers(0, 300), max_size=20),
    after=st.sampled_from([b"--\r\n", b"--", b"\r\nContent-Type: a\r\n\r\nother\r\n--edge--"]),
)
def test_the_content_is_what_was_enclosed(content: bytes, cuts: list[int], after: bytes) -> None:
    if b"\r\n--edge" in content:
        return
    whole = message(content, after)
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[first:last] for first, last in pairwise(places)]
    assert b"".join(first_part(pieces, BOUNDARY)) == content


@given(length=st.integers(0, 60))
def test_a_message_that_ends_early_is_noticed(length: int) -> None:
    whole = message(b"x" * 30)
    end = whole.index(b"\r\n--edge")
    with pytest.raises(ValueError, match=r"ends within|no part"):
        list(first_part([whole[: min(length, end + 7)]], BOUNDARY))


def test_what_is_no_message_is_given_up_before_all_of_it_is_held() -> None:
    read = []

    def endless() -> object:
        while True:
            read.append(1)
            yield b"x" * 4096

    with pytest.raises(ValueError, match="no part"):
        list(first_part(endless(), BOUNDARY))
    assert len(read) < 10


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary="a b"', b"a b"),
        ("multipart/related; boundary=abc; type=x", b"abc"),
        ("Multipart/Related;BOUNDARY=abc", b"abc"),
        ("application/dicom", None),
        ("multipart/related", None),
        ("", None),
    ],
)
def test_boundaries(kind: str, boundary: bytes | None) -> None:
    assert boundary_of(kind) == boundary


def test_a_file_is_enclosed_in_pieces_of_the_length_it_says(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(range(256)) * 3000)
    moved: list[int] = []
    body = Enclosed(path, on_bytes=moved.append)
    pieces = list(body)
    assert sum(map(len, pieces)) == len(body)
    assert sum(moved) == path.stat().st_size
    assert max(map(len, pieces)) <= 1 << 18
    boundary = boundary_of(body.content_type)
    assert boundary is not None
    assert b"".join(first_part(pieces, boundary)) == path.read_bytes()
