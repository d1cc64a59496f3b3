"""Opens a pullback: DICOM, image files or arrays, chosen on the header or the kind of file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    Intensity,
    Origin,
    Pullback,
    SourceReference,
)
from calcviewer.core.study import REVIEW_SUFFIX
from calcviewer.dicom.header import is_dicom
from calcviewer.modalities.ivoct.assemble import Content, Geometry, ReadOptions, assemble
from calcviewer.modalities.ivoct.pictures import (
    CartesianFrames,
    ColourPictures,
    EvenFrames,
    FieldFinder,
    PolarFrames,
    RawFrames,
    pictures_of,
)
from calcviewer.modalities.ivoct.read_arrays import open_array
from calcviewer.modalities.ivoct.read_dicom import read_dicom
from calcviewer.modalities.ivoct.read_files import (
    ARRAY_SUFFIXES,
    IMAGE_SUFFIXES,
    TIFF_SUFFIXES,
    check_file,
    natural_key,
    open_images,
    open_tiff,
)
from calcviewer.modalities.ivoct.vendor_rules import (
    Quantity,
    SourceFacts,
    VendorRule,
    suggested_rules,
)

__all__ = [
    "ReadOptions",
    "facts_of_pullback",
    "read_pullback",
    "suggestion_text",
    "suggestions",
]

_FORMATS = "DICOM, PNG, JPEG, TIFF, NPY or NPZ"


def read_pullback(path: Path, *, options: ReadOptions | None = None) -> Pullback:
    """Open a pullback. Frames are read when they are asked for.

    Parameters
    ----------
    path
        A DICOM file, a multi-page TIFF, an NPY or NPZ array, one image (a single frame), or a
        folder of DICOM instances or image files with one frame each.
    options
        What the operator says about it.

    Raises
    ------
    CalcViewerError
        Naming the file and the fault, when it cannot be read as a pullback.
    """
    options = options or ReadOptions()
    check_file(path)
    try:
        content = _folder(path) if path.is_dir() else _file(path)
        pullback = assemble(content, options)
    except OSError as error:
        raise UnreadableInputError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the file and its access."
        ) from error
    confirm = [
        f"Not applied, confirm it: {suggestion_text(rule, pullback)} ({rule.origin})."
        for rule in suggestions(pullback)
    ]
    return replace(pullback, notes=(*pullback.notes, *_doubt(pullback), *confirm))


def facts_of_pullback(pullback: Pullback) -> SourceFacts:
    """Return what vendor rules look at in a pullback of any source."""
    layout, calibration = pullback.layout, pullback.calibration
    frames = pullback.frames
    pictures = frames.pictures if isinstance(frames, CartesianFrames | PolarFrames) else None
    rows, columns = pullback.grid.shape
    return SourceFacts(
        rows=rows,
        columns=columns,
        frame_count=pullback.frame_count,
        cartesian=isinstance(layout, CartesianLayout),
        true_colour=isinstance(pictures, ColourPictures),
        spacing_known=calibration.sample_spacing_mm is not None,
        pitch_known=calibration.frame_pitch_mm is not None,
    )


def suggestions(pullback: Pullback) -> tuple[VendorRule, ...]:
    """Return the vendor rules an operator may confirm for what is still unknown of a pullback."""
    return suggested_rules(facts_of_pullback(pullback))


def suggestion_text(rule: VendorRule, pullback: Pullback) -> str:
    """Return what a suggested rule would give for a pullback."""
    if rule.quantity is not Quantity.PULLBACK_LENGTH_MM:
        return rule.gives
    return f"{rule.gives}, {rule.values[0] / pullback.frame_count:.3f} mm per frame"


_FIELD_RADII_MM = (0.5, 30.0)
"""From less than any to more than any console shows."""


def _doubt(pullback: Pullback) -> list[str]:
    """Return a note when the scale cannot be that of an intravascular image."""
    spacing = pullback.calibration.sample_spacing_mm
    radius_mm = pullback.field_radius_mm
    if spacing is None or _FIELD_RADII_MM[0] <= radius_mm <= _FIELD_RADII_MM[1]:
        return []
    return [
        f"With {spacing.value:g} mm per sample the image reaches {radius_mm:.3g} mm from the "
        "catheter, which no console shows: check the calibration."
    ]


def _file(path: Path) -> Content:
    suffix = path.suffix.lower()
    if suffix in ARRAY_SUFFIXES:
        return _array(path)
    if suffix in TIFF_SUFFIXES:
        return _images(path, open_tiff(path), "tiff")
    if suffix in IMAGE_SUFFIXES:
        return _images(path, open_images([path]), "image")
    if is_dicom(path):
        return read_dicom([path])
    raise UnreadableInputError(f"{path} is no file that holds a pullback.", f"Open {_FORMATS}.")


def _folder(path: Path) -> Content:
    files = sorted((entry for entry in path.iterdir() if _may_count(entry)), key=natural_key)
    images = [entry for entry in files if entry.suffix.lower() in IMAGE_SUFFIXES | TIFF_SUFFIXES]
    arrays = [entry for entry in files if entry.suffix.lower() in ARRAY_SUFFIXES]
    instances = [
        entry
        for entry in files
        if entry not in images and entry not in arrays and _holds_dicom(entry)
    ]
    if instances:
        return _with_ignored(read_dicom(instances), files, instances)
    if images:
        return _with_ignored(_image_folder(path, images), files, images)
    if len(arrays) == 1:
        return _with_ignored(_array(arrays[0]), files, arrays)
    raise UnreadableInputError(
        f"{path} holds no frames." if not arrays else f"{path} holds {len(arrays)} arrays.",
        f"Open a folder with frames, or one file: {_FORMATS}.",
    )


def _may_count(entry: Path) -> bool:
    """Whether a folder's entry is a file that neither is hidden nor belongs to a review."""
    own = entry.name.startswith(".") or REVIEW_SUFFIX in entry.name
    return not own and entry.is_file()


