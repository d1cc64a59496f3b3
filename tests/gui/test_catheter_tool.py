"""Calibration on the catheter with the mouse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox, QPushButton
from pytestqt.qtbot import QtBot

from calcviewer.core.geometry import CartesianGrid, PolarGrid, to_xy
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.task import Task
from calcviewer.gui.tools.catheter import CatheterTool, circle_calibration, scale_text
from calcviewer.gui.tools.hit_testing import Part, circle_of, hit_circle, sheath_at
from calcviewer.gui.tools.tool import Pointer
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.modalities.ivoct.catheter import Sheath
from tests.gui.image_views import drag, export_shown, pixels, show_in, turn_wheel
from tests.gui.waiting import deliver_events
from tests.patience import PATIENCE_S
from tests.phantoms import make_pullback

SIZE_PX = 400
SHEATH_PX = 30.0
REACH_MM = 0.1


def with_sheath(*, visible: bool = True) -> ShownStudy:
    """Return an export of unknown scale with a sheath of 30 px outer radius."""
    rows, columns = np.mgrid[:SIZE_PX, :SIZE_PX] - (SIZE_PX - 1) / 2
    radius = np.hypot(rows, columns)
    rng = np.random.default_rng(1)
    grey: NDArray[np.float64] = 6 + 4 * rng.random(radius.shape)
    if visible:
        grey[np.abs(radius - SHEATH_PX + 3) < 3] = 200
    grey[(radius > 120) & (radius < 180)] = 150
    rgb = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    return export_shown(rgb)


@pytest.fixture
def tool(qtbot: QtBot) -> CatheterTool:
    return CatheterTool()


def activate(tool: CatheterTool, shown: ShownStudy, qtbot: QtBot, *, wait: bool = True) -> None:
    state = ViewState()
    state.reset(3)
    tool.activate(shown, state)
    if wait:
        qtbot.waitUntil(lambda: "Looking" not in tool.status())


def test_a_tool_put_away_at_once_leaves_no_task_behind(tool: CatheterTool, qtbot: QtBot) -> None:
    for _ in range(3):
        activate(tool, with_sheath(), qtbot, wait=False)
        tool.deactivate()
    qtbot.waitUntil(lambda: not tool.findChildren(Task))


def test_the_rim_comes_before_the_inside() -> None:
    assert hit_circle((0, 0), 1.0, (1.05, 0), REACH_MM) is Part.RIM
    assert hit_circle((0, 0), 1.0, (0, -0.95), REACH_MM) is Part.RIM
    assert hit_circle((0, 0), 1.0, (0.3, 0.3), REACH_MM) is Part.CENTRE
    assert hit_circle((0, 0), 1.0, (1.3, 0), REACH_MM) is None
    assert hit_circle((0, 0), 0.1, (0.01, 0), REACH_MM) is Part.CENTRE  # even when it is tiny


@pytest.mark.parametrize(
    "grid",
    [CartesianGrid(100, 100, 0.1, (49.5, 40.0)), PolarGrid(360, 400, 0.01, zero_radius_mm=0.2)],
)
def test_circles_come_back_from_pixels(grid: CartesianGrid | PolarGrid) -> None:
    centre, radius = circle_of(sheath_at((0.3, -0.2), 0.6, grid), grid)

    assert centre == pytest.approx((0.3, -0.2))
    assert radius == pytest.approx(0.6)


def test_it_begins_where_the_sheath_is_found(tool: CatheterTool, qtbot: QtBot) -> None:
    activate(tool, with_sheath(), qtbot)

    assert tool.sheath is not None
    assert tool.sheath.outer_radius_px == pytest.approx(SHEATH_PX, abs=1.0)
    assert "Sheath found" in tool.status()
    tool.deactivate()
    assert tool.marks() == ()


def test_it_begins_in_the_middle_when_no_sheath_is_found(tool: CatheterTool, qtbot: QtBot) -> None:
    activate(tool, with_sheath(visible=False), qtbot)

    assert tool.sheath is not None
    assert tool.sheath.centre_px == pytest.approx((199.5, 199.5))
    assert "Drag the circle" in tool.status()
    tool.deactivate()


def test_the_search_does_not_move_what_is_being_dragged(tool: CatheterTool, qtbot: QtBot) -> None:
    activate(tool, with_sheath(), qtbot, wait=False)
    (search,) = tool.findChildren(Task)

    assert tool.press(Pointer((0.0, 0.0), REACH_MM))
    tool.drag(Pointer((1.0, 0.5), REACH_MM))
    tool.release(Pointer((1.0, 0.5), REACH_MM))
    assert search.wait(PATIENCE_S)
    deliver_events()

    assert tool.sheath is not None
    assert tool.sheath.centre_px == pytest.approx((239.5, 219.5))
    tool.deactivate()


def test_a_press_beside_the_circle_is_left_to_the_view(tool: CatheterTool, qtbot: QtBot) -> None:
    activate(tool, with_sheath(), qtbot)

    assert not tool.press(Pointer((3.0, 3.0), REACH_MM))
    tool.deactivate()


def test_the_circle_cannot_vanish(tool: CatheterTool, qtbot: QtBot) -> None:
    activate(tool, with_sheath(), qtbot)
    centre, radius = circle_of(tool.sheath, CartesianGrid(400, 400, 0.025, (199.5, 199.5)))  # type: ignore[arg-type]

    tool.press(Pointer((centre[0] + radius, centre[1]), REACH_MM))
    tool.drag(Pointer(centre, REACH_MM))

    assert tool.sheath is not None
    assert tool.sheath.outer_radius_px > 2
    tool.deactivate()


def test_fit_with_the_mouse_and_apply(tool: CatheterTool, qtbot: QtBot) -> None:
    shown, state = with_sheath(visible=False), ViewState()
    view = CrossSectionView(state)
    qtbot.addWidget(view)
    view.resize(400, 400)  # 1 px a pixel
    show_in(view, shown, state)
    tool.activate(shown, state)
    view.set_tool(tool)
    options = tool.make_options(view)
    view.show()
    qtbot.waitUntil(lambda: "Looking" not in tool.status())

    drag(view, (200, 182), (200, 180), (200, 170))  # the rim at 18 px, to 30 px
    drag(view, (200, 205), (205, 205), (210, 205))
    assert tool.sheath is not None
    assert tool.sheath.outer_radius_px == pytest.approx(30.0, abs=1.0)
    assert tool.sheath.centre_px == pytest.approx((209.5, 199.5), abs=0.1)
    diameter = view.findChild(QDoubleSpinBox)
    assert isinstance(diameter, QDoubleSpinBox)
    diameter.setValue(0.80)
    assert options.geometry().center().x() == pytest.approx(200, abs=1)
    assert 300 < options.geometry().bottom() < 370
    apply = view.findChild(QPushButton)
    assert isinstance(apply, QPushButton)
    QTest.mouseClick(apply, Qt.MouseButton.LeftButton)

    spacing = shown.session.study.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.origin is Origin.CATHETER
    assert spacing.value == pytest.approx(0.40 / tool.sheath.outer_radius_px)
    assert shown.session.undo_label == "calibrate on the catheter"
    turn_wheel(diameter, 120)
    assert tool.diameter_mm == 0.80  # the wheel is the view's
    shown.session.undo()
    assert shown.session.study.calibration.sample_spacing_mm is None
    view.set_tool(None)
    tool.deactivate()
    assert view.grab()


def test_the_circle_stays_on_its_pixels_when_applied(tool: CatheterTool, qtbot: QtBot) -> None:
    shown = with_sheath()
    activate(tool, shown, qtbot)
    before = tool.sheath
    tool.apply()

    centre_mm, radius_mm = tool._circle()

    assert tool.sheath is before
    assert radius_mm == pytest.approx(tool.diameter_mm / 2)
    assert np.hypot(*centre_mm) < 0.05
    tool.deactivate()


@pytest.mark.validation
def test_polar_frames_of_known_spacing_get_the_radius_they_begin_at() -> None:
    pullback = make_pullback(1)  # 0.01 mm a sample
    sheath = Sheath((0.0, 0.0), 40.0, 0.9)

    calibration = circle_calibration(pullback, sheath, 0.9)

    assert calibration.sample_spacing_mm == pullback.calibration.sample_spacing_mm
    zero = calibration.zero_radius_mm
    assert zero is not None
    assert (zero.value, zero.origin) == (pytest.approx(0.05), Origin.CATHETER)
    assert "fitted as 80.0 px" in zero.note
    assert scale_text(calibration) == "10.00 µm / px · r₀ 0.050 mm"


@pytest.mark.validation
def test_polar_frames_of_unknown_spacing_get_it() -> None:
    sheath = Sheath((0.0, 0.0), 90.0, 0.9)
    unknown = replace(make_pullback(1), calibration=Calibration())
    earlier = Calibration(sample_spacing_mm=CalibratedValue(0.02, Origin.CATHETER))

    for pullback in (unknown, unknown.calibrated(earlier)):
        spacing = circle_calibration(pullback, sheath, 0.9).sample_spacing_mm
        assert spacing is not None
        assert (spacing.value, spacing.origin) == (pytest.approx(0.005), Origin.CATHETER)


def test_the_circle_is_drawn(tool: CatheterTool, qtbot: QtBot) -> None:
    shown, state = with_sheath(), ViewState()
    view = CrossSectionView(state)
    qtbot.addWidget(view)
    view.resize(400, 400)
    show_in(view, shown, state)
    tool.activate(shown, state)
    qtbot.waitUntil(lambda: "Looking" not in tool.status())
    view.set_tool(tool)

    picture = pixels(view)

    x, y = (
        view.to_px(to_xy(np.array([225.0]), np.array([tool._circle()[1]])))[0].round().astype(int)
    )
    assert picture[y, x].min() > 180
    tool.deactivate()
    view.set_tool(None)
