"""Simulated training data: VOIs from the simulator, through the program's own preprocessing."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.voi_file import (
    CALCIUM,
    IGNORE,
    LUMEN,
    OTHER,
    Labels,
    VoiMetadata,
    label_beyond,
    write_voi,
)
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import CartesianGrid, resample
from calcviewer.inference.onnx import available_cores
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, preprocess
from calcviewer.simulation import PullbackSpec, SimulatedFrame, simulate_pullback
from calcviewer.simulation.physics import FITTED
from calcviewer.training.regimes import EVERYTHING, DrawnVoi, Selection, regimes_of

SEEDS_PER_SET = 1_000_000
"""Data sets of different seeds never share a VOI."""
_DRAWS_PER_VOI = 200


@dataclass(frozen=True)
class GenerateSettings:
    """What to simulate.

    Few frames from many vessels teach more than many frames of few, since neighbours are alike.
    A VOI is cut anywhere out of a whole pullback, every ``frame_step``-th frame of it: a pullback
    as short as a VOI would have its calcium squeezed into it. ``export_share`` of the VOIs go
    through what a console's export does to a frame before they are preprocessed: 8-bit display
    range with the black clipped, Cartesian pixels. Each VOI has one of the ``physics``
    (`calcviewer.simulation.physics`); only VOIs that ``selection`` accepts are made.
    """

    vois: int = 300
    frames_per_voi: int = 8
    pullback_frames: int = 120
    frame_step: int = 2
    stride: int = 2
    seed: int = 0
    export_share: float = 0.5
    physics: tuple[str, ...] = (FITTED,)
    selection: Selection = EVERYTHING


@dataclass(frozen=True)
class Export:
    """A console's export: everything below ``white_db - range_db`` is pure black."""

    rows: int
    white_db: float
    range_db: float


