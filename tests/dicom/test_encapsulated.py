"""A PDF in a DICOM object comes out as it went in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from calcviewer.dicom.deidentify import UidMap, deidentified
from calcviewer.dicom.encapsulated import pdf_of, write_encapsulated_pdf
from calcviewer.dicom.header import FOR_PRESENTATION, FOR_PROCESSING
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


@pytest.mark.parametrize(
    ("sop_class", "stated", "said"),
    [
        (FOR_PROCESSING, "", "NO"),
        (FOR_PRESENTATION, "NO", "NO"),
        (FOR_PRESENTATION, "", "YES"),
        (FOR_PRESENTATION, "YES", "YES"),
    ],
)
def test_text_in_the_images_of_the_source_is_passed_on(
    tmp_path: Path, sop_class: str, stated: str, said: str
) -> None:
    source = source_of([polar_file(tmp_path / "a.dcm", polar_frames(2))])
    frames = tuple(replace(one, sop_class_uid=sop_class) for one in source.frames)
    source = replace(deidentified(source, UidMap()), frames=frames, burned_in=stated)
    path = tmp_path / "report.pdf.dcm"
    write_encapsulated_pdf(path, b"%PDF-1.4", source=source)
    assert dcmread(path).BurnedInAnnotation == said
