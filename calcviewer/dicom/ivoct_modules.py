"""The modules that the program's IVOCT objects are made of (PS3.3 A.66), without their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from calcviewer.dicom.header import SIMULATOR_MANUFACTURER, SIMULATOR_MODEL

REFRACTIVE_INDEX = 1.34
FRAMES_PER_SECOND = 180.0


@dataclass(frozen=True)
class Identity:
    """Whom and what an object says it shows.

    Objects of one pullback share ``study_uid``; a new one is made where it is empty. ``when`` is
    now unless given.
    """

    patient_id: str = "SIMULATED"
    patient_name: str = "Simulated^Pullback"
    study_uid: str = ""
    series_number: int = 1
    series_description: str = "Simulated pullback, not of a patient"
    software_version: str = "1"
    when: datetime | None = None


def common(sop_class: str, identity: Identity, frame_count: int) -> Dataset:
    """Return the modules that all objects share."""
    when = identity.when or datetime.now(UTC)
    date, time = when.strftime("%Y%m%d"), when.strftime("%H%M%S")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, new_uid()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = date
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = time
    dataset.AcquisitionDateTime = date + time
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.Manufacturer = SIMULATOR_MANUFACTURER
    dataset.ManufacturerModelName = SIMULATOR_MODEL
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = identity.software_version
    dataset.PatientName, dataset.PatientID = identity.patient_name, identity.patient_id
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyInstanceUID = identity.study_uid or new_uid()
    dataset.SeriesInstanceUID = new_uid()
    dataset.StudyID = "1"
    dataset.SeriesNumber = str(identity.series_number)
    dataset.SeriesDescription = identity.series_description
    dataset.InstanceNumber = "1"
    dataset.NumberOfFrames = str(frame_count)
    return dataset


def ivoct(sop_class: str, identity: Identity, frame_count: int, frame_pitch_mm: float) -> Dataset:
    """Return an IVOCT object without its pixels, acquisition and intent."""
    dataset = common(sop_class, identity, frame_count)
    dataset.Modality = "IVOCT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "INTRAVASCULAR", "NONE"]
    dataset.VolumetricProperties = "DISTORTED"
    dataset.AcquisitionNumber = "1"
    dataset.AcquisitionDuration = frame_count / FRAMES_PER_SECOND
    dataset.LossyImageCompression = "00"
    # A scale bar names neither patient nor date, which is what the attribute asks.
    dataset.BurnedInAnnotation = "NO"
    dataset.RecognizableVisualFeatures = "NO"
    dataset.AcquisitionContextSequence = []
    dataset.IVUSAcquisition = "MOTORIZED"
    dataset.IVUSPullbackRate = decimal(frame_pitch_mm * FRAMES_PER_SECOND)
    dataset.IVUSPullbackStartFrameNumber = "1"
    dataset.IVUSPullbackStopFrameNumber = str(frame_count)
    dataset.CatheterDirectionOfRotation = "CW"
    dataset.CatheterRotationalRate = FRAMES_PER_SECOND
    dataset.ModeOfPercutaneousAccessSequence = []
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = new_uid(), ""
    dataset.DeviceSequence = [_catheter_device()]
    _dimensions(dataset)
    dataset.ContrastBolusAgentSequence = [_flush()]
    dataset.SharedFunctionalGroupsSequence = [_shared_groups(dataset)]
    start = datetime.strptime(dataset.AcquisitionDateTime, "%Y%m%d%H%M%S")
    dataset.PerFrameFunctionalGroupsSequence = [
        _frame_group(index, start) for index in range(frame_count)
    ]
    return dataset


def acquisition(dataset: Dataset, a_lines: int, radius_mm: float) -> None:
    """Add the Intravascular OCT Acquisition Parameters; Ranging Depth is asked for in air."""
    dataset.OCTFocalDistance = None
    dataset.BeamSpotSize = None
    dataset.OCTAcquisitionDomain = "FREQUENCY"
    dataset.OCTOpticalCenterWavelength = 1.3
    dataset.AxialResolution = None
    dataset.RangingDepth = radius_mm * REFRACTIVE_INDEX
    dataset.ALineRate = a_lines * FRAMES_PER_SECOND
    dataset.ALinesPerFrame = a_lines


def grey_pixels(dataset: Dataset, shape: tuple[int, int], bits_stored: int) -> None:
    """Add the format of frames of one value a pixel."""
    dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 8 if bits_stored == 8 else 16
    dataset.BitsStored, dataset.HighBit = bits_stored, bits_stored - 1
    dataset.PixelRepresentation = 0


def _dimensions(dataset: Dataset) -> None:
    """Add the one dimension of a pullback: its frames in order."""
    organisation, dimension = Dataset(), Dataset()
    organisation.DimensionOrganizationUID = new_uid()
    dimension.DimensionOrganizationUID = organisation.DimensionOrganizationUID
    dimension.DimensionIndexPointer = 0x00209057  # In-Stack Position Number
    dimension.FunctionalGroupPointer = 0x00209111  # Frame Content Sequence
    dataset.DimensionOrganizationSequence = [organisation]
    dataset.DimensionIndexSequence = [dimension]


def _shared_groups(dataset: Dataset) -> Dataset:
    shared, frame_type = Dataset(), Dataset()
    frame_type.FrameType = dataset.ImageType
    shared.IntravascularOCTFrameTypeSequence = [frame_type]
    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = [_code("41801008", "SCT", "Coronary artery")]
    shared.FrameAnatomySequence = [anatomy]
    return shared


def _frame_group(index: int, start: datetime) -> Dataset:
    group, content = Dataset(), Dataset()
    when = start + timedelta(seconds=index / FRAMES_PER_SECOND)
    content.FrameReferenceDateTime = content.FrameAcquisitionDateTime = when.strftime(
        "%Y%m%d%H%M%S.%f"
    )
    content.FrameAcquisitionDuration = 1000 / FRAMES_PER_SECOND
    content.StackID = "1"
    content.InStackPositionNumber = index + 1
    content.DimensionIndexValues = [index + 1]
    group.FrameContentSequence = [content]
    return group


def pixel_measures(spacing_mm: float, frame_pitch_mm: float) -> Dataset:
    """Return the Pixel Measures of Cartesian frames."""
    measures = Dataset()
    measures.SliceThickness = decimal(frame_pitch_mm)
    measures.PixelSpacing = [decimal(spacing_mm)] * 2
    return measures


def linear_lut(bits_stored: int, range_db: float) -> Dataset:
    """Return the table that turns log values back into values proportional to intensity."""
    entries = 1 << bits_stored
    level_db = np.linspace(-range_db, 0, entries)
    table = np.rint(65535 * 10 ** (level_db / 10)).astype("<u2")
    lut = Dataset()
    # 65536 entries are written as 0 (PS3.3 C.11.1.1.1).
    lut.LUTDescriptor = [entries % 65536, 0, 16]
    lut.LUTData = table.tobytes()
    lut["LUTDescriptor"].VR = "US"
    lut["LUTData"].VR = "OW"
    lut.LUTFunction = "TO_LINEAR"
    return lut


def _flush() -> Dataset:
    """Return the contrast agent that clears the lumen of blood."""
    agent = _code("109219", "DCM", "Iodinated contrast agent")
    agent.ContrastBolusAgentNumber = 1
    agent.ContrastBolusIngredientCodeSequence = [_code("44588005", "SCT", "Iodine")]
    agent.ContrastBolusAdministrationRouteSequence = [
        _code("58100008", "SCT", "Intra-arterial route")
    ]
    agent.ContrastBolusVolume = None
    agent.ContrastBolusIngredientConcentration = None
    return agent


def _catheter_device() -> Dataset:
    device = _code("405764009", "SCT", "Imaging catheter")
    device.DeviceDiameter = "0.9"
    device.DeviceDiameterUnits = "MM"
    return device


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def new_uid() -> str:
    """Return a new unique identifier under 2.25."""
    return str(generate_uid(prefix=None))


def decimal(value: float) -> str:
    """Return a number as a Decimal String of at most 16 characters."""
    return next(text for digits in range(15, 0, -1) if len(text := f"{value:.{digits}g}") <= 16)
