from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QToolButton

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import to_xy
from calcviewer.gui.map_raster import (
    UNKNOWN_MM,
    MapRaster,
    Quantity,
    map_colours,
    map_picture,
)
from calcviewer.gui.views.calcium_map import CalciumMapView
from tests.gui.pullbacks import BACK_MM, FRAMES, FRONT_MM, LUMEN_MM, Bench, annotation, make_session
from tests.gui.pullbacks import wheel as turn_wheel


@pytest.fixture
def bench(qtbot):
    bench = Bench(qtbot, CalciumMapView, make_session())
    bench.settle()
    return bench


def raster_of(session):
    raster = MapRaster(session.study.pullback.frame_count)
    raster.update(session.results.frames)
    return raster


def at(view, frame, angle_deg):
    area = view.area()
    x = round(view.scale().x_px(frame + 0.5))
    return QPoint(x, round(area.top() + area.height() * angle_deg / 360))


# --- raster --------------------------------------------------------------------------------------


def test_raster_holds_thickness_and_depth_where_the_phantom_has_calcium():
    raster = raster_of(make_session())
    calcium = raster.thickness_mm[10, 25:115]
    np.testing.assert_allclose(calcium, BACK_MM - FRONT_MM, atol=0.03)
    np.testing.assert_allclose(raster.depth_mm[10, 25:115], FRONT_MM - LUMEN_MM, atol=0.03)
    assert np.isnan(raster.thickness_mm[10, 130:]).all()
    assert np.isnan(raster.thickness_mm[0]).all()
    assert raster.measured.all()
    assert raster.shadow[30, 105:115].all()
    assert not raster.shadow[10].any()


def test_only_changed_frames_are_taken_over():
    session = make_session()
    raster = raster_of(session)
    assert raster.update(session.results.frames) == []
    session.edit("draw", session.study.review.with_edit(4, annotation((200, 50))))
    assert raster.update(session.results.frames) == [4]
    assert np.isfinite(raster.thickness_mm[4, 210:240]).all()


def test_excluded_frame_loses_its_calcium():
    session = make_session()
    raster = raster_of(session)
    review = replace(session.study.review, excluded=MappingProxyType({12: "blood"}))
    session.edit("exclude", review)
    assert raster.update(session.results.frames) == [12]
    assert not raster.measured[12]
    assert np.isnan(raster.thickness_mm[12]).all()


def test_without_a_scale_calcium_is_known_but_not_how_thick():
    raster = raster_of(make_session(calibrated=False))
    assert set(raster.thickness_mm[10, 25:115]) == {np.float32(UNKNOWN_MM)}
    assert np.isnan(raster.thickness_mm[10, 130:]).all()


def test_thick_and_near_are_light():
    thickness = map_colours(np.array([0.1, 0.5, 1.0, 3.0]), Quantity.THICKNESS).astype(int)
    depth = map_colours(np.array([0.1, 0.5, 1.0]), Quantity.DEPTH).astype(int)
    assert (np.diff(thickness.sum(axis=-1)[:3]) > 0).all()
    assert (np.diff(depth.sum(axis=-1)) < 0).all()
    np.testing.assert_array_equal(thickness[2], thickness[3])


def test_picture_has_angle_down_and_frames_across():
    raster = raster_of(make_session())
    columns = np.repeat(np.arange(FRAMES), 3)
    picture = map_picture(raster, Quantity.THICKNESS, columns=columns, rows=72)
    assert picture.shape == (72, 3 * FRAMES, 3)
    light = picture.astype(int).sum(axis=-1)
    assert light[14, 31] > 2 * light[60, 31]  # 72 degrees and 302 degrees of frame 10
    assert light[14, 31] > 2 * light[14, 1]


def test_shadow_is_hatched_and_unmeasured_frames_dotted():
    session = make_session({frame: annotation(wire=(90, 60)) for frame in range(20)})
    raster = raster_of(session)
    columns = np.repeat(np.arange(FRAMES), 10)
    picture = map_picture(raster, Quantity.THICKNESS, columns=columns, rows=120)
    colours = {tuple(c) for c in picture[32:48, :200].reshape(-1, 3)}
    assert len(colours) == 2  # hatch on no calcium
    assert len({tuple(c) for c in picture[60:, :200].reshape(-1, 3)}) == 1
    assert len({tuple(c) for c in picture[:, 200:].reshape(-1, 3)}) == 2


# --- view ----------------------------------------------------------------------------------------


def test_click_goes_to_the_frame_and_turns_the_cut(qtbot, bench):
    qtbot.mouseClick(bench.view, Qt.MouseButton.LeftButton, pos=at(bench.view, 14, 100))
    assert bench.state.frame == 14
    assert bench.state.cut_deg == pytest.approx(100, abs=1)


def test_cut_goes_through_the_catheter_where_the_lumen_is_eccentric(qtbot):
    centre = np.array([0.8, 0.0])
    angles = np.arange(0, 360, 1.0)
    lumen = Contour(to_xy(angles, np.full(360, 1.5)) + centre)
    session = make_session(dict.fromkeys(range(FRAMES), FrameAnnotation(lumen=lumen)))
    bench = Bench(qtbot, CalciumMapView, session)
    bench.settle()
    qtbot.mouseClick(bench.view, Qt.MouseButton.LeftButton, pos=at(bench.view, 5, 90))
    expected = np.rad2deg(np.arctan2(1.5, 0.8))  # the lumen border straight below its centre
    assert bench.state.cut_deg == pytest.approx(expected, abs=1.5)
    assert bench.view.cut_angles_deg()[0] == pytest.approx(90, abs=1.5)


def test_drag_scrubs_without_turning_the_cut_further(qtbot, bench):
    qtbot.mousePress(bench.view, Qt.MouseButton.LeftButton, pos=at(bench.view, 5, 40))
    cut = bench.state.cut_deg
    qtbot.mouseMove(bench.view, at(bench.view, 9, 200))
    qtbot.mouseRelease(bench.view, Qt.MouseButton.LeftButton, pos=at(bench.view, 9, 200))
    assert bench.state.frame == 9
    assert bench.state.cut_deg == cut


def test_wheel_is_exactly_one_frame(bench):
    turn_wheel(bench.view, at(bench.view, 20, 100), -1)
    assert bench.state.frame == 1
    turn_wheel(bench.view, at(bench.view, 20, 100), 1)
    assert bench.state.frame == 0


def test_switch_changes_what_the_colours_mean(qtbot, bench):
    before = bench.view.grab().toImage()
    (switch,) = bench.view.findChildren(QToolButton)
    assert switch.height() >= 32
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert bench.view.quantity is Quantity.DEPTH
    assert switch.text() == "Depth"
    assert bench.view.grab().toImage() != before


def test_streamed_frames_appear(bench):
    run = bench.session.start_run(None)
    for frame in range(20, 30):
        bench.session.add_prediction(run, frame, annotation((20, 100)))
    bench.settle()
    assert np.isfinite(bench.view.raster.thickness_mm[20:30, 60]).all()


def test_second_study_leaves_nothing_of_the_first(bench):
    bench.open(make_session({}, count=12))
    assert not bench.view.raster.measured.any()
    assert bench.view.raster.measured.shape == (12,)
    bench.view.set_study(None)
    assert bench.view.raster.measured.size == 0
    bench.view.grab()


def test_all_views_show_the_same_frames(qtbot, bench):
    bench.axis.zoom(2, at=20)
    first, last = bench.axis.span
    assert bench.view.scale().first == first
    assert bench.view.scale().last == last
