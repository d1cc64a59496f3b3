"""Simulated pullbacks as the files a console and a core lab would hand over."""

from __future__ import annotations

import json
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.analysis_file import analysis_document
from calcviewer.app.labels_file import write_labels
from calcviewer.app.results import compute_results
from calcviewer.core.annotation import FrameAnnotation, Provenance, annotation_from_labels
from calcviewer.core.atomic import staged_folder
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import (
    Arc,
    CartesianGrid,
    PolarGrid,
    centred_grid,
    resample,
    sectors_mask,
)
from calcviewer.core.pullback import Intensity
from calcviewer.core.study import Study
from calcviewer.dicom.ivoct_writer import (
    RAMP_FIRST,
    RAMP_LAST,
    Identity,
    console_palette,
    new_uid,
    write_for_presentation,
    write_for_processing,
)
from calcviewer.inference.onnx import available_cores
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from calcviewer.simulation import (
    PullbackSpec,
    SimulatedFrame,
    SimulatedPullback,
    simulate_pullback,
)

_PRESENTATION_PX = 1024
_STORED_RANGE_DB = 80.0
_SHOWN_RANGE_DB = 38.0
_SCALE_BAR_MM = 1.0
_SCALE_BAR_INDEX = 246
_PROCESSES_FROM = 24
"""Fewer frames are made faster than processes start."""
_DEMO = PullbackSpec(seed=4, guidewires=1, stent=False, calcium=0.7, field_radius_mm=np.inf)


