"""Writes measurements as a Comprehensive SR (PS3.3 A.35.3) after TID 1500, Measurement Report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from highdicom.sr import (
    AlgorithmIdentification,
    CodeContentItem,
    ComprehensiveSR,
    ContainerContentItem,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from highdicom.sr import Measurement as CodedMeasurement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.sr.codedict import codes

from calcviewer import __version__
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.measurement import Measurement
from calcviewer.core.study import ModelReference
from calcviewer.dicom.codes import (
    COMMENT,
    CORONARY_ARTERY,
    IVOCT,
    QUALITATIVE_EVALUATIONS,
    MeasurementCode,
    code_of,
    code_of_subject,
    unit_code,
)
from calcviewer.dicom.header import FOR_PRESENTATION
from calcviewer.dicom.ivoct_modules import new_uid
from calcviewer.dicom.measured_group import FINDINGS, GroupKind, MeasuredGroup
from calcviewer.dicom.source import DEVICE_UID, EQUIPMENT, PROGRAM, ResultSource, finished
from calcviewer.dicom.sr_reader import read_sr
from calcviewer.dicom.statement import Statement
from calcviewer.dicom.values import tolerant

_SERIES_NUMBER = 9002
_DESCRIPTION = "Calcium measurements"
_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the measurements came about.

    Parameters
    ----------
    model
        Named as the algorithm, where contours come from a network.
    complete
        Whether an operator has confirmed them: Completion Flag (0040,A491).
    observers
        Accounts of the operators who reviewed them (PS3.16 TID 1003); none in what names nobody.
    statements
        What is said of the document as a whole.
    """

    model: ModelReference | None
    complete: bool
    observers: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


def write_sr(
    path: Path, groups: Sequence[MeasuredGroup], *, source: ResultSource, reading: Reading
) -> None:
    """Write groups of measurements as one document and check that it can be read back.

    Parameters
    ----------
    groups
        In the order in which they are printed: frames last, after one that covers them all.

    Raises
    ------
    CalcViewerError
        When the file cannot be written, or does not hold what it should.
    """
    leading = _leading(groups)
    report = MeasurementReport(
        observation_context=_observation_context(reading.observers),
        procedure_reported=IVOCT,
        imaging_measurements=[_group(one, source, reading.model) for one in leading],
        title=codes.cid7021.ImagingMeasurementReport,
    )
    with tolerant():  # patients' names and numbers are as odd as the source has them
        document = ComprehensiveSR(
            evidence=_evidence(source),
            content=report[0],
            series_instance_uid=new_uid(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=new_uid(),
            instance_number=1,
            is_complete=reading.complete,
            series_description=_DESCRIPTION,
            **EQUIPMENT,
        )
    # Frames are put in afterwards: highdicom copies and searches all content several times.
    measurements = document.ContentSequence[-1].ContentSequence
    for one in groups[len(leading) :]:
        measurements.extend(_group(one, source, reading.model))
    if reading.statements:
        document.ContentSequence.append(_evaluations(reading.statements))
    if not source.frames:
        for name in (
            "CurrentRequestedProcedureEvidenceSequence",
            "PertinentOtherEvidenceSequence",
        ):
            if name in document:
                delattr(document, name)
    finished(document, source)
    with staged_file(path) as stage, tolerant():
        dcmwrite(stage, document, enforce_file_format=True)
        _check(stage, groups, reading.statements)


def _leading(groups: Sequence[MeasuredGroup]) -> Sequence[MeasuredGroup]:
    """Return the groups before the first frame, which refer to every image."""
    kinds = [one.kind for one in groups]
    return groups[: kinds.index(GroupKind.FRAME)] if GroupKind.FRAME in kinds else groups


def _check(path: Path, groups: Sequence[MeasuredGroup], statements: tuple[Statement, ...]) -> None:
    """Read a written document back: every group with every value, and everything that is said."""
    read = read_sr(path)
    same = len(read.groups) == len(groups) and all(
        {row.concept for row in back.rows} == {row.concept for row in group.rows}
        and back.statements == group.statements
        for back, group in zip(read.groups, groups, strict=True)
    )
    if not (same and read.statements == statements):
        raise CalcViewerError(
            f"{path.name} was damaged while it was written.", "Export it to another disk."
        )


def _evidence(source: ResultSource) -> list[Dataset]:
    """Return a header for every image referred to; one made up where there is none."""
    instances = {one.sop_instance_uid: one.sop_class_uid for one in source.frames}
    headers = []
    for instance_uid, class_uid in (instances or {new_uid(): FOR_PRESENTATION}).items():
        header = Dataset()
        header.update(source.header)
        header.SOPInstanceUID, header.SOPClassUID = instance_uid, class_uid
        header.SeriesInstanceUID = source.series_uid or new_uid()
        headers.append(header)
    return headers


def _observation_context(observers: tuple[str, ...]) -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=DEVICE_UID,
        name=PROGRAM,
        manufacturer_name=PROGRAM,
        model_name=f"{PROGRAM} {__version__}",
    )
    context = ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device))
    for account in observers:
        # A person's name has its parts between carets and equals signs (PS3.5 6.2).
        name = "".join(" " if one in "\\^=" else one for one in account)
        person = PersonObserverIdentifyingAttributes(name=f"{name}^", login_name=account)
        context.extend(ObserverContext(codes.DCM.Person, person))
    return context


