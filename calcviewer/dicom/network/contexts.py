"""Kinds of objects and transfer syntaxes that an association offers (PS3.8 9.3.2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydicom import uid
from pydicom.filereader import read_file_meta_info
from pynetdicom import build_context, build_role
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.values import text, tolerant

VERIFICATION = uid.UID("1.2.840.10008.1.1")
STUDY_ROOT_FIND = uid.UID("1.2.840.10008.5.1.4.1.2.2.1")
STUDY_ROOT_MOVE = uid.UID("1.2.840.10008.5.1.4.1.2.2.2")
STUDY_ROOT_GET = uid.UID("1.2.840.10008.5.1.4.1.2.2.3")

MOST_CONTEXTS = 128
_NATIVE = [str(uid.ExplicitVRLittleEndian), str(uid.ImplicitVRLittleEndian)]
_OTHERS = (
    # Each in a context of its own: in a common one the peer chooses, and may transcode.
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.JPEGBaseline8Bit,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGExtended12Bit,
    uid.JPEGLSNearLossless,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.HTJ2KLossless,
    uid.HTJ2K,
    uid.MPEG4HP41,
    uid.MPEG2MPML,
)

USUAL_CLASSES: tuple[str, ...] = tuple(
    str(one)
    for one in (
        uid.IntravascularOpticalCoherenceTomographyImageStorageForProcessing,
        uid.IntravascularOpticalCoherenceTomographyImageStorageForPresentation,
        uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uid.UltrasoundMultiFrameImageStorage,
        uid.UltrasoundImageStorage,
        uid.SecondaryCaptureImageStorage,
        uid.SegmentationStorage,
        uid.ComprehensiveSRStorage,
        uid.Comprehensive3DSRStorage,
        uid.EnhancedSRStorage,
        uid.BasicTextSRStorage,
        uid.EncapsulatedPDFStorage,
        uid.XRayAngiographicImageStorage,
        uid.EnhancedXAImageStorage,
        uid.XRayRadiationDoseSRStorage,
        uid.KeyObjectSelectionDocumentStorage,
        uid.GrayscaleSoftcopyPresentationStateStorage,
        uid.RawDataStorage,
    )
)
"""What a study with a pullback holds, for peers that do not say; the likely ones first."""


def contexts_to_receive(
    classes: Iterable[str], *, beside: int
) -> tuple[list[PresentationContext], list[SCP_SCU_RoleSelectionNegotiation]]:
    """Return contexts in which a peer can hand objects over as it keeps them, and our role in them.

    Parameters
    ----------
    classes
        SOP classes; where there are too many for every transfer syntax, only common ones are.
    beside
        Contexts that the association has for other purposes.
    """
    wanted = list(dict.fromkeys(classes))[: MOST_CONTEXTS - beside]
    contexts = [build_context(one, _NATIVE) for one in wanted]
    more = [build_context(one, str(syntax)) for syntax in _OTHERS for one in wanted]
    contexts += more[: MOST_CONTEXTS - beside - len(contexts)]
    return contexts, [build_role(one, scp_role=True) for one in wanted]


def contexts_to_send(paths: Sequence[Path]) -> list[PresentationContext]:
    """Return the contexts that files need to be sent as they are.

    Raises
    ------
    UnreadableInputError
        When one of them is no DICOM file.
    """
    kinds = dict.fromkeys(_kind(path) for path in paths)
    return [build_context(sop_class, syntax) for sop_class, syntax in kinds]


def _kind(path: Path) -> tuple[str, str]:
    """Return SOP class and transfer syntax of a file (PS3.10 7.1)."""
    try:
        with tolerant():
            meta = read_file_meta_info(path)
        kind = text(meta, "MediaStorageSOPClassUID"), text(meta, "TransferSyntaxUID")
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "damaged"
        raise UnreadableInputError(
            f"{path} is no DICOM file that can be sent ({reason}).", "Choose a DICOM file (.dcm)."
        ) from error
    if not all(kind):
        raise UnreadableInputError(
            f"{path} does not say what it holds, or how it is encoded.", "Export the file again."
        )
    return kind
