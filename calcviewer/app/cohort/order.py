"""What is asked of a cohort: how its pullbacks are analysed, kept with their names in one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from calcviewer import __version__
from calcviewer.app.analysis_file import write_json
from calcviewer.app.cohort.found import Found, Member
from calcviewer.app.workflows import SegmentOptions
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed, record
from calcviewer.core.resources import models_path
from calcviewer.inference.model_card import ModelCard
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions
from calcviewer.report.pdf import PageSize

ORDER_FILE = "cohort.json"


@dataclass(frozen=True, kw_only=True)
class CohortOptions:
    """How every pullback of a cohort is analysed."""

    read: ReadOptions = field(default_factory=ReadOptions)
    segment: SegmentOptions = field(default_factory=SegmentOptions)
    page_size: PageSize = "A4"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that results depend on, but for the pullback.

    Where and on how many cores a pullback is analysed is no part of it.
    """

    program: str
    model: str
    model_version: str
    model_sha256: str
    crf: bool
    read_options: ReadOptions
    protocol: Protocol
    page_size: PageSize

    @classmethod
    def of(cls, options: CohortOptions) -> Settings:
        """Return the settings that some options mean with this program and its models.

        Raises
        ------
        CalcViewerError
            When there is no such model, or its file is damaged.
        """
        card = ModelCard.load(models_path() / options.segment.model)
        return cls(
            program=f"calcviewer {__version__}",
            model=card.name,
            model_version=card.version,
            model_sha256=card.sha256,
            crf=options.segment.crf,
            read_options=options.read,
            protocol=Protocol(),
            page_size=options.page_size,
        )

    @property
    def mark(self) -> str:
        """A hash by which results know the settings they were made with."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Order:
    """The content of ``cohort.json``.

    Parameters
    ----------
    pullbacks
        The path of every name that was ever given.
    passed_over
        Why files in the folders that were searched last are no pullbacks.
    """

    format: Literal["calcviewer-cohort"] = "calcviewer-cohort"
    version: Literal[1] = 1
    settings: Settings
    pullbacks: Mapping[str, str] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[Member, ...]:
        """Every pullback that was ever asked for."""
        return tuple(Member(name, Path(path)) for name, path in self.pullbacks.items())


def place_order(folder: Path, settings: Settings, found: Found) -> Order:
    """Return the order of a folder with the pullbacks that were found, and write it.

    A pullback keeps its name from one run to the next; the name of a new one gets a number where
    it is taken.

    Raises
    ------
    CalcViewerError
        When the folder holds a cohort with other settings, or something else, or the order
        cannot be read or written.
    """
    path = folder / ORDER_FILE
    before = _read(path) if path.exists() else None
    if before is None:
        _check_empty(folder)
    elif before.settings != settings:
        raise CalcViewerError(
            f"{folder} holds a cohort analysed with {_difference(before.settings, settings)}.",
            "Give the same options as then, or another folder with -o.",
        )
    pullbacks = dict(before.pullbacks) if before else {}
    known = set(pullbacks.values())
    for member in found.members:
        if str(member.path) not in known:
            pullbacks[_free_name(member.name, pullbacks)] = str(member.path)
    reasons = tuple(one.reason for one in found.passed_over)
    order = Order(settings=settings, pullbacks=pullbacks, passed_over=reasons)
    if order != before:
        with staged_file(path) as stage:
            write_json(stage, asdict(order))
    return order


def _read(path: Path) -> Order:
    try:
        return record(Order, parsed(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CalcViewerError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CalcViewerError(
            f"{path} is damaged, or of another version of the program ({error}).",
            "Choose another folder with -o.",
        ) from error


def _check_empty(folder: Path) -> None:
    if any(not one.name.startswith(".") for one in folder.iterdir()):
        raise CalcViewerError(
            f"{folder} holds something else than a cohort.", "Choose a new folder with -o."
        )


def _difference(before: Settings, now: Settings) -> str:
    """Say what was different, as "model segnet-gpu instead of segnet-cpu"."""
    then, current = asdict(before), asdict(now)
    differing = [name for name in then if then[name] != current[name]]
    words = []
    for name in differing:
        if isinstance(then[name], dict):
            inner = [one for one in then[name] if then[name][one] != current[name][one]]
            pairs = [(one, then[name][one], current[name][one]) for one in inner]
        else:
            pairs = [(name, then[name], current[name])]
        words += [f"{one.replace('_', ' ')} {was} instead of {now}" for one, was, now in pairs]
    return ", ".join(words)


def _free_name(name: str, taken: Mapping[str, str]) -> str:
    """Return the name, with a number where it is taken; some file systems ignore case."""
    lowered = {one.lower() for one in taken}
    number, free = 1, name
    while free.lower() in lowered:
        number += 1
        free = f"{name}-{number}"
    return free
