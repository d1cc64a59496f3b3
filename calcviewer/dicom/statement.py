"""What a structured report says in words: rules, origins, decisions, reservations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Subject(Enum):
    """What a statement is about."""

    NOTICE = "notice"
    REVIEW = "review"
    CONTOURS = "contours"
    CALIBRATION = "calibration"
    PROTOCOL = "protocol"
    REGION = "region"
    MODEL = "model"
    NOTE = "note"
    VERDICT = "verdict"
    GUIDEWIRE = "guidewire"
    DECISIVE_FRAME = "decisive frame"
    PROBABILITY = "probability"
    MISSING = "missing"
    COMMENT = "comment"


@dataclass(frozen=True)
class Statement:
    """One sentence or line; ``text`` is never empty."""

    subject: Subject
    text: str
