"""Takes the patient out of what results inherit: Basic Profile of PS3.15 annex E.

Results hold only attributes that were asked for, so that nothing has to be searched for in them;
this is what happens to each.
"""

from __future__ import annotations

import hashlib
import secrets
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from pydicom.dataset import Dataset

from calcviewer.dicom.source import FrameReference, ResultSource
from calcviewer.dicom.values import text


class Action(Enum):
    """What the Basic Profile does with an attribute; values as in PS3.15 table E.1-1."""

    EMPTY = "Z"
    REMOVE = "X"
    REPLACE_UID = "U"
    DUMMY = "D"


PROFILE = MappingProxyType(
    {
        "PatientName": Action.DUMMY,
        "PatientID": Action.DUMMY,
        "IssuerOfPatientID": Action.REMOVE,
        "PatientBirthDate": Action.EMPTY,
        "PatientSex": Action.EMPTY,
        "PatientAge": Action.REMOVE,
        "PatientSize": Action.REMOVE,
        "PatientWeight": Action.REMOVE,
        "StudyInstanceUID": Action.REPLACE_UID,
        "StudyDate": Action.EMPTY,
        "StudyTime": Action.EMPTY,
        "StudyID": Action.EMPTY,
        "StudyDescription": Action.REMOVE,
        "AccessionNumber": Action.EMPTY,
        "ReferringPhysicianName": Action.EMPTY,
        "FrameOfReferenceUID": Action.REPLACE_UID,
    }
)
METHOD = "PS3.15 Basic Profile, safe private attributes retained"
_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113111", "Retain Safe Private Option"),
)


@dataclass(frozen=True)
class UidMap:
    """Replaces identifiers, the same one by the same one, so that results still belong together.

    Without the secret nobody can tell the old from the new; a new map has a new one.
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def uid(self, original: str) -> str:
        """Return the new identifier, under 2.25, of an old one; empty stays empty."""
        if not original:
            return ""
        return f"2.25.{int.from_bytes(self._digest(original)[:16], 'big')}"

    def name(self, original: str) -> str:
        """Return a patient's new name and number."""
        return f"ANON-{self._digest(original)[:4].hex().upper()}"

    def _digest(self, original: str) -> bytes:
        return hashlib.sha256(self.secret + original.encode()).digest()


def deidentified(source: ResultSource, uids: UidMap) -> ResultSource:
    """Return the source without anything that identifies the patient."""
    header = deepcopy(source.header)
    patient = uids.name(text(header, "PatientID") + "|" + text(header, "PatientName"))
    for name, action in PROFILE.items():
        if name not in header:
            continue
        if action is Action.REMOVE:
            delattr(header, name)
        elif action is Action.REPLACE_UID:
            setattr(header, name, uids.uid(text(header, name)))
        else:
            setattr(header, name, patient if action is Action.DUMMY else "")
    header.PatientName = f"{patient}^"
    header.PatientIdentityRemoved = "YES"
    header.DeidentificationMethod = METHOD
    header.DeidentificationMethodCodeSequence = [_code(*code) for code in _CODES]
    frames = tuple(
        FrameReference(one.sop_class_uid, uids.uid(one.sop_instance_uid), one.frame_number)
        for one in source.frames
    )
    return replace(
        source,
        header=header,
        series_uid=uids.uid(source.series_uid),
        frames=frames,
        deidentified=True,
    )


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code
