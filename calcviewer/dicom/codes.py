"""Coded concepts of what the program writes: segments, measurements, where they were taken.

Codes follow the IVUS report (PS3.16 TID 3250) where it has them. What has no standard code (arc,
thickness, depth, score) is in the private scheme `SCHEME`, whose values never change their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset

from calcviewer.core.annotation import Label
from calcviewer.core.measurement import Measurement, Unit

SCHEME = "99CALCVIEWER"


def _code(value: str, scheme: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, scheme, meaning)


LESION = _code("52988006", "SCT", "Lesion")
CORONARY_ARTERY = _code("41801008", "SCT", "Coronary artery")
ENTIRE_PULLBACK = _code("122383", "DCM", "Entire Pullback")
FRAME = _code("FRAME", SCHEME, "Pullback frame")
IVOCT = _code("IVOCT", "DCM", "Intravascular Optical Coherence Tomography")
COMMENT = _code("121106", "DCM", "Comment")
ARTIFICIAL_INTELLIGENCE = _code("123109", "DCM", "Artificial Intelligence")

_AREA = _code("397415007", "SCT", "Vessel lumen cross-sectional area")


@dataclass(frozen=True)
class SegmentCode:
    """What a segment is: Segmented Property Category (0062,0003) and Type (0062,000F)."""

    label: Label
    name: str
    category: CodedConcept
    kind: CodedConcept


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


def label_of_segment(segment: Dataset) -> Label | None:
    """Return which structure an item of the Segment Sequence (0062,0002) is; None: another one.

    The coded type decides; where it is unknown, a word in the label does.
    """
    kind = next(iter(segment.get("SegmentedPropertyTypeCodeSequence") or []), Dataset())
    key = str(kind.get("CodeValue", "")), str(kind.get("CodingSchemeDesignator", ""))
    for known in SEGMENTS:
        if key == (known.kind.value, known.kind.scheme_designator):
            return known.label
    if key in _OTHER_CODES:
        return _OTHER_CODES[key]
    name = str(segment.get("SegmentLabel", "")).lower()
    return next((label for word, label in _WORDS if word in name), None)


# --- measurements --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Coded:
    """The code of a measurement, and the site it was taken at (PS3.16 CID 3486)."""

    concept: str
    code: CodedConcept
    site: CodedConcept | None = None


def _own(concept: str, value: str, meaning: str) -> _Coded:
    return _Coded(concept, _code(value, SCHEME, meaning))


_MINIMUM = _code("122382", "DCM", "Site of Lumen Minimum")
_CODED = (
    _Coded("lumen_area_mm2", _AREA),
    _Coded("mla_mm2", _AREA, _MINIMUM),
    _Coded("distal_reference_mm2", _AREA, _code("122381", "DCM", "Distal Reference")),
    _Coded("proximal_reference_mm2", _AREA, _code("122380", "DCM", "Proximal Reference")),
    _Coded("area_stenosis_percent", _code("408714007", "SCT", "Lumen Area Stenosis"), _MINIMUM),
    _Coded("length_mm", _code("122341", "DCM", "Calcium Length")),
    _own("min_lumen_diameter_mm", "LUMEN_DIAM_MIN", "Minimum lumen diameter"),
    _own("max_lumen_diameter_mm", "LUMEN_DIAM_MAX", "Maximum lumen diameter"),
    _own("mean_lumen_diameter_mm", "LUMEN_DIAM_MEAN", "Mean lumen diameter"),
    _own("calcium_area_mm2", "CALCIUM_AREA", "Calcium area"),
    _own("mean_calcium_area_mm2", "CALCIUM_AREA_AVG", "Mean calcium area"),
    _own("calcium_volume_mm3", "CALCIUM_VOLUME", "Calcium volume"),
    _own("max_arc_deg_visible", "ARC_MAX_VISIBLE", "Maximum calcium arc, visible"),
    _own("max_arc_deg_bridged", "ARC_MAX_BRIDGED", "Maximum calcium arc, guidewire bridged"),
    _own("sum_arc_deg", "ARC_SUM_VISIBLE", "Sum of visible calcium arcs"),
    _own("mean_arc_deg", "ARC_MEAN_VISIBLE", "Mean visible calcium arc"),
    _own("max_thickness_mm", "THICKNESS_MAX", "Maximum calcium thickness"),
    _own("mean_thickness_mm", "THICKNESS_MEAN", "Mean calcium thickness"),
    _own("min_depth_mm", "DEPTH_MIN", "Minimum calcium depth"),
    _own("mean_depth_mm", "DEPTH_MEAN", "Mean calcium depth"),
    _own("quadrants", "QUADRANTS", "Quadrants with calcium"),
    _own("first_frame", "FIRST_FRAME", "First frame"),
    _own("last_frame", "LAST_FRAME", "Last frame"),
    _own("score", "SCORE", "Stent-deployment calcium score"),
    _own("score_visible", "SCORE_VISIBLE", "Stent-deployment calcium score, visible"),
    _own("score_bridged", "SCORE_BRIDGED", "Stent-deployment calcium score, guidewire bridged"),
    _own("eel_area_mm2", "EEL_AREA", "External elastic lamina area"),
    _own("plaque_burden_percent", "PLAQUE_BURDEN", "Plaque burden"),
)
_BY_CONCEPT = MappingProxyType({one.concept: one for one in _CODED})


def _key(code: CodedConcept | None) -> tuple[str, str]:
    """Return value and scheme: comparing codes themselves takes long in reports of many frames."""
    return ("", "") if code is None else (str(code.value), str(code.scheme_designator))


_BY_CODE = MappingProxyType({(_key(one.code), _key(one.site)): one.concept for one in _CODED})
_OWN = frozenset(_key(one.code) for one in _CODED)


def code_of(row: Measurement) -> tuple[CodedConcept, CodedConcept | None]:
    """Return the code of a row's concept and the site it belongs to, if any.

    A concept that has no code of its own yet is its own code, as a Long Code Value (0008,0119).
    """
    known = _BY_CONCEPT.get(row.concept)
    if known is None:
        return _code(row.concept, SCHEME, row.meaning), None
    return known.code, known.site


def is_own(code: CodedConcept) -> bool:
    """Whether the program gives this code to a measurement."""
    return code.scheme_designator == SCHEME or _key(code) in _OWN


def concept_of(code: CodedConcept, site: CodedConcept | None) -> str:
    """Return the concept of a code as the program names it; a foreign code is its own name."""
    known = _BY_CODE.get((_key(code), _key(site)))
    if known is not None:
        return known
    value, scheme = _key(code)
    return value if scheme == SCHEME else f"{scheme}:{value}"


def unit_code(unit: Unit) -> CodedConcept:
    """Return a unit as a UCUM code (PS3.16 CID 82)."""
    meaning = "no units" if unit is Unit.NONE else unit.symbol.replace("°", "degree")
    return _code(unit.value, "UCUM", meaning.replace("²", "2").replace("³", "3"))


def scheme_identification() -> Dataset:
    """Return the item of Coding Scheme Identification (0008,0110) for the private scheme."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = "CalcViewer measurements of coronary calcium"
    item.CodingSchemeResponsibleOrganization = "CalcViewer"
    return item
