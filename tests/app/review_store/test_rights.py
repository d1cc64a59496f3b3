"""Who may read a review: those who may read its pullback."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from calcviewer.app.review_store.place import data_folder
from tests.app.review_store.kept_reviews import edit, opened, pullback_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


@pytest.mark.parametrize(
    ("pullback_mode", "umask", "review_mode"),
    [
        (0o600, 0o022, 0o600),
        (0o640, 0o022, 0o640),
        (0o644, 0o022, 0o644),
        (0o664, 0o002, 0o664),
        (0o444, 0o077, 0o600),
    ],
)
def test_a_review_beside_its_pullback(
    pullback_mode: int, umask: int, review_mode: int, tmp_path: Path
) -> None:
    pullback = pullback_at(tmp_path)
    pullback.source.path.chmod(pullback_mode)
    before = os.umask(umask)
    try:
        with opened(pullback) as (session, store):
            edit(session, 0, 1.0)
            files = [store.path, store.path.with_name(f"{store.path.name}-wal")]
            assert [stat.S_IMODE(one.stat().st_mode) for one in files] == [review_mode] * 2
    finally:
        os.umask(before)


def test_reviews_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    pullback = pullback_at(tmp_path)
    pullback.source.path.unlink()
    with opened(pullback) as (session, store):
        edit(session, 0, 1.0)
        assert store.path.parent == data_folder()
        assert stat.S_IMODE(data_folder().stat().st_mode) == 0o700
