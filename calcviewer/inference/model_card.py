"""The model card: what a network is, what it was trained on, and whether the file is the one meant.

A model is a folder with ``model.onnx`` and ``card.json``. The hash in the card finds a damaged or
exchanged network. It cannot tell who made a model: whoever can write both files can change both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

from calcviewer.core.atomic import staged_file
from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed, value_of

CARD_FILE, MODEL_FILE = "card.json", "model.onnx"
CLASSES = ("other", "lumen", "calcium")
A_LINES, SAMPLES, SAMPLE_SPACING_MM = 480, 960, 0.0052
_SPACING_TOLERANCE_MM = 1e-6
_LARGEST_MODEL_BYTES = 2 << 30
"""No ONNX file is larger: it is one protobuf message."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is known about a trained network.

    Attributes
    ----------
    architecture
        In words: "SegNet, width 0.25, stride 2".
    a_lines, samples, sample_spacing_mm
        Input grid; radius 0 is the catheter's centre.
    classes
        Names of the output channels, in their order.
    data_origin
        "simulated" is said beside every number that comes from this network.
    training_data, split
        In words; and the number of VOIs and frames on each side.
    metrics
        Named results on the test VOIs, each a number or a mapping of them.
    sha256
        Of ``model.onnx``.
    created
        ISO 8601 date and time.
    """

    name: str
    version: str
    architecture: str
    data_origin: Literal["simulated", "real", "mixed"]
    training_data: str
    split: Mapping[str, int]
    metrics: Mapping[str, object]
    licence: str
    sha256: str
    opset: int
    created: str
    a_lines: int = A_LINES
    samples: int = SAMPLES
    sample_spacing_mm: float = SAMPLE_SPACING_MM
    classes: tuple[str, ...] = field(default=CLASSES)

    @classmethod
    def load(cls, directory: Path) -> ModelCard:
        """Read the card of a model folder and check it against the program and the network's file.

        Raises
        ------
        CalcViewerError
            As `load_verified`.
        """
        return load_verified(directory)[0]

    def write(self, directory: Path) -> Path:
        """Write the card into a model folder and return its path.

        Raises
        ------
        CalcViewerError
            The file cannot be written.
        """
        path = directory / CARD_FILE
        with staged_file(path) as stage:
            stage.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        return path


def load_verified(directory: Path) -> tuple[ModelCard, bytes]:
    """Read a model folder: its card, and its network as the very bytes whose hash was checked.

    The file is read once. What is loaded from these bytes cannot have been exchanged in between.

    Raises
    ------
    CalcViewerError
        A file is missing, damaged or too large, the network is not the one the card was written
        for, or classes or grid are not this program's.
    """
    card = _parse(directory / CARD_FILE)
    _check_interface(card, directory.name)
    try:
        with BoundedFile(directory / MODEL_FILE) as file:
            content = file.read(_LARGEST_MODEL_BYTES + 1)
    except OSError as error:
        raise CalcViewerError(
            f"The network of model {directory.name} cannot be read: {error}",
            f"Put {MODEL_FILE} back beside {CARD_FILE}.",
        ) from error
    if len(content) > _LARGEST_MODEL_BYTES:
        raise CalcViewerError(f"The network of model {directory.name} is larger than any can be.")
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise CalcViewerError(
            f"The network of model {directory.name} is not the one its card describes "
            f"(SHA-256 {found[:12]}…, card {card.sha256[:12]}…).",
            "Install the model again; a changed network must not be used.",
        )
    return card, content


def list_models(directory: Path) -> list[Path]:
    """Folders below ``directory`` that hold a model card, sorted by name."""
    return sorted(path.parent for path in directory.glob(f"*/{CARD_FILE}"))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(path: Path) -> ModelCard:
    try:
        content = parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CalcViewerError(
            f"{path.parent} is not a model: it has no {CARD_FILE}.",
            f"Give the folder that holds {MODEL_FILE} and {CARD_FILE}.",
        ) from error
    except (OSError, ValueError) as error:
        raise CalcViewerError(f"The model card {path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise CalcViewerError(f"The model card {path} is not a JSON object.")
    known = {one.name for one in fields(ModelCard)}
    needed = {
        one.name
        for one in fields(ModelCard)
        if one.default is MISSING and one.default_factory is MISSING
    }
    problems = [f"lacks {name}" for name in sorted(needed - content.keys())]
    problems += [f"has an unknown entry {name}" for name in sorted(content.keys() - known)]
    values: dict[str, Any] = {}
    for name, kind in get_type_hints(ModelCard).items():
        if name in content:
            try:
                values[name] = value_of(kind, content[name])
            except ValueError:
                problems.append(f"has a wrong value of {name}")
    if problems:
        raise CalcViewerError(
            f"The model card {path} {', '.join(problems)}.",
            "It was written by another version of this program; export the model again.",
        )
    return ModelCard(**values)


def _check_interface(card: ModelCard, name: str) -> None:
    if card.classes != CLASSES:
        raise CalcViewerError(
            f"Model {name} finds {', '.join(map(str, card.classes))}; this program needs "
            f"{', '.join(CLASSES)}, in this order.",
            "Choose another model.",
        )
    same_spacing = abs(card.sample_spacing_mm - SAMPLE_SPACING_MM) <= _SPACING_TOLERANCE_MM
    if (card.a_lines, card.samples) != (A_LINES, SAMPLES) or not same_spacing:
        raise CalcViewerError(
            f"Model {name} works on {card.a_lines} A-lines x {card.samples} samples of "
            f"{card.sample_spacing_mm:g} mm; this program gives it {A_LINES} x {SAMPLES} of "
            f"{SAMPLE_SPACING_MM:g} mm.",
            "Choose another model.",
        )
