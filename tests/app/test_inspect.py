from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom import dcmread

from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
from calcviewer.app.inspect import inspect
from calcviewer.app.inspection import Inspection, inspection_document, inspection_lines
from calcviewer.app.labels_file import write_labels
from calcviewer.app.results import compute_results
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import Origin
from calcviewer.dicom.ivoct_writer import console_palette
from calcviewer.modalities.ivoct.gold import gold_table
from tests.app.review_store import kept_reviews as kept
from tests.dicom.samples import cross_sections, image_file, polar_file, polar_frames
from tests.foreign_results import CALCIUM, LUMEN, write_foreign_seg, write_foreign_sr
from tests.result_studies import (
    ACCESSION,
    BIRTH,
    HOSPITAL,
    NAME,
    NUMBER,
    analysed,
    presentation_pullback,
    processing_pullback,
    result_study,
)

SECRETS = (NAME, "Quillfeather", "Marigold", NUMBER, HOSPITAL, BIRTH, ACCESSION, "Doctor")


def facts(found: Inspection) -> dict[str, str]:
    return dict(found.facts)


def text(found: Inspection, **options: bool) -> str:
    return "\n".join(inspection_lines(found, **options))


def test_simulated_pullback(tmp_path: Path) -> None:
    found = inspect(polar_file(tmp_path / "p.dcm", polar_frames(3)))
    assert found.kind == "IVOCT image, For Processing (DICOM)"
    said = facts(found)
    assert said["geometry"] == "polar, A-lines in rows"
    assert said["frames"] == "3"
    assert said["size"] == "24 A-lines of 40 samples"
    assert said["intensity"] == "log, grey"
    assert said["transfer syntax"] == "Explicit VR Little Endian"
    assert said["compression loss"] == "none recorded"
    assert said["manufacturer"] == "CalcViewer simulator"
    values = dict(found.calibration)
    assert list(values) == ["sample spacing", "frame pitch", "zero radius"]
    assert {value.origin for value in values.values()} == {Origin.SIMULATED}
    assert (found.missing, found.rules, found.fault) == ((), (), None)
    assert "sample spacing         0.1 mm (simulated: A-line Pixel Spacing" in text(found)


def test_console_export_with_every_kind_of_rule(tmp_path: Path) -> None:
    frames = gold_table()[cross_sections(2, size=704, sheath_px=60)]
    path = image_file(tmp_path / "e.dcm", frames, Modality="US", IVUSPullbackRate=20, FrameTime=100)
    found = inspect(path)
    assert found.kind == "console export (DICOM)"
    assert facts(found)["intensity"] == "log, true colour, gold ramp"
    assert facts(found)["size"].startswith("704 x 704 pixels, field of radius 33")
    applied = [rule.name for rule in found.rules if rule.applied]
    assert applied == ["modality US", "playback rate", "20 mm/s", "gold in true colour"]
    suggested = [rule.gives for rule in found.rules if not rule.applied]
    assert suggested == ["0.014225 mm per pixel", "0.014936 mm per pixel"]
    assert [missing.name for missing in found.missing] == ["pixel spacing"]
    assert "--pixel-spacing MM" in found.missing[0].remedy
    pitch = dict(found.calibration)["frame pitch"]
    assert (pitch.value, pitch.origin) == (0.2, Origin.VENDOR_RULE)
    assert not any("confirm it" in note for note in found.notes)
    said = text(found)
    assert "20 mm/s                applied: 100 frames/s" in said
    assert "suggested, not applied: 0.014225 mm per pixel" in said
    assert "pixel spacing          unknown: give --pixel-spacing MM" in said


def test_palette_and_loss(tmp_path: Path) -> None:
    grey = np.rint(10 + cross_sections(2) * (235 / 255)).astype(np.uint8)
    palette = {}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        colours = console_palette(gold_table())[:, channel]
        palette[f"{name}PaletteColorLookupTableData"] = colours.tobytes()
    found = inspect(
        image_file(
            tmp_path / "e.dcm",
            grey,
            photometric="PALETTE COLOR",
            LossyImageCompression="01",
            LossyImageCompressionRatio=[20.0],
            BurnedInAnnotation="YES",
            **palette,
        )
    )
    assert facts(found)["intensity"] == "log, palette, gold ramp at indices 10 to 245"
    assert facts(found)["compression loss"] == "lossy, 20 : 1"
    assert facts(found)["burned-in text"] == "yes"
    assert "gold palette" in [rule.name for rule in found.rules if rule.applied]


