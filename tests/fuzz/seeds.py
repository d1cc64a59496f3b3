"""Small sound files of every kind, written by the program itself or the libraries it reads with."""

from __future__ import annotations

import gzip
import io
import os
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from calcviewer.app.analysis_file import analysis_document, write_json
from calcviewer.app.exchange.nifti import write_nifti
from calcviewer.app.exchange.seg_results import write_study_seg
from calcviewer.app.exchange.sr_results import write_study_sr
from calcviewer.app.exchange.stored_contours import contours_bytes
from calcviewer.app.export_choices import ExportChoices, choices_path, save_choices
from calcviewer.app.pacs.peers import peers_path, save_peer
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.app.settings import Settings, save_settings, settings_path
from calcviewer.app.voi_file import FrameOrigin, VoiMetadata, write_voi
from calcviewer.app.workflows import write_study_labels
from calcviewer.core.annotation import annotation_from_labels
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import Pullback
from calcviewer.core.study import ModelReference, Review, Study
from calcviewer.dicom.ivoct_writer import (
    console_palette,
    write_for_presentation,
    write_true_colour,
)
from calcviewer.dicom.network.peer import DimsePeer, TlsFiles, WebPeer
from calcviewer.dicom.source import source_of
from calcviewer.inference.model_card import ModelCard, sha256_of
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from tests.dicom.samples import cross_sections, image_file, polar_file, polar_frames
from tests.phantoms import label_map

GRID = PolarGrid(a_lines=24, samples=40, sample_spacing_mm=0.1, zero_radius_mm=0.2)
MODEL = ModelReference("phantom", "1", "0" * 64, "CPUExecutionProvider")
COUNT = 3
SIZE_PX = 40
VOI_STRIDE = 480
_MOST_CHILDREN = 8


# --- pullbacks -----------------------------------------------------------------------------------


def processing(path: Path, count: int = COUNT, **options: Any) -> Path:
    """Write a For Processing image without its long table of intensities.

    Its identity is always the same: a review or an analysis that is kept belongs to it later, too.
    """
    polar_file(path, polar_frames(count), **options)
    dataset = dcmread(path)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "2.25.2", "2.25.3"
    shared = dataset.SharedFunctionalGroupsSequence[0]
    if "PixelIntensityRelationshipLUTSequence" in shared:
        del shared.PixelIntensityRelationshipLUTSequence
    dataset.save_as(path)
    return path


def _grey(count: int = 2) -> NDArray[np.uint8]:
    return cross_sections(count, size=SIZE_PX, sheath_px=0.15 * SIZE_PX)


