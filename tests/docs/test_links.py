"""Every link and picture of the pages leads somewhere, and no page is forgotten."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LONGEST_DECISION = 25


def name_of(page):
    return str(page.relative_to(ROOT))


def text_of(page):
    """Return a page without its blocks of code."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def links_of(page):
    return _LINK.findall(_CODE.sub("", text_of(page)))


def anchors_of(page):
    """Return the anchors that the site and a source browser both give the headings of a page."""
    return {anchor for heading in _HEADING.findall(text_of(page)) if (anchor := anchor_of(heading))}


def anchor_of(heading):
    """Return a heading's anchor; empty where site and source browser differ."""
    plain = re.sub(r"[^\w\s-]", "", heading).strip().lower()
    browser = plain.replace(" ", "-")
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    site = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip())
    return site if site == browser else ""


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    dead = []
    for link in links_of(page):
        if re.match(r"(https?|mailto):", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.is_file() or (anchor and anchor not in anchors_of(target)):
            dead.append(link)
    assert dead == []


def test_pages_link_only_to_each_other_within_the_site():
    outside = [
        (name_of(page), link)
        for page in PAGES
        if page.is_relative_to(DOCS)
        for link in links_of(page)
        if not link.startswith(("http", "#"))
        and not (page.parent / link).resolve().is_relative_to(DOCS)
    ]
    assert outside == []


def test_every_page_is_in_the_contents_of_the_site():
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    missing = [
        name_of(page)
        for page in PAGES
        if page.is_relative_to(DOCS) and f" {page.relative_to(DOCS).as_posix()}\n" not in contents
    ]
    assert missing == []


def test_every_picture_is_shown_on_a_page():
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in links_of(page)
        if link.endswith(".png")
    }
    assert set(DOCS.rglob("*.png")) == shown


def test_decisions_are_short_and_listed():
    index = (DOCS / "decisions/index.md").read_text(encoding="utf-8")
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [path.name for path in records] == re.findall(r"\]\((\d{3}-[a-z-]+\.md)\)", index)
    for number, path in enumerate(records, start=1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:03d}-")
        assert _HEADING.findall(text)[0].startswith(f"{number}. ")
        assert _HEADING.findall(text)[1:] == ["Context", "Decision", "Consequences"]
        assert len(text.splitlines()) <= LONGEST_DECISION