def test_folders_and_files_without_a_header(tmp_path: Path) -> None:
    jpeg, series = tmp_path / "jpeg", tmp_path / "series"
    jpeg.mkdir()
    series.mkdir()
    for index, frame in enumerate(gold_table()[cross_sections(3)]):
        Image.fromarray(frame).save(jpeg / f"{index}.jpg", quality=95)
    for index, frame in enumerate(cross_sections(3)):
        image_file(series / f"{index}.dcm", frame[None], InstanceNumber=index + 1)
    tifffile.imwrite(tmp_path / "p.tif", cross_sections(3), photometric="minisblack")
    np.save(tmp_path / "p.npy", polar_frames(3, (64, 90)))
    np.savez(tmp_path / "p.npz", frames=polar_frames(3, (64, 90)), sample_spacing_mm=0.02)
    expected = {
        "jpeg": ("folder of image files", "Cartesian", "pixel spacing"),
        "series": ("console export (folder of DICOM instances)", "Cartesian", "pixel spacing"),
        "p.tif": ("TIFF, one frame a page", "Cartesian", "pixel spacing"),
        "p.npy": ("NPY array", "polar, A-lines in rows", "sample spacing"),
        "p.npz": ("NPZ array", "polar, A-lines in rows", None),
    }
    for name, (kind, geometry, missing) in expected.items():
        found = inspect(tmp_path / name)
        assert (found.kind, facts(found)["geometry"]) == (kind, geometry)
        assert facts(found)["frames"] == "3"
        names = [one.name for one in found.missing]
        assert names == ([missing] if missing else []) + ["frame pitch"]
        assert "De-identification" in text(found)
    assert facts(inspect(jpeg))["compression loss"] == "lossy, JPEG"
    assert [rule.name for rule in inspect(jpeg).rules] == ["gold in true colour"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A named patient's pullback, and everything exported of it."""
    folder = tmp_path_factory.mktemp("results")
    study = result_study(processing_pullback(folder))
    options = ResultOptions(seg=True, sr=True, pdf=True, nifti=True)
    write_results(study, compute_results(study, {}), options, folder / "out")
    return folder


def test_results_of_the_program(results: Path) -> None:
    seg, sr, pdf, nifti = (
        inspect(results / "out" / f"Quillfeather{suffix}")
        for suffix in (".seg.dcm", ".sr.dcm", ".pdf.dcm", ".nii.gz")
    )
    assert seg.kind == "segmentation (DICOM SEG), written by CalcViewer"
    assert facts(seg)["structures"] == "lumen, calcium, guidewire shadow"
    assert facts(seg)["frames"] == "18"
    assert dict(seg.calibration)["frame pitch"].value == 0.2
    assert sr.kind == "structured report, written by CalcViewer"
    assert facts(sr)["measurement groups"] == "2 lesion, 1 vessel, 18 frame"
    assert pdf.kind == "report as encapsulated PDF, written by CalcViewer"
    assert re.fullmatch(r"application/pdf, \d+ bytes", facts(pdf)["document"])
    assert nifti.kind == "label volume, NIfTI"
    assert facts(nifti)["frames"] == "18"
    assert all(found.fault is None for found in (seg, sr, pdf, nifti))


def test_results_of_other_programs(tmp_path: Path) -> None:
    source = presentation_pullback(tmp_path).source.path
    lumen = np.zeros((18, 240, 240), dtype=bool)
    lumen[:, 100:140, 100:140] = True
    calcium = np.roll(lumen, 50, axis=2)
    write_foreign_seg(tmp_path / "other.seg.dcm", source, {LUMEN: lumen, CALCIUM: calcium})
    found = inspect(tmp_path / "other.seg.dcm")
    assert found.kind == "segmentation (DICOM SEG), written by another program"
    assert facts(found)["structures"] == "lumen, calcium"
    assert dict(found.calibration)["pixel spacing"].value == 0.02
    write_foreign_sr(
        tmp_path / "other.sr.dcm", source, [("Lesion A", True, [1, 2], {LUMEN: (4.0, "mm2")})]
    )
    found = inspect(tmp_path / "other.sr.dcm")
    assert found.kind == "structured report, written by another program"
    assert facts(found)["measurements"] == "1"


def test_objects_it_cannot_use_are_named_all_the_same(tmp_path: Path) -> None:
    path = image_file(
        tmp_path / "x.dcm",
        cross_sections(1),
        Modality="CT",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
    )
    found = inspect(path)
    assert found.kind == "CT Image Storage"
    assert facts(found)["modality"] == "CT"
    assert found.fault is not None
    assert "CalcViewer cannot use it" in text(found)
    assert inspection_document(found)["usable"] is False
    dataset = dcmread(path)
    del dataset.Rows, dataset.PixelData
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    dataset.save_as(path)
    found = inspect(path)
    assert found.kind == "structured report, written by another program"
    assert "no measurement groups" in str(found.fault)


def test_labels_and_reviews(tmp_path: Path) -> None:
    labels = np.zeros((3, 36, 50), dtype=np.uint8)
    labels[:, :, 5:20] = 1
    grid = PolarGrid(36, 50, 0.05)
    path = tmp_path / "labels.npz"
    write_labels(path, iter(labels), grid=grid, frame_count=3, frame_pitch_mm=0.2)
    found = inspect(path)
    assert (found.kind, facts(found)["frames"]) == ("label file", "3")
    assert dict(found.calibration)["frame pitch"].origin is Origin.FILE
    with kept.opened(kept.pullback_at(tmp_path)) as (session, store):
        kept.edit(session, 2, 2.0)
        kept.wait_for(kept.is_saved(store))
        review = store.path
    found = inspect(review)
    assert found.kind == "review, written by CalcViewer"
    assert facts(found) == {"steps": "1", "frames worked on": "1"}


def test_the_patient_is_named_only_when_asked_for(results: Path) -> None:
    for path in (results / "Quillfeather.dcm", *(results / "out").glob("*.dcm")):
        found = inspect(path)
        for printed in (
            text(found).replace(str(path), ""),
            json.dumps({**inspection_document(found), "path": ""}),
        ):
            assert not [secret for secret in SECRETS if secret in printed], path.name
        shown = text(found, show_patient=True)
        assert NAME in shown
        assert NUMBER in shown


def test_what_would_be_deidentified(results: Path) -> None:
    found = inspect(results / "Quillfeather.dcm")
    document = inspection_document(found)["deidentification"]
    rows = {row["keyword"]: row for row in document["attributes"]}
    assert rows["PatientName"]["action"] == "replaced by a made-up word"
    assert rows["PatientBirthDate"]["action"] == "emptied"
    assert rows["StudyDescription"]["action"] == "removed"
    assert rows["SOPInstanceUID"]["action"] == "replaced by a new identifier"
    assert rows["InstitutionName"]["action"] == "not taken over"
    assert rows["RequestAttributesSequence"]["present"]
    assert not rows["OperatorsName"]["present"]
    assert document["private_elements"] == 2
    assert not any("value" in row for row in rows.values())
    shown = inspection_document(found, show_patient=True)["deidentification"]["attributes"]
    assert NAME in [row["value"] for row in shown]
    assert "Not in the file: Issuer of Patient ID" in text(found)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("missing.dcm", None, "does not exist"),
        ("empty.dcm", b"", "is empty"),
        ("text.dcm", b"no image\n" * 60, "not a readable DICOM"),
        ("text.npz", b"no image\n" * 60, "not a readable NPZ"),
        ("text.tif", b"no image\n" * 60, "cannot be read as a TIFF"),
        ("text.nii.gz", b"no image\n" * 60, "not a readable NIfTI"),
        ("notes.doc", b"no image\n" * 60, "no file that holds a pullback"),
    ],
)
def test_what_it_does_not_know_is_a_clear_error(
    tmp_path: Path, name: str, content: bytes | None, fault: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CalcViewerError, match=fault) as caught:
        inspect(path)
    assert caught.value.hint


def test_an_analysis(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    found = inspect(analysed(tmp_path, study))
    assert found.kind == "analysis, written by CalcViewer"
    told = facts(found)
    assert told["pullback"] == str(study.pullback.source.path)
    assert told["annotated frames"] == str(len(study.predictions))
    assert told["model"] == "phantom 1"
    assert dict(found.calibration)["frame pitch"].value == pytest.approx(0.2)
    assert NAME not in text(found)


def test_a_damaged_analysis_is_named(tmp_path: Path) -> None:
    (tmp_path / "analysis.json").write_text("{}")
    for path in (tmp_path, tmp_path / "analysis.json"):
        found = inspect(path)
        assert found.kind == "analysis, written by CalcViewer"
        assert "is no analysis of a pullback" in str(found.fault)


def test_document_is_plain_json(results: Path) -> None:
    document = inspection_document(inspect(results / "Quillfeather.dcm"))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["facts"]["transfer_syntax"] == "Explicit VR Little Endian"
    assert document["calibration"]["frame_pitch_mm"]["origin"] == "simulated"
