"""The rules of the source tree that hold everywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST_MODULE = 420


def test_import_contracts_hold() -> None:
    # In a process of its own: it turns off every logger that exists.
    code = "from importlinter.cli import lint_imports_command as run; run()"
    linted = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True
    )
    assert linted.returncode == 0, linted.stdout.decode()


def test_the_program_starts_without_torch() -> None:
    code = (
        "import sys, calcviewer.__main__ as m; m.build_parser(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_modules_stay_short() -> None:
    modules = (ROOT / "calcviewer").rglob("*.py")
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in modules}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_pickled_weights_are_shipped() -> None:
    suffixes = {p.suffix for p in (ROOT / "models").rglob("*") if p.is_file()}
    assert suffixes <= {".onnx", ".json", ".md"}
