"""Changes reach every view: the operator's at once, streaming ones gathered."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from calcviewer.app.session import Change, Facet
from calcviewer.gui.change_relay import ChangeRelay, merged
from tests.gui.waiting import wait_for_timers


class Receiver:
    def __init__(self) -> None:
        self.seen: list[Change] = []

    def show_change(self, change: Change) -> None:
        self.seen.append(change)


def annotated(*frames: int) -> Change:
    return Change(frozenset({Facet.ANNOTATION}), frozenset(frames))


VOI = Change(frozenset({Facet.VOI}))


def connected() -> tuple[ChangeRelay, list[Receiver]]:
    relay, receivers = ChangeRelay(), [Receiver(), Receiver(), Receiver()]
    relay.connect_to(receivers)
    return relay, receivers


def test_streaming_changes_arrive_as_one(qtbot: QtBot) -> None:
    relay, receivers = connected()
    for frame in range(4):
        relay.gather(annotated(frame))
    assert all(receiver.seen == [] for receiver in receivers)
    qtbot.waitUntil(lambda: all(receiver.seen for receiver in receivers))
    assert [receiver.seen for receiver in receivers] == [[annotated(0, 1, 2, 3)]] * 3


def test_an_edit_is_shown_at_once_with_what_was_gathered(qtbot: QtBot) -> None:
    relay, receivers = connected()
    relay.gather(annotated(1))
    relay.pass_on(VOI)
    assert [receiver.seen for receiver in receivers] == [[merged(annotated(1), VOI)]] * 3
    wait_for_timers(qtbot, relay)
    assert [len(receiver.seen) for receiver in receivers] == [1, 1, 1]


def test_what_was_gathered_for_a_study_that_was_left_is_dropped(qtbot: QtBot) -> None:
    relay, receivers = connected()
    relay.gather(annotated(1))
    relay.clear()
    wait_for_timers(qtbot, relay)
    assert all(receiver.seen == [] for receiver in receivers)


def test_each_receiver_gets_everything_when_changes_keep_coming(qtbot: QtBot) -> None:
    relay, receivers = connected()
    for frame in range(30):
        relay.gather(annotated(frame))
        qtbot.wait(10)  # they keep coming, for longer than changes are gathered
    wait_for_timers(qtbot, relay)
    for receiver in receivers:
        frames = [frame for change in receiver.seen for frame in change.frames]
        assert sorted(frames) == list(range(30))
        assert len(receiver.seen) < 8
