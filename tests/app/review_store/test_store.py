"""The review on disk: nothing that was finished is lost, whatever happens to disk and process."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from calcviewer.app.review_store import store as review_store
from calcviewer.app.review_store.file import read_review_file
from calcviewer.app.review_store.log import history_csv
from calcviewer.app.review_store.place import data_folder, lock_path, places, source_identity
from calcviewer.app.review_store.search import find_review, review_entries
from calcviewer.app.review_store.store import Saving
from calcviewer.app.session import Session
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.app.review_store.edit_until_killed import STEPS, make_step
from tests.app.review_store.kept_reviews import (
    drawn,
    edit,
    is_saved,
    opened,
    plain,
    pullback_at,
    wait_for,
)
from tests.patience import PATIENCE_S
from tests.phantoms import make_pullback

KILLS = 50


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr(review_store, "RETRY_S", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "study"
    made.mkdir()
    return made


@contextmanager
def small_disk(folder: Path, *, options: str) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write to a disk until it is full."""
    with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(1024)):
            pass


# --- what is kept --------------------------------------------------------------------------------


def test_everything_is_there_again(folder: Path) -> None:
    pullback = pullback_at(folder)
    with opened(pullback) as (session, _):
        edit(session, 1, 1.0)
        edit(session, 2, 1.1)
        session.edit("select", replace(session.study.review, voi=(0, 2)))
        session.undo()
        session.undo()
        before = plain(session.history)
    with opened(pullback) as (session, store):
        assert plain(session.history) == before
        assert (session.undo_label, session.redo_label) == ("draw 1", "draw 1.1")
        session.redo()
        session.redo()
        assert session.study.review.voi == (0, 2)
        assert store.state.saving is Saving.DONE


