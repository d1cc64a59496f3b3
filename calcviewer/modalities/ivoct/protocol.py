"""The clinical rules in force: thresholds, tolerances and grouping, printed with every result."""

from __future__ import annotations

from dataclasses import dataclass

_LARGEST = 10_000


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The rules by which calcium is measured, grouped into lesions and scored.

    The three thresholds are those of the stent-deployment calcium score (Fujino et al.,
    EuroIntervention 2018, doi 10.4244/EIJ-D-17-00962); a value scores when it is strictly
    greater. The cap is that of Gharaibeh et al. (J Med Imaging 2019, section 3.1). The other
    numbers are this program's choice.

    Parameters
    ----------
    arc_threshold_deg
        A maximum arc above it gives 2 points.
    thickness_threshold_mm
        A maximum thickness above it gives 1 point.
    length_threshold_mm
        A length above it gives 1 point.
    thickness_cap_mm
        Thickness is limited to this on rays whose back border cannot be seen; None: it is not.
    join_tolerance_deg
        Arcs separated by less than this (segmentation noise) count as one.
    bridge_reach_deg
        Calcium this near to an edge of a guidewire shadow touches it.
    minimum_arc_deg
        A frame is calcified from a deposit of this arc on ...
    minimum_area_mm2
        ... that also has this area; 0.02 mm2 is 5 degrees of arc, 0.15 mm thick, at a radius of
        1.5 mm.
    lesion_gap_mm
        Runs of calcified frames closer than this are one lesion.
    lesion_gap_frames
        The same in frames, for while the frame pitch is unknown.
    superficial_mm
        Calcium with less tissue than this above it is superficial.
    reference_reach_mm
        How far from the lesion a reference lumen is looked for (PMC7666937, table 1).
    arc_margin_deg, thickness_margin_mm, length_margin_mm
        A value this near to its threshold makes its frame decisive.
    lumen_jump
        A lumen area that differs by more than this part from both neighbours is flagged.

    Raises
    ------
    ValueError
        When a rule cannot be one: protocols are read from files.
    """

    arc_threshold_deg: float = 180.0
    thickness_threshold_mm: float = 0.5
    length_threshold_mm: float = 5.0
    thickness_cap_mm: float | None = 1.0
    join_tolerance_deg: float = 3.0
    bridge_reach_deg: float = 6.0
    minimum_arc_deg: float = 5.0
    minimum_area_mm2: float = 0.02
    lesion_gap_mm: float = 1.0
    lesion_gap_frames: int = 5
    superficial_mm: float = 0.5
    reference_reach_mm: float = 10.0
    arc_margin_deg: float = 15.0
    thickness_margin_mm: float = 0.05
    length_margin_mm: float = 0.5
    lumen_jump: float = 0.30

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 <= value <= _LARGEST:
                raise ValueError(f"{name} must be between 0 and {_LARGEST}, got {value:g}")

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return every rule as a pair (name, value) of texts for reports."""
        cap = self.thickness_cap_mm
        cap_text = "off" if cap is None else f"{cap:g} mm where the back border is not visible"
        return (
            ("Arc, 2 points", f"> {self.arc_threshold_deg:g}°"),
            ("Thickness, 1 point", f"> {self.thickness_threshold_mm:g} mm"),
            ("Length, 1 point", f"> {self.length_threshold_mm:g} mm"),
            ("Maximum arc", "largest single contiguous arc of a frame, from the lumen centroid"),
            ("Thickness cap", cap_text),
            ("Arcs joined", f"when less than {self.join_tolerance_deg:g}° apart"),
            (
                "Guidewire bridged",
                f"when calcium lies within {self.bridge_reach_deg:g}° of both edges of the shadow",
            ),
            (
                "Calcified frame",
                f"a deposit of at least {self.minimum_arc_deg:g}° "
                f"and {self.minimum_area_mm2:g} mm²",
            ),
            (
                "Lesion",
                f"calcified frames less than {self.lesion_gap_mm:g} mm apart (less than "
                f"{self.lesion_gap_frames} frames while the frame pitch is unknown); "
                "all calcium within a volume of interest",
            ),
            ("Length", "frames from first to last, inclusive, × frame pitch"),
            ("Superficial", f"depth < {self.superficial_mm:g} mm"),
            (
                "Reference lumen",
                f"largest within {self.reference_reach_mm:g} mm of the lesion",
            ),
            (
                "Decisive margin",
                f"{self.arc_margin_deg:g}°, {self.thickness_margin_mm:g} mm thickness, "
                f"{self.length_margin_mm:g} mm length",
            ),
            (
                "Lumen flagged",
                f"area differs by more than {100 * self.lumen_jump:g} % from both neighbours",
            ),
        )
