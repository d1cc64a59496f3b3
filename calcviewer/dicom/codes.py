"""Coded concepts of what the program writes: segments, measurements, where they were taken.

Codes follow the IVUS report (PS3.16 TID 3250) where it has them, with the modifiers of PS3.16
TID 300 where one code stands for several measurements. What has no standard code (thickness, depth,
score) is in the private scheme `SCHEME`, whose values never change their meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset

from calcviewer.core.annotation import Label
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.dicom.statement import Subject

SCHEME = "99CALCVIEWER"

CodeKey = tuple[str, str]
"""Value and scheme of a code; empty texts stand for none."""


def _code(value: str, scheme: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, scheme, meaning)


LESION = _code("52988006", "SCT", "Lesion")
CORONARY_ARTERY = _code("41801008", "SCT", "Coronary artery")
# As PS3.16 CID 3487 has it; pydicom 3.0 gives the meaning of its neighbour, 122384.
ENTIRE_PULLBACK = _code("122383", "DCM", "Entire Pullback")
FRAME = _code("FRAME", SCHEME, "Pullback frame")
IVOCT = _code("IVOCT", "DCM", "Intravascular Optical Coherence Tomography")
COMMENT = _code("121106", "DCM", "Comment")
ARTIFICIAL_INTELLIGENCE = _code("123109", "DCM", "Artificial Intelligence")
QUALITATIVE_EVALUATIONS = _code("C0034375", "UMLS", "Qualitative Evaluations")
FINDING_SITE = _code("363698007", "SCT", "Finding Site")
DERIVATION = _code("121401", "DCM", "Derivation")
MEASUREMENT_METHOD = _code("370129005", "SCT", "Measurement Method")


@dataclass(frozen=True)
class SegmentCode:
    """What a segment is: Segmented Property Category (0062,0003) and Type (0062,000F)."""

    number: int
    name: str
    category: CodedConcept
    kind: CodedConcept

    def matches(self, kind: CodeKey) -> bool:
        """Whether a code is its type."""
        return kind == (self.kind.value, self.kind.scheme_designator)


SEGMENTS = (
    SegmentCode(
        Label.LUMEN,
        "Lumen",
        _code("91723000", "SCT", "Anatomical Structure"),
        _code("91747007", "SCT", "Lumen of blood vessel"),
    ),
    SegmentCode(
        Label.CALCIUM,
        "Calcium",
        _code("49755003", "SCT", "Morphologically Abnormal Structure"),
        _code("237897009", "SCT", "Vascular calcification"),
    ),
    SegmentCode(
        Label.GUIDEWIRE_SHADOW,
        "Guidewire shadow",
        _code("309825002", "SCT", "Spatial and Relational Concept"),
        _code("GUIDEWIRE_SHADOW", SCHEME, "Guidewire shadow"),
    ),
)
"""The segments that every file has, numbered by `Label`."""

EEL_SEGMENT = SegmentCode(
    max(Label) + 1,
    "External elastic lamina",
    _code("91723000", "SCT", "Anatomical Structure"),
    _code("414165007", "SCT", "External Elastic Membrane"),
)
"""All that lies within the external elastic lamina, lumen and plaque: it covers the others."""

# Other programs' codes for the same things (value, scheme), and words in their segment labels.
_OTHER_CODES = MappingProxyType(
    {
        ("113342003", "SCT"): Label.LUMEN,
        ("67170007", "SCT"): Label.LUMEN,
        ("122360", "DCM"): Label.LUMEN,
        ("129759000", "SCT"): Label.CALCIUM,
        ("5540006", "SCT"): Label.CALCIUM,
        ("112145", "DCM"): Label.CALCIUM,
    }
)
_WORDS = (
    ("guide", Label.GUIDEWIRE_SHADOW),
    ("wire", Label.GUIDEWIRE_SHADOW),
    ("calc", Label.CALCIUM),
    ("lumen", Label.LUMEN),
)
_EEL_WORD = re.compile(r"elastic|\b(eel|eem)\b")


def is_eel_segment(segment: Dataset) -> bool:
    """Whether an item of the Segment Sequence is what lies within the external elastic lamina."""
    if EEL_SEGMENT.matches(_type_of(segment)):
        return True
    name = str(segment.get("SegmentLabel", "")).lower().replace("_", " ")
    return label_of_segment(segment) is None and _EEL_WORD.search(name) is not None


def label_of_segment(segment: Dataset) -> Label | None:
    """Return which structure an item of the Segment Sequence (0062,0002) is; None: another one.

    The coded type decides; where it is unknown, a word in the label does.
    """
    key = _type_of(segment)
    for known in SEGMENTS:
        if known.matches(key):
            return Label(known.number)
    if EEL_SEGMENT.matches(key):
        return None
    if key in _OTHER_CODES:
        return _OTHER_CODES[key]
    name = str(segment.get("SegmentLabel", "")).lower()
    return next((label for word, label in _WORDS if word in name), None)


def _type_of(segment: Dataset) -> CodeKey:
    """Return value and scheme of the Segmented Property Type (0062,000F)."""
    kind = next(iter(segment.get("SegmentedPropertyTypeCodeSequence") or []), Dataset())
    return str(kind.get("CodeValue", "")), str(kind.get("CodingSchemeDesignator", ""))


# --- measurements --------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeasurementCode:
    """What was measured, as PS3.16 TID 300 says it.

    Parameters
    ----------
    site
        Finding Site: where it was measured (CID 3486).
    derivation
        How one value was made of several: largest, smallest, mean, sum (CID 3488).
    method
        Measurement Method.
    """

    name: CodedConcept
    site: CodedConcept | None = None
    derivation: CodedConcept | None = None
    method: CodedConcept | None = None

    def modifiers(self) -> tuple[tuple[CodedConcept, CodedConcept], ...]:
        """Return the concept modifiers it has, each as (name, value)."""
        named = (
            (DERIVATION, self.derivation),
            (MEASUREMENT_METHOD, self.method),
            (FINDING_SITE, self.site),
        )
        return tuple((name, value) for name, value in named if value is not None)

    def keys(self) -> tuple[CodeKey, ...]:
        """Return value and scheme of name, site, derivation and method."""
        return tuple(key_of(one) for one in (self.name, self.site, self.derivation, self.method))


def _own(value: str, meaning: str) -> MeasurementCode:
    return MeasurementCode(_code(value, SCHEME, meaning))


_MAXIMUM = _code("56851009", "SCT", "Maximum")
_MINIMUM = _code("255605001", "SCT", "Minimum")
_MEAN = _code("373098007", "SCT", "Mean")
_TOTAL = _code("255619001", "SCT", "Total")
_VISIBLE = _code("VISIBLE", SCHEME, "Nothing claimed behind the guidewire")
_BRIDGED = _code("BRIDGED", SCHEME, "Guidewire shadow bridged")
_NARROWEST = _code("122382", "DCM", "Site of Lumen Minimum")
_DISTAL = _code("122381", "DCM", "Distal Reference")
_PROXIMAL = _code("122380", "DCM", "Proximal Reference")
_LUMEN_AREA = _code("397415007", "SCT", "Vessel lumen cross-sectional area")
_STENOSIS = _code("408714007", "SCT", "Lumen Area Stenosis")
_LUMEN_DIAMETER = _code("397413000", "SCT", "Vessel lumen diameter")
_CALCIUM_AREA = _code("112196", "DCM", "Area of Vascular Calcification")
_ARC = _code("122355", "DCM", "Arc of Calcium")

_CODES = MappingProxyType(
    {
        "lumen_area_mm2": MeasurementCode(_LUMEN_AREA),
        "mla_mm2": MeasurementCode(_LUMEN_AREA, _NARROWEST),
        "distal_reference_mm2": MeasurementCode(_LUMEN_AREA, _DISTAL),
        "proximal_reference_mm2": MeasurementCode(_LUMEN_AREA, _PROXIMAL),
        "area_stenosis_percent": MeasurementCode(_STENOSIS, _NARROWEST),
        "length_mm": MeasurementCode(_code("122341", "DCM", "Calcium Length")),
        "min_lumen_diameter_mm": MeasurementCode(_LUMEN_DIAMETER, derivation=_MINIMUM),
        "max_lumen_diameter_mm": MeasurementCode(_LUMEN_DIAMETER, derivation=_MAXIMUM),
        "mean_lumen_diameter_mm": MeasurementCode(_LUMEN_DIAMETER, derivation=_MEAN),
        "calcium_area_mm2": MeasurementCode(_CALCIUM_AREA),
        "mean_calcium_area_mm2": MeasurementCode(_CALCIUM_AREA, derivation=_MEAN),
        "calcium_volume_mm3": MeasurementCode(
            _code("112197", "DCM", "Volume of Vascular Calcification")
        ),
        "max_arc_deg_visible": MeasurementCode(_ARC, derivation=_MAXIMUM, method=_VISIBLE),
        "max_arc_deg_bridged": MeasurementCode(_ARC, derivation=_MAXIMUM, method=_BRIDGED),
        "sum_arc_deg": MeasurementCode(_ARC, derivation=_TOTAL, method=_VISIBLE),
        "mean_arc_deg": MeasurementCode(_ARC, derivation=_MEAN, method=_VISIBLE),
        "eel_area_mm2": MeasurementCode(_code("122333", "DCM", "EEM Cross-Sectional Area")),
        "plaque_burden_percent": MeasurementCode(_code("122354", "DCM", "Plaque Burden")),
        "max_thickness_mm": _own("THICKNESS_MAX", "Maximum calcium thickness"),
        "mean_thickness_mm": _own("THICKNESS_MEAN", "Mean calcium thickness"),
        "min_depth_mm": _own("DEPTH_MIN", "Minimum calcium depth"),
        "mean_depth_mm": _own("DEPTH_MEAN", "Mean calcium depth"),
        "quadrants": _own("QUADRANTS", "Quadrants with calcium"),
        "first_frame": _own("FIRST_FRAME", "First frame"),
        "last_frame": _own("LAST_FRAME", "Last frame"),
        "max_thickness_frame": _own("THICKNESS_FRAME", "Frame of the maximum thickness"),
        "score": _own("SCORE", "Stent-deployment calcium score"),
        "score_visible": _own("SCORE_VISIBLE", "Stent-deployment calcium score, visible"),
        "score_bridged": _own("SCORE_BRIDGED", "Stent-deployment calcium score, guidewire bridged"),
        "points_arc_visible": _own("POINTS_ARC_VIS", "Points for the arc, visible"),
        "points_arc_bridged": _own("POINTS_ARC_BRIDG", "Points for the arc, guidewire bridged"),
        "points_thickness": _own("POINTS_THICKNESS", "Points for the thickness"),
        "points_length": _own("POINTS_LENGTH", "Points for the length"),
        "margin_arc_deg_visible": _own("MARGIN_ARC_VIS", "Arc above its threshold, visible"),
        "margin_arc_deg_bridged": _own("MARGIN_ARC_BRIDG", "Arc above its threshold, bridged"),
        "margin_thickness_mm": _own("MARGIN_THICKNESS", "Thickness above its threshold"),
        "margin_length_mm": _own("MARGIN_LENGTH", "Length above its threshold"),
    }
)
_EARLIER = MappingProxyType(
    {
        "LUMEN_DIAM_MIN": "min_lumen_diameter_mm",
        "LUMEN_DIAM_MAX": "max_lumen_diameter_mm",
        "LUMEN_DIAM_MEAN": "mean_lumen_diameter_mm",
        "CALCIUM_AREA": "calcium_area_mm2",
        "CALCIUM_AREA_AVG": "mean_calcium_area_mm2",
        "CALCIUM_VOLUME": "calcium_volume_mm3",
        "ARC_MAX_VISIBLE": "max_arc_deg_visible",
        "ARC_MAX_BRIDGED": "max_arc_deg_bridged",
        "ARC_SUM_VISIBLE": "sum_arc_deg",
        "ARC_MEAN_VISIBLE": "mean_arc_deg",
        "EEL_AREA": "eel_area_mm2",
        "PLAQUE_BURDEN": "plaque_burden_percent",
    }
)
"""Values of the private scheme that earlier versions wrote where the standard has a code."""

_NO_CODE = ("", "")


def key_of(code: CodedConcept | None) -> CodeKey:
    """Return value and scheme: comparing codes themselves takes long in reports of many frames."""
    return _NO_CODE if code is None else (str(code.value), str(code.scheme_designator))


_BY_CODE: Mapping[tuple[CodeKey, ...], str] = MappingProxyType(
    {one.keys(): concept for concept, one in _CODES.items()}
)
_OWN = frozenset(key_of(one.name) for one in _CODES.values())


def code_of(row: Measurement) -> MeasurementCode:
    """Return the code of a row's concept.

    A concept that has no code of its own yet is its own code, as a Long Code Value (0008,0119).
    """
    known = _CODES.get(row.concept)
    return _own(row.concept, row.meaning) if known is None else known


def is_own(code: CodeKey) -> bool:
    """Whether the program gives this code to a measurement."""
    return code[1] == SCHEME or code in _OWN


def concept_of(
    name: CodeKey,
    *,
    site: CodeKey = _NO_CODE,
    derivation: CodeKey = _NO_CODE,
    method: CodeKey = _NO_CODE,
) -> str:
    """Return the concept of a code as the program names it; a foreign code is its own name."""
    known = _BY_CODE.get((name, site, derivation, method))
    if known is not None:
        return known
    value, scheme = name
    return _EARLIER.get(value, value) if scheme == SCHEME else f"{scheme}:{value}"


def unit_code(unit: Unit) -> CodedConcept:
    """Return a unit as a UCUM code (PS3.16 CID 82)."""
    meaning = "no units" if unit is Unit.NONE else unit.symbol.replace("°", "degree")
    return _code(unit.value, "UCUM", meaning.replace("²", "2").replace("³", "3"))


# --- statements ----------------------------------------------------------------------------------

_STATEMENTS = MappingProxyType(
    {
        Subject.NOTICE: _code("NOTICE", SCHEME, "Notice"),
        Subject.REVIEW: _code("REVIEW", SCHEME, "Review by an operator"),
        Subject.CONTOURS: _code("CONTOURS", SCHEME, "Contours made by"),
        Subject.CALIBRATION: _code("122505", "DCM", "Calibration"),
        Subject.PROTOCOL: _code("PROTOCOL", SCHEME, "Rule of the protocol"),
        Subject.REGION: _code("REGION", SCHEME, "Region looked at"),
        Subject.MODEL: _code("MODEL", SCHEME, "Network"),
        Subject.NOTE: _code("NOTE", SCHEME, "Note"),
        Subject.VERDICT: _code("VERDICT", SCHEME, "Score and its meaning"),
        Subject.GUIDEWIRE: _code("GUIDEWIRE", SCHEME, "Guidewire"),
        Subject.DECISIVE_FRAME: _code("DECISIVE_FRAME", SCHEME, "Decisive frame"),
        Subject.PROBABILITY: _code("PROBABILITY", SCHEME, "Probability of the score"),
        Subject.MISSING: _code("MISSING", SCHEME, "Missing value"),
        Subject.COMMENT: COMMENT,
    }
)
_SUBJECTS = MappingProxyType({key_of(code): subject for subject, code in _STATEMENTS.items()})


def code_of_subject(subject: Subject) -> CodedConcept:
    """Return the code of what a statement is about."""
    return _STATEMENTS[subject]


def subject_of(code: CodeKey) -> Subject | None:
    """Return what a statement of the program is about; None: it is none of the program's."""
    return _SUBJECTS.get(code)


def scheme_identification() -> Dataset:
    """Return the item of Coding Scheme Identification (0008,0110) for the private scheme."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = "CalcViewer measurements of coronary calcium"
    item.CodingSchemeResponsibleOrganization = "CalcViewer"
    return item