def generate_dataset(
    directory: Path,
    *,
    settings: GenerateSettings,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Simulate VOIs into a data set directory, in parallel.

    Parameters
    ----------
    processes
        Defaults to the available cores.
    progress
        Called with (VOIs done, VOIs wanted).
    """
    if settings.vois < 1 or settings.frames_per_voi < 1:
        raise CalcViewerError("A data set needs at least one VOI of one frame.")
    seeds = voi_seeds(settings)
    processes = processes or available_cores()
    paths = []
    # A forked child would inherit the threads of libraries that cannot be forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        simulate = partial(_write_simulated_voi, directory, settings)
        for path in pool.map(simulate, seeds):
            paths.append(path)
            if progress:
                progress(len(paths), settings.vois)
    return paths


def voi_seeds(settings: GenerateSettings) -> list[int]:
    """Return the seeds of the VOIs to make: the first ones that the selection accepts.

    Raises
    ------
    CalcViewerError
        Hardly any VOI is accepted.
    """
    first = settings.seed * SEEDS_PER_SET
    if settings.selection == EVERYTHING:
        return list(range(first, first + settings.vois))
    seeds: list[int] = []
    for seed in range(first, first + settings.vois * _DRAWS_PER_VOI):
        drawn, _ = _draw_voi(seed, settings)
        if settings.selection.accepts(regimes_of(drawn)):
            seeds.append(seed)
            if len(seeds) == settings.vois:
                return seeds
    raise CalcViewerError(
        f"Only {len(seeds)} of {settings.vois * _DRAWS_PER_VOI} simulated VOIs are of the regimes "
        "asked for.",
        "Ask for fewer VOIs, or for less.",
    )


def simulate_voi(seed: int, *, settings: GenerateSettings) -> tuple[NDArray[np.float16], Labels]:
    """Simulate and preprocess one VOI at full size.

    Returns
    -------
    images
        float16 [frame, 480, 960], 0 to 1.
    labels
        uint8, same shape.
    """
    drawn, rng = _draw_voi(seed, settings)
    pullback = drawn.pullback
    field_mm = min(pullback.field_radius_mm, MODEL_GRID.end_radius_mm)
    first = pullback.frame(drawn.frames[0])
    export = draw_export(rng, first.intensity) if drawn.exported else None
    images, labels = [], []
    for frame in pullback:
        images.append(model_image(frame.intensity, export, field_radius_mm=field_mm))
        labels.append(training_labels(frame, field_radius_mm=field_mm))
    return np.stack(images).astype(np.float16), np.stack(labels)


def _draw_voi(seed: int, settings: GenerateSettings) -> tuple[DrawnVoi, np.random.Generator]:
    """Draw a VOI; return it with the generator that goes on to draw its export."""
    rng = np.random.default_rng([seed, 77])
    reach = (settings.frames_per_voi - 1) * settings.frame_step + 1
    physics = settings.physics[seed % len(settings.physics)]
    spec = PullbackSpec(
        seed=seed,
        frames=max(settings.pullback_frames, reach),
        a_lines=MODEL_GRID.a_lines,
        samples=MODEL_GRID.samples,
        sample_spacing_mm=MODEL_GRID.sample_spacing_mm,
        physics=physics,
    )
    first = int(rng.integers(spec.frames - reach + 1))
    frames = range(first, first + reach, settings.frame_step)
    exported = bool(rng.random() < settings.export_share)
    return DrawnVoi(simulate_pullback(spec, frames=frames), frames, exported), rng


def draw_export(rng: np.random.Generator, intensity: NDArray[np.float32]) -> Export:
    """Draw the size and display range of an export from a frame of the pullback.

    The ranges hold the real frames at hand, whose brightest tissue stays far from white
    (docs/realism.md).
    """
    seen_db = 10 * np.log10(intensity[intensity > 0])
    return Export(
        rows=int(rng.integers(680, 1025)),
        white_db=float(np.percentile(seen_db, 99.7) + rng.uniform(-3, 9)),
        range_db=float(rng.uniform(32, 58)),
    )


def model_image(
    intensity: NDArray[np.float32], export: Export | None, *, field_radius_mm: float
) -> NDArray[np.float32]:
    """Preprocess a linear frame [480, 960], straight from the detector or through an export."""
    if export is None:
        return preprocess(intensity, grid=MODEL_GRID, log=False, field_radius_mm=field_radius_mm)
    grid = CartesianGrid(
        rows=export.rows,
        columns=export.rows,
        pixel_spacing_mm=2 * field_radius_mm / export.rows,
        centre_px=((export.rows - 1) / 2, (export.rows - 1) / 2),
    )
    level_db = 10 * np.log10(np.maximum(intensity, 1e-12))
    shown = (level_db - export.white_db) / export.range_db + 1
    shown = np.round(np.clip(shown, 0, 1) * 255)
    cartesian = np.round(resample(shown, MODEL_GRID, grid))
    return preprocess(cartesian, grid=grid, log=True, field_radius_mm=field_radius_mm)


def training_labels(frame: SimulatedFrame, *, field_radius_mm: float) -> Labels:
    """Labels of a simulated frame as a network can learn them.

    The guidewire's shadow is "other". Calcium that an expert would not draw, because no signal
    comes back from there, is ignored: neither answer can be read off the image.
    """
    labels = np.full(frame.labels.shape, OTHER, dtype=np.uint8)
    labels[frame.labels == LUMEN] = LUMEN
    labels[frame.labels == CALCIUM] = CALCIUM
    labels[frame.calcium_full & (frame.labels == OTHER)] = IGNORE
    radii = MODEL_GRID.radii_mm()
    return label_beyond(labels, int(np.searchsorted(radii, field_radius_mm)))


def _write_simulated_voi(directory: Path, settings: GenerateSettings, seed: int) -> Path:
    images, labels = simulate_voi(seed, settings=settings)
    name = f"simulated-{seed:09d}"
    drawn, _ = _draw_voi(seed, settings)
    metadata = VoiMetadata(
        name,
        "simulated",
        source=name,
        seed=seed,
        stride=settings.stride,
        regimes=regimes_of(drawn),
        frame_step=settings.frame_step,
    )
    return write_voi(directory, metadata, images=images, labels=labels)
