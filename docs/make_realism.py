"""Compare simulated pullbacks with a real sequence; writes ``docs/realism.png``, prints a table.

Run from the repository's root::

    .venv/bin/python -m docs.make_realism FRAMES MASKS [--physics NAME] [--side-by-side FILE.png]

``FRAMES`` and ``MASKS`` are the public sequence named in the README. Only statistics of it go into
the repository; the side-by-side pictures are for your own eyes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from calcviewer.core.geometry import centred_grid, resample, sectors_mask
from calcviewer.modalities.ivoct.guidewire import find_guidewires
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, model_frame
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from calcviewer.simulation import PullbackSpec, SimulatedPullback, simulate_pullback
from calcviewer.simulation.physics import FITTED, PHYSICS
from calcviewer.training.generate import Export, draw_export

Levels = NDArray[np.float32]
FIELD_MM, ROWS = 2.5, 750
"""Field and size of the real frames."""
GRID = centred_grid(ROWS, FIELD_MM)
PULLBACKS, PULLBACK_FRAMES, TAKEN = 40, 120, (40, 80)
FIRST_SEED = 950_001
REAL_STEP = 4
DEPTHS_MM = np.arange(-0.2, 1.4, 0.01)
BANDS_MM = {
    "just behind the border": (0.05, 0.25),
    "0.4 to 0.7 mm": (0.4, 0.7),
    "0.9 to 1.3 mm": (0.9, 1.3),
}
LEVELS = np.linspace(0, 1, 33)
SPECKLE_MM = (0.06, 0.26)


@dataclass(frozen=True)
class Wall:
    """Display levels (0 to 1) of one frame, aligned to its lumen border.

    ``levels`` is ``[a_line, depth]`` at `DEPTHS_MM`, nan beyond the field and in guidewire
    shadows; ``radius_mm`` is the border's median radius.
    """

    levels: Levels
    radius_mm: float


def aligned(shown: Levels, border_mm: NDArray[np.float64], hidden: NDArray[np.bool_]) -> Wall:
    """Align the levels of a frame on the model's grid to its border."""
    radius = border_mm[:, None] + DEPTHS_MM[None, :]
    samples = radius / MODEL_GRID.sample_spacing_mm - 0.5
    lines = np.broadcast_to(np.arange(len(border_mm))[:, None], samples.shape)
    levels = map_coordinates(shown, [lines, samples], order=1, mode="nearest").astype(np.float32)
    levels[~(radius < FIELD_MM - 0.02)] = np.nan
    levels[hidden | ~np.isfinite(border_mm)] = np.nan
    return Wall(levels, float(np.nanmedian(border_mm)))


