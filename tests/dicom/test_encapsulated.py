"""A PDF in a DICOM object comes out as it went in."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from calcviewer.dicom.deidentify import UidMap, deidentified
from calcviewer.dicom.encapsulated import pdf_of, write_encapsulated_pdf
from calcviewer.dicom.source import source_of
from tests.dicom.samples import polar_file, polar_frames
from tests.result_studies import assert_valid


@pytest.mark.parametrize("pdf", [b"%PDF-1.4 even", b"%PDF-1.4 odd"], ids=["even", "odd"])
@pytest.mark.parametrize("clean", [False, True])
def test_round_trip(tmp_path: Path, pdf: bytes, *, clean: bool) -> None:
    source = source_of([polar_file(tmp_path / "a.dcm", polar_frames(2))])
    if clean:
        source = deidentified(source, UidMap())
    path = tmp_path / "report.pdf.dcm"
    write_encapsulated_pdf(path, pdf, source=source)
    assert pdf_of(path) == pdf
    assert_valid(path)
    dataset = dcmread(path)
    assert dataset.BurnedInAnnotation == ("NO" if clean else "YES")
    reference = dataset.SourceInstanceSequence[0].ReferencedSOPInstanceUID
    assert reference == source.frames[0].sop_instance_uid
    assert "FrameOfReferenceUID" not in dataset
