"""A target that is slow, down or gone costs itself, and nobody else; when it is back, it misses nothing."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from bots.adapters import postman as postmen
from bots.adapters.postman import HttpPostman
from bots.models import Channel, Delivery
from tests.factories import NOW
from tests.factories.bots import ChannelFactory
from tests.factories.trading import SignalFactory
from tests.fakes.receiver import Receiver, Reply, Told
from tests.integration.bots.outbox import STORY, Held, collect, drain, next_due, settle, statuses, story
from trading.models import AuditRow, Event

pytestmark = pytest.mark.usefixtures("committed")

NO = Reply(status=500)


@pytest.fixture
def channel(receiver: Receiver) -> Channel:
    made: Channel = ChannelFactory(url=receiver.url)
    return made


@pytest.fixture
def clock() -> Held:
    return Held()


def failing(number: int, reply: Reply = NO) -> Callable[[Told], Reply]:
    """The first so many messages are refused."""
    left = [number]

    def answer(_: Told) -> Reply:
        left[0] -= 1
        return reply if left[0] >= 0 else Reply()

    return answer


def test_a_target_down_for_three_days_misses_nothing_and_keeps_its_order(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    signals = [SignalFactory() for _ in range(5)]
    for kind in STORY:
        for signal in signals:
            story(signal, kinds=[kind])
    collect()
    back_at = NOW + timedelta(days=3)
    receiver.answer = lambda _: NO if clock.now < back_at else Reply()

    settle(channel, postman, clock, days=5)

    heard = receiver.told[-15:]
    assert statuses(channel)[5:] == [("DELIVERED", 1)] * 10
    assert {status for status, _ in statuses(channel)} == {"DELIVERED"}
    for signal in signals:
        assert [each.kind for each in heard if each.said["data"]["trace_id"] == signal.trace_id] == list(STORY)
    # It is asked by one at a time, and seldom: not by all of them each minute.
    assert len(receiver.told) < 5 * 10 + 15
    channel.refresh_from_db()
    assert (channel.status, channel.failures, channel.failing_since, channel.resting_until) == ("ACTIVE", 0, None, None)
    assert clock.now - back_at < timedelta(days=1, hours=5)


def test_five_days_without_a_delivery_disable_a_channel_audibly(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    receiver.answer = NO
    for day in range(8):
        clock.now = NOW + timedelta(days=day)
        story(kinds=["order.filled"])
        collect(at=clock.now)
        drain(channel, postman, clock)

    channel.refresh_from_db()
    assert (channel.status, channel.status_reason) == ("DISABLED", "nothing has come through since 2026-01-02 03:04 UTC")
    row = AuditRow.objects.get(action="channel.turn")
    assert (row.actor, row.before, row.after) == ("outbox", {"status": "ACTIVE"}, {"status": "DISABLED"})
    event = Event.objects.get(kind="channel.disabled")
    assert (event.facts["name"], event.at) == (channel.name, NOW + timedelta(days=5))
    asked = len(receiver.told)
    drain(channel, postman, clock)
    assert len(receiver.told) == asked


def test_410_disables_a_channel_at_once(channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held) -> None:
    story()
    collect()
    receiver.answer = Reply(status=410)

    drain(channel, postman, clock)

    channel.refresh_from_db()
    assert (channel.status, channel.status_reason) == ("DISABLED", "the target answered 410: it is gone")
    assert (len(receiver.told), statuses(channel)[0]) == (1, ("PENDING", 1))
    assert Event.objects.filter(kind="channel.disabled").count() == AuditRow.objects.count() == 1


def test_another_channel_is_told_that_one_was_disabled(
    channel: Channel, receiver: Receiver, second: Receiver, postman: HttpPostman, clock: Held
) -> None:
    other = ChannelFactory(url=second.url, events=["channel.*"])
    story()
    collect()
    receiver.answer = Reply(status=410)
    drain(channel, postman, clock)
    collect()

    drain(other, postman, clock)

    assert second.kinds == ["channel.disabled"]
    assert second.told[0].said["data"]["name"] == channel.name


@pytest.mark.parametrize("status", [429, 503])
def test_a_target_that_asks_for_a_wait_gets_it(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held, status: int
) -> None:
    story()
    story()
    collect()
    receiver.answer = failing(2, Reply(status=status, headers={"Retry-After": "3600"}))
    drain(channel, postman, clock)
    asked = len(receiver.told)

    clock.forward(seconds=3599)
    drain(channel, postman, clock)
    early = len(receiver.told)
    clock.forward(seconds=1)
    drain(channel, postman, clock)

    assert (asked, early) == (2, 2)
    assert {status for status, _ in statuses(channel)} == {"DELIVERED"}


def test_a_target_that_fails_is_asked_by_one_message_at_a_time(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    for _ in range(40):
        story(kinds=["order.filled"])
    collect()
    receiver.answer = NO

    asked = []
    for _ in range(4):
        drain(channel, postman, clock)
        asked.append(len(receiver.told))
        clock.now = next_due(channel) or clock.now

    # Sixteen side by side, then one after each rest.
    assert asked == [16, 17, 18, 19]
    receiver.answer = Reply()
    drain(channel, postman, clock)
    clock.forward(minutes=7)
    drain(channel, postman, clock)
    assert {status for status, _ in statuses(channel)} == {"DELIVERED"}


def test_a_slow_target_costs_another_channel_nothing(
    channel: Channel, receiver: Receiver, second: Receiver, postman: HttpPostman, clock: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmen, "PATIENCE_SECONDS", 1.0)
    other = ChannelFactory(url=second.url)
    for _ in range(30):
        story(kinds=["order.filled"])
    collect()
    receiver.answer = Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000, drip_seconds=0.05)

    slow = threading.Thread(target=_drain_apart, args=(channel, postman, clock))
    begun = time.monotonic()
    slow.start()
    drain(other, postman, clock)
    other_took = time.monotonic() - begun
    slow.join()
    slow_took = time.monotonic() - begun

    assert (len(second.told), statuses(other)) == (30, [("DELIVERED", 1)] * 30)
    assert other_took < slow_took
    # All at once, and one patience for all of them.
    assert slow_took < 2.5
    assert {status for status, _ in statuses(channel)} == {"PENDING"}
    assert Delivery.objects.filter(channel=channel, last_trouble="too slow").count() == 16


def _drain_apart(channel: Channel, postman: HttpPostman, clock: Held) -> None:
    try:
        drain(channel, postman, clock)
    finally:
        connection.close()
