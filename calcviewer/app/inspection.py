"""What an inspection found, as a record, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CalibratedValue
from calcviewer.dicom.description import DicomDescription, IdentifyingAttribute

_WIDTH = 100
_FORMAT, _VERSION = "calcviewer-inspection", 1


@dataclass(frozen=True)
class Missing:
    """A calibration value that is not known, and what to do about it."""

    name: str
    remedy: str


@dataclass(frozen=True)
class RuleInForce:
    """A vendor rule that was applied to a source, or is suggested for it."""

    name: str
    applied: bool
    gives: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a file or folder is.

    Parameters
    ----------
    kind
        In words, as "IVOCT image, For Processing".
    facts
        Name and value of what was recognised, in the order to be read.
    calibration
        Label and value of the calibration values that are known.
    fault
        Why the program cannot use it; None when it can.
    dicom
        Of DICOM objects, what identifies the patient; of a folder, of its first instance.
    identity_note
        The same of what is no DICOM, in words.
    """

    path: Path
    kind: str
    facts: tuple[tuple[str, str], ...] = ()
    calibration: tuple[tuple[str, CalibratedValue], ...] = ()
    missing: tuple[Missing, ...] = ()
    rules: tuple[RuleInForce, ...] = ()
    notes: tuple[str, ...] = ()
    fault: CalcViewerError | None = None
    dicom: DicomDescription | None = None
    identity_note: str = ""


def inspection_lines(inspection: Inspection, *, show_patient: bool = False) -> list[str]:
    """Return an inspection as a terminal shows it.

    Parameters
    ----------
    show_patient
        Whether to print the values of attributes that identify the patient.
    """
    lines = [f"{inspection.path}", f"  {inspection.kind}"]
    lines += [f"  {name:<22} {value}" for name, value in inspection.facts]
    lines += _calibration_lines(inspection)
    if inspection.rules:
        lines += ["", "Vendor rules"]
    for rule in inspection.rules:
        state = "applied" if rule.applied else "suggested, not applied"
        lines += [f"  {rule.name:<22} {state}: {rule.gives}", f"  {'':<22} {rule.origin}"]
    if inspection.notes:
        lines += ["", "Notes", *(f"  {note}" for note in inspection.notes)]
    lines += ["", "De-identification", *_identity_lines(inspection, show_patient)]
    if inspection.fault is not None:
        fault = inspection.fault
        lines += ["", f"CalcViewer cannot use it: {fault.message}", f"  {fault.hint}".rstrip()]
    return lines


def _calibration_lines(inspection: Inspection) -> Iterator[str]:
    if inspection.calibration or inspection.missing:
        yield from ("", "Calibration")
    for name, value in inspection.calibration:
        note = f": {value.note}" if value.note else ""
        yield f"  {name:<22} {value.value:.6g} mm ({value.origin.value}{note})"
    for missing in inspection.missing:
        yield f"  {missing.name:<22} unknown: {missing.remedy}"


def _identity_lines(inspection: Inspection, show_patient: bool) -> Iterator[str]:
    about = inspection.dicom
    if about is None:
        yield f"  {inspection.identity_note}"
        return
    yield "  Results exported with --deidentify would have of it:"
    for one in about.identifying:
        if one.present:
            yield f"  {one.name:<34} {one.tag} {one.action}" + _value(one, show_patient)
    if about.private_count:
        yield f"  {'private elements':<34} {about.private_count:<11} not taken over"
    absent = ", ".join(one.name for one in about.identifying if not one.present)
    yield from _wrapped(f"Not in the file: {absent}.")


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _value(one: IdentifyingAttribute, show_patient: bool) -> str:
    return f" [{one.value}]" if show_patient else ""


def inspection_document(inspection: Inspection, *, show_patient: bool = False) -> dict[str, Any]:
    """Return an inspection for programs; the layout is in docs/file-formats.md."""
    fault, about = inspection.fault, inspection.dicom
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "path": str(inspection.path),
        "kind": inspection.kind,
        "usable": fault is None,
        "fault": None if fault is None else {"message": fault.message, "hint": fault.hint},
        "facts": {_key(name): value for name, value in inspection.facts},
        "calibration": {
            f"{_key(name)}_mm": {
                "value": value.value,
                "origin": value.origin.value,
                "note": value.note,
            }
            for name, value in inspection.calibration
        },
        "missing": [
            {"name": missing.name, "remedy": missing.remedy} for missing in inspection.missing
        ],
        "vendor_rules": [
            {
                "name": rule.name,
                "state": "applied" if rule.applied else "suggested",
                "gives": rule.gives,
                "origin": rule.origin,
            }
            for rule in inspection.rules
        ],
        "notes": list(inspection.notes),
        "deidentification": (
            {"note": inspection.identity_note} if about is None else _identity(about, show_patient)
        ),
    }


def _identity(about: DicomDescription, show_patient: bool) -> dict[str, Any]:
    return {
        "attributes": [
            {
                "keyword": one.keyword,
                "tag": one.tag,
                "present": one.present,
                "action": one.action,
                **({"value": one.value} if show_patient else {}),
            }
            for one in about.identifying
        ],
        "private_elements": about.private_count,
    }


def _key(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
