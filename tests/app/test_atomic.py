"""Folders that receive everything or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from calcviewer.app.atomic import staged_folder
from calcviewer.core.errors import CalcViewerError


def fail_half_way(target: Path) -> None:
    with staged_folder(target) as stage:
        (stage / "a.txt").write_text("new")
        raise RuntimeError


def test_everything_arrives_and_nothing_else_stays(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "out") as stage:
        (stage / "a.txt").write_text("a")
        (stage / "labels").mkdir()
        (stage / "labels" / "b.png").write_text("b")
        assert not (tmp_path / "out" / "a.txt").exists()
    written = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {"out/a.txt", "out/labels/b.png"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.txt", "labels"}


def test_after_a_failure_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_half_way(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_after_a_failure_older_results_are_untouched(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError):
        fail_half_way(tmp_path)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(CalcViewerError, match=r"Cannot write to .*out"),
        staged_folder(tmp_path / "out"),
    ):
        pass
