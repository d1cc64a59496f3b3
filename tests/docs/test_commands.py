"""What the pages tell people to type is there: commands, options, Python, keys and buttons."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from calcviewer.__main__ import build_parser
from calcviewer.gui.actions import shortcut_table
from docs.make_cli_reference import PAGE, page, verb_parsers

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted({ROOT / "README.md", *DOCS.rglob("*.md")} - {PAGE})
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(calcviewer [^`]+)`")
_KEY = re.compile(r"`((?:(?:Ctrl|Shift|Alt)\+)*(?:[A-Z,.]|F\d|Enter|Esc|Space|Left|Right))`")
_BUTTON = re.compile(r"\*\*([^*]+…)\*\*")


def blocks(path, language=None):
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    return [text for name, text in found if language is None or name == language]


def commands(path):
    """Yield every command line of a page's blocks of code."""
    for block in blocks(path):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith(("calcviewer ", ".venv/bin/calcviewer ")):
                yield line


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_blocks_are_understood(path, capsys):
    for line in commands(path):
        try:
            build_parser().parse_args(shlex.split(line, comments=True)[1:])
        except SystemExit:
            pytest.fail(f"{line}\n{capsys.readouterr().err}")


def test_commands_in_the_text_exist():
    verbs = verb_parsers()
    unknown = []
    for path in PAGES:
        for command in _INLINE.findall(path.read_text(encoding="utf-8")):
            words = command.split()[1:]
            if words[0] in ("PATH", "[PATH]", "--version"):
                continue
            depth = 2 if words[0] == "pacs" else 1
            verb = verbs.get(" ".join(words[:depth]))
            options = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", command)
            if verb is None or set(options) - set(verb._option_string_actions):
                unknown.append((path.name, command))
    assert unknown == []


def test_every_command_is_explained():
    told = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    missing = [verb for verb in verb_parsers() if f"calcviewer {verb}" not in told]
    assert missing == []


def test_every_argument_says_what_it_means():
    silent = [
        (name, action.option_strings or action.dest)
        for name, verb in verb_parsers().items()
        for action in verb._actions
        if not action.help
    ]
    assert silent == []


def test_the_reference_is_that_of_the_parser():
    current = PAGE.read_text(encoding="utf-8") == page()
    assert current, "Run .venv/bin/python -m docs.make_cli_reference"


def test_python_compiles():
    sources = [block for path in PAGES for block in blocks(path, "python")]
    assert sources
    for source in sources:
        compile(source, "page", "exec")


def guide_pages():
    return sorted([DOCS / "tour.md", *(DOCS / "guide").glob("*.md")])


def test_keys_of_the_guide_are_bound():
    bound = {
        key
        for _, keys, _ in shortcut_table()
        for key in keys.replace("Return", "Enter").split(", ")
    }
    bound |= {",", "Enter"}  # a comma parts the keys of the table
    named = {
        key for path in guide_pages() for key in _KEY.findall(path.read_text(encoding="utf-8"))
    }
    assert len(named) > 30
    assert named - bound == {"Alt"} & named


def test_buttons_of_the_guide_exist():
    texts = {
        node.value
        for path in (ROOT / "calcviewer/gui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {
        text for path in guide_pages() for text in _BUTTON.findall(path.read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert named - texts == set()
