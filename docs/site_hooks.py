"""What the site needs beside its pages: the program's icon, and pictures that open large."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ICON = Path(__file__).parent.parent / "resources" / "icons" / "calcviewer.svg"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the icon as ``assets/logo.svg``."""
    files.append(File.generated(config, "assets/logo.svg", abs_src_path=str(_ICON)))
    return files


def on_page_content(html: str, **_: object) -> str:
    """Let a click on a picture show it in its own size."""
    return re.sub(r'<img [^>]*src="([^"]+)"[^>]*>', r'<a href="\1">\g<0></a>', html)
