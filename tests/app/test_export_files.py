"""Exports are whole or not at all, and what was chosen is remembered."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread

from calcviewer.app.animation import (
    MOST_FRAMES,
    AnimationSource,
    animation_frames,
    drawn_frame,
    write_animation,
)
from calcviewer.app.export import (
    ExportKind,
    ExportOrder,
    ExportProgress,
    base_name,
    exported,
)
from calcviewer.app.export_choices import (
    ExportChoices,
    choices_path,
    load_choices,
    save_choices,
)
from calcviewer.app.lesion_report import printed
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import Arc, CartesianGrid, centred_grid
from calcviewer.core.study import Review
from calcviewer.dicom.encapsulated import pdf_of
from tests.lesion_studies import TWO_LESIONS, arc, study_of
from tests.phantoms import GRID, label_map
from tests.result_studies import processing_pullback, result_study

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


def order(folder: Path, *kinds: ExportKind, **parts: object) -> ExportOrder:
    chosen = {"base": "x", "deidentify": False, "shows": {ExportKind.PNG: "polar-frame-4"}}
    return ExportOrder(kinds=frozenset(kinds), folder=folder, **{**chosen, **parts})


def run(wanted: ExportOrder, study: IvoctStudy) -> tuple[Path, ...]:
    *progress, paths = exported(wanted, study, compute_results(study, {}))
    parts = [one.part for one in progress if isinstance(one, ExportProgress)]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    assert isinstance(paths, tuple)
    return paths


def test_tables(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS)
    paths = run(order(tmp_path, ExportKind.CSV), study)
    assert [path.name for path in paths] == ["x-frames.csv", "x-lesions.csv"]
    with paths[0].open() as stream:
        frames = list(csv.DictReader(stream))
    assert [row["frame"] for row in frames] == [str(n + 1) for n in range(len(TWO_LESIONS))]
    with paths[1].open() as stream:
        lesions = csv.reader(stream)
        header = next(lesions)
        first = header.index("first_frame")
        assert [row[first] for row in lesions] == ["3", "13"]
    assert len(set(header)) == len(header)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-frames.csv", "x-lesions.csv"]


@pytest.mark.parametrize("deidentify", [False, True])
def test_data(tmp_path: Path, *, deidentify: bool) -> None:
    study = study_of(TWO_LESIONS, review=Review(voi=(10, 16)))
    (path,) = run(order(tmp_path, ExportKind.JSON, deidentify=deidentify), study)
    document = json.loads(path.read_text())
    assert document["voi"] == [11, 17]
    assert len(document["lesions"]) == 1
    assert document["pullback"]["name"] == ("De-identified pullback" if deidentify else "phantom")
    assert (document["pullback"]["path"] == "") is deidentify


def test_report(tmp_path: Path) -> None:
    (path,) = run(order(tmp_path, ExportKind.PDF, page_size="letter"), study_of([arc(200)] * 2))
    assert path.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("deidentify", [False, True])
def test_the_report_for_the_archive_is_the_one_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, deidentify: bool
) -> None:
    rendered = []
    real = printed.render_report
    monkeypatch.setattr(
        printed, "render_report", lambda *a, **k: rendered.append(real(*a, **k)) or rendered[-1]
    )
    wanted = order(tmp_path, ExportKind.PDF, ExportKind.DICOM_PDF, deidentify=deidentify)
    report, archived = run(wanted, study_of([arc(200)] * 2))
    assert [report.read_bytes()] == rendered
    assert pdf_of(archived).rstrip(b"\0") == rendered[0]


def test_results_of_frames_that_are_no_dicom_stay_together(tmp_path: Path) -> None:
    paths = run(order(tmp_path, ExportKind.SEG, ExportKind.SR), study_of(TWO_LESIONS[:4]))
    assert [path.name for path in paths] == ["x.seg.dcm", "x.sr.dcm"]
    assert len({_study_uid(path) for path in paths}) == 1


@pytest.mark.parametrize("deidentify", [False, True])
def test_results_of_a_dicom_pullback_stay_together(tmp_path: Path, *, deidentify: bool) -> None:
    study = result_study(processing_pullback(tmp_path))
    wanted = order(tmp_path, ExportKind.SEG, ExportKind.SR, deidentify=deidentify)
    uids = {_study_uid(path) for path in run(wanted, study)}
    assert len(uids) == 1
    assert (uids == {study.pullback.source.study_instance_uid}) is not deidentify


def _study_uid(path: Path) -> str:
    return str(dcmread(path, specific_tags=["StudyInstanceUID"]).StudyInstanceUID)


def test_a_folder_that_is_not_writable_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CalcViewerError, match=r"Nothing was written to .*file"):
        run(order(tmp_path / "file", ExportKind.JSON), study_of([arc(200)]))


def test_nothing_ordered(tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="Nothing was chosen"):
        run(order(tmp_path), study_of([arc(200)]))


def test_what_is_ended_early_leaves_everything_as_it_was(tmp_path: Path) -> None:
    study = study_of([arc(200)])
    older = tmp_path / "x-analysis.json"
    older.write_text("older")
    work = exported(
        order(tmp_path, ExportKind.JSON, ExportKind.CSV), study, compute_results(study, {})
    )
    while next(work).part < 1.0:
        assert len(list(tmp_path.iterdir())) == 2  # the older file, and a hidden folder
    work.close()
    assert list(tmp_path.iterdir()) == [older]
    assert older.read_text() == "older"


def test_what_came_back_otherwise_than_it_was_written_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: written(path, data[:-1]))
    with pytest.raises(CalcViewerError, match=r"x-report\.pdf was damaged while it was written"):
        run(order(tmp_path, ExportKind.PDF), study_of([arc(200)]))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _document: object) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("calcviewer.app.export.write_json", full)
    with pytest.raises(CalcViewerError, match=r"No space left on device\. Make room"):
        run(order(tmp_path, ExportKind.CSV, ExportKind.JSON), study_of([arc(200)]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("base", "kind", "expected"),
    [
        ("LAD run 3", ExportKind.PDF, "LAD-run-3-report.pdf"),
        ("a/b:c*", ExportKind.PNG, "a-b-c-polar-frame-4.png"),
        ("///", ExportKind.JSON, "pullback-analysis.json"),
        ("Läsion", ExportKind.SEG, "Läsion.seg.dcm"),
        ("x" * 300, ExportKind.NIFTI, "x" * 80 + ".nii.gz"),
    ],
)
def test_file_names(base: str, kind: ExportKind, expected: str) -> None:
    (path,) = order(Path("/data"), kind, base=base).all_paths
    assert path == Path("/data") / expected


def test_proposed_names_name_nobody_when_deidentified() -> None:
    study = study_of([arc(60)])
    assert base_name(study, deidentify=False) == "phantom"
    assert base_name(study, deidentify=True) == "pullback"


def test_choices_are_remembered() -> None:
    assert load_choices() == ExportChoices()
    chosen = ExportChoices(
        folder="/data",
        kinds=("gif", "seg"),
        page_size="letter",
        picture="polar",
        overlay=False,
        speed=20,
    )
    save_choices(chosen)
    assert load_choices() == chosen
    assert load_choices().chosen == {ExportKind.GIF, ExportKind.SEG}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"kinds": ["exe"], "speed": [], "overlay": 3, "picture": 1}']
)
def test_choices_that_cannot_be_used_fall_back(text: str) -> None:
    choices_path().parent.mkdir(parents=True)
    choices_path().write_text(text)
    assert load_choices() == ExportChoices()


def test_one_bad_choice_leaves_the_others() -> None:
    choices_path().parent.mkdir(parents=True)
    choices_path().write_text('{"kinds": "gif", "speed": 5, "folder": "/data"}')
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
