"""The result in a few lines of text, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator

from calcviewer.app.analysis_file import NOTICE
from calcviewer.app.results import Results
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.lesion import Lesion
from calcviewer.modalities.ivoct.protocol import Protocol


def summary_lines(study: Study[Protocol], results: Results) -> list[str]:
    """Return what a reader wants to know first, one line each."""
    measured = sum(frame is not None for frame in results.frames)
    lines = [f"{study.pullback.name}: {measured} of {len(results.frames)} frames measured"]
    if study.model is not None:
        lines.append(f"model {study.model.name} {study.model.version} on {study.model.provider}")
    calibration = study.calibration
    if (spacing := calibration.sample_spacing_mm) is not None:
        lines.append(f"sample spacing {_calibrated(spacing, 5)}")
    if (pitch := calibration.frame_pitch_mm) is not None:
        lines.append(f"frame pitch {_calibrated(pitch, 3)}")
    lines += [
        f"{name} is unknown: values that need it are missing" for name in calibration.missing()
    ]
    lines += [f"note: {note}" for note in study.pullback.notes]
    lines.append("")
    if not results.lesions:
        lines.append("No calcium was found.")
    for number, lesion in enumerate(results.lesions, start=1):
        lines += _lesion_lines(number, lesion)
    if _is_simulated(study):
        lines.append("Simulated data.")
    return [*lines, NOTICE]


def _is_simulated(study: Study[Protocol]) -> bool:
    spacing = study.calibration.sample_spacing_mm
    return spacing is not None and spacing.origin is Origin.SIMULATED


def _calibrated(entry: CalibratedValue, decimals: int) -> str:
    return f"{entry.value:.{decimals}f} mm ({entry.origin.value})"


def _lesion_lines(number: int, lesion: Lesion) -> Iterator[str]:
    yield (
        f"lesion {number}, frames {lesion.first_frame + 1} to {lesion.last_frame + 1}: "
        f"score {_verdict(lesion)}"
    )
    yield (
        f"  arc {_value(lesion.visible.max_arc_deg, '°', 0)} visible, "
        f"{_value(lesion.bridged.max_arc_deg, '°', 0)} bridged; "
        f"thickness {_value(lesion.max_thickness_mm, ' mm', 2)}"
        f"{' (capped)' if lesion.thickness_capped else ''}; "
        f"length {_value(lesion.length_mm, ' mm', 1)}"
    )


def _verdict(lesion: Lesion) -> str:
    if lesion.verdict is None:
        visible, bridged = lesion.visible.score.text, lesion.bridged.score.text
        return f"{visible} or {bridged}: guidewire decides"
    expansion = lesion.verdict.expansion
    return lesion.verdict.text + (f", {expansion}" if expansion else "")


def _value(value: float | None, unit: str, decimals: int) -> str:
    return "—" if value is None else f"{value:.{decimals}f}{unit}"
