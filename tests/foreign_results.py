"""Results as another program would write them, made with highdicom alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from highdicom.sr import (
    ComprehensiveSR,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from highdicom.sr.coding import CodedConcept
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

MAKER = "ACME PlaqueReader"
EQUIPMENT = {
    "manufacturer": "ACME",
    "manufacturer_model_name": "PlaqueReader",
    "software_versions": "7.1",
    "device_serial_number": "3",
}
LUMEN = CodedConcept("91747007", "SCT", "Lumen of blood vessel")
CALCIUM = CodedConcept("237897009", "SCT", "Vascular calcification")
_STRUCTURE = CodedConcept("91723000", "SCT", "Anatomical Structure")


def write_foreign_seg(
    path: Path, source: Path, masks: Mapping[CodedConcept, NDArray[np.bool_]]
) -> None:
    """Write masks, ``[frame, row, column]`` each, about a multi-frame image with planes."""
    names = {LUMEN: "vessel interior", CALCIUM: "plaque, hard"}
    ai = CodedConcept("123109", "DCM", "Artificial Intelligence")
    descriptions = [
        SegmentDescription(
            segment_number=number,
            segment_label=names[kind],
            segmented_property_category=_STRUCTURE,
            segmented_property_type=kind,
            algorithm_type=SegmentAlgorithmTypeValues.MANUAL
            if kind is LUMEN
            else SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=None
            if kind is LUMEN
            else AlgorithmIdentificationSequence("hardnet", ai, "2"),
        )
        for number, kind in enumerate(masks, start=1)
    ]
    pixels = np.stack(list(masks.values()), axis=-1).astype(np.uint8)
    Segmentation(
        source_images=[_with_planes(dcmread(source), pixels.shape[0])],
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(None),
        series_number=5,
        sop_instance_uid=generate_uid(None),
        instance_number=1,
        **EQUIPMENT,
    ).save_as(path)


def _with_planes(image: Dataset, count: int) -> Dataset:
    """Return an image as highdicom wants it: with a plane for every frame."""
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing = [0.02, 0.02]
    measures.SliceThickness = measures.SpacingBetweenSlices = 0.2
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    image.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for index in range(count):
        group, position = Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, -0.2 * index]
        group.PlanePositionSequence = [position]
        groups.append(group)
    image.PerFrameFunctionalGroupsSequence = groups
    image.FrameOfReferenceUID = image.get("FrameOfReferenceUID") or generate_uid(None)
    image.PositionReferenceIndicator = ""
    return image


def write_foreign_sr(
    path: Path,
    source: Path,
    groups: Sequence[tuple[str, bool, Sequence[int], Mapping[CodedConcept, tuple[float, str]]]],
) -> None:
    """Write a TID 1500 report.

    Parameters
    ----------
    groups
        Of each: a name, whether it says that it is a lesion, its frames (from 1), and values with
        their UCUM units.
    """
    image = dcmread(source)
    contents = [
        MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(generate_uid(None), name),
            finding_type=CodedConcept("52988006", "SCT", "Lesion") if lesion else None,
            finding_sites=[FindingSite(CodedConcept("41801008", "SCT", "Coronary artery"))],
            source_images=[
                SourceImageForMeasurementGroup(
                    image.SOPClassUID, image.SOPInstanceUID, [int(one) for one in frames]
                )
            ],
            measurements=[
                Measurement(concept, value, CodedConcept(unit, "UCUM", unit))
                for concept, (value, unit) in values.items()
            ],
        )
        for name, lesion, frames, values in groups
    ]
    person = PersonObserverIdentifyingAttributes("Reader^Ada")
    report = MeasurementReport(
        observation_context=ObservationContext(
            observer_person_context=ObserverContext(codes.DCM.Person, person)
        ),
        procedure_reported=CodedConcept("IVOCT", "DCM", "Intravascular OCT"),
        imaging_measurements=contents,
    )
    ComprehensiveSR(
        evidence=[image],
        content=report,
        series_instance_uid=generate_uid(None),
        series_number=6,
        sop_instance_uid=generate_uid(None),
        instance_number=1,
        manufacturer="ACME",
        manufacturer_model_name="PlaqueReader",
        is_complete=True,
        is_final=False,
        is_verified=False,
    ).save_as(path)