def dicom_images(folder: Path) -> list[Path]:
    """Write uncompressed images of every kind."""
    grey = _grey()
    golden = gold_table()[grey]
    palette = console_palette(gold_table())
    paths = [processing(folder / "processing.dcm")]
    presentation = folder / "presentation.dcm"
    write_for_presentation(
        presentation,
        iter(10 + (grey // 2)),
        shape=grey.shape[1:],
        palette=palette,
        pixel_spacing_mm=0.1,
        frame_pitch_mm=0.2,
        frame_count=len(grey),
    )
    colour = folder / "colour.dcm"
    write_true_colour(
        colour, iter(golden), shape=grey.shape[1:], pixel_spacing_mm=0.1, frame_count=len(grey)
    )
    paths += [presentation, colour]
    for name, syntax in (
        ("implicit", ImplicitVRLittleEndian),
        ("big", ExplicitVRBigEndian),
        ("deflated", DeflatedExplicitVRLittleEndian),
    ):
        paths.append(image_file(folder / f"{name}.dcm", grey, syntax=syntax, FrameTime="10"))
    return [*paths, _ultrasound(folder / "region.dcm", grey)]


def _ultrasound(path: Path, grey: NDArray[np.uint8]) -> Path:
    region = Dataset()
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.01
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1 = region.RegionLocationMaxY1 = SIZE_PX - 1
    return image_file(
        path,
        grey,
        Modality="US",
        SequenceOfUltrasoundRegions=[region],
        IVUSPullbackRate="20",
        IVUSPullbackStartFrameNumber="1",
        IVUSPullbackStopFrameNumber="2",
    )


def compressed_images(folder: Path) -> list[Path]:
    """Write images in the encapsulated transfer syntaxes."""
    grey = _grey()
    paths = [
        image_file(folder / f"{name}.dcm", grey, syntax=syntax)
        for name, syntax in (
            ("rle", RLELossless),
            ("jpeg-ls", JPEGLSLossless),
            ("jpeg-2000", JPEG2000Lossless),
        )
    ]
    baseline = image_file(folder / "jpeg.dcm", grey)
    dataset = dcmread(baseline)
    dataset.PixelData = encapsulate([_jpeg(frame) for frame in grey])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID(JPEGBaseline8Bit)
    dataset.save_as(baseline)
    lossless = folder / "jpeg-lossless.dcm"
    dataset.file_meta.TransferSyntaxUID = UID(JPEGLosslessSV1)
    dataset.save_as(lossless)
    deep = image_file(folder / "rle-16.dcm", polar_frames(2, (30, 30)), syntax=RLELossless)
    return [*paths, baseline, lossless, deep]


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def dicom_folder(folder: Path) -> list[Path]:
    """Write single-frame instances of one series; the second one is the seed."""
    for number, frame in enumerate(_grey(3), start=1):
        image_file(folder / f"{number}.dcm", frame[None], InstanceNumber=str(number))
    return [folder / "2.dcm"]


def images(folder: Path) -> list[Path]:
    """Write single images of every format and mode."""
    grey = Image.fromarray(_grey(1)[0])
    golden = Image.fromarray(gold_table()[_grey(1)[0]])
    made = {
        "grey.png": grey,
        "colour.png": golden,
        "palette.png": golden.quantize(16),
        "bits.png": grey.convert("1"),
        "deep.png": Image.fromarray(polar_frames(1, (20, 30))[0]),
        "clear.png": golden.convert("RGBA"),
        "grey.jpg": grey,
        "colour.jpg": golden,
        "grey.bmp": grey,
    }
    for name, image in made.items():
        image.save(folder / name)
    golden.save(folder / "progressive.jpg", progressive=True)
    return [folder / name for name in (*made, "progressive.jpg")]


def image_folder(folder: Path) -> list[Path]:
    """Write folders of images; the second frame of each is the seed."""
    seeds = []
    for kind, suffix in (("png", ".png"), ("tif", ".tif"), ("jpg", ".jpg")):
        (folder / kind).mkdir()
        for number, frame in enumerate(_grey(3), start=1):
            Image.fromarray(frame).save(folder / kind / f"frame_{number:04d}{suffix}")
        seeds.append(folder / kind / f"frame_0002{suffix}")
    return seeds


def tiffs(folder: Path) -> list[Path]:
    """Write multi-page TIFF files of several compressions and colours."""
    grey, deep = _grey(), polar_frames(3, (20, 30))
    tifffile.imwrite(folder / "plain.tif", deep, photometric="minisblack")
    tifffile.imwrite(folder / "deflate.tif", grey, photometric="minisblack", compression="zlib")
    tifffile.imwrite(folder / "colour.tif", gold_table()[grey], photometric="rgb")
    tifffile.imwrite(folder / "tiles.tif", grey, photometric="minisblack", tile=(16, 16))
    tifffile.imwrite(folder / "big.tif", grey, photometric="minisblack", bigtiff=True)
    pages = [Image.fromarray(frame) for frame in grey]
    for name in ("lzw", "packbits", "jpeg"):
        path = folder / f"{name}.tif"
        pages[0].save(path, save_all=True, append_images=pages[1:], compression=f"tiff_{name}")
    names = ("plain", "deflate", "colour", "tiles", "big", "lzw", "packbits", "jpeg")
    return [folder / f"{name}.tif" for name in names]


def arrays(folder: Path) -> list[Path]:
    """Write arrays of several types, packed and unpacked."""
    polar, grey = polar_frames(3), _grey()
    np.save(folder / "polar.npy", polar)
    np.save(folder / "float.npy", np.asfortranarray(polar.astype(np.float32)))
    np.save(folder / "colour.npy", gold_table()[grey])
    np.save(folder / "one.npy", grey[0])
    np.savez(folder / "stored.npz", frames=polar, sample_spacing_mm=0.1, intensity="linear")
    np.savez_compressed(
        folder / "packed.npz", frames=grey, pixel_spacing_mm=0.1, frame_pitch_mm=0.2
    )
    names = ("polar.npy", "float.npy", "colour.npy", "one.npy", "stored.npz", "packed.npz")
    return [folder / name for name in names]


# --- results -------------------------------------------------------------------------------------


def study_on(pullback: Pullback, review: Review | None = None) -> IvoctStudy:
    """Return a study with calcium, a wire, and a frame that could not be segmented."""
    deposits = ((20.0, 60.0), (350.0, 200.0))
    maps = [
        label_map(one, grid=GRID, lumen_mm=1.3, front_mm=1.6, back_mm=2.9, wire=(200.0, 30.0))
        for one in deposits
    ]
    made = {index: annotation_from_labels(labels, GRID) for index, labels in enumerate(maps)}
    made[len(maps)] = replace(made[0], lumen=None, calcium=(), failure="no signal")
    return Study(pullback, Protocol(), MappingProxyType(made), MODEL, review or Review())


def _study(folder: Path) -> IvoctStudy:
    return study_on(read_pullback(processing(folder / "pullback.dcm")), Review(voi=(0, 1)))


def segmentations(folder: Path) -> list[Path]:
    """Write a segmentation of ours, and the same as another program would have written it."""
    study = _study(folder)
    path = folder / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    dataset = dcmread(path)
    for tag in [one.tag for one in dataset if one.tag.is_private]:
        del dataset[tag]
    foreign, packed = folder / "foreign.seg.dcm", folder / "packed.seg.dcm"
    dataset.save_as(foreign)
    pixels = np.asarray(dataset.pixel_array, dtype=np.uint8)
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.compress(RLELossless, pixels, generate_instance_uid=False)
    dataset.save_as(packed)
    return [path, foreign, packed]


def reports(folder: Path) -> list[Path]:
    """Write a structured report on one frame, and leave out most of what repeats itself."""
    study = study_on(read_pullback(processing(folder / "pullback.dcm", 1)))
    results = compute_results(study, {})
    path = folder / "a.sr.dcm"
    write_study_sr(path, study, results, source_of([study.pullback.source.path]))
    dataset = dcmread(path)
    _thin(dataset)
    dataset.save_as(path)
    return [path]


def _thin(item: Dataset) -> None:
    children = item.get("ContentSequence", [])
    del children[_MOST_CHILDREN:]
    for child in children:
        _thin(child)


def volumes(folder: Path) -> list[Path]:
    """Write a label volume, packed and unpacked."""
    packed = folder / "a.nii.gz"
    write_nifti(packed, _study(folder))
    plain = folder / "a.nii"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    return [packed, plain]


def label_files(folder: Path) -> list[Path]:
    """Write a label file, with and without what is optional."""
    study = _study(folder)
    write_study_labels(folder / "full.npz", study)
    labels = np.stack([label_map((20.0, 90.0), grid=GRID)] * 2)
    np.savez(folder / "bare.npz", labels=labels, sample_spacing_mm=0.1)
    np.savez(folder / "loose.npz", labels=labels, working_spacing_mm=0.1, frame_pitch_mm=0.2)
    return [folder / f"{name}.npz" for name in ("full", "bare", "loose")]


def _analysis(folder: Path) -> Path:
    folder.mkdir()
    study = _study(folder)
    document = analysis_document(study, compute_results(study, {}))
    document["read_options"] = asdict(ReadOptions())
    document["pullback"]["path"] = "pullback.dcm"
    write_json(folder / "analysis.json", document)
    write_study_labels(folder / "labels.npz", study)
    return folder


def analyses(folder: Path) -> list[Path]:
    """Write folders of an analysis beside its pullback, with and without exact contours.

    The pullback is named as it is seen from its folder.
    """
    study = _study(folder)
    exact, drawn = _analysis(folder / "exact"), _analysis(folder / "drawn")
    (exact / "contours.bin").write_bytes(contours_bytes(study.predictions))
    return [exact / "analysis.json", exact / "contours.bin", drawn / "labels.npz"]


def voi_files(folder: Path) -> list[Path]:
    """Write VOIs of a few pixels; the metadata of one and the arrays of another are seeds."""
    rng = np.random.default_rng(0)
    values = rng.random((2, 480, 960)).astype(np.float16)
    labels = rng.integers(0, 3, values.shape).astype(np.uint8)
    frames = (FrameOrigin(1, "manual"), FrameOrigin(2, "automatic", operator="a"))
    seeds = []
    for name, suffix in (("about", ".json"), ("arrays", ".npz")):
        metadata = VoiMetadata(name, "real", source="a", seed=1, stride=VOI_STRIDE, frames=frames)
        written = write_voi(folder / name, metadata, images=values, labels=labels)
        seeds.append(written.with_suffix(suffix))
    return seeds


def model_cards(folder: Path) -> list[Path]:
    """Write a model folder whose network is a few bytes."""
    (folder / "model.onnx").write_bytes(b"a network")
    card = ModelCard(
        name="tiny",
        version="1",
        architecture="SegNet, width 0.25, stride 2",
        data_origin="simulated",
        training_data="300 simulated VOIs",
        split={"train": 240, "validation": 30, "test": 30},
        metrics={"dice": {"lumen": 0.99, "calcium": 0.7}},
        licence="MIT",
        sha256=sha256_of(folder / "model.onnx"),
        opset=18,
        created="2025-01-01T00:00:00+00:00",
    )
    return [card.write(folder)]


def preferences(folder: Path) -> list[Path]:
    """Write all that is remembered between starts: settings, choices of the export, peers."""
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    save_settings(
        Settings(
            recent=("/a", "/b"), layout=2, crf=False, window=(0, 0, 900, 700), interpolate=False
        )
    )
    save_choices(ExportChoices(folder="/a", page_size="letter", overlay=False, speed=20))
    save_peer(DimsePeer(name="a", ae_title="A", host="a.example", port=104, tls=TlsFiles()))
    save_peer(WebPeer(name="b", url="https://b.example/dicom-web"))
    return [settings_path(), choices_path(), peers_path()]


def masks(folder: Path) -> list[Path]:
    """Write masks of real frames, as training data has them."""
    planes = np.zeros((30, 40, 3), dtype=np.uint8)
    planes[10:20, 10:20, 0] = 255
    Image.fromarray(planes).save(folder / "planes.tiff")
    Image.fromarray(planes).save(folder / "packed.tiff", compression="tiff_lzw")
    return [folder / "planes.tiff", folder / "packed.tiff"]


def anything(folder: Path) -> list[Path]:
    """Write one file or more of every kind that the program recognises."""
    makers = (dicom_images, compressed_images, segmentations, reports, volumes, label_files, arrays)
    made = []
    for number, make in enumerate(makers):
        place = folder / str(number)
        place.mkdir()
        made += make(place)[:2]
    return made
