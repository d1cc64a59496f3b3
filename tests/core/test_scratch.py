"""Temporary files: private, gone afterwards, and refused where there is no room."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.scratch import discard_stale_scratch, scratch_array, scratch_folder


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("fallocate", [True, False])
def test_an_array_of_zeros_that_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fallocate: bool
) -> None:
    if not fallocate:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with scratch_array((3, 700, 800)) as array:
        assert (array.shape, int(array.max())) == ((3, 700, 800), 0)
        array[2] = 7
        assert int(array[2].min()) == 7
        # Its room is taken: nothing can run out while it is filled.
        (file,) = (one for one in tmp_path.rglob("array"))
        assert file.stat().st_blocks * 512 >= array.size
        del array
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(CalcViewerError, match="no room for 6 MB: No space left on device"):
        scratch_array((6, 1000, 1000)).__enter__()
    assert not list(tmp_path.iterdir())


def test_a_folder_is_private_and_gone_also_after_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch_folder() as folder:
            (folder / "patient.dcm").write_text("private")
            assert folder.parent == tmp_path
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def aged(folder: Path, *, seconds: float = 3600.0) -> None:
    then = time.time() - seconds
    os.utime(folder, (then, then))


needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no locks on folders")


@needs_locks
def test_what_a_killed_process_left_is_found_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from calcviewer.core.scratch import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    (folder / 'patient.dcm').write_text('private')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9
    (left,) = tmp_path.iterdir()
    discard_stale_scratch()
    assert left.exists()  # it could be one that is just being made
    others = [tmp_path / name for name in ("calcviewer-demo", "calcviewer-out", "scratch")]
    for other in others:
        other.mkdir()
        aged(other)
    with scratch_folder() as held:
        for one in (left, held):
            aged(one)
        discard_stale_scratch()
        assert sorted(tmp_path.iterdir()) == sorted([*others, held])
    discard_stale_scratch()
    assert sorted(tmp_path.iterdir()) == sorted(others)


@needs_locks
@pytest.mark.parametrize("known", ["another's", "no locks"])
def test_what_may_be_somebodys_stays(
    known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "calcviewer-scratch-abcd1234"
    left.mkdir()
    aged(left)
    if known == "another's":
        monkeypatch.setattr(os, "getuid", lambda: left.stat().st_uid + 1)
    else:
        monkeypatch.setattr(
            "fcntl.flock", lambda *_: (_ for _ in ()).throw(OSError(95, "no locks"))
        )
    discard_stale_scratch()
    assert left.exists()
