"""Work the program from outside as somebody who has read nothing but the README.

``python packaging/try_as_new_user.py PROGRAM [--pictures DIR]`` opens the demo, corrects a frame
and exports a PDF, with the mouse and the keyboard of a virtual screen, and looks whether what is
expected happened. It waits for what can be seen: a text on the screen, a line of the log, a row of
the review's history, a file. A picture of every step is kept.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from on_screen import Screen, Widget
from PIL import Image
from virtual_desktop import Operator, WalkError, virtual_desktop, wait_until

LUMEN_RGB = (0xE5, 0x48, 0x4D)
_COLOUR_REACH = 48
_DRAG_PX = 22
_SOON_S, _LONG_S = 60.0, 1800.0


class Walk:
    """The steps of a new user, each with what he then sees."""

    def __init__(self, program: Path, environment: dict[str, str], pictures: Path) -> None:
        self.program, self._environment = program, environment
        self._home = Path(environment["HOME"])
        self.operator = Operator(environment, pictures)
        self.screen = Screen(environment["DBUS_SESSION_BUS_ADDRESS"])

    def run(self) -> None:
        """Take all steps.

        Raises
        ------
        WalkError
            At the first thing that is not as expected.
        """
        said = self._home / "program.txt"
        with said.open("wb") as stream:
            window = subprocess.Popen([self.program], env=self._environment, stderr=stream)
        try:
            self._open_demo()
            self._go_to_largest_arc()
            self._correct_lumen()
            self._look_in_3d()
            self._export_pdf()
            self._quit(window)
        except BaseException:
            self.operator.picture("failure")
            self._say(said.read_text(errors="replace"))
            raise
        finally:
            if window.poll() is None:
                window.kill()
            window.wait()
            self.screen.close()

    # --- steps ----------------------------------------------------------------------------------

    def _open_demo(self) -> None:
        self._say("start it, and press “Simulated demo”")
        button = wait_until("the start page", lambda: self.screen.button("Simulated demo"), _LONG_S)
        self.operator.picture("start_page")
        self.operator.click(*button.middle)
        wait_until("the study", lambda: self.screen.find("Cross-section"), _LONG_S)
        self.operator.picture("opened")
        self._until_log("segmentation ended", _LONG_S)
        wait_until("the score", lambda: self.screen.says("frames segmented"), _SOON_S)
        self.operator.picture("segmented")

    def _go_to_largest_arc(self) -> None:
        self._say("go to the frame with the largest arc")
        flag = wait_until("its flag", self._arc_flag, _SOON_S)
        self.operator.click(*flag.middle)
        self.operator.picture("largest_arc")

    def _arc_flag(self) -> Widget | None:
        return next(
            (
                one
                for one in self.screen.widgets()
                if "arc " in one.name.lower() and one.role.endswith("button")
            ),
            None,
        )

    def _correct_lumen(self) -> None:
        self._say("drag the lumen's border outward")
        self.operator.click(*self._button("Borders: drag, or draw over").middle)
        view = wait_until("the cross-section", lambda: self.screen.find("Cross-section"), _SOON_S)
        self.operator.move(view.x + 4, view.y + 4)
        held, middle = border_pixel(self.operator.screen(), view)
        outward = math.atan2(held[1] - middle[1], held[0] - middle[0])
        away = (
            held[0] + round(_DRAG_PX * math.cos(outward)),
            held[1] + round(_DRAG_PX * math.sin(outward)),
        )
        self.operator.move(*held)
        wait_until("the offer to drag", lambda: self.screen.says("Drag the lumen"), _SOON_S)
        self.operator.press(*held)
        self.operator.pull(held, away)
        self.operator.picture("dragging")
        self.operator.release()
        wait_until("the step", lambda: "drag the lumen" in self._history(), _SOON_S)
        self.operator.key("Escape")
        self.operator.picture("corrected")
        self._say("take it back, and do it again")
        undo = "undo “drag the lumen”"
        self.operator.key("ctrl+z")
        wait_until("undo", lambda: not self.screen.says(undo), _SOON_S)
        self.operator.key("ctrl+shift+z")
        wait_until("redo", lambda: self.screen.says(undo), _SOON_S)
        self._say("confirm the frame")
        self.operator.key("Return")
        wait_until("the step", lambda: "confirm" in self._history(), _SOON_S)
        self.operator.picture("confirmed")

    def _look_in_3d(self) -> None:
        self._say("look at it in 3-D, and back")
        self.operator.click(*self._button("Layout 5: 3-D").middle)
        wait_until("the 3-D view", lambda: self.screen.says("3-D · ruler"), _SOON_S)
        self.operator.picture("volume")
        self.operator.click(*self._button("Layout 1: review").middle)
        wait_until("the review", lambda: not self.screen.says("3-D · ruler"), _SOON_S)

    def _export_pdf(self) -> None:
        self._say("export the report")
        self.operator.click(*self._button("Export…").middle)
        button = self._button("Export")
        building = "Building the preview"
        wait_until("the preview", lambda: not self.screen.says(building), _LONG_S)
        self.operator.picture("export")
        self.operator.click(*button.middle)
        wait_until("the report", lambda: self.screen.says("Written: "), _LONG_S)
        self.operator.picture("written")
        self.operator.click(*self._button("Close").middle)
        (report,) = self._home.glob("*.pdf")
        check_report(report)

    def _quit(self, window: subprocess.Popen[bytes]) -> None:
        self._say("close it")
        self.operator.key("ctrl+q")
        try:
            status = window.wait(_SOON_S)
        except subprocess.TimeoutExpired:
            raise WalkError("the program does not end") from None
        if status:
            raise WalkError(f"the program ended with {status}")
        self._say("what was done is kept:\n" + self._history())

    # --- looking --------------------------------------------------------------------------------

    def _button(self, name: str) -> Widget:
        return wait_until(f"the button {name!r}", lambda: self.screen.button(name), _SOON_S)

    def _until_log(self, words: str, seconds: float) -> None:
        def read() -> bool:
            return any(words in log.read_text() for log in self._home.rglob("calcviewer.log"))

        wait_until(f"the log to say {words!r}", read, seconds)

    def _history(self) -> str:
        """Return what the program itself says was decided about the demo."""
        (pullback,) = self._home.rglob("pullback.dcm")
        told = subprocess.run(
            [self.program, "history", pullback],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return told.stdout

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def border_pixel(picture: Image.Image, view: Widget) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return a pixel of the lumen's border, right of the middle of the lumen, and that middle.

    Raises
    ------
    WalkError
        When no border is drawn.
    """
    pixels = picture.load()
    assert pixels is not None
    red = [
        (x, y)
        for y in range(view.y, view.y + view.height)
        for x in range(view.x, view.x + view.width)
        if all(abs(a - b) < _COLOUR_REACH for a, b in zip(pixels[x, y], LUMEN_RGB, strict=True))
    ]
    if len(red) < 100:
        raise WalkError("no border of the lumen is on the screen")
    middle = (sum(x for x, _ in red) // len(red), sum(y for _, y in red) // len(red))
    level = [at for at in red if at[1] == middle[1] and at[0] > middle[0]]
    return max(level or red), middle


def check_report(report: Path) -> None:
    """Look whether the report is one of a corrected lesion.

    Raises
    ------
    WalkError
        When a page of it is missing.
    """
    told = subprocess.run(["pdftotext", "-layout", report, "-"], capture_output=True, text=True)
    pages = told.stdout.split("\f")
    for words in ("Research use only", "Lesion 1", "score"):
        if not any(words.lower() in page.lower() for page in pages):
            raise WalkError(f"{report.name} does not say {words!r}")
    print(f"{report.name}: {len(pages) - 1} pages", file=sys.stderr)


def main() -> int:
    """Take the walk; returns 0 when all went as expected."""
    parser = argparse.ArgumentParser(description="Work the program as a new user would.")
    parser.add_argument("program", type=Path)
    parser.add_argument("--pictures", type=Path, default=Path("out/new-user"), metavar="DIR")
    args = parser.parse_args()
    args.pictures.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="calcviewer-") as folder,
            virtual_desktop(Path(folder) / "home") as environment,
        ):
            Walk(args.program.resolve(), environment, args.pictures.resolve()).run()
    except WalkError as error:
        print(f"Not as expected: {error}", file=sys.stderr)
        return 1
    print(f"All as expected, {time.monotonic() - began:.0f} s. Pictures: {args.pictures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
