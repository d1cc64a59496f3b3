from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter

from calcviewer.app.frames_to_check import FrameToCheck, Suspicion
from calcviewer.core.doubt import CalciumDoubt
from calcviewer.core.geometry import Arc
from calcviewer.gui.frame_scale import FrameScale
from calcviewer.gui.views.check_marks import check_marks
from calcviewer.gui.views.check_row import draw_check_mark
from calcviewer.gui.views.longitudinal import LongitudinalView
from tests.gui.pullbacks import FRAMES, Bench, annotation, make_session, predictions

SCALE = FrameScale(0.0, 100.0, 0.0, 1000.0)  # 10 px a frame


def doubtful(drawn, missed=0.0, uncertain=0.0):
    doubt = CalciumDoubt(
        (Arc(200, missed),) if missed else (), (Arc(30, uncertain),) if uncertain else ()
    )
    return replace(drawn, doubt=doubt)


def session():
    """Possibly missed calcium in frames 4 and 36, a gap in 16, doubtful calcium in 31."""
    found = predictions()
    found[3] = doubtful(found[3], missed=35)
    found[15] = annotation()
    found[30] = doubtful(found[30], uncertain=40)
    found[35] = doubtful(found[35], missed=22, uncertain=60)
    return make_session(found)


@pytest.fixture
def bench(qtbot):
    bench = Bench(qtbot, LongitudinalView, session())
    bench.settle()
    yield bench
    bench.view.set_study(None)


@pytest.fixture
def row(bench):
    return bench.view.check_row


def one(frame, kind=Suspicion.MISSED, arc_deg=20.0):
    return FrameToCheck(frame, ((kind, arc_deg),))


# --- which marks ---------------------------------------------------------------------------------


def test_frames_far_apart_have_marks_of_their_own():
    marks = check_marks((one(10), one(14)), SCALE, 32)
    assert [mark.worst.frame for mark in marks] == [10, 14]


def test_frames_close_together_share_the_mark_of_the_most_urgent():
    frames = (one(10, Suspicion.DOUBTFUL, 90), one(11, Suspicion.GAP, 50), one(12, arc_deg=15))
    (mark,) = check_marks(frames, SCALE, 32)
    assert mark.worst.frame == 12
    assert mark.frames == frames


def test_marks_are_never_closer_than_they_are_wide():
    marks = check_marks(tuple(one(k, arc_deg=20 + k % 7) for k in range(100)), SCALE, 32)
    frames = [mark.worst.frame for mark in marks]
    assert all(10 * (b - a) >= 32 for a, b in pairwise(frames))
    assert sorted(each.frame for mark in marks for each in mark.frames) == list(range(100))


def test_frames_out_of_sight_have_no_mark():
    assert check_marks((one(120),), SCALE, 32) == ()


# --- in the view ---------------------------------------------------------------------------------


def test_every_suspicion_is_marked_over_its_frame(bench, row):
    assert [each.frame for each in row.frames] == [3, 15, 30, 35]
    scale = bench.view.canvas.scale()
    for each, button in zip(row.frames, row.buttons, strict=True):
        assert button.geometry().center().x() == pytest.approx(scale.x_px(each.frame + 0.5), abs=2)
        assert min(button.width(), button.height()) >= 32


def test_one_click_goes_to_the_frame(qtbot, bench, row):
    qtbot.mouseClick(row.buttons[1], Qt.MouseButton.LeftButton)
    assert bench.state.frame == 15


def test_the_tool_tip_says_why(row):
    assert "Frame 4: possible missed calcium 35°" in row.buttons[0].toolTip()
    assert "Frame 16: calcium before and behind, none here 100°" in row.buttons[1].toolTip()
    assert "doubtful calcium 60°" in row.buttons[3].toolTip()


def test_the_count_goes_to_the_next_and_round(qtbot, bench, row):
    assert row.next_button.text().startswith("Check 4")
    assert row.next_button.height() >= 32
    seen = []
    for _ in range(5):
        qtbot.mouseClick(row.next_button, Qt.MouseButton.LeftButton)
        seen.append(bench.state.frame)
    assert seen == [3, 15, 30, 35, 3]


def test_a_confirmed_and_a_corrected_frame_lose_their_marks(bench, row):
    review = bench.session.study.review
    bench.session.edit("confirm", replace(review, confirmed_frames=frozenset({3})))
    bench.settle()
    assert [each.frame for each in row.frames] == [15, 30, 35]
    review = bench.session.study.review
    bench.session.edit("draw", review.with_edit(35, annotation()))
    bench.settle()
    assert [each.frame for each in row.frames] == [15, 30]
    bench.session.undo()
    bench.settle()
    assert [each.frame for each in row.frames] == [15, 30, 35]


def test_marks_follow_the_axis(bench, row):
    bench.axis.zoom(4, at=0)
    assert [button.isVisible() for button in row.buttons] == [True]
    bench.view.fit()
    bench.state.set_flipped(True)
    lefts = [button.geometry().left() for button in row.buttons]
    assert lefts == sorted(lefts, reverse=True)


def test_nothing_of_the_last_study_stays(bench, row):
    bench.view.set_study(None)
    assert row.frames == ()
    assert row.buttons == []
    assert not row.next_button.isVisible()
    bench.open(make_session(dict.fromkeys(range(FRAMES), annotation())))
    bench.settle()
    assert row.frames == ()


def test_the_marks_differ_in_shape_alone():
    """Without colour: drawn in one grey."""

    def drawn(kind):
        image = QImage(24, 24, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        draw_check_mark(painter, QPointF(12, 12), kind)
        painter.end()
        pixels = [image.pixelColor(x, y).red() > 90 for y in range(24) for x in range(24)]
        return frozenset(place for place, lit in enumerate(pixels) if lit)

    shapes = [drawn(kind) for kind in Suspicion]
    for first in shapes:
        for second in shapes:
            if first is not second:
                assert len(first ^ second) > 0.5 * max(len(first), len(second))
