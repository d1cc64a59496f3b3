"""What a file or folder is: recognised, calibrated, missing, ruled, and would be de-identified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from calcviewer.app.exchange.nifti import study_of_nifti
from calcviewer.app.exchange.reading_aids import aids_of_text
from calcviewer.app.exchange.stored_study import ANALYSIS_FILE, open_stored
from calcviewer.app.inspection import Inspection, Missing, RuleInForce
from calcviewer.app.labels_file import holds_labels, read_labels
from calcviewer.app.review_store.file import read_review_file
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    Layout,
    Origin,
    Pullback,
)
from calcviewer.core.study import REVIEW_SUFFIX
from calcviewer.dicom.description import DicomDescription, describe
from calcviewer.dicom.header import (
    FOR_PRESENTATION,
    FOR_PROCESSING,
    is_dicom,
    read_header,
)
from calcviewer.dicom.seg_reader import SegHeader, is_seg, read_seg_header
from calcviewer.dicom.sr_reader import StructuredReport, read_sr
from calcviewer.modalities.ivoct.pictures import CartesianFrames, PolarFrames
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import (
    facts_of_pullback,
    read_pullback,
    suggestion_text,
    suggestions,
)
from calcviewer.modalities.ivoct.read_dicom import facts_of, is_ivoct_class
from calcviewer.modalities.ivoct.read_files import check_file, natural_key
from calcviewer.modalities.ivoct.vendor_rules import SourceFacts, applied_rules

_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_JPEG_SUFFIXES = {".jpg", ".jpeg"}
_NIFTI_SUFFIXES = (".nii", ".nii.gz")
_NAMELESS = "It holds no patient attributes that results could take over."
_OF_REVIEW = (
    "It names its operators and holds their words; de-identified results leave both behind."
)
_FIELD_ONLY = "De-identified results show only the round image field; text inside it stays."
_IN_THE_WINDOW = "or set it in the window, under Calibration"


def inspect(path: Path) -> Inspection:
    """Recognise a pullback, a result, a review, or any DICOM object.

    Raises
    ------
    CalcViewerError
        When it is missing, damaged, or of a kind that the program does not know.
    """
    check_file(path)
    try:
        return _inspect(path)
    except OSError as error:
        raise UnreadableInputError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the file and its access."
        ) from error


def _inspect(path: Path) -> Inspection:
    if path.name == ANALYSIS_FILE:
        path = path.parent
    if path.is_dir():
        return _analysis(path) if (path / ANALYSIS_FILE).is_file() else _folder(path)
    name = path.name.lower()
    if path.name.endswith(REVIEW_SUFFIX):
        return _review(path)
    if name.endswith(_NIFTI_SUFFIXES):
        return _labels(path, "label volume, NIfTI", study_of_nifti(path).pullback)
    if name.endswith(".npz") and holds_labels(path):
        return _labels(path, "label file", read_labels(path, Protocol()).pullback)
    if name.endswith((".npy", ".npz")) or not is_dicom(path):
        return _pullback(path, _file_kind(path), read_pullback(path))
    return _dicom(path)


# --- DICOM ---------------------------------------------------------------------------------------


def _dicom(path: Path) -> Inspection:
    about = describe(path)
    seen = Inspection(path=path, kind=about.sop_class, facts=_object_facts(about), dicom=about)
    maker = "written by CalcViewer" if about.own else "written by another program"
    try:
        if is_seg(path):
            seen = replace(seen, kind=f"segmentation (DICOM SEG), {maker}")
            return _seg(seen, read_seg_header(path))
        if about.sop_class_uid.startswith(_STRUCTURED_REPORTS):
            seen = replace(seen, kind=f"structured report, {maker}")
            return _sr(seen, read_sr(path), about.title)
        if about.sop_class_uid == _ENCAPSULATED_PDF:
            kind = f"report as encapsulated PDF, {maker}"
            return replace(seen, kind=kind, facts=(("document", about.document), *seen.facts))
        return _image(path, about)
    except CalcViewerError as error:
        return replace(seen, fault=error)


def _image(path: Path, about: DicomDescription) -> Inspection:
    pullback = read_pullback(path)
    first = path if path.is_file() else _first_instance(path)
    header = read_header(first)
    rule_facts = facts_of(header, pullback.frame_count)
    seen = _pullback(path, _image_kind(about, path), pullback, rule_facts)
    notes = seen.notes if is_ivoct_class(header) else (*seen.notes, _FIELD_ONLY)
    facts = (
        *seen.facts,
        *_object_facts(about),
        ("compression loss", about.compression or "none recorded"),
        ("burned-in text", {"YES": "yes", "NO": "no"}.get(about.burned_in, "not stated")),
    )
    return replace(seen, facts=facts, notes=notes, dicom=about)


def _image_kind(about: DicomDescription, path: Path) -> str:
    names = {
        FOR_PROCESSING: "IVOCT image, For Processing",
        FOR_PRESENTATION: "IVOCT image, For Presentation",
    }
    kind = names.get(about.sop_class_uid, "console export")
    return f"{kind} (DICOM)" if path.is_file() else f"{kind} (folder of DICOM instances)"


def _object_facts(about: DicomDescription) -> tuple[tuple[str, str], ...]:
    facts = {
        "SOP class": about.sop_class,
        "modality": about.modality,
        "manufacturer": " ".join(dict.fromkeys([about.manufacturer, about.model])).strip(),
        "transfer syntax": about.transfer_syntax,
    }
    return tuple((name, value) for name, value in facts.items() if value)


def _seg(seen: Inspection, header: SegHeader) -> Inspection:
    aids = aids_of_text(header.reading_aids) if header.reading_aids else None
    facts = (
        ("structures", _structures(header)),
        ("frames", str(header.frame_count if aids is None else aids.frame_count)),
        ("frames with a structure", str(len({one.frame for one in header.frames}))),
        ("size", _pixels(header.columns, header.rows)),
        ("geometry", "polar, A-lines in rows" if header.polar else "Cartesian"),
    )
    calibration = _seg_calibration(header) if aids is None else aids.calibration
    return replace(
        seen,
        facts=(*facts, *seen.facts),
        calibration=_known(calibration, cartesian=not header.polar),
    )


def _structures(header: SegHeader) -> str:
    labels = sorted(set(header.labels_by_segment.values()))
    return ", ".join(label.name.lower().replace("_", " ") for label in labels)


def _seg_calibration(header: SegHeader) -> Calibration:
    spacing, pitch_mm = header.pixel_spacing_mm, header.frame_pitch_mm
    return Calibration(
        None if spacing is None else CalibratedValue(spacing[1], Origin.DICOM, "Pixel Spacing"),
        None if pitch_mm is None else CalibratedValue(pitch_mm, Origin.DICOM, "between planes"),
    )


def _sr(seen: Inspection, report: StructuredReport, title: str) -> Inspection:
    kinds = [group.kind.value for group in report.groups]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    facts = (
        ("title", title),
        ("measurement groups", counted),
        ("measurements", str(sum(len(group.rows) for group in report.groups))),
    )
    return replace(seen, facts=(*facts, *seen.facts))


# --- pullbacks -----------------------------------------------------------------------------------


def _folder(path: Path) -> Inspection:
    instance = _first_instance(path)
    if instance != path:
        return _image(path, describe(instance))
    return _pullback(path, "folder of image files", read_pullback(path))


def _first_instance(folder: Path) -> Path:
    """Return the first DICOM file of a folder, the folder itself when it holds none."""
    files = sorted((one for one in folder.iterdir() if one.is_file()), key=natural_key)
    kept = (one for one in files if not one.name.startswith(".") and REVIEW_SUFFIX not in one.name)
    return next((one for one in kept if one.name.upper() != "DICOMDIR" and is_dicom(one)), folder)


def _file_kind(path: Path) -> str:
    return {
        ".npy": "NPY array",
        ".npz": "NPZ array",
        ".tif": "TIFF, one frame a page",
        ".tiff": "TIFF, one frame a page",
    }.get(path.suffix.lower(), "single image")


def _pullback(
    path: Path, kind: str, pullback: Pullback, rule_facts: SourceFacts | None = None
) -> Inspection:
    cartesian = isinstance(pullback.layout, CartesianLayout)
    applied = [
        RuleInForce(rule.name, True, rule.gives, rule.origin)
        for rule in applied_rules(rule_facts or facts_of_pullback(pullback))
    ]
    suggested = [
        RuleInForce(rule.name, False, suggestion_text(rule, pullback), rule.origin)
        for rule in suggestions(pullback)
    ]
    facts = {
        "geometry": "Cartesian" if cartesian else "polar, A-lines in rows",
        "frames": str(pullback.frame_count),
        "size": _size(pullback.layout),
        "intensity": f"{pullback.intensity.value}, {_colours(pullback)}",
        "acquisition": "motorised" if pullback.motorised else "not motorised: no lengths",
    }
    if _is_jpeg(pullback):
        facts["compression loss"] = "lossy, JPEG"
    said = [rule.gives for rule in suggested]
    return Inspection(
        path=path,
        kind=kind,
        facts=tuple(facts.items()),
        calibration=_known(pullback.calibration, cartesian=cartesian),
        missing=tuple(_missing(name, cartesian) for name in pullback.calibration.missing()),
        rules=(*applied, *suggested),
        notes=tuple(note for note in pullback.notes if not any(gives in note for gives in said)),
        identity_note=_NAMELESS,
    )


def _size(layout: Layout) -> str:
    if isinstance(layout, CartesianLayout):
        x, y = layout.centre_px
        size = _pixels(layout.columns, layout.rows)
        return f"{size}, field of radius {layout.field_radius_px:.1f} about ({x:.1f}, {y:.1f})"
    return f"{layout.a_lines} A-lines of {layout.samples} samples"


def _pixels(columns: int, rows: int) -> str:
    return f"{columns} x {rows} pixels"


def _colours(pullback: Pullback) -> str:
    frames = pullback.frames
    assert isinstance(frames, CartesianFrames | PolarFrames)
    return frames.pictures.colours


def _is_jpeg(pullback: Pullback) -> bool:
    path = pullback.source.path
    files = path.iterdir() if pullback.source.kind == "folder" else [path]
    return any(file.suffix.lower() in _JPEG_SUFFIXES for file in files)


def _known(calibration: Calibration, *, cartesian: bool) -> tuple[tuple[str, CalibratedValue], ...]:
    values = (
        ("pixel spacing" if cartesian else "sample spacing", calibration.sample_spacing_mm),
        ("frame pitch", calibration.frame_pitch_mm),
        ("zero radius", calibration.zero_radius_mm),
    )
    return tuple((name, value) for name, value in values if value is not None)


def _missing(name: str, cartesian: bool) -> Missing:
    if name == "frame pitch":
        return Missing(name, f"give --frame-pitch MM (pullback speed / frames/s), {_IN_THE_WINDOW}")
    if name == "zero radius":
        return Missing(name, f"give --calibrate-on-catheter, {_IN_THE_WINDOW}")
    name = "pixel spacing" if cartesian else name
    option = "--pixel-spacing" if cartesian else "--sample-spacing"
    return Missing(name, f"give {option} MM or --calibrate-on-catheter, {_IN_THE_WINDOW}")


# --- results of the program ----------------------------------------------------------------------


def _labels(path: Path, kind: str, pullback: Pullback) -> Inspection:
    cartesian = isinstance(pullback.layout, CartesianLayout)
    return Inspection(
        path=path,
        kind=kind,
        facts=(("frames", str(pullback.frame_count)), ("size", _size(pullback.layout))),
        calibration=_known(pullback.calibration, cartesian=cartesian),
        identity_note=_NAMELESS,
    )


def _analysis(folder: Path) -> Inspection:
    seen = Inspection(path=folder, kind="analysis, written by CalcViewer", identity_note=_NAMELESS)
    try:
        study = open_stored(folder)
    except CalcViewerError as error:
        return replace(seen, fault=error)
    about = _pullback(folder, seen.kind, study.pullback)
    model = study.model
    facts = (
        ("pullback", str(study.pullback.source.path)),
        ("annotated frames", str(len(study.predictions))),
        ("model", "none" if model is None else f"{model.name} {model.version}"),
    )
    source = study.pullback.source.path
    instance = _first_instance(source) if source.is_dir() else source
    dicom = describe(instance) if study.pullback.source.kind == "dicom" else None
    return replace(about, facts=(*facts, *about.facts), dicom=dicom)


def _review(path: Path) -> Inspection:
    review = read_review_file(path)
    edited = {frame for entry in review.entries for frame in entry.frames}
    facts = (("steps", str(len(review.entries))), ("frames worked on", str(len(edited))))
    return Inspection(
        path=path, kind="review, written by CalcViewer", facts=facts, identity_note=_OF_REVIEW
    )