def _evaluations(statements: tuple[Statement, ...]) -> ContainerContentItem:
    """Return the Qualitative Evaluations of TID 1500."""
    container = ContainerContentItem(
        name=QUALITATIVE_EVALUATIONS, relationship_type=RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = [_stated(one) for one in statements]
    return container


def _stated(statement: Statement) -> TextContentItem:
    return TextContentItem(
        name=code_of_subject(statement.subject),
        value=statement.text,
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def _group(
    group: MeasuredGroup, source: ResultSource, model: ModelReference | None
) -> MeasurementsAndQualitativeEvaluations:
    coded = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=new_uid(), identifier=group.name),
        finding_type=FINDINGS[group.kind],
        finding_sites=[FindingSite(CORONARY_ARTERY)],
        algorithm_id=None if group.drawn else _algorithm(model),
        measurements=[_measurement(row, row.value) for row in group.rows if row.value is not None],
        source_images=_source_images(group, source) or None,
    )
    coded[0].ContentSequence.extend(_unmeasured(row) for row in group.rows if row.value is None)
    coded[0].ContentSequence.extend(_stated(one) for one in group.statements)
    return coded


def _algorithm(model: ModelReference | None) -> AlgorithmIdentification | None:
    if model is None:
        return None
    return AlgorithmIdentification(
        name=model.name, version=model.version, parameters=[f"sha256={model.sha256}"]
    )


def _source_images(
    group: MeasuredGroup, source: ResultSource
) -> list[SourceImageForMeasurementGroup]:
    """Return one reference an instance, with the frames of it that the group covers."""
    if group.frames is None or not source.frames:
        return []
    first, last = group.frames
    numbers: dict[tuple[str, str], list[int]] = {}
    for one in source.frames[first : last + 1]:
        of_instance = numbers.setdefault((one.sop_class_uid, one.sop_instance_uid), [])
        if one.frame_number is not None:
            of_instance.append(one.frame_number)
    return [
        SourceImageForMeasurementGroup(
            referenced_sop_class_uid=class_uid,
            referenced_sop_instance_uid=instance_uid,
            referenced_frame_numbers=frames or None,
        )
        for (class_uid, instance_uid), frames in numbers.items()
    ]


def _measurement(row: Measurement, value: float) -> CodedMeasurement:
    """Return a row as a numeric item, with its note as a comment."""
    code = code_of(row)
    coded = CodedMeasurement(
        name=code.name,
        value=round(value, _DECIMALS),
        unit=unit_code(row.unit),
        finding_sites=None if code.site is None else [FindingSite(code.site)],
        derivation=code.derivation,
        method=code.method,
    )
    if row.note:
        note = TextContentItem(
            name=COMMENT,
            value=row.note,
            relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
        )
        coded[0].ContentSequence = [*coded[0].get("ContentSequence", []), note]
    return coded


def _unmeasured(row: Measurement) -> TextContentItem:
    """Return a row without a value as a text that says why.

    A numeric item may have no value (PS3.3 C.18.1), but highdicom cannot read one.
    """
    code = code_of(row)
    item = TextContentItem(
        name=code.name,
        value=row.note or "not measured",
        relationship_type=RelationshipTypeValues.CONTAINS,
    )
    modifiers = _modifiers(code)
    if modifiers:
        item.ContentSequence = modifiers
    return item


def _modifiers(code: MeasurementCode) -> list[CodeContentItem]:
    return [
        CodeContentItem(
            name=name, value=value, relationship_type=RelationshipTypeValues.HAS_CONCEPT_MOD
        )
        for name, value in code.modifiers()
    ]
