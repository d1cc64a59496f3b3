"""What several verbs take: lengths, frames, how to read and how to segment."""

from __future__ import annotations

import argparse

from calcviewer.app import workflows
from calcviewer.modalities.ivoct.read import ReadOptions


def positive_mm(text: str) -> float:
    """Parse a length in mm for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a length in mm")
    return value


def positive_int(text: str) -> int:
    """Parse a count for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def frame_range(text: str) -> tuple[int, int]:
    """Parse ``FIRST:LAST`` (from 1, inclusive) to 0-based frame indices for argparse."""
    first, colon, last = text.partition(":")
    if not (colon and first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST:LAST, frames counted from 1")
    return int(first) - 1, int(last) - 1


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a pullback is read."""
    group = parser.add_argument_group("calibration, where the file lacks it or you know better")
    group.add_argument("--sample-spacing", type=positive_mm, metavar="MM", help="polar frames")
    group.add_argument("--pixel-spacing", type=positive_mm, metavar="MM", help="Cartesian frames")
    group.add_argument("--frame-pitch", type=positive_mm, metavar="MM", help="between frames")
    group.add_argument(
        "--calibrate-on-catheter", action="store_true", help="measure the sheath in the frames"
    )
    group.add_argument(
        "--catheter-diameter", type=positive_mm, default=0.9, metavar="MM", help="default: 0.9"
    )
    group.add_argument(
        "--geometry", choices=("polar", "cartesian"), help="of frames in a folder, TIFF or NPY"
    )


def add_segmenting(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how frames are segmented."""
    group = parser.add_argument_group("segmentation")
    group.add_argument(
        "--model", default=workflows.DEFAULT_MODEL, metavar="NAME", help="one of those models lists"
    )
    group.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the network runs"
    )
    group.add_argument("--no-crf", action="store_true", help="leave the refinement out")


def read_options(args: argparse.Namespace) -> ReadOptions:
    """Return what the options of `add_reading` say."""
    return ReadOptions(
        sample_spacing_mm=args.sample_spacing,
        pixel_spacing_mm=args.pixel_spacing,
        frame_pitch_mm=args.frame_pitch,
        geometry=args.geometry,
        calibrate_on_catheter=args.calibrate_on_catheter,
        catheter_diameter_mm=args.catheter_diameter,
    )


def segment_options(args: argparse.Namespace) -> workflows.SegmentOptions:
    """Return what the options of `add_segmenting` say."""
    return workflows.SegmentOptions(model=args.model, device=args.device, crf=not args.no_crf)
