"""A pullback that names a patient in every place, and a search for that patient elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pydicom import dcmread

from tests.dicom.samples import polar_file, polar_frames

TOKENS = {
    "PatientName": "Qxname^Jane",
    "PatientID": "QXPATIENT7",
    "PatientBirthDate": "19231107",
    "AccessionNumber": "QXACCESSION7",
    "InstitutionName": "Qxhospital",
    "ReferringPhysicianName": "Qxdoctor^Ann",
    "folder": "Qxfolder",
    "file": "Qxfile",
    "archive": "Qxarchive",
    "title": "QXTITLE",
}


def named_pullback(folder: Path, frames: int = 2) -> Path:
    """Write a DICOM pullback whose header, file and folder are the patient's; returns the file."""
    place = folder / TOKENS["folder"]
    place.mkdir()
    path = polar_file(place / f"{TOKENS['file']}.dcm", polar_frames(frames))
    dataset = dcmread(path)
    for name, value in TOKENS.items():
        if name[0].isupper():
            setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def tokens_in(path: Path) -> set[str]:
    """Return which of the patient's tokens a file, or one within a ZIP file, holds in any case."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            content = b"\n".join(archive.read(name) for name in archive.namelist())
    else:
        content = path.read_bytes()
    known = [part for value in TOKENS.values() for part in value.split("^")]
    return {one for one in known if one.lower().encode() in content.lower()}
