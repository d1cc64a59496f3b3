"""The worked example of training does what it says, block by block, on tiny pullbacks."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.__main__ import main  # noqa: E402
from calcviewer.app import models, workflows  # noqa: E402

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "training-example.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SMALLER = (
    ("--frames 60", "--frames 1 --a-lines 120 --samples 240"),
    ("--epochs 8", "--epochs 1 --width 0.0625 --device cpu"),
    ("-o evaluation", "-o evaluation --no-crf"),
    ("--model own", "--model own --device cpu --no-crf"),
)
"""What the page says, and what is quick to try; nothing else is changed."""


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_block_runs(tmp_path, monkeypatch, capsys, one_thread):
    monkeypatch.chdir(tmp_path)
    # The page works in a clone, whose folder of models is the program's.
    for module in (workflows, models):
        monkeypatch.setattr(module, "models_path", lambda: tmp_path / "models")
    text = PAGE.read_text(encoding="utf-8")
    for words, fewer in _SMALLER:
        assert words in text
        text = text.replace(words, fewer)
    for language, block in _BLOCK.findall(text):
        if language == "python":
            exec(compile(block, str(PAGE), "exec"), {})
        elif language == "json":
            json.loads(block)
            Path("description.json").write_text(block)
        else:
            assert language == "sh"
            for line in block.replace("\\\n", " ").splitlines():
                assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    assert "calcium | 0." in Path("evaluation/report.md").read_text()
    document = json.loads(Path("results/analysis.json").read_text())
    assert document["model"]["name"] == "own"
    assert "own 1: SegNet" in capsys.readouterr().out
