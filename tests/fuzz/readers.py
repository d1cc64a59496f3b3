"""Every reader of the program, used on a file as the program uses it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from calcviewer.app.analysis_file import analysis_document
from calcviewer.app.exchange.nifti import annotations_of_nifti, study_of_nifti
from calcviewer.app.exchange.seg_results import annotations_of_seg, study_of_seg
from calcviewer.app.exchange.sr_results import measurements_of_sr
from calcviewer.app.exchange.stored_study import open_stored
from calcviewer.app.export_choices import load_choices
from calcviewer.app.inspect import inspect
from calcviewer.app.inspection import inspection_document, inspection_lines
from calcviewer.app.labels_file import read_labels
from calcviewer.app.pacs.peers import load_peers
from calcviewer.app.results import compute_results
from calcviewer.app.review_store.log import history_csv
from calcviewer.app.review_store.place import source_identity
from calcviewer.app.review_store.reviewed_study import open_reviewed
from calcviewer.app.review_store.search import find_review, review_entries
from calcviewer.app.session import IvoctStudy
from calcviewer.app.settings import load_settings
from calcviewer.app.voi_file import read_dataset
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import Pullback
from calcviewer.dicom.header import is_dicom
from calcviewer.dicom.seg_reader import is_seg
from calcviewer.dicom.source import source_of
from calcviewer.inference.model_card import ModelCard
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import read_pullback
from calcviewer.training.labelled import _mask_of
from tests.fuzz import review_seeds, seeds
from tests.fuzz.container_mutations import IMAGE, NIFTI, NPY, ZIP, ZLIB
from tests.fuzz.dicom_mutations import DICOM
from tests.fuzz.json_mutations import JSON
from tests.fuzz.mutations import Mutation
from tests.fuzz.review_mutations import REVIEW


@dataclass(frozen=True)
class Reader:
    """A way a file gets into the program.

    Parameters
    ----------
    make
        Writes sound files into a folder and returns those to be damaged; what lies beside them
        stays sound.
    read
        Takes one of these files, perhaps damaged, and everything it says.
    aware
        Damage that knows the format.
    """

    name: str
    make: Callable[[Path], list[Path]]
    read: Callable[[Path], object]
    aware: tuple[Mutation, ...] = ()


def _used(pullback: Pullback) -> None:
    """Look at a pullback as the window and the command line do."""
    for index in sorted({0, pullback.frame_count - 1}):
        try:
            pullback.frames.display(index)
            pullback.frames.intensity(index)
        except CalcViewerError:
            continue  # a bad frame is marked, and the others go on
    _ = pullback.grid.shape, pullback.field_radius_mm
    source_identity(pullback)


def _pullback(path: Path) -> None:
    pullback = read_pullback(path)
    _used(pullback)
    if path.is_file() and is_dicom(path):
        source_of([path])


def _folder(path: Path) -> None:
    _used(read_pullback(path.parent))


def _measured(study: IvoctStudy) -> None:
    """Measure a study and write it down, as every command does."""
    document = analysis_document(study, compute_results(study, {}))
    json.dumps(document, allow_nan=False)


def _beside(path: Path) -> Pullback:
    """Return the sound pullback beside a result."""
    return _opened(path.with_name("pullback.dcm"))


_opened = lru_cache(maxsize=1)(read_pullback)


def _labels(path: Path) -> None:
    study = read_labels(path, Protocol())
    _used(study.pullback)
    _measured(study)


def _seg(path: Path) -> None:
    is_seg(path)
    study = study_of_seg(path)
    _used(study.pullback)
    _measured(study)
    annotations_of_seg(path, _beside(path))


def _nifti(path: Path) -> None:
    study = study_of_nifti(path)
    _used(study.pullback)
    _measured(study)
    annotations_of_nifti(path, _beside(path))


def _analysis(path: Path) -> None:
    with chdir(path.parent):
        _measured(open_stored(path.parent))


def _review(path: Path) -> None:
    """Read a review on its own, and as the window finds it beside its pullback."""
    found = find_review(_beside(path))
    for frame in range(seeds.COUNT):
        _ = [entry for entry in found.entries if frame in entry.frames]
    history_csv(review_entries(path))
    _measured(open_reviewed(path).study)


def _voi(path: Path) -> None:
    read_dataset(path.parent, stride=seeds.VOI_STRIDE)


def _preferences(path: Path) -> None:
    os.environ["XDG_CONFIG_HOME"] = str(path.parent.parent)
    load_settings()
    load_choices()
    load_peers()


def _inspected(path: Path) -> None:
    seen = inspect(path)
    for show in (False, True):
        inspection_lines(seen, show_patient=show)
        json.dumps(inspection_document(seen, show_patient=show), allow_nan=False)


READERS = (
    Reader("dicom", seeds.dicom_images, _pullback, DICOM),
    Reader("dicom-compressed", seeds.compressed_images, _pullback, (*DICOM, *IMAGE)),
    Reader("dicom-folder", seeds.dicom_folder, _folder, DICOM),
    Reader("image", seeds.images, _pullback, IMAGE),
    Reader("image-folder", seeds.image_folder, _folder, IMAGE),
    Reader("tiff", seeds.tiffs, _pullback, IMAGE),
    Reader("array", seeds.arrays, _pullback, (*ZIP, *NPY)),
    Reader("labels", seeds.label_files, _labels, ZIP),
    Reader("seg", seeds.segmentations, _seg, DICOM),
    Reader("sr", seeds.reports, measurements_of_sr, DICOM),
    Reader("nifti", seeds.volumes, _nifti, NIFTI),
    Reader("analysis", seeds.analyses, _analysis, (*JSON, *ZIP, *ZLIB)),
    Reader("review", review_seeds.reviews, _review, REVIEW),
    Reader("model-card", seeds.model_cards, lambda path: ModelCard.load(path.parent), JSON),
    Reader("voi", seeds.voi_files, _voi, (*JSON, *ZIP)),
    Reader("preferences", seeds.preferences, _preferences, JSON),
    Reader("inspect", seeds.anything, _inspected, (*DICOM, *ZIP, *NIFTI)),
    Reader("masks", seeds.masks, lambda path: _mask_of(path.parent, path.name), IMAGE),
)


def reader_named(name: str) -> Reader:
    """Return a reader of the table."""
    return next(one for one in READERS if one.name == name)