def write_pullback(
    output: Path,
    *,
    seed: int,
    frames: int,
    a_lines: int = 480,
    samples: int = 960,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Simulate a pullback into a folder.

    Writes ``pullback.dcm`` (For Processing, 16 bit, LOG), ``presentation.dcm`` (For Presentation,
    gold palette, scale bar), ``labels.npz`` (as an ideal reader would label it) and ``truth.json``;
    all of them or none. The depth range is 5 mm whatever the number of samples.
    """
    spec = PullbackSpec(
        seed=seed,
        frames=frames,
        a_lines=a_lines,
        samples=samples,
        sample_spacing_mm=_spacing_mm(samples),
    )
    write_simulated(output, spec, progress=progress)


def demo_pullback(
    output: Path, *, frames: int, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Simulate the demonstration's pullback; returns the DICOM file to open."""
    folder = output / "simulated"
    settings = {**asdict(_DEMO), "frames": frames}
    write_simulated(folder, PullbackSpec(**settings), progress=progress)
    return folder / "pullback.dcm"


def write_simulated(
    output: Path, spec: PullbackSpec, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write the pullback that a specification fixes; see `write_pullback`."""
    write_drawn(output, simulate_pullback(spec), progress=progress)


def write_drawn(
    output: Path,
    pullback: SimulatedPullback,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a pullback as it is, with whatever was placed in its vessel; see `write_pullback`."""
    spec = pullback.spec
    grid = PolarGrid(spec.a_lines, spec.samples, spec.sample_spacing_mm)
    with staged_folder(output) as stage:
        spool = _Spool(stage, pullback, grid)
        identity = Identity(patient_id=f"SIM-{spec.seed}", study_uid=new_uid())
        write_for_processing(
            stage / "pullback.dcm",
            spool.fill(progress),
            grid=grid,
            frame_pitch_mm=spec.frame_pitch_mm,
            frame_count=spec.frames,
            intensity=Intensity.LOG,
            log_range_db=_STORED_RANGE_DB,
            identity=identity,
        )
        cartesian = centred_grid(_PRESENTATION_PX, spool.field_mm)
        write_for_presentation(
            stage / "presentation.dcm",
            (_presented(shown, grid, cartesian) for shown in spool.shown),
            shape=cartesian.shape,
            palette=console_palette(gold_table()),
            pixel_spacing_mm=cartesian.pixel_spacing_mm,
            frame_pitch_mm=spec.frame_pitch_mm,
            frame_count=spec.frames,
            identity=identity,
        )
        write_labels(
            stage / "labels.npz",
            spool.labels,
            grid=grid,
            frame_count=spec.frames,
            frame_pitch_mm=spec.frame_pitch_mm,
            back_hidden=spool.back_hidden,
        )
        truth = _truth(stage / "pullback.dcm", spec, spool)
        (stage / "truth.json").write_text(json.dumps(truth, allow_nan=False) + "\n")
        spool.discard()


def true_annotation(frame: SimulatedFrame, grid: PolarGrid) -> FrameAnnotation:
    """Return what an ideal reader draws: the exact lumen, and calcium as far as it can be seen."""
    return FrameAnnotation(
        lumen=Contour(frame.lumen_mm),
        calcium=annotation_from_labels(frame.labels, grid).calcium,
        guidewires=tuple(_arc(sector) for sector in frame.guidewires),
        hidden_back=tuple(_arc(sector) for sector in frame.back_lost),
        provenance=Provenance.MANUAL,
    )


class _Spool:
    """Keeps on disk what later files need of frames that are simulated once."""

    def __init__(self, folder: Path, pullback: SimulatedPullback, grid: PolarGrid) -> None:
        spec = pullback.spec
        self.pullback = pullback
        self.grid = grid
        self.field_mm = min(pullback.field_radius_mm, grid.end_radius_mm)
        self.paths = folder / ".shown", folder / ".labels"
        shape = (spec.frames, *grid.shape)
        self.shown = np.memmap(self.paths[0], dtype=np.uint8, mode="w+", shape=shape)
        self.labels = np.memmap(self.paths[1], dtype=np.uint8, mode="w+", shape=shape)
        self.back_hidden = np.zeros(shape[:2], dtype=np.bool_)
        self.annotations: list[FrameAnnotation] = []
        self.contours: list[dict[str, Any]] = []

    def fill(self, progress: Callable[[int, int], None] | None) -> Iterator[NDArray[np.uint16]]:
        """Yield stored values frame by frame, keeping everything else."""
        count = self.pullback.spec.frames
        white_db: float | None = None
        for index, frame in enumerate(_simulated_frames(self.pullback)):
            level_db = 10 * np.log10(np.maximum(frame.intensity, 1e-12))
            if white_db is None:
                white_db = float(np.percentile(level_db[frame.intensity > 0], 99.7))
            self.shown[index] = _palette_indices(level_db, white_db)
            self._keep(index, frame)
            if progress:
                progress(index + 1, count)
            top_db = white_db + 0.25 * _STORED_RANGE_DB
            part = 1 + (level_db - top_db) / _STORED_RANGE_DB
            yield np.rint(np.clip(part, 0, 1) * np.iinfo(np.uint16).max).astype(np.uint16)

    def _keep(self, index: int, frame: SimulatedFrame) -> None:
        self.labels[index] = frame.labels
        truth = true_annotation(frame, self.grid)
        self.back_hidden[index] = sectors_mask(truth.hidden_back, self.grid.angles_deg())
        self.annotations.append(truth)
        self.contours.append(
            {
                "frame": index + 1,
                "lumen_mm": _rounded(frame.lumen_mm),
                "calcium_mm": [
                    [_rounded(ring) for ring in (deposit.exterior, *deposit.holes)]
                    for deposit in frame.calcium_mm
                ],
                "guidewires_deg": [list(sector) for sector in frame.guidewires],
                "back_hidden_deg": [list(sector) for sector in frame.back_lost],
            }
        )

    def discard(self) -> None:
        """Remove what was kept on disk."""
        del self.shown, self.labels
        for path in self.paths:
            path.unlink()


def _simulated_frames(pullback: SimulatedPullback) -> Iterator[SimulatedFrame]:
    """Make the frames in order, in several processes when there are many."""
    count = pullback.spec.frames
    workers = min(available_cores(), count)
    if workers < 2 or count < _PROCESSES_FROM:
        yield from (pullback.frame(index) for index in range(count))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        # Few frames ahead of the writer, so that memory stays flat.
        waiting: deque[Future[SimulatedFrame]] = deque()
        for index in range(count):
            waiting.append(pool.submit(pullback.frame, index))
            if len(waiting) > 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _palette_indices(level_db: NDArray[np.floating], white_db: float) -> NDArray[np.uint8]:
    """Return what a console shows of a frame, as indices of its palette."""
    part = np.clip(1 + (level_db - white_db) / _SHOWN_RANGE_DB, 0, 1)
    return np.asarray(np.rint(RAMP_FIRST + part * (RAMP_LAST - RAMP_FIRST)), dtype=np.uint8)


def _presented(
    shown: NDArray[np.uint8], grid: PolarGrid, cartesian: CartesianGrid
) -> NDArray[np.uint8]:
    """Scan-convert a frame and burn the scale bar in."""
    picture = resample(shown, grid, cartesian, fill=RAMP_FIRST)
    indices = np.rint(picture).astype(np.uint8)
    length_px = round(_SCALE_BAR_MM / cartesian.pixel_spacing_mm)
    right, bottom = cartesian.columns - 24, cartesian.rows - 24
    indices[bottom - 3 : bottom, right - length_px : right] = _SCALE_BAR_INDEX
    for tick in (right - length_px, right - 2):
        indices[bottom - 9 : bottom + 6, tick : tick + 2] = _SCALE_BAR_INDEX
    return indices


def _truth(path: Path, spec: PullbackSpec, spool: _Spool) -> dict[str, Any]:
    """Return what is true of the pullback: measured on the exact lumen and drawn calcium."""
    source = read_pullback(path, options=ReadOptions())
    study = Study(
        source, Protocol(), predictions=MappingProxyType(dict(enumerate(spool.annotations)))
    )
    field = spool.pullback.field_radius_mm
    settings = {name: value for name, value in asdict(spec).items() if value is not None}
    return {
        "format": "calcviewer-truth",
        "version": 1,
        "simulated": True,
        "spec": {**settings, "field_radius_mm": field if np.isfinite(field) else None},
        "analysis": analysis_document(study, compute_results(study, {})),
        "frames": spool.contours,
    }


def _arc(sector: tuple[float, float]) -> Arc:
    start, end = sector
    return Arc(start, (end - start) % 360.0 or 360.0)


def _rounded(points_mm: NDArray[np.floating]) -> list[list[float]]:
    """Return points as plain numbers to a tenth of a micrometre."""
    return [[round(float(x), 4), round(float(y), 4)] for x, y in points_mm]


def _spacing_mm(samples: int) -> float:
    """Return the spacing at which so many samples cover the usual depth range."""
    return 960 * 0.0052 / samples
