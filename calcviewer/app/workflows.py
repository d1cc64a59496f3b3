"""What the commands do, from a path to files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from calcviewer.app.analysis_file import (
    analysis_document,
    failed_frames,
    write_frames_csv,
    write_json,
    write_lesions_csv,
)
from calcviewer.app.exchange.stored_contours import contours_bytes
from calcviewer.app.labels_file import read_labels, write_labels
from calcviewer.app.lesion_report.content import build_report
from calcviewer.app.measured_error import measured_error
from calcviewer.app.results import Results, compute_results
from calcviewer.app.session import IvoctStudy, Session
from calcviewer.core.annotation import FrameAnnotation, labels_of_annotation
from calcviewer.core.atomic import staged_folder
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import PolarGrid, sectors_mask
from calcviewer.core.modality import Segmenter
from calcviewer.core.pullback import Pullback
from calcviewer.core.resources import models_path
from calcviewer.core.study import Review, Study
from calcviewer.dicom.header import is_dicom
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.report.pdf import PageSize, write_report

DEFAULT_MODEL = "segnet-cpu"
CONTOURS_FILE = "contours.bin"
Device = Literal["auto", "cpu", "cuda"]
Progress = Callable[[int, int], None]
"""Called with (done, wanted)."""


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """How to segment: which shipped model, where it runs, and whether the CRF refines it.

    ``threads`` are those of the network on the CPU; as many as there are cores by default.
    """

    model: str = DEFAULT_MODEL
    device: Device = "auto"
    crf: bool = True
    threads: int | None = None


def load_segmenter(pullback: Pullback, options: SegmentOptions) -> Segmenter:
    """Load the chosen model for a pullback.

    Raises
    ------
    CalcViewerError
        When there is no such model, its file is damaged, or the device is not there.
    """
    network = Network.load(
        models_path() / options.model, device=options.device, threads=options.threads
    )
    crf = CrfParameters() if options.crf else None
    return IvoctSegmenter.of_pullback(pullback, network, crf)


@dataclass(frozen=True, eq=False)
class Analysis:
    """What an analysis gives back: the study, everything measured, and the same for programs."""

    study: IvoctStudy
    results: Results
    document: dict[str, Any]


def analyze(
    path: Path,
    output: Path,
    *,
    read_options: ReadOptions,
    segment_options: SegmentOptions,
    voi: tuple[int, int] | None = None,
    page_size: PageSize = "A4",
    progress: Progress | None = None,
) -> Analysis:
    """Segment, measure and score a pullback and write everything into a folder.

    Writes ``analysis.json``, ``frames.csv``, ``lesions.csv``, ``labels.npz``, ``contours.bin`` and
    ``report.pdf``, all or none of them.

    Parameters
    ----------
    voi
        First and last frame (0-based, inclusive) to analyse; None: all of them.
    progress
        Called after every frame.

    Raises
    ------
    CalcViewerError
        When the input cannot be read, no frame could be segmented, or the folder not written.
    """
    pullback = read_pullback(path, options=read_options)
    check_voi(voi, pullback.frame_count)
    session = Session(Study(pullback, Protocol(), review=Review(voi=voi)))
    segmenter = load_segmenter(pullback, segment_options)
    with staged_folder(output) as stage:
        segment_study(session, segmenter, progress)
        study, results = session.study, session.results
        document = analysis_document(study, results)
        document["read_options"] = asdict(read_options)
        write_json(stage / "analysis.json", document)
        write_frames_csv(stage / "frames.csv", results)
        write_lesions_csv(stage / "lesions.csv", results)
        write_study_labels(stage / "labels.npz", study)
        (stage / CONTOURS_FILE).write_bytes(contours_bytes(study.predictions))
        content = build_report(study, results, error=measured_error(study.model))
        write_report(content, stage / "report.pdf", page_size=page_size)
    return Analysis(study, results, document)


def measure(labels: Path, *, voi: tuple[int, int] | None = None) -> Analysis:
    """Measure and score given labels.

    Parameters
    ----------
    labels
        A label file as described in `calcviewer.app.labels_file`, a DICOM Segmentation or a NIfTI
        volume of labels.
    voi
        First and last frame (0-based, inclusive); within it all calcium is one lesion. None: the
        one that the file was exported with, if any.
    """
    study = _labelled(labels)
    check_voi(voi, study.pullback.frame_count)
    study = replace(study, review=replace(study.review, voi=voi or study.review.voi))
    results = compute_results(study, {})
    return Analysis(study, results, analysis_document(study, results))


def _labelled(path: Path) -> IvoctStudy:
    if path.name.lower().endswith((".nii", ".nii.gz")):
        from calcviewer.app.exchange.nifti import study_of_nifti  # loaded only where it is needed

        return study_of_nifti(path)
    if path.is_file() and is_dicom(path):
        from calcviewer.app.exchange.seg_results import (
            study_of_seg,  # brings highdicom, which takes long
        )

        return study_of_seg(path)
    return read_labels(path, Protocol())


def segment(
    path: Path,
    output: Path,
    *,
    read_options: ReadOptions,
    segment_options: SegmentOptions,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Segment a pullback and write ``labels/NAME.png`` for every frame, in its own pixel grid.

    Returns
    -------
    What was written and what failed, as plain values.
    """
    pullback = read_pullback(path, options=read_options)
    session = Session(Study(pullback, Protocol()))
    segmenter = load_segmenter(pullback, segment_options)
    names = pullback.source.frame_names or tuple(
        f"frame_{index + 1:04d}" for index in range(pullback.frame_count)
    )
    with staged_folder(output) as stage:
        (stage / "labels").mkdir()
        segment_study(session, segmenter, progress)
        predictions = session.study.predictions
        for index, name in enumerate(names):
            labels = labels_of_annotation(predictions[index], pullback.grid)
            Image.fromarray(labels).save(stage / "labels" / f"{name}.png")
    return {
        "model": asdict(segmenter.model),
        "labels": [str(output / "labels" / f"{name}.png") for name in names],
        "failed_frames": failed_frames(session.study),
    }


