"""What the monkey opens: sound pullbacks of every kind, results on them, damaged ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from calcviewer.app.export import ExportKind, ExportOrder, exported
from calcviewer.app.pacs.peers import save_peer
from calcviewer.app.results import compute_results
from calcviewer.app.simulate import write_pullback
from calcviewer.core.study import Study
from calcviewer.dicom.network.peer import DimsePeer, WebPeer
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import read_pullback
from tests.gui.stored_studies import PhantomSegmenter, write_study

_RESULTS = frozenset({ExportKind.SEG, ExportKind.SR, ExportKind.NIFTI})
_A_LINES, _SAMPLES = 240, 480
_PNG_PX = 400


@dataclass(frozen=True)
class Files:
    """What lies where.

    Parameters
    ----------
    studies
        Pullbacks that open, those on a full disk and in a read-only folder among them.
    results
        Of other readers, on one of the pullbacks.
    damaged
        Files that are refused, or whose later frames are.
    folders
        Where exports go: one that takes them, and others that refuse, where there are such.
    """

    studies: tuple[Path, ...]
    results: tuple[Path, ...]
    damaged: tuple[Path, ...]
    folders: tuple[Path, ...]


def make_files(folder: Path, *, frames: int) -> None:
    """Write everything below a folder.

    Parameters
    ----------
    frames
        So many in each of the simulated pullbacks.
    """
    polar = _named(folder / "polar", "pullback.dcm", "first.dcm", seed=4, frames=frames)
    gold = _named(folder / "gold", "presentation.dcm", "gold.dcm", seed=7, frames=frames)
    _make_pictures(folder / "frames", gold)
    for name in ("plain", "results", "damaged", "out"):
        (folder / name).mkdir()
    array = write_study(folder / "plain", frames=frames + 3, name="array")
    _make_results(folder / "results", polar)
    _make_damaged(folder / "damaged", polar, array)


def files_in(folder: Path, *disks: Path) -> Files:
    """Return what `make_files` wrote, and what lies on other disks as ``study.npz``."""
    studies = ("polar/first.dcm", "gold/gold.dcm", "frames", "plain/array.npz")
    return Files(
        studies=(*(folder / name for name in studies), *(disk / "study.npz" for disk in disks)),
        results=tuple(sorted((folder / "results").iterdir())),
        damaged=tuple(sorted((folder / "damaged").iterdir())),
        folders=(folder / "out", *disks),
    )


def make_peers() -> None:
    """Let the archives' window know two peers that nobody answers for."""
    save_peer(DimsePeer(name="nobody", ae_title="NOBODY", host="127.0.0.1", port=9))
    save_peer(WebPeer(name="nobody on the web", url="http://127.0.0.1:9/dicom-web"))


def _named(folder: Path, made: str, name: str, *, seed: int, frames: int) -> Path:
    write_pullback(folder, seed=seed, frames=frames, a_lines=_A_LINES, samples=_SAMPLES)
    return (folder / made).rename(folder / name)


def _make_pictures(folder: Path, export: Path) -> None:
    """Write an export as a console's folder of PNG frames, which knows no scale."""
    folder.mkdir()
    pullback = read_pullback(export)
    for index in range(pullback.frame_count):
        picture = Image.fromarray(np.asarray(pullback.frames.display(index)))
        picture.resize((_PNG_PX, _PNG_PX)).save(folder / f"frame{index:03d}.png")


def _make_results(folder: Path, path: Path) -> None:
    pullback = read_pullback(path)
    predictions = dict(PhantomSegmenter().predict(range(pullback.frame_count)))
    study = Study(pullback, Protocol(), predictions, PhantomSegmenter.model)
    order = ExportOrder(kinds=_RESULTS, folder=folder, base="reader", deidentify=False)
    for _ in exported(order, study, compute_results(study, {})):
        pass


def _make_damaged(folder: Path, dicom: Path, array: Path) -> None:
    sound = dicom.read_bytes()
    for name, data in (
        ("half.dcm", sound[: len(sound) // 2]),
        ("header.dcm", sound[:1500]),
        ("empty.dcm", b""),
        ("half.npz", array.read_bytes()[:2000]),
        ("text.png", b"no picture"),
    ):
        (folder / name).write_bytes(data)
    (folder / "nothing").mkdir()
