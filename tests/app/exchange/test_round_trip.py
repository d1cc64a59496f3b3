"""Simulated frames go out as a SEG and come back with their areas, arcs and scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from pydicom import dcmread

from calcviewer.app import workflows
from calcviewer.app.exchange.seg_results import annotations_of_seg, write_study_seg
from calcviewer.app.labels_file import read_labels
from calcviewer.app.results import Results, compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.app.simulate import write_simulated
from calcviewer.core.annotation import Provenance, annotation_from_labels, labels_of_annotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import PolarGrid, to_xy
from calcviewer.core.study import Study
from calcviewer.dicom.seg_reader import EXACT_CONTOURS, PRIVATE_BLOCK, read_seg_header
from calcviewer.dicom.source import source_of
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.read import read_pullback
from calcviewer.simulation import PullbackSpec
from tests.result_studies import assert_valid

FRAMES = 6
AREA_PART, ARC_DEG = 0.005, 1.0
AREAS = ("lumen_area_mm2", "calcium_area_mm2", "eel_area_mm2")
ARCS = ("max_arc_deg_visible", "max_arc_deg_bridged", "sum_arc_deg")
EEL = Contour(to_xy(np.linspace(0, 360, 180, endpoint=False), 2.4))


@pytest.fixture(scope="module", params=[1, 5, 11])
def simulated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "out"
    spec = PullbackSpec(
        seed=request.param, frames=FRAMES, a_lines=480, samples=480, sample_spacing_mm=5 / 480,
        guidewires=1, calcium=0.8,
    )  # fmt: skip
    write_simulated(folder, spec)
    return folder


@pytest.fixture(params=["pullback.dcm", "presentation.dcm"])
def study(request: pytest.FixtureRequest, simulated: Path) -> IvoctStudy:
    """A study whose every other frame is turned until its calcium lies across theta = 0."""
    pullback = read_pullback(simulated / request.param)
    known = read_labels(simulated / "labels.npz", Protocol())
    grid = known.pullback.grid
    assert isinstance(grid, PolarGrid)
    predictions = {}
    for index, one in known.predictions.items():
        labels = labels_of_annotation(one, grid)
        calcified = np.flatnonzero((labels == 2).any(axis=1))
        if index % 2 and calcified.size:
            labels = np.roll(labels, -calcified[calcified.size // 2], axis=0)
        predictions[index] = annotation_from_labels(labels, grid, provenance=Provenance.AUTOMATIC)
    predictions[1] = replace(predictions[1], eel=EEL, provenance=Provenance.MANUAL)
    return Study(pullback, Protocol(), MappingProxyType(predictions))


def exported(study: IvoctStudy, path: Path, *, pixels_only: bool) -> Path:
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    if pixels_only:  # as another program would have written it
        dataset = dcmread(path)
        del dataset.private_block(*PRIVATE_BLOCK)[EXACT_CONTOURS]
        dataset.save_as(path)
    return path


def scores(results: Results) -> list[tuple[object, ...]]:
    return [
        (one.frame_range, one.visible.score, one.bridged.score, one.verdict)
        for one in results.lesions
    ]


def measured(results: Results) -> list[FrameMeasurement]:
    frames = [frame for frame in results.frames if frame is not None]
    assert len(frames) == FRAMES
    return frames


@pytest.mark.parametrize("pixels_only", [False, True])
def test_areas_arcs_and_scores_come_back(
    tmp_path: Path, study: IvoctStudy, *, pixels_only: bool
) -> None:
    path = exported(study, tmp_path / "a.seg.dcm", pixels_only=pixels_only)
    assert_valid(path)
    before, after = compute_results(study, {}), workflows.measure(path).results
    assert scores(before)
    assert scores(after) == scores(before)
    for one, other in zip(measured(before), measured(after), strict=True):
        for name in AREAS:
            expected, back = getattr(one, name), getattr(other, name)
            assert (back is None) == (expected is None)
            assert expected is None or back == pytest.approx(expected, rel=AREA_PART)
        for name in ARCS:
            assert getattr(other, name) == pytest.approx(getattr(one, name), abs=ARC_DEG)
    assert measured(after)[1].eel_area_mm2 is not None


def test_what_comes_back_is_drawn_on_the_same_pixels(tmp_path: Path, study: IvoctStudy) -> None:
    first = exported(study, tmp_path / "a.seg.dcm", pixels_only=True)
    again = replace(study, predictions=annotations_of_seg(first, study.pullback))
    second = exported(again, tmp_path / "b.seg.dcm", pixels_only=True)
    one, other = read_seg_header(first), read_seg_header(second)
    for index in range(FRAMES):
        labels, labels_again = one.labels(index), other.labels(index)
        for label in (1, 2):
            area = np.count_nonzero(labels == label)
            moved = np.count_nonzero((labels == label) != (labels_again == label))
            assert moved <= AREA_PART * area
    eel, eel_again = one.eel(1), other.eel(1)
    assert eel is not None
    assert eel_again is not None
    assert np.count_nonzero(eel != eel_again) <= AREA_PART * np.count_nonzero(eel)
    before = compute_results(again, {})
    after = compute_results(
        replace(study, predictions=annotations_of_seg(second, study.pullback)), {}
    )
    assert scores(after) == scores(before)


def test_an_eel_changed_by_others_wins_over_the_contour(tmp_path: Path, study: IvoctStudy) -> None:
    path = exported(study, tmp_path / "a.seg.dcm", pixels_only=False)
    assert annotations_of_seg(path, study.pullback)[1].eel is not None
    dataset = dcmread(path)
    kept = [
        item.ReferencedSegmentNumber == 4
        for group in dataset.PerFrameFunctionalGroupsSequence
        for item in group.SegmentIdentificationSequence
    ]
    assert sum(kept) == 1
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    size = dataset.Rows * dataset.Columns
    frames = bits[: len(kept) * size].reshape(len(kept), -1)
    frames[kept.index(True), : size // 2] = 0
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes()
    dataset.save_as(path)
    changed = annotations_of_seg(path, study.pullback)[1]
    assert changed.eel is not None
    assert changed.eel.area_mm2 < 0.7 * EEL.area_mm2
    assert changed.provenance is Provenance.MANUAL
