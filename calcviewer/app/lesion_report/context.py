"""What every part of a report needs: the study, its results, and how values are written."""

from __future__ import annotations

from dataclasses import dataclass

from calcviewer.app.lesion_report.frames import FramePictures
from calcviewer.app.results import Results
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.modalities.ivoct.vessel import LumenAt, VesselSummary, summarise_vessel
from calcviewer.report.content import NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportContext:
    """What the parts of a report are made from."""

    study: Study[Protocol]
    results: Results
    pictures: FramePictures
    size_px: int
    error: MeasuredError | None = None

    def vessel(self, region: tuple[int, int] | None) -> VesselSummary:
        """Return the lumen of a lesion or VOI and its references."""
        return summarise_vessel(
            self.results.frames,
            calibration=self.study.calibration,
            protocol=self.study.protocol,
            region=region,
            motorised=self.study.pullback.motorised,
        )


def number(value: float | None, unit: str = "", decimals: int = 2) -> str:
    """Return a value with its unit, "—" when there is none."""
    if value is None:
        return NOTHING
    space = "" if unit in ("", "°") else " "
    return f"{value:.{decimals}f}{space}{unit}"


def at_frame(index: int | None) -> str:
    """Return where a value was found, counted from 1."""
    return NOTHING if index is None else f"frame {index + 1}"


def frame_list(frames: tuple[int, ...]) -> str:
    """Return 0-based frames as people read them, runs joined: "frames 3–5, 9"."""
    runs: list[list[int]] = []
    for frame in sorted(frames):
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    parts = [f"{a + 1}" if a == b else f"{a + 1}–{b + 1}" for a, b in runs]
    return ("frame " if len(frames) == 1 else "frames ") + ", ".join(parts)


def lumen_at(lumen: LumenAt | None) -> tuple[str, str]:
    """Return a lumen area and where it was found."""
    if lumen is None:
        return NOTHING, ""
    return number(lumen.area_mm2, "mm²"), f"fr. {lumen.frame + 1}"
