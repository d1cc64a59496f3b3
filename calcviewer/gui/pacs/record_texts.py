"""Records of a peer in the words of the worklist."""

from __future__ import annotations

from calcviewer.dicom.network.query import SeriesRecord, StudyRecord

_NAME_PARTS = 5


def person_text(name: str) -> str:
    """Return a DICOM person name as people write it: ``Doe^Jane`` as ``Doe, Jane``.

    Of several groups (PS3.5 6.2.1: alphabetic, ideographic, phonetic) the first that is not empty.
    """
    groups = [group for group in name.split("=") if group.strip("^ ")]
    if not groups:
        return ""
    family, given, middle, *_ = [*groups[0].split("^"), *[""] * _NAME_PARTS]
    rest = " ".join(part.strip() for part in (given, middle) if part.strip())
    return ", ".join(part for part in (family.strip(), rest) if part)


def study_row(record: StudyRecord) -> tuple[str, ...]:
    """Return the worklist's texts: patient, ID, date, description, modalities, instances."""
    return (
        person_text(record.patient_name) or "—",
        record.patient_id or "—",
        study_date_text(record),
        record.description,
        ", ".join(record.modalities),
        count_text(record.instance_count),
    )


def study_date_text(record: StudyRecord) -> str:
    """Return the day of a study and its time, as far as the peer told them."""
    if record.date is None:
        return "—"
    time = "" if record.time is None else f"{record.time:%H:%M}"
    return f"{record.date.isoformat()} {time}".strip()


def series_row(record: SeriesRecord) -> tuple[str, ...]:
    """Return the texts of a series: number, modality, description, instances."""
    return (
        "" if record.number is None else str(record.number),
        record.modality,
        record.description,
        count_text(record.instance_count),
    )


def count_text(count: int | None) -> str:
    """Return a number of instances; empty where the peer did not tell."""
    return "" if count is None else str(count)
