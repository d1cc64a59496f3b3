"""Exports are whole or not at all, and what was chosen is remembered."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from calcviewer.app.animation import (
    MOST_FRAMES,
    AnimationSource,
    animation_frames,
    drawn_frame,
    write_animation,
)
from calcviewer.app.export import (
    ExportChoices,
    ExportKind,
    choices_path,
    exported,
    file_name,
    load_choices,
    save_choices,
)
from calcviewer.app.results import compute_results
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import Arc, CartesianGrid, centred_grid
from calcviewer.core.study import Review
from tests.lesion_studies import TWO_LESIONS, arc, study_of
from tests.phantoms import GRID, label_map

SQUARE = centred_grid(200, 4.0)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def source(
    annotation: FrameAnnotation | None = None, grid: CartesianGrid = SQUARE, *, scaled: bool = True
) -> AnimationSource:
    def picture(frame: int) -> NDArray[np.uint8]:
        return np.full((*grid.shape, 3), 10 * frame % 256, dtype=np.uint8)

    return AnimationSource(
        picture=picture, annotation=lambda _: annotation, grid=grid, frame_count=99, scaled=scaled
    )


def test_tables(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS)
    paths = list(
        exported(ExportKind.CSV, tmp_path / "x.csv", study, compute_results(study, {}), "A4")
    )
    assert [path.name for path in paths] == ["x-frames.csv", "x-lesions.csv"]
    with paths[0].open() as stream:
        frames = list(csv.DictReader(stream))
    assert [row["frame"] for row in frames] == [str(n + 1) for n in range(len(TWO_LESIONS))]
    with paths[1].open() as stream:
        assert [row["first_frame"] for row in csv.DictReader(stream)] == ["3", "13"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-frames.csv", "x-lesions.csv"]


def test_data(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS, review=Review(voi=(10, 16)))
    target = tmp_path / "a.json"
    assert list(exported(ExportKind.JSON, target, study, compute_results(study, {}), "A4")) == [
        target
    ]
    document = json.loads(target.read_text())
    assert document["voi"] == [11, 17]
    assert len(document["lesions"]) == 1


def test_report(tmp_path: Path) -> None:
    study = study_of([arc(200)] * 2)
    target = tmp_path / "r.pdf"
    assert list(exported(ExportKind.PDF, target, study, compute_results(study, {}), "letter")) == [
        target
    ]
    assert target.read_bytes().startswith(b"%PDF-")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    study = study_of([arc(200)])
    target = tmp_path / "missing" / "a.json"
    with pytest.raises(CalcViewerError, match=r"a\.json could not be written"):
        list(exported(ExportKind.JSON, target, study, compute_results(study, {}), "A4"))


@pytest.mark.parametrize(
    ("name", "kind", "what", "expected"),
    [
        ("LAD run 3", ExportKind.PDF, "", "LAD-run-3-report.pdf"),
        ("a/b:c*", ExportKind.PNG, "polar-frame-4", "a-b-c-polar-frame-4.png"),
        ("///", ExportKind.JSON, "", "pullback-analysis.json"),
        ("Läsion", ExportKind.CSV, "", "Läsion-frames.csv"),
        ("x" * 300, ExportKind.GIF, "frames-1-2", "x" * 80 + "-frames-1-2.gif"),
    ],
)
def test_file_names(name: str, kind: ExportKind, what: str, expected: str) -> None:
    study = study_of([arc(60)])
    study = replace(study, pullback=replace(study.pullback, name=name))
    assert file_name(study, kind, what) == expected


def test_choices_are_remembered() -> None:
    assert load_choices() == ExportChoices()
    chosen = ExportChoices(folder="/data", kind="gif", page_size="letter", overlay=False, speed=20)
    save_choices(chosen)
    assert load_choices() == chosen


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kind": "exe", "speed": [], "overlay": 3}'])
def test_choices_that_cannot_be_used_fall_back(text: str) -> None:
    choices_path().parent.mkdir(parents=True)
    choices_path().write_text(text)
    assert load_choices() == ExportChoices()


def test_one_bad_choice_leaves_the_others() -> None:
    choices_path().parent.mkdir(parents=True)
    choices_path().write_text('{"kind": "exe", "speed": 5, "folder": "/data"}')
    assert load_choices() == ExportChoices(speed=5, folder="/data")


def test_an_animation_has_every_frame_and_repeats(tmp_path: Path) -> None:
    target = tmp_path / "a.gif"
    told = list(write_animation(target, source(), range(3, 9), frames_per_second=10))
    assert told == [(n, 6) for n in range(1, 7)] + [(6, 6)]
    with Image.open(target) as film:
        assert (film.n_frames, film.info["duration"], film.info["loop"]) == (6, 100, 0)


def test_an_animation_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.gif"
    work = write_animation(target, source(), range(3), frames_per_second=10)
    for _ in range(4):  # three frames, and the last place to stop
        next(work)
    work.close()
    assert not list(tmp_path.iterdir())


def test_a_long_range_is_thinned() -> None:
    assert animation_frames(0, 99) == range(100)
    frames = animation_frames(10, 10 + 3 * MOST_FRAMES)
    assert len(frames) <= MOST_FRAMES
    assert (frames[0], frames.step) == (10, 4)


def test_contours_are_drawn_where_they_are() -> None:
    grid = GRID
    annotation = annotation_from_labels(label_map((0.0, 90.0), grid=grid), grid)
    plain = np.asarray(drawn_frame(source(), 0), dtype=int)
    drawn = np.asarray(drawn_frame(source(annotation), 0), dtype=int)
    changed = np.abs(drawn - plain).sum(axis=2) > 30
    size = plain.shape[1]
    y, x = np.nonzero(changed)
    x_mm, y_mm = (np.stack([x, y]) + 0.5) / size * 8.0 - 4.0
    radius = np.hypot(x_mm, y_mm)
    angle = (np.rad2deg(np.arctan2(y_mm, x_mm)) + 10) % 360 - 10  # the outline has a width
    beyond_lumen = radius > 1.6
    assert radius.max() == pytest.approx(2.3, abs=0.06)
    assert angle[beyond_lumen].max() == pytest.approx(90, abs=2)
    # A quarter of the calcium's blue over black, inside the deposit.
    inside = beyond_lumen & (np.abs(radius - 2.0) < 0.1) & (angle > 20) & (angle < 70)
    assert drawn[y[inside], x[inside], 2].mean() == pytest.approx(62, abs=4)


def test_a_wire_is_marked_and_frames_that_are_not_square_keep_their_shape() -> None:
    wide = CartesianGrid(100, 200, 0.04, (99.5, 49.5))
    wire = FrameAnnotation(guidewires=(Arc(170.0, 20.0),))
    picture = np.asarray(drawn_frame(source(wire, wide, scaled=False), 0))
    plain = np.asarray(drawn_frame(source(None, wide, scaled=False), 0))
    assert picture.shape[1] > 1.7 * picture.shape[0]
    y, x = np.nonzero(np.any(picture != plain, axis=2))
    assert x.max() < picture.shape[1] / 2  # to the left of the catheter
    assert y.mean() == pytest.approx(picture.shape[1] / 4, abs=3)


def test_without_a_scale_there_is_no_scale_bar() -> None:
    assert np.any(
        np.asarray(drawn_frame(source(), 0)) != np.asarray(drawn_frame(source(scaled=False), 0))
    )