def segment_study(session: Session, segmenter: Segmenter, progress: Progress | None = None) -> None:
    """Segment the VOI, or everything, and make guidewires consistent along the pullback.

    Raises
    ------
    CalcViewerError
        When not one frame could be segmented.
    """
    first, last = session.study.review.voi or (0, session.study.pullback.frame_count - 1)
    wanted = range(first, last + 1)
    run = session.start_run(segmenter.model)
    for frame, annotation in segmenter.predict(wanted):
        session.add_prediction(run, frame, annotation)
        if progress:
            progress(len(session.study.predictions), len(wanted))
    predictions = session.study.predictions
    if all(predictions[frame].failure for frame in wanted):
        reason = predictions[first].failure
        raise CalcViewerError(f"No frame of {session.study.pullback.name} was segmented: {reason}")


def write_study_labels(path: Path, study: IvoctStudy) -> None:
    """Write the annotations in force as a label file.

    Polar pullbacks keep their own grid; Cartesian ones are written on the network's.
    """
    grid = study.calibrated_pullback.grid
    polar = grid if isinstance(grid, PolarGrid) else MODEL_GRID
    count = study.pullback.frame_count
    annotations = [study.annotation(index) or FrameAnnotation() for index in range(count)]
    pitch = study.calibration.frame_pitch_mm
    write_labels(
        path,
        (labels_of_annotation(annotation, polar) for annotation in annotations),
        grid=polar,
        frame_count=count,
        frame_pitch_mm=None if pitch is None else pitch.value,
        back_hidden=np.stack(
            [sectors_mask(one.hidden_back, polar.angles_deg()) for one in annotations]
        ),
        calibrated=study.calibration.scaled,
    )


def check_voi(voi: tuple[int, int] | None, frame_count: int) -> None:
    """Raise when a volume of interest reaches beyond the pullback."""
    if voi is not None and not 0 <= voi[0] <= voi[1] < frame_count:
        raise CalcViewerError(
            f"Frames {voi[0] + 1} to {voi[1] + 1} are not all in this pullback of "
            f"{frame_count} frame{'s' if frame_count > 1 else ''}.",
            "Give --voi FIRST:LAST within it.",
        )
