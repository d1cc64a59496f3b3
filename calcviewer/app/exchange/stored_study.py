"""Opens again what was stored of a study: the folder of an analysis, or the file of a review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from calcviewer.app.exchange.stored_contours import contours_of
from calcviewer.app.labels_file import read_labels
from calcviewer.app.review_store.reviewed_study import open_reviewed, with_predictions
from calcviewer.app.session import IvoctStudy
from calcviewer.app.workflows import CONTOURS_FILE
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.from_json import parsed, record, value_of
from calcviewer.core.pullback import CalibratedValue, Calibration, Pullback
from calcviewer.core.study import ModelReference, Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback

ANALYSIS_FILE, LABELS_FILE = "analysis.json", "labels.npz"
_HINT = "Run `calcviewer analyze` again."


def open_stored(path: Path, *, progress: Callable[[int, int], None] | None = None) -> IvoctStudy:
    """Open a study with its pullback and its annotations.

    Parameters
    ----------
    path
        A folder that an analysis wrote, the file of a review, or the pullback of one.
    progress
        Called with (done, wanted) while the frames that a review leaves to the model are segmented.

    Raises
    ------
    CalcViewerError
        When it is none of these, or its pullback is not where it was.
    """
    if (path / ANALYSIS_FILE).is_file():
        return _analysed(path)
    if path.is_dir() and (path / LABELS_FILE).is_file():
        raise CalcViewerError(f"{path} holds no {ANALYSIS_FILE}.", _HINT)
    study = open_reviewed(path).study
    first, last = study.review.voi or (0, study.pullback.frame_count - 1)
    decided = study.review.edits.keys() | study.review.excluded.keys()
    left = [frame for frame in range(first, last + 1) if frame not in decided]
    return with_predictions(study, left, progress=progress) if left else study


def _analysed(folder: Path) -> IvoctStudy:
    document = _document(folder / ANALYSIS_FILE)
    try:
        pullback = _pullback(document)
        model = record(ModelReference, document["model"])
        voi = value_of(tuple[int, int] | None, document["voi"], "voi")
        if voi is not None and not 0 < voi[0] <= voi[1] <= pullback.frame_count:
            raise ValueError(f"its VOI is {voi[0]} to {voi[1]}")
        review = Review(voi=None if voi is None else (voi[0] - 1, voi[1] - 1))
        protocol = record(Protocol, document["protocol"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableInputError(
            f"{folder / ANALYSIS_FILE} is no analysis of a pullback ({error!r}).", _HINT
        ) from error
    predictions = _predictions(folder, protocol)
    if max(predictions, default=0) >= pullback.frame_count:
        raise CalcViewerError(
            f"{folder} belongs to another pullback than {pullback.source.path}, which has fewer "
            "frames.",
            _HINT,
        )
    return Study(pullback, protocol, predictions, model, review)


def _predictions(folder: Path, protocol: Protocol) -> Mapping[int, FrameAnnotation]:
    """Return the contours of an analysis; from its label maps where it has no more than these."""
    path = folder / CONTOURS_FILE
    if not path.is_file():
        given = read_labels(folder / LABELS_FILE, protocol).predictions
        automatic = Provenance.AUTOMATIC
        return MappingProxyType({k: replace(one, provenance=automatic) for k, one in given.items()})
    try:
        return contours_of(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableInputError(f"{path} is damaged ({error}).", _HINT) from error


def _document(path: Path) -> dict[str, Any]:
    try:
        document = parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableInputError(f"{path} cannot be read ({error}).", _HINT) from error
    if not isinstance(document, dict):
        raise UnreadableInputError(f"{path} is no analysis of a pullback.", _HINT)
    return document


def _pullback(document: dict[str, Any]) -> Pullback:
    """Read the pullback an analysis was made of, as it was read then."""
    about = value_of(Mapping[str, object], document["pullback"], "pullback")
    path = Path(value_of(str, about["path"], "path"))
    options = record(ReadOptions, document.get("read_options", {}))
    if not path.exists():
        raise CalcViewerError(
            f"{path}, of which the analysis was made, is not there.",
            "Put the pullback back in its place, or analyze it where it is now.",
        )
    pullback = read_pullback(path, options=options)
    uid = about.get("sop_instance_uid", "")
    if pullback.frame_count != about["frames"] or uid != pullback.source.sop_instance_uid:
        raise CalcViewerError(f"{path} is another pullback than the one analyzed.", _HINT)
    known = value_of(Mapping[str, Mapping[str, object]], document["calibration"], "calibration")
    return pullback.calibrated(Calibration(**{k: _calibrated(one) for k, one in known.items()}))


def _calibrated(entry: Mapping[str, object]) -> CalibratedValue | None:
    return None if entry["value"] is None else record(CalibratedValue, entry)
