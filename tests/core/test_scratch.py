"""Arrays on disk: zeros, gone afterwards, and refused where there is no room."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.scratch import scratch_array


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
