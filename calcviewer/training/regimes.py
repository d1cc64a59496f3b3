"""Regimes: named conditions of the simulator, to train without some of them and to test on those.

A network that was trained without a regime and still works in it may also work on what no
simulation foresaw. Every simulated VOI carries the regimes it belongs to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.simulation import SimulatedPullback
from calcviewer.simulation.calcium import FORMS
from calcviewer.simulation.optics import Optics
from calcviewer.simulation.physics import FITTED, PHYSICS

Choice = tuple[str, str]
"""Name and value of a regime."""


@dataclass(frozen=True)
class DrawnVoi:
    """A VOI before its frames are made: cheap, and enough to name its regimes.

    Parameters
    ----------
    frames
        Indices of its frames in the pullback.
    exported
        Whether its frames pass through a console's export: logarithmic, 8 bit, Cartesian.
    """

    pullback: SimulatedPullback
    frames: range
    exported: bool

    def meets(self, start_mm: float, end_mm: float) -> bool:
        """Whether any of the frames lies within a stretch of the pullback."""
        pitch_mm = self.pullback.spec.frame_pitch_mm
        return start_mm < self.frames[-1] * pitch_mm and end_mm > self.frames[0] * pitch_mm


@dataclass(frozen=True)
class Regime:
    """One condition: its possible values, and which of them a VOI has (one or more)."""

    values: tuple[str, ...]
    of: Callable[[DrawnVoi], tuple[str, ...]]


def _below(values: tuple[str, str], limit: float, value_of: Callable[[Optics], float]) -> Regime:
    """Split an optical property at ``limit``: the first value below, the second above."""

    def of(voi: DrawnVoi) -> tuple[str, ...]:
        return (values[1] if value_of(voi.pullback.optics) >= limit else values[0],)

    return Regime(values, of)


def _calcium(voi: DrawnVoi) -> tuple[str, ...]:
    forms = {
        deposit.form
        for deposit in voi.pullback.vessel.deposits
        if voi.meets(deposit.start_mm, deposit.end_mm)
    }
    return tuple(sorted(forms)) or ("none",)


def _wall(voi: DrawnVoi) -> tuple[str, ...]:
    vessel = voi.pullback.vessel
    kinds = {one.kind for one in vessel.features if voi.meets(one.start_mm, one.end_mm)}
    if any(voi.meets(one.start_mm, one.end_mm) for one in vessel.struts):
        kinds.add("stent")
    for branch in vessel.branches:
        ends_mm = (
            branch.centre_mm - branch.half_length_mm,
            branch.centre_mm + branch.half_length_mm,
        )
        if voi.meets(*ends_mm):
            kinds.add("side branch")
    return tuple(sorted(kinds)) or ("none",)


_DEPTH_MM = MODEL_GRID.end_radius_mm
_FEATURES = ("lipid", "macrophage", "red thrombus", "white thrombus", "cavity")
REGIMES: Mapping[str, Regime] = {
    "noise": _below(("low", "high"), -33.0, lambda optics: optics.noise_db),
    "axial": _below(("fine", "coarse"), 0.018, lambda optics: optics.axial_mm),
    "lateral": _below(("fine", "coarse"), 0.0335, lambda optics: optics.spot_mm),
    "roll-off": _below(("steep", "flat"), 5.75, lambda optics: optics.rolloff_mm),
    "focus": _below(("near", "far"), 1.5, lambda optics: optics.focus_mm),
    "averaging": _below(("none", "console"), 0.5, lambda optics: optics.smoothing_px),
    "path": Regime(("lin", "export"), lambda voi: ("export" if voi.exported else "lin",)),
    "field": Regime(
        ("cut", "whole"),
        lambda voi: ("cut" if voi.pullback.field_radius_mm < _DEPTH_MM else "whole",),
    ),
    "guidewires": Regime(
        ("0", "1", "2"), lambda voi: (str(min(len(voi.pullback.catheter.wires), 2)),)
    ),
    "calcium": Regime((*FORMS, "none"), _calcium),
    "wall": Regime((*_FEATURES, "stent", "side branch", "none"), _wall),
    "physics": Regime((FITTED, *PHYSICS), lambda voi: (voi.pullback.spec.physics,)),
}
"""``path`` lin: linear intensities as the detector gives them; export: what a console exports,
which is logarithmic, of 8 bit and Cartesian. ``calcium`` and ``wall`` name all that meets the
VOI."""


def regimes_of(voi: DrawnVoi) -> dict[str, tuple[str, ...]]:
    """Return the values of every regime of a VOI."""
    return {name: regime.of(voi) for name, regime in REGIMES.items()}


@dataclass(frozen=True)
class Selection:
    """Which regimes are wanted: all of ``only``, and none of ``without``."""

    only: tuple[Choice, ...] = ()
    without: tuple[Choice, ...] = ()

    def accepts(self, regimes: Mapping[str, Sequence[str]]) -> bool:
        """Whether a VOI of these regimes is wanted."""

        def has(choice: Choice) -> bool:
            return choice[1] in regimes.get(choice[0], ())

        return all(map(has, self.only)) and not any(map(has, self.without))


EVERYTHING = Selection()


def parse_choice(text: str) -> Choice:
    """Parse ``NAME=VALUE``.

    Raises
    ------
    CalcViewerError
        There is no such regime or value.
    """
    name, _, value = text.partition("=")
    if name not in REGIMES:
        raise CalcViewerError(
            f"{text!r} names no regime.", f"Give NAME=VALUE; names: {', '.join(REGIMES)}."
        )
    if value not in REGIMES[name].values:
        raise CalcViewerError(
            f"The regime {name} has no value {value!r}.",
            f"Values: {', '.join(REGIMES[name].values)}.",
        )
    return name, value
