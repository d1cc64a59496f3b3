"""Make ``docs/cli.md``, the reference of the command line, from the parser itself.

Run from the repository's root: ``.venv/bin/python -m docs.make_cli_reference``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from calcviewer.__main__ import build_parser

PAGE = Path(__file__).parent / "cli.md"
_HEAD = """\
# Commands

<!-- Made by docs/make_cli_reference.py: change the parser, not this page. -->

`calcviewer` opens the window, `calcviewer PATH` opens it with a pullback. Everything else is a
command. Results go to standard output, progress and warnings to standard error. Exit code 0: done;
1: failed, with the reason and what to do in one line; 2: wrong usage. `calcviewer --version` prints
the version, `--help` after any command the text below.
"""


def page() -> str:
    """Return the reference as Markdown."""
    parser = build_parser()
    verbs = list(_verbs(parser))
    contents = [
        "| command | does |",
        "| --- | --- |",
        *(f"| [`{name}`](#{_anchor(name)}) | {words} |" for name, words, _ in verbs),
    ]
    sections = [_section(name, words, verb) for name, words, verb in verbs]
    return "\n".join([_HEAD, *contents, "", *sections])


def verb_parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command, "pacs echo" and the like included."""
    return {name: verb for name, _, verb in _verbs(build_parser())}


def _verbs(
    parser: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield (name, help, parser) of every command that can be run."""
    for group in _groups(parser):
        words = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, verb in group.choices.items():
            if _groups(verb):
                yield from _verbs(verb, f"{before}{name} ")
            else:
                yield before + name, words.get(name, ""), verb


def _groups(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction]:
    return [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]


def _section(name: str, words: str, verb: argparse.ArgumentParser) -> str:
    lines = [f"## {name}", "", _sentence(verb.description or words), ""]
    lines += ["```text", _usage(name, verb), "```", ""]
    plain = [one for group in verb._action_groups[:2] for one in _shown(group._group_actions)]
    lines += _table(plain)
    for group in verb._action_groups[2:]:
        lines += [_sentence(group.title or "").rstrip(".") + ":", ""]
        lines += _table(_shown(group._group_actions))
    return "\n".join(lines)


def _shown(actions: Sequence[argparse.Action]) -> list[argparse.Action]:
    return [one for one in actions if not isinstance(one, argparse._HelpAction)]


def _table(actions: Sequence[argparse.Action]) -> list[str]:
    if not actions:
        return []
    rows = [f"| {_names(one)} | {_meaning(one)} |" for one in actions]
    return ["| argument | meaning |", "| --- | --- |", *rows, ""]


def _usage(name: str, verb: argparse.ArgumentParser) -> str:
    actions = _shown(verb._actions)
    words = ["calcviewer", name]
    words += [_value(one) for one in actions if not one.option_strings]
    needed = [one for one in actions if one.option_strings and one.required]
    words += [f"{one.option_strings[0]} {_value(one)}" for one in needed]
    if any(one.option_strings and not one.required for one in actions):
        words.append("[options]")
    return " ".join(words)


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{_value(action)}`"
    value = f" {_value(action)}" if action.nargs != 0 else ""
    return ", ".join(f"`{name}{value}`" for name in action.option_strings)


def _value(action: argparse.Action) -> str:
    """Return what stands for the value of an argument."""
    name = action.metavar if isinstance(action.metavar, str) else ""
    if not name:
        name = action.dest.upper()
        if action.option_strings:
            name = "N" if action.choices is None else "VALUE"
    if action.nargs in ("+", "*"):
        return f"{name}..." if action.nargs == "+" else f"[{name}...]"
    return f"[{name}]" if action.nargs == "?" else name


def _meaning(action: argparse.Action) -> str:
    text = (action.help or "") % {**vars(action), "prog": "calcviewer"}
    parts = [text] if text else []
    if action.choices is not None:
        parts.append("one of " + ", ".join(f"`{choice}`" for choice in action.choices))
    if action.required and action.option_strings:
        parts.append("required")
    # A path that is a default differs from one computer to the next; its help says where it is.
    default = action.default
    absolute = isinstance(default, Path) and default.is_absolute()
    nothing = default is None or default is False or default in ("", [], argparse.SUPPRESS)
    if not (nothing or absolute or "default" in text):
        words = default if isinstance(default, (list, tuple)) else [default]
        parts.append("default: " + " ".join(f"`{word}`" for word in words))
    return "; ".join(parts).replace("|", "\\|")


def _sentence(words: str) -> str:
    text = words[:1].upper() + words[1:]
    return text if text.endswith(".") else text + "."


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