def test_a_gesture_is_written_when_it_is_finished(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        for radius_mm in (1.0, 1.1, 1.2):
            review = session.study.review.with_edit(0, drawn(radius_mm))
            session.edit("drag", review, gesture=1)
            assert not store.path.exists()
        session.finish(1)
        (entry,) = read_review_file(store.path).entries
        assert (entry.label, entry.frames) == ("drag", (0,))


def test_a_gesture_taken_back_leaves_no_trace(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        session.undo()
        before = plain(session.history)
        session.edit("drag", session.study.review.with_edit(0, drawn(1.1)), gesture=1)
        change = session.cancel(1)
        assert change is not None
        assert change.frames == {0}
        assert plain(session.history) == before
        assert len(read_review_file(store.path).entries) == 2


def test_what_is_still_in_work_when_a_gesture_ends_follows_it(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        session.edit("drag", session.study.review.with_edit(0, drawn(1.0)), gesture=1)
        session.finish_soon(1, lambda review: review.with_edit(1, drawn(1.05)))
        assert [one.label for one in read_review_file(store.path).entries] == ["drag"]
        session.finish(1)
        before = plain(session.history)
    with opened(pullback_at(folder)) as (session, _):
        assert plain(session.history) == before
        session.undo()
        assert not session.study.review.edits


def test_a_review_that_changed_since_it_was_read_is_read_again(folder: Path) -> None:
    pullback = pullback_at(folder)
    found = find_review(pullback)
    with opened(pullback) as (session, _):
        edit(session, 0, 1.0)
    assert found.is_stale
    session = Session(Study(pullback, Protocol()))
    store = review_store.open_review(session.study, found)
    store.follow(session)
    assert session.undo_label == "draw 1"
    assert store.holder is None
    store.close()
    assert not find_review(pullback).is_stale


def test_opening_alone_writes_nothing(folder: Path) -> None:
    with opened(pullback_at(folder)) as (_, store):
        assert store.state.saving is Saving.NOTHING
    assert [one.name for one in folder.iterdir()] == ["pullback.npz"]


def test_closed_it_is_one_file(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        name = store.path.name
    assert sorted(one.name for one in folder.iterdir()) == ["pullback.npz", name]


def test_an_edit_writes_its_frame_alone(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        for _ in range(60):
            review = session.study.review.with_edit(0, drawn(1.0, points=300))
            session.edit("draw", review)
        path = store.path
    per_edit = path.stat().st_size / 60
    assert per_edit < 1.5 * (900 * 16)  # three rings of 300 points


def test_a_review_that_was_begun_without_a_file_is_kept(folder: Path) -> None:
    pullback = pullback_at(folder)
    study = Study(pullback, Protocol())
    session = Session(replace(study, review=study.review.with_exclusion(1, "blood")))
    store = review_store.open_review(session.study)
    store.follow(session)
    edit(session, 0, 1.0)
    store.close()
    with opened(pullback) as (again, _):
        assert plain(again.history) == plain(session.history)


def test_the_history_of_a_frame(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        edit(session, 1, 1.1)
        session.undo()
        assert [row.what for row in store.history(1)] == ["draw 1.1", "undo: draw 1.1"]
        assert [row.what for row in store.history(0)] == ["draw 1"]
        row = store.history(0)[0]
        assert row.who == review_store.operator_name()
        assert row.when[10] == "T"
        assert row.when[-6] in "+-"


def test_the_history_as_csv(folder: Path) -> None:
    pullback = pullback_at(folder)
    with opened(pullback) as (session, store):
        edit(session, 0, 1.0)
        session.edit("VOI, “new”", replace(session.study.review, voi=(1, 3)))
        path = store.path
    rows = list(csv.DictReader(history_csv(review_entries(path)).splitlines()))
    assert [row["what"] for row in rows] == ["draw 1", "VOI, “new”"]
    assert [row["frames"] for row in rows] == ["1", "2 4"]
    with pytest.raises(CalcViewerError, match="cannot be read"):
        review_entries(folder / "other.calcviewer-review")


# --- place and identity --------------------------------------------------------------------------


def test_places(folder: Path) -> None:
    pullback = pullback_at(folder)
    identity = source_identity(pullback)
    beside, own = places(pullback)
    assert beside == folder / "pullback.npz.calcviewer-review"
    assert own == data_folder() / f"{identity}.calcviewer-review"
    frames = replace(pullback, source=replace(pullback.source, path=folder))
    assert places(frames)[0] == folder / "review.calcviewer-review"
    assert len(places(make_pullback(2))) == 1  # without a file


def test_identity_is_of_the_content(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    for name, content in zip(names, (b"one", b"one", b"two"), strict=True):
        (tmp_path / name).mkdir()
        pullback_at(tmp_path / name, content)
    first, same, other = (source_identity(pullback_at(tmp_path / name)) for name in names)
    assert first == same != other
    uid = replace(pullback_at(tmp_path / "a").source, sop_instance_uid="1.2.3")
    by_uid = source_identity(replace(pullback_at(tmp_path / "a"), source=uid))
    assert by_uid != first
    assert "1.2.3" not in by_uid


def test_a_file_in_a_folder_of_frames_is_no_frame(folder: Path) -> None:
    from PIL import Image

    from calcviewer.modalities.ivoct.read import read_pullback

    for number in (1, 2):
        Image.fromarray(np.zeros((64, 64), dtype=np.uint8)).save(folder / f"frame{number}.png")
    pullback = read_pullback(folder)
    with opened(pullback) as (session, store):
        edit(session, 0, 1.0)
        assert store.path.parent == folder
        again = read_pullback(folder)
    assert again.frame_count == 2
    assert again.notes == pullback.notes
    assert source_identity(again) == source_identity(pullback)


def test_a_review_moves_with_its_pullback(tmp_path: Path, folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, _):
        edit(session, 0, 1.0)
    moved = tmp_path / "moved"
    folder.rename(moved)
    with opened(pullback_at(moved)) as (session, _):
        assert session.undo_label == "draw 1"


def test_contours_stay_on_their_pixels_when_the_scale_is_read_differently(folder: Path) -> None:
    pullback = pullback_at(folder)
    with opened(pullback) as (session, _):
        edit(session, 0, 1.0)
    spacing = pullback.calibration.sample_spacing_mm
    assert spacing is not None
    finer = replace(spacing, value=spacing.value / 2)
    again = pullback.calibrated(replace(pullback.calibration, sample_spacing_mm=finer))
    with opened(again) as (session, _):
        edit(session, 1, 0.5)
        before = plain(session.history)
        lumen = session.study.review.edits[0].lumen
        assert lumen is not None
        np.testing.assert_allclose(np.linalg.norm(lumen.points_mm, axis=1), 0.5)
    with opened(again) as (session, _):
        assert plain(session.history) == before


# --- another window ------------------------------------------------------------------------------


def test_a_second_window_is_read_only_and_says_who_holds_it(folder: Path) -> None:
    pullback = pullback_at(folder)
    with opened(pullback) as (first, _):
        edit(first, 0, 1.0)
        with opened(pullback) as (second, store):
            holder = store.holder
            assert holder is not None
            assert (holder.user, holder.pid) == (review_store.operator_name(), os.getpid())
            assert store.state.saving is Saving.READ_ONLY
            assert plain(second.history) == plain(first.history)
            refused: list[bool] = []
            second.refuse_edits(lambda: refused.append(True))
            edit(second, 1, 1.0)
            assert second.undo() is None
            assert refused == [True, True]
            assert plain(second.history) == plain(first.history)
        edit(first, 2, 1.2)
        after = plain(first.history)
    with opened(pullback) as (session, store):
        assert store.holder is None
        assert plain(session.history) == after


def test_the_lock_of_a_process_that_ended_is_taken_over(folder: Path) -> None:
    path = lock_path(places(pullback_at(folder))[0])
    path.write_text("left behind by a crash")
    with opened(pullback_at(folder)) as (_, store):
        assert store.holder is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows children inherit no files")
def test_a_lock_that_only_a_left_child_has_open_is_taken_over(folder: Path) -> None:
    import fcntl
    import socket

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = lock_path(places(pullback_at(folder))[0])
    holder = {"user": "x", "host": socket.gethostname(), "pid": ended.pid, "since": ""}
    path.write_text(json.dumps(holder))
    with path.open() as left:
        fcntl.flock(left, fcntl.LOCK_EX)
        with opened(pullback_at(folder)) as (session, store):
            assert store.holder is None
            edit(session, 0, 1.0)
            assert store.state.saving is Saving.DONE


# --- files that cannot be used -------------------------------------------------------------------


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def make_foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")


def cut_off(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


def no_database(path: Path) -> None:
    path.write_bytes(b"something else" * 300)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)


def of_another_pullback(path: Path) -> None:
    (path.parent / "pullback.npz").write_bytes(b"other frames")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (make_newer, "newer version"),
        (make_foreign, "no review"),
        (cut_off, "damaged"),
        (no_database, "damaged"),
        (flip_a_bit, "damaged"),
        (of_another_pullback, "another pullback"),
    ],
)
def test_what_cannot_be_used_is_left_alone(
    folder: Path, damage: Callable[[Path], None], told: str
) -> None:
    with opened(pullback_at(folder)) as (session, store):
        for frame in range(4):
            session.edit("draw", session.study.review.with_edit(frame, drawn(1.0, 100)))
        path = store.path
    damage(path)
    untouched = path.read_bytes()
    with opened(pullback_at(folder)) as (session, store):
        (note,) = store.take_notes()
        assert told in note
        assert str(path) in note
        assert session.undo_label is None
        edit(session, 1, 1.1)
        assert store.state.saving is Saving.DONE
    assert path.read_bytes() == untouched
    with opened(pullback_at(folder)) as (session, _):
        assert session.undo_label == "draw 1.1"


def test_a_file_that_was_begun_and_never_written_is_no_damage(folder: Path) -> None:
    path = places(pullback_at(folder))[0]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
    with opened(pullback_at(folder)) as (session, store):
        assert store.take_notes() == ()
        edit(session, 1, 1.1)
        assert store.path == path


def test_steps_of_somebody_else_are_not_overwritten(folder: Path) -> None:
    pullback = pullback_at(folder)
    with opened(pullback) as (session, store):
        edit(session, 0, 1.0)
        path = store.path
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(
                "INSERT INTO steps SELECT 2, kind, 'theirs', who, at, model, frames, changes,"
                " grid, checksum FROM steps"
            )
        edit(session, 1, 1.1)
        wait_for(is_saved(store))
        assert store.path != path
        assert any("somebody else" in note for note in store.take_notes())
        assert [one.label for one in read_review_file(store.path).entries] == ["draw 1", "draw 1.1"]


# --- disks ---------------------------------------------------------------------------------------


def test_a_full_disk_costs_nothing(folder: Path) -> None:
    with small_disk(folder, options="size=256k"):
        pullback = pullback_at(folder)
        with opened(pullback) as (session, store):
            edit(session, 0, 1.0)
            ballast = folder / "ballast"
            fill(ballast)
            for step in range(20):
                session.edit("draw", session.study.review.with_edit(1, drawn(1 + step / 50, 400)))
            state = store.state
            assert (state.saving, state.reason) == (Saving.FAILED, "the disk is full")
            assert state.waiting >= 19
            assert read_review_file(store.path).entries[0].label == "draw 1"
            ballast.unlink()
            wait_for(lambda: store.state.waiting < 20)
            while store.state.waiting and session.undo():
                time.sleep(0.01)
            before, waiting = plain(session.history), store.state.waiting
            if waiting:  # 20 steps of 19 kB are more than the disk holds at all
                assert store.flush() == 0
                assert store.path.parent == data_folder()
        with opened(pullback) as (session, _):
            assert plain(session.history) == before


def test_a_full_disk_from_the_beginning(folder: Path) -> None:
    with small_disk(folder, options="size=64k"):
        pullback = pullback_at(folder)
        (folder / "ballast").write_bytes(bytes(60 * 1024))
        with opened(pullback) as (session, store):
            edit(session, 0, 1.0)
            assert store.state.saving is Saving.FAILED
            (folder / "ballast").unlink()
            subprocess.run(["mount", "-o", "remount,size=1m", str(folder)], check=True)
            wait_for(is_saved(store))
            assert store.path.parent == folder
        with opened(pullback) as (session, _):
            assert session.undo_label == "draw 1"


def test_a_read_only_folder(folder: Path) -> None:
    with small_disk(folder, options="size=1m"):
        pullback = pullback_at(folder)
        with opened(pullback) as (session, store):
            edit(session, 0, 1.0)
            assert store.path.parent == folder
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with opened(pullback) as (session, store):
            assert session.undo_label == "draw 1"
            edit(session, 1, 1.1)
            assert store.state.saving is Saving.DONE
            assert store.path.parent == data_folder()
            before = plain(session.history)
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        with opened(pullback) as (session, store):
            assert plain(session.history) == before
            assert store.path.parent == data_folder()  # the latest


def test_no_place_that_can_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pullback = pullback_at(folder)
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/nothing")
    with small_disk(folder, options="size=1m"):
        pullback = pullback_at(folder)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with opened(pullback) as (session, store):
            edit(session, 0, 1.0)
            wait_for(lambda: store.state.saving is Saving.FAILED)
            edit(session, 1, 1.1)
            assert session.study.annotation(1) is not None
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
            wait_for(is_saved(store))
            assert len(read_review_file(store.path).entries) == 2


def test_a_folder_that_vanishes_and_comes_back(folder: Path, tmp_path: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        away = tmp_path / "away"
        folder.rename(away)
        edit(session, 1, 1.1)
        wait_for(lambda: store.state.saving is Saving.FAILED)
        assert "is not there" in store.state.reason
        away.rename(folder)
        wait_for(is_saved(store))
        assert len(read_review_file(store.path).entries) == 2


def test_a_file_that_was_deleted_is_written_again_as_a_whole(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        shutil.rmtree(folder)
        pullback = pullback_at(folder) if folder.mkdir() is None else None
        edit(session, 1, 1.1)
        wait_for(is_saved(store))
        before = plain(session.history)
    assert pullback is not None
    with opened(pullback) as (session, _):
        assert plain(session.history) == before


def test_what_cannot_be_saved_in_its_place_is_saved_at_closing(
    folder: Path, tmp_path: Path
) -> None:
    pullback = pullback_at(folder)
    with opened(pullback) as (session, store):
        edit(session, 0, 1.0)
        folder.rename(tmp_path / "away")
        edit(session, 1, 1.1)
        before = plain(session.history)
        assert store.close() == 0
        assert store.path.parent == data_folder()
    (tmp_path / "away").rename(folder)
    with opened(pullback) as (session, _):
        assert plain(session.history) == before


def test_a_bug_in_writing_is_told_and_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(pullback_at(folder)) as (session, store), monkeypatch.context() as patched:

        def broken(*_: object) -> None:
            raise ZeroDivisionError("bug")

        patched.setattr(review_store.ReviewFile, "append", broken)
        edit(session, 0, 1.0)
        assert store.state.saving is Saving.FAILED
        patched.undo()
        patched.setattr(review_store, "RETRY_S", 0.05)
        wait_for(is_saved(store))


def test_a_disk_that_hangs_does_not_hold_up_the_window(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, go_on = review_store.ReviewFile.append, threading.Event()
    released = []

    def slow(self: review_store.ReviewFile, number: int, entry: object) -> None:
        released.append(go_on.wait(PATIENCE_S))
        append(self, number, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(review_store.ReviewFile, "append", slow)
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        assert store.state.saving is Saving.RUNNING
        assert not released
        go_on.set()
        wait_for(is_saved(store))
    assert all(released)


# --- kill -9 -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_killed_at_any_moment_every_finished_gesture_is_there() -> None:
    # In memory where that is possible: what a killed process wrote outlives it there as well, and
    # ten thousand times waiting for a disk would take a minute.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        _kill_many_times(Path(folder))


def _kill_many_times(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.app.review_store.edit_until_killed"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as editor:
        assert editor.stdin is not None
        assert editor.stdout is not None
        seconds = _run(editor, tmp_path / "whole", None)[1]
        moments = random.Random(0)
        counts = []
        for number in range(KILLS):
            folder = tmp_path / f"run{number}"
            told, _ = _run(editor, folder, moments.uniform(0, seconds))
            counts.append(_check(folder, told))
        editor.stdin.close()
    assert len(set(counts)) > KILLS // 3, counts  # the kills did come at different moments
    assert min(counts) < STEPS / 4
    assert max(counts) > STEPS / 2


def _run(
    editor: subprocess.Popen[str], folder: Path, kill_after_s: float | None
) -> tuple[int, float]:
    """Let a child edit, and kill it; returns the last step it told of, and how long it ran."""
    assert editor.stdin is not None
    assert editor.stdout is not None
    folder.mkdir()
    editor.stdin.write(f"{folder}\n")
    editor.stdin.flush()
    told, begin = 0, 0.0
    for line in editor.stdout:
        if line.startswith("begun"):
            begin = time.monotonic()
            if kill_after_s is not None:
                time.sleep(kill_after_s)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(line.split()[1]), 9)
        elif line.startswith("ended"):
            break
        else:
            told = int(line)
    return told, time.monotonic() - begin


def _check(folder: Path, told: int) -> int:
    """Check that what a killed child left is its script up to some step from ``told`` on."""
    pullback = pullback_at(folder)
    with opened(pullback) as (session, store):
        assert store.take_notes() == ()
        assert store.holder is None
        steps = store.history_csv().count("\n") - 1
        assert told <= steps <= min(told + 1, STEPS)
        script = random.Random(folder.name)
        expected = Session(Study(pullback, Protocol()))
        for _ in range(steps):
            make_step(expected, script)
        assert plain(session.history) == plain(expected.history)
        session.undo()
        edit(session, 0, 2.0)
        before = plain(session.history)
    with opened(pullback) as (session, _):
        assert plain(session.history) == before
    return steps


def test_the_file_says_what_it_is(folder: Path) -> None:
    with opened(pullback_at(folder)) as (session, store):
        edit(session, 0, 1.0)
        session.edit(
            "comment", replace(session.study.review, comments=MappingProxyType({0: "calcified"}))
        )
        path = store.path
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        about = dict(connection.execute("SELECT name, value FROM about"))
        rows = connection.execute("SELECT kind, label, frames, changes FROM steps").fetchall()
    assert about["source"] == source_identity(pullback_at(folder))
    assert rows[0] == ("edit", "draw 1", "[0]", "{}")
    assert json.loads(rows[1][3]) == {"comments": {"set": {"0": "calcified"}, "gone": []}}