def border_of(lumen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the outermost lumen border of every A-line, mm; nan where there is none."""
    beyond = lumen.shape[1] - np.argmax(lumen[:, ::-1], axis=1)
    return np.where(lumen.any(axis=1), beyond * MODEL_GRID.sample_spacing_mm, np.nan)


def real_walls(frames: Path, masks: Path) -> list[Wall]:
    """Return every fourth frame of the real sequence."""
    options = ReadOptions(calibrate_on_catheter=True, frame_pitch_mm=0.2)
    pullback = read_pullback(frames, options=options)
    walls = []
    for index in range(0, pullback.frame_count, REAL_STEP):
        with Image.open(masks / f"{pullback.source.frame_names[index]}.tiff") as picture:
            lumen = np.asarray(picture)[..., 0] > 0
        lumen = resample(lumen.astype(np.uint8), pullback.grid, MODEL_GRID, order=0) > 0
        border_mm = border_of(lumen)
        wires = find_guidewires(
            model_frame(pullback, index), border_mm, field_radius_mm=pullback.field_radius_mm
        )
        shown = resample(pullback.frames.intensity(index), pullback.grid, MODEL_GRID) / 255
        hidden = sectors_mask(wires, MODEL_GRID.angles_deg())
        walls.append(aligned(shown.astype(np.float32), border_mm, hidden))
    return walls


def simulated_pullback(seed: int, physics: str, *, calcium: float | None) -> SimulatedPullback:
    """Return a pullback with the field of the real frames."""
    return simulate_pullback(
        PullbackSpec(
            seed=seed,
            frames=PULLBACK_FRAMES,
            calcium=calcium,
            field_radius_mm=FIELD_MM,
            physics=physics,
        )
    )


def exported(intensity: Levels, export: Export) -> Levels:
    """Return a frame as a console exports it, Cartesian, levels 0 to 1 in 255 steps."""
    level_db = 10 * np.log10(np.maximum(intensity, 1e-12))
    shown = np.clip((level_db - export.white_db) / export.range_db + 1, 0, 1)
    return np.round(255 * resample(shown, MODEL_GRID, GRID)) / np.float32(255)


def simulated_walls(physics: str) -> Iterator[list[Wall]]:
    """Yield frames of simulated pullbacks as a console with such a field would export them."""
    for seed in range(FIRST_SEED, FIRST_SEED + PULLBACKS):
        pullback = simulated_pullback(seed, physics, calcium=0.0)
        frames = [pullback.frame(index) for index in TAKEN]
        export = draw_export(np.random.default_rng([seed, 6]), frames[0].intensity)
        walls = []
        for frame in frames:
            shown = resample(exported(frame.intensity, export), GRID, MODEL_GRID)
            hidden = (frame.labels == 3).any(axis=1)
            walls.append(aligned(shown.astype(np.float32), border_of(frame.labels == 1), hidden))
        yield walls


# --- statistics ----------------------------------------------------------------------------------


def profile(walls: Sequence[Wall]) -> NDArray[np.float64]:
    """Return the mean level at each depth behind the border, shape ``(depths,)``."""
    return np.nanmean(np.concatenate([wall.levels for wall in walls]), axis=0)


def histogram(walls: Sequence[Wall], band_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Return the share of pixels in each class of level, within a band of depths."""
    within = (DEPTHS_MM >= band_mm[0]) & (DEPTHS_MM < band_mm[1])
    levels = np.concatenate([wall.levels[:, within].ravel() for wall in walls])
    counts, _ = np.histogram(levels[np.isfinite(levels)], LEVELS)
    return counts / max(counts.sum(), 1)


def speckle(walls: Sequence[Wall]) -> tuple[float, float, float]:
    """Return the speckle just behind the border: contrast, and how far it is correlated.

    Returns
    -------
    Standard deviation of the level once slow changes are taken off, and the distances at which
    the autocorrelation has fallen to a half: along the depth and across it, micrometres.
    """
    contrast, deep, across = [], [], []
    within = (DEPTHS_MM >= SPECKLE_MM[0]) & (DEPTHS_MM < SPECKLE_MM[1])
    for wall in walls:
        block = wall.levels[:, within]
        block = block[np.isfinite(block).all(axis=1)]
        if len(block) < 60:
            continue
        fine = block - gaussian_filter(block, (8, 8))
        contrast.append(float(fine.std()))
        step_um = 1e3 * wall.radius_mm * np.radians(MODEL_GRID.a_line_deg)
        deep.append(10.0 * half_lag(fine, axis=1))
        across.append(step_um * half_lag(fine, axis=0))
    return float(np.mean(contrast)), float(np.mean(deep)), float(np.mean(across))


def half_lag(block: Levels, *, axis: int) -> float:
    """Return the lag, in pixels, at which the autocorrelation along an axis is a half."""
    block = np.moveaxis(block, axis, 0) - block.mean()
    variance = float((block * block).mean())
    before = 1.0
    for lag in range(1, len(block) // 2):
        now = float((block[:-lag] * block[lag:]).mean()) / variance
        if now < 0.5:
            return lag - 1 + (before - 0.5) / (before - now)
        before = now
    return float(len(block) // 2)


# --- what is written -----------------------------------------------------------------------------


def print_table(real: Sequence[Wall], simulated: Sequence[Sequence[Wall]]) -> None:
    """Print each figure of the real sequence beside those of the simulated pullbacks."""
    print("| | real sequence | simulated: median (5th to 95th percentile) | inside |")
    print("| --- | --- | --- | --- |")

    def row(name: str, own: float, others: Sequence[float], digits: int) -> None:
        low, middle, high = np.percentile(others, [5, 50, 95])
        inside = "yes" if low <= own <= high else "no"
        one, two, three, four = (f"{value:.{digits}f}" for value in (own, middle, low, high))
        print(f"| {name} | {one} | {two} ({three} to {four}) | {inside} |")

    for name, band in BANDS_MM.items():
        within = (DEPTHS_MM >= band[0]) & (DEPTHS_MM < band[1])
        means = [float(np.nanmean(profile(walls)[within])) for walls in simulated]
        row(f"mean level, {name}", float(np.nanmean(profile(real)[within])), means, 2)
    own, others = speckle(real), [speckle(walls) for walls in simulated]
    names = (
        "speckle: standard deviation of the level",
        "speckle: half width along the depth, um",
        "speckle: half width across, um",
    )
    for k, name in enumerate(names):
        row(name, own[k], [one[k] for one in others], 3 if k == 0 else 0)


def draw(real: Sequence[Wall], simulated: Sequence[Sequence[Wall]], path: Path) -> None:
    """Draw profiles and histograms: the real sequence as a line, the simulated ones as a band."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pyqtgraph as pg
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    pg.setConfigOptions(background="w", foreground="k", antialias=True)
    figure = pg.GraphicsLayoutWidget()
    figure.resize(1200, 640)

    def plot(
        title: str, x: NDArray[np.float64], own: NDArray[np.float64], others: NDArray[np.float64]
    ) -> None:
        part = figure.addPlot(title=title)
        low, middle, high = np.nanpercentile(others, [5, 50, 95], axis=0)
        edges = [part.plot(x, edge, pen=pg.mkPen((31, 111, 235, 60))) for edge in (low, high)]
        part.addItem(pg.FillBetweenItem(*edges, brush=(31, 111, 235, 60)))
        part.plot(x, middle, pen=pg.mkPen("#1f6feb", width=2))
        part.plot(x, own, pen=pg.mkPen("#d1242f", width=2))

    profiles = np.array([profile(walls) for walls in simulated])
    plot("mean level by depth behind the lumen border, mm", DEPTHS_MM, profile(real), profiles)
    figure.nextRow()
    middles = (LEVELS[1:] + LEVELS[:-1]) / 2
    inner = figure.addLayout()
    figure, outer = inner, figure
    for name, band in BANDS_MM.items():
        found = np.array([histogram(walls, band) for walls in simulated])
        plot(f"levels, {name}", middles, histogram(real, band), found)
    app.processEvents()
    outer.grab().save(str(path))


def write_side_by_side(frames: Path, physics: str, path: Path) -> None:
    """Write real frames beside simulated ones, in the same display."""
    files = sorted(file for file in frames.iterdir() if file.suffix.lower() == ".png")
    tiles = []
    for k, file in enumerate(files[10 :: max(len(files) // 4, 1)][:4]):
        with Image.open(file) as picture:
            own = np.asarray(picture.convert("L").resize((ROWS, ROWS)))
        frame = simulated_pullback(FIRST_SEED + k, physics, calcium=None).frame(TAKEN[0])
        export = draw_export(np.random.default_rng([FIRST_SEED + k, 6]), frame.intensity)
        other = (255 * exported(frame.intensity, export)).astype(np.uint8)
        tiles.append(np.vstack([own, other]))
    Image.fromarray(np.hstack(tiles)).save(path)


def main() -> None:
    """Compare, draw and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--physics", choices=(FITTED, *PHYSICS), default=FITTED)
    parser.add_argument("--side-by-side", type=Path, metavar="FILE.png")
    args = parser.parse_args()
    real, simulated = real_walls(args.frames, args.masks), list(simulated_walls(args.physics))
    print_table(real, simulated)
    draw(real, simulated, Path(__file__).parent / "realism.png")
    if args.side_by_side:
        write_side_by_side(args.frames, args.physics, args.side_by_side)


if __name__ == "__main__":
    main()
