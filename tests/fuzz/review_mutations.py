"""Damage to the rows of a review, behind the checksums that would give it away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import Any

from calcviewer.app.review_store.file import _checksum
from tests.fuzz.json_mutations import JSON
from tests.fuzz.mutations import PLAIN, Mutation

_COLUMNS = ("kind", "label", "who", "at", "model", "frames", "changes", "grid")
_IN_JSON = frozenset({"frames", "changes", "grid"})
_ODD: tuple[Any, ...] = ("", "x", "undo", "redo", "start", "edit", "amend", "2024", b"\xff")
_ODD += (0, -1, 1.5, 1 << 62, float("inf"), "9999-99-99T00:00:00", "x" * 5000, "\0")
_LENGTH_BYTES = 4


def rows_changed(data: bytes, random: Random) -> bytes:
    """Change some rows of a review, and write the checksums that belong to them."""
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            # A file in write-ahead mode cannot be opened in memory.
            connection.deserialize(data[:18] + b"\1\1" + data[20:])
            random.choice((_step, _step, _step, _annotation, _annotation, _rest))(
                connection, random
            )
            _seal(connection)
            connection.commit()
            return bytes(connection.serialize())
    except (sqlite3.Error, IndexError, MemoryError, OverflowError, TypeError, ValueError):
        # It was damaged before, or has no row of this kind any more.
        return data


def _step(connection: sqlite3.Connection, random: Random) -> None:
    number, *row = random.choice(connection.execute("SELECT * FROM steps").fetchall())
    column = random.choice((*_COLUMNS, "changes", "changes", "grid"))
    value: Any = random.choice(_ODD)
    if column in _IN_JSON and random.random() < 0.9:
        old = str(row[_COLUMNS.index(column)]).encode()
        value = random.choice(JSON)(old, random).decode(errors="replace")
    connection.execute(f"UPDATE steps SET {column} = ? WHERE sequence = ?", (value, number))


def _annotation(connection: sqlite3.Connection, random: Random) -> None:
    rows = connection.execute("SELECT * FROM annotations WHERE annotation NOT NULL").fetchall()
    number, frame, stored = random.choice(rows)
    connection.execute(
        "UPDATE annotations SET annotation = ? WHERE sequence = ? AND frame = ?",
        (annotation_changed(stored, random), number, frame),
    )


def annotation_changed(stored: bytes, random: Random) -> bytes:
    """Damage an annotation as reviews store it: its head, its points, or all of it."""
    end = _LENGTH_BYTES + int.from_bytes(stored[:_LENGTH_BYTES], "little")
    head, points = stored[_LENGTH_BYTES:end], stored[end:]
    kind = random.random()
    if kind < 0.2:
        return random.choice(PLAIN)(stored, random)
    if kind < 0.5:
        points = random.choice(PLAIN)(points, random)
        points = points[: len(points) // 16 * 16]
    else:
        head = random.choice(JSON)(head, random)
    return len(head).to_bytes(_LENGTH_BYTES, "little") + head + points


def _rest(connection: sqlite3.Connection, random: Random) -> None:
    """Change what is neither a step's value nor an annotation."""
    numbers = connection.execute("SELECT sequence FROM steps").fetchall()
    (number,) = random.choice(numbers)
    frame = random.choice((-1, 0, 2, 1_000_000, 1 << 62, "x", 1.5))
    statement, values = random.choice(
        (
            ("DELETE FROM steps WHERE sequence = ?", (number,)),
            ("DELETE FROM annotations WHERE sequence = ?", (number,)),
            ("DELETE FROM about", ()),
            ("UPDATE about SET value = ? WHERE name = 'source'", (random.choice(_ODD),)),
            ("UPDATE steps SET sequence = sequence + 1000 WHERE sequence = ?", (number,)),
            ("UPDATE annotations SET frame = ? WHERE sequence = ?", (frame, number)),
            ("UPDATE annotations SET annotation = 'text'", ()),
            ("UPDATE annotations SET sequence = 99", ()),
            ("ALTER TABLE steps ADD COLUMN more", ()),
            ("DROP TABLE annotations", ()),
            ("DROP TABLE steps", ()),
            ("CREATE VIEW other AS SELECT * FROM steps", ()),
            (f"PRAGMA user_version = {random.choice((-1, 0, 2, 99))}", ()),
            (f"PRAGMA application_id = {random.choice((0, 1, -5))}", ()),
        )
    )
    connection.execute(statement, values)


def _seal(connection: sqlite3.Connection) -> None:
    """Write the checksum of every step."""
    for number, *row, _ in connection.execute("SELECT * FROM steps").fetchall():
        found = connection.execute(
            "SELECT frame, annotation FROM annotations WHERE sequence = ?", (number,)
        )
        connection.execute(
            "UPDATE steps SET checksum = ? WHERE sequence = ?",
            (_checksum(row, dict(found.fetchall())), number),
        )


REVIEW: tuple[Mutation, ...] = (rows_changed,)
