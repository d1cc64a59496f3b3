"""The pages make a site without a broken link, which loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="mkdocs comes with the extra 'docs'")

ROOT = Path(__file__).parents[2]
_LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=\"?(https?:[^\" >]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_built(site):
    for page in (ROOT / "docs").rglob("*.md"):
        built = (site / page.relative_to(ROOT / "docs")).with_suffix(".html")
        assert "CalcViewer" in built.read_text(encoding="utf-8")


def test_lists_and_tables_are_seen_as_such(site):
    # A list after a line of text needs an empty line here, though not in a source browser.
    for page in site.rglob("*.html"):
        text = re.sub(r"<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert re.findall(r"^(?:<p>)?(?:- |\d+\. |\| ).*", text, flags=re.MULTILINE) == [], (
            page.name
        )


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert _LOADED.findall(text) == [], page.name
        assert "mermaid" not in text  # the theme would fetch what draws it
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text(encoding="utf-8")


def test_search_works_from_a_folder(site):
    text = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert text.startswith("var __index = ")
    assert "guide/guidewire.html" in text
    index = (site / "index.html").read_text(encoding="utf-8")
    assert 'src="assets/iframe-worker.js"' in index
    assert (site / "assets" / "iframe-worker.js").is_file()


def test_pictures_open_large(site):
    text = (site / "guide" / "guidewire.html").read_text(encoding="utf-8")
    picture = "../screenshots/guidewire_decides.png"
    assert f'<a href="{picture}"><img ' in text
    assert (site / "guide" / picture).resolve().is_file()
