"""Every transfer syntax opens, with the pixels that went in."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.pixels import compress, pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import Intensity, Pullback
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import read_header
from calcviewer.dicom.ivoct_writer import (
    console_palette,
    write_for_presentation,
    write_for_processing,
)
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.read import read_pullback
from tests.dicom.samples import cross_sections, polar_frames

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
NATIVE = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
LOSSLESS = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
LOSSY: dict[UID, tuple[dict[str, Any], str]] = {
    JPEGLSNearLossless: ({"jls_error": 3}, "JPEG-LS, which may be lossy"),
    JPEG2000: ({"j2k_psnr": [60.0]}, "JPEG 2000, which may be lossy"),
}
GRID = PolarGrid(64, 96, 0.05)


def simulated(path: Path, *, colour: bool = False) -> tuple[Path, NDArray[np.uint16]]:
    """Write a simulated pullback: For Processing, or For Presentation with a palette."""
    if not colour:
        # Sorted, they are smooth enough for lossy compression.
        frames = np.sort(polar_frames(4, GRID.shape), axis=2)
        intensity = Intensity.LOG
        write_for_processing(
            path, iter(frames), grid=GRID, frame_count=4, frame_pitch_mm=0.2, intensity=intensity
        )
        return path, frames
    grey = np.rint(10 + cross_sections(4) * (235 / 255)).astype(np.uint8)
    write_for_presentation(
        path,
        iter(grey),
        shape=grey.shape[1:],
        palette=console_palette(gold_table()),
        pixel_spacing_mm=0.05,
        frame_pitch_mm=0.2,
        frame_count=len(grey),
    )
    return path, grey.astype(np.uint16)


def transcoded(path: Path, syntax: UID, **options: Any) -> Path:
    """Write a file again in another transfer syntax."""
    dataset = dcmread(path)
    if syntax.is_encapsulated:
        compress(dataset, syntax, generate_instance_uid=False, **options)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        for element in dataset.iterall():
            if element.VR == "OW":
                element.value = np.frombuffer(element.value, "<u2").byteswap().tobytes()
    target = path.with_name(f"transcoded-{path.name}")
    dcmwrite(target, dataset, enforce_file_format=True)
    return target


def stored(pullback: Pullback, index: int) -> NDArray[Any]:
    return pullback.frames.pictures.raw.frame(index)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("colour", [False, True], ids=["polar", "presentation"])
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS], ids=lambda uid: uid.keyword)
def test_simulated_pullbacks_without_loss(tmp_path: Path, syntax: UID, colour: bool) -> None:
    path, frames = simulated(tmp_path / "p.dcm", colour=colour)
    whole = read_pullback(path)
    other = transcoded(path, syntax)
    pullback = read_pullback(other)
    assert read_header(other).pixels.transfer_syntax == syntax
    assert pullback.grid == whole.grid
    assert pullback.calibration == whole.calibration
    assert "image_compression" not in pullback.source.header
    for index in (3, 0):
        np.testing.assert_array_equal(stored(pullback, index), frames[index])
        np.testing.assert_array_equal(
            pullback.frames.intensity(index), whole.frames.intensity(index)
        )


@pytest.mark.parametrize("syntax", LOSSY, ids=lambda uid: uid.keyword)
def test_simulated_pullbacks_with_loss(tmp_path: Path, syntax: UID) -> None:
    path, frames = simulated(tmp_path / "p.dcm")
    options, said = LOSSY[syntax]
    pullback = read_pullback(transcoded(path, syntax, **options))
    difference = np.abs(stored(pullback, 2).astype(float) - frames[2])
    assert 0 < difference.max()
    assert difference.mean() < 0.01 * 65535
    assert pullback.source.header["image_compression"] == said


def test_jpeg_baseline(tmp_path: Path) -> None:
    path, frames = simulated(tmp_path / "p.dcm", colour=True)
    dataset = dcmread(path)
    encoded = []
    for frame in frames:
        buffer = BytesIO()
        Image.fromarray(frame.astype(np.uint8)).save(buffer, "JPEG", quality=95)
        encoded.append(buffer.getvalue())
    dataset.PixelData = encapsulate(encoded)
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = [12.5]
    dataset.save_as(path)
    pullback = read_pullback(path)
    assert np.abs(stored(pullback, 3).astype(int) - frames[3]).mean() < 3
    assert pullback.source.header["image_compression"] == "lossy, JPEG, 12.5 : 1"


@pytest.mark.parametrize(
    "syntax", [JPEGLossless, JPEGLosslessSV1, JPEGExtended12Bit], ids=lambda uid: uid.keyword
)
def test_jpeg_without_its_optional_package_names_it(tmp_path: Path, syntax: UID) -> None:
    path, _ = simulated(tmp_path / "p.dcm")
    dataset = dcmread(path)
    # Two empty bytes of tables, then a frame header of 12 bits as JPEG Extended has it.
    frame = bytes.fromhex("ffd8 ffc1 000b 0c 0040 0060 01 01 11 00 ffd9")
    dataset.PixelData = encapsulate([frame] * 4)
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match=r"p\.dcm is compressed as JPEG") as caught:
        read_pullback(path)
    assert "optional package pylibjpeg-libjpeg" in caught.value.hint


NOT_DECODED = {
    "JPEG-lossy": "no decoder is installed",  # 12 bits
    "JPGExtended": "no decoder is installed",
    "SC_rgb_jpeg_gdcm": "no decoder is installed",  # lossless
    "JPEG2000-embedded-sequence-delimiter": "is compressed as 3722445056 x 1024",
}


def pydicom_images() -> list[Path]:
    """Return those of pydicom's files that our header reader takes for images."""
    found = []
    for path in sorted(FILES.glob("*.dcm")):
        try:
            DicomFrames(read_header(path)).check()
        except UnreadableInputError:
            continue
        found.append(path)
    return found


def test_pydicoms_files_are_decoded_as_pydicom_does() -> None:
    compared = set()
    for path in pydicom_images():
        reader = DicomFrames(read_header(path))
        if path.stem in NOT_DECODED:
            with pytest.raises(UnreadableInputError, match=NOT_DECODED[path.stem]):
                reader.frame(0)
            continue
        ours = reader.frame(reader.count - 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = pixel_array(path, index=reader.count - 1)
            except (AttributeError, ValueError):
                # One whose dataset is implicit against its transfer syntax, and the deflated one.
                assert path.stem in ("SC_rgb_jpeg", "image_dfl")
                continue
        np.testing.assert_array_equal(ours, theirs, err_msg=path.name)
        compared.add(read_header(path).pixels.transfer_syntax)
    assert compared >= {
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        RLELossless,
        JPEGBaseline8Bit,
        JPEGLSLossless,
        JPEGLSNearLossless,
        JPEG2000,
        JPEG2000Lossless,
    }


def test_pydicoms_deflated_file() -> None:
    path = FILES / "image_dfl.dcm"
    np.testing.assert_array_equal(
        DicomFrames(read_header(path)).frame(0), dcmread(path).pixel_array
    )
