from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from calcviewer.app.along_pullback import trends_of
from calcviewer.gui.views.trends import TrendsView, axis_top, value_text
from calcviewer.report.content import Tone, Trend
from tests.gui.pullbacks import FRAMES, Bench, annotation, make_session, wheel


@pytest.fixture
def bench(qtbot):
    bench = Bench(qtbot, TrendsView, make_session())
    bench.settle()
    return bench


def trend(values, *, unit="mm", threshold=None, second=None):
    return Trend(
        title="Maximum arc",
        unit=unit,
        values=np.array(values, dtype=float),
        tone=Tone.CALCIUM,
        threshold=threshold,
        second=second,
    )


def test_curves_have_the_phantoms_values():
    session = make_session()
    arc, thickness, depth, lumen = trends_of(session.results.frames, session.study.protocol)
    assert arc.values[14] == pytest.approx(200, abs=3)
    assert arc.values[0] == 0
    assert arc.threshold == 180
    assert thickness.values[17] == pytest.approx(0.9, abs=0.03)
    assert np.isnan(thickness.values[0])
    assert depth.values[10] == pytest.approx(0.2, abs=0.03)
    assert lumen.values[12] == pytest.approx(np.pi * 1.3**2, rel=0.02)


def test_bridged_arc_is_a_curve_of_its_own():
    session = make_session({3: annotation((20, 100), (140, 90), wire=(120, 20))})
    arc, *_ = trends_of(session.results.frames, session.study.protocol)
    assert arc.values[3] == pytest.approx(100, abs=3)
    assert arc.second[3] == pytest.approx(210, abs=3)
    assert np.isnan(arc.values[2])


def test_without_a_scale_only_the_arc_is_known():
    session = make_session(calibrated=False)
    known = [
        np.isfinite(t.values).any()
        for t in trends_of(session.results.frames, session.study.protocol)
    ]
    assert known == [True, False, False, False]


@pytest.mark.parametrize(
    ("values", "unit", "threshold", "top"),
    [
        ([10.0, 100.0], "°", 180.0, 250.0),
        ([10.0, 300.0], "°", 180.0, 360.0),
        ([0.2], "mm", 0.5, 0.8),
        ([1.1], "mm", 0.5, 1.2),
        ([13.2], "mm²", None, 15.0),
        ([], "mm", 0.5, 0.8),
    ],
)
def test_axis_ends_at_a_round_number_above_values_and_threshold(values, unit, threshold, top):
    assert axis_top(trend(values, unit=unit, threshold=threshold)) == pytest.approx(top)


def test_values_are_written_with_their_unit():
    assert value_text(226.4, "°") == "226°"
    assert value_text(0.934, "mm") == "0.93 mm"
    assert value_text(float("nan"), "mm") == "—"


def test_plots_lie_above_one_another_within_the_view(bench):
    plots = bench.view.plots()
    assert len(plots) == 4
    for upper, lower in pairwise(plots):
        assert lower.area.top() >= upper.area.bottom()
    assert plots[-1].area.bottom() <= bench.view.area().bottom() + 0.5


def test_threshold_and_largest_value_lie_inside_their_plot(bench):
    for plot in bench.view.plots():
        for value in (0.0, np.nanmax(plot.trend.values), plot.trend.threshold or 0.0):
            assert plot.area.top() <= plot.y_px(value) <= plot.area.bottom()


def test_curve_is_drawn_where_its_values_lie(bench):
    plot = bench.view.plots()[0]
    image = bench.view.grab().toImage()
    x = round(bench.view.scale().x_px(14.5))
    y = round(plot.y_px(plot.trend.values[14]))
    blue = [image.pixelColor(x, y + dy).blue() for dy in range(-2, 3)]
    assert max(blue) > 180
    assert QColor(image.pixelColor(x, y + 12)).blue() < 100


def test_click_goes_to_the_frame_and_wheel_is_one_frame(qtbot, bench):
    here = QPoint(round(bench.view.scale().x_px(22.5)), 60)
    qtbot.mouseClick(bench.view, Qt.MouseButton.LeftButton, pos=here)
    assert bench.state.frame == 22
    wheel(bench.view, here, -1)
    assert bench.state.frame == 23


def test_empty_plots_say_what_to_do(qtbot):
    bench = Bench(qtbot, TrendsView, make_session({}))
    bench.settle()
    reasons = {bench.view._why(plot.trend) for plot in bench.view.plots()}
    assert reasons == {"segment the pullback"}
    bench.open(make_session(calibrated=False))
    bench.settle()
    arc, thickness, *_ = bench.view.plots()
    assert arc.known
    assert not thickness.known
    assert "calibrate" in bench.view._why(thickness.trend)
    bench.view.grab()


def test_second_study_leaves_nothing_of_the_first(bench):
    bench.open(make_session({}, count=12))
    assert bench.view.plots() == []
    bench.settle()
    assert all(plot.trend.values.shape == (12,) for plot in bench.view.plots())
    bench.view.set_study(None)
    assert bench.view.plots() == []
    bench.view.grab()


def test_streaming_is_gathered(bench, monkeypatch):
    redone = []
    refresh = bench.view.refreshes._call
    bench.view.refreshes._call = lambda: (redone.append(1), refresh())
    run = bench.session.start_run(None)
    drawn = annotation((20, 100))
    for frame in range(FRAMES):
        bench.session.add_prediction(run, frame, drawn)
        bench.qtbot.wait(5)  # they come one after the other
    bench.settle()
    assert 1 <= len(redone) <= 10
    assert np.isfinite(bench.view.plots()[1].trend.values).all()