def _holds_dicom(path: Path) -> bool:
    return path.name.upper() != "DICOMDIR" and is_dicom(path)


def _image_folder(path: Path, images: list[Path]) -> Content:
    if len(images) == 1 and images[0].suffix.lower() in TIFF_SUFFIXES:
        return _images(images[0], open_tiff(images[0]), "tiff")
    opened = open_images(images)
    names = tuple(entry.stem for entry in opened.paths)
    if len(set(names)) < len(names):
        names = tuple(entry.name for entry in opened.paths)
    return _images(path, opened, "folder", names)


def _with_ignored(content: Content, files: list[Path], used: list[Path]) -> Content:
    ignored = len(files) - len(used)
    if not ignored:
        return content
    note = f"{ignored} other file{'s' if ignored > 1 else ''} in the folder ignored."
    return replace(content, notes=(*content.notes, note))


def _images(path: Path, raw: RawFrames, kind: str, names: tuple[str, ...] = ()) -> Content:
    """Return the content of image files, which carry no scale; console exports are logarithmic."""
    raw = EvenFrames(raw)
    finder = FieldFinder(raw)
    return Content(
        name=path.name if path.is_dir() else path.stem,
        pictures=pictures_of(raw, Intensity.LOG, finder),
        finder=finder,
        count=raw.count,
        geometry=None,
        calibration=Calibration(),
        intensity=Intensity.LOG,
        source=SourceReference(path=path, kind=kind, frame_names=names),
    )


def _array(path: Path) -> Content:
    raw, extras = open_array(path)
    relationship = _choice(path, extras, "intensity", ("log", "linear"))
    geometry = _choice(path, extras, "geometry", ("polar", "cartesian"))
    if geometry is None and "pixel_spacing_mm" in extras:
        geometry = "cartesian"
    elif geometry is None and "sample_spacing_mm" in extras:
        geometry = "polar"
    intensity = Intensity(relationship or "log")
    notes = () if relationship else ("The values are taken as log intensity.",)
    finder = FieldFinder(raw)
    spacing = "pixel_spacing_mm" if geometry == "cartesian" else "sample_spacing_mm"
    return Content(
        name=path.stem,
        pictures=pictures_of(raw, intensity, finder),
        finder=finder,
        count=raw.count,
        geometry=cast(Geometry | None, geometry),
        calibration=Calibration(
            _number(path, extras, spacing),
            _number(path, extras, "frame_pitch_mm"),
            _number(path, extras, "zero_radius_mm"),
        ),
        intensity=intensity,
        source=SourceReference(path=path, kind=path.suffix[1:].lower()),
        notes=notes,
    )


def _choice(
    path: Path, extras: Mapping[str, object], name: str, allowed: tuple[str, ...]
) -> str | None:
    if name not in extras:
        return None
    text = str(extras[name]).lower()
    if text not in allowed:
        raise UnreadableInputError(
            f"{name} in {path} is {text!r}.", f"It must be one of: {', '.join(allowed)}."
        )
    return text


def _number(path: Path, extras: Mapping[str, object], name: str) -> CalibratedValue | None:
    if name not in extras:
        return None
    try:
        return CalibratedValue(float(str(extras[name])), Origin.FILE, name)
    except (TypeError, ValueError) as error:
        raise UnreadableInputError(f"{name} in {path} is no number.", "") from error
