"""What is owed to a channel is told: in order within a thread, at least once, under one id, for as long as it takes."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from bots.adapters.postman import HttpPostman
from bots.domain.delivery import RETRIES
from bots.domain.target import Rules
from bots.models import Channel, Delivery
from bots.services import channels, deliveries
from tests.factories import NOW
from tests.factories.bots import SECRET, ChannelFactory
from tests.factories.trading import SignalFactory
from tests.fakes.receiver import Receiver, Reply, Told
from tests.integration.bots import outbox
from tests.integration.bots.outbox import STORY, Held, by, collect, drain, next_due, settle, statuses, story

pytestmark = pytest.mark.usefixtures("committed")

NO = Reply(status=500)


@pytest.fixture
def channel(receiver: Receiver) -> Channel:
    made: Channel = ChannelFactory(url=receiver.url)
    return made


@pytest.fixture
def clock() -> Held:
    return Held()


def refusing(*kinds: str) -> Callable[[Told], Reply]:
    """Events of these kinds are refused."""
    return lambda told: NO if told.kind in kinds else Reply()


def test_a_story_is_told_in_order(channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held) -> None:
    signal = story()
    collect()

    assert drain(channel, postman, clock) is True

    assert receiver.kinds == list(STORY)
    assert [each.said["data"]["trace_id"] for each in receiver.told] == [signal.trace_id] * 3
    assert statuses(channel) == [("DELIVERED", 1)] * 3
    assert receiver.ids == list(channel.deliveries.order_by("pk").values_list("message_id", flat=True))
    told = Delivery.objects.order_by("pk")[0]
    assert (told.last_status_code, told.last_trouble, told.delivered_at, told.ended_at, told.next_action_at) == (
        *(200, "", NOW, NOW),
        None,
    )


def test_a_later_event_of_a_signal_waits_for_the_earlier_and_others_go_on(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    first, second = SignalFactory(), SignalFactory()
    for kind in STORY:
        story(first, kinds=[kind])
        story(second, kinds=[kind])
    collect()
    receiver.answer = lambda told: NO if told.said["data"]["trace_id"] == first.trace_id else Reply()

    drain(channel, postman, clock)
    of_first = [each.kind for each in receiver.told if each.said["data"]["trace_id"] == first.trace_id]
    of_second = [each.kind for each in receiver.told if each.said["data"]["trace_id"] == second.trace_id]
    receiver.answer = Reply()
    receiver.told.clear()
    clock.now = next_due(channel) or clock.now
    drain(channel, postman, clock)

    assert (of_first, of_second) == (["signal.received"], list(STORY))
    assert receiver.kinds == list(STORY)
    assert {status for status, _ in statuses(channel)} == {"DELIVERED"}


def test_without_the_wait_a_later_event_overtakes(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the test above can fail."""
    rows = type(Delivery.objects.all())
    monkeypatch.setattr(rows, "ready", lambda self, *, at: self.pending().filter(next_action_at__lte=at))
    story()
    collect()
    receiver.answer = refusing("signal.received")

    drain(channel, postman, clock)

    assert sorted(receiver.kinds) == sorted(STORY)


def test_the_retries_take_the_schedule_and_keep_the_id(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    story(kinds=["order.filled"])
    collect()
    receiver.answer = NO
    attempts = []
    for _ in range(10):
        attempts.append(clock.now)
        drain(channel, postman, clock)
        clock.now = next_due(channel) or clock.now

    waits = [later - earlier for earlier, later in pairwise(attempts)]
    assert all(step <= wait <= step * 1.2 for step, wait in zip(RETRIES, waits, strict=True))
    assert (statuses(channel), len(receiver.told), len(set(receiver.ids))) == ([("FAILED", 10)], 10, 1)
    assert attempts[-1] - NOW > timedelta(days=3, hours=3)
    given_up = Delivery.objects.get()
    assert (given_up.last_status_code, given_up.last_trouble, given_up.delivered_at) == (500, "refused", None)


def test_what_is_given_up_lets_the_rest_of_its_signal_go(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    story()
    collect()
    receiver.answer = refusing("signal.received")

    settle(channel, postman, clock, days=5)

    assert statuses(channel) == [("FAILED", 10), ("DELIVERED", 1), ("DELIVERED", 1)]
    assert receiver.kinds[-2:] == ["decision.approved", "order.filled"]


def test_the_receiver_of_another_project_verifies_every_message(
    channel: Channel, receiver: Receiver, postman: HttpPostman
) -> None:
    story()
    # Its tolerance is five minutes of the real clock.
    clock = Held(datetime.now(UTC))
    collect(at=clock())
    opened = channels.rotate(channel_id=channel.pk, by=by(clock()))

    drain(channel, postman, clock)

    for told in receiver.told:
        for secret in (SECRET, opened.secret):
            assert Webhook(secret).verify(told.body, told.headers) == told.said
        assert len(told.headers["webhook-signature"].split()) == 2
    clock.forward(days=1)
    story(kinds=["order.filled"])
    collect(at=clock())
    drain(channel, postman, clock)
    assert len(receiver.told[-1].headers["webhook-signature"].split()) == 1


def test_two_workers_at_once_tell_each_message_once(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    for _ in range(40):
        story()
    collect()

    def work() -> None:
        try:
            for _ in range(5):
                drain(channel, postman, clock)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    drain(channel, postman, clock)

    assert statuses(channel) == [("DELIVERED", 1)] * 120
    assert len(receiver.told) == len(set(receiver.ids)) == 120
    by_trace: dict[str, list[str]] = {}
    for told in receiver.told:
        by_trace.setdefault(told.said["data"]["trace_id"], []).append(told.kind)
    assert set(map(tuple, by_trace.values())) == {STORY}


def test_whoever_lost_the_lane_writes_nothing(channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held) -> None:
    story(kinds=["order.filled"])
    collect()

    def steal(_: Told) -> Reply:
        _apart("UPDATE channels SET epoch = epoch + 1")
        return Reply()

    receiver.answer = steal
    drain(channel, postman, clock)
    lost = statuses(channel)
    receiver.answer = Reply()
    clock.forward(seconds=15)
    outbox.end_leases()
    drain(channel, postman, clock)

    assert (lost, statuses(channel)) == ([("PENDING", 1)], [("DELIVERED", 2)])
    assert len(set(receiver.ids)) == 1


def _apart(statement: str) -> None:
    """In the receiver's own thread, so on another connection."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def test_a_paused_channel_is_told_nothing_until_it_goes_on(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    channels.pause(channel_id=channel.pk, by=by())
    story()
    collect()
    drain(channel, postman, clock)
    paused = list(receiver.told)

    channels.resume(channel_id=channel.pk, by=by())
    drain(channel, postman, clock)

    assert (paused, receiver.kinds) == ([], list(STORY))


def test_a_replay_tells_again_under_the_same_ids_and_in_order(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    story()
    collect()
    drain(channel, postman, clock)
    first = receiver.told[:]
    receiver.told.clear()

    again = channels.replay(channel_id=channel.pk, since=NOW, by=by(NOW))
    drain(channel, postman, clock)

    assert again == 3
    assert [(each.id, each.body) for each in receiver.told] == [(each.id, each.body) for each in first]
    assert set(Delivery.objects.values_list("status", "attempts", "replays", "delivered_at")) == {("DELIVERED", 1, 1, NOW)}


def test_an_unreadable_secret_signs_nothing(channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held) -> None:
    Channel.objects.filter(pk=channel.pk).update(secret=ChannelFactory().secret)
    story(kinds=["order.filled"])
    collect()

    drain(channel, postman, clock)

    assert receiver.told == []
    assert Delivery.objects.get(channel=channel).last_trouble == "secret unreadable"


def test_a_host_that_is_taken_off_the_list_is_told_nothing(channel: Channel, receiver: Receiver, clock: Held) -> None:
    story(kinds=["order.filled"])
    collect()

    drain(channel, HttpPostman(rules=Rules(hosts=frozenset(), may_be_local=True)), clock)

    assert receiver.told == []
    assert Delivery.objects.get().last_trouble == "target not allowed"


def test_a_round_costs_the_same_queries_however_much_is_owed(
    channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held
) -> None:
    def cost(stories: int) -> float:
        for _ in range(stories):
            story(kinds=["order.filled"])
        collect()
        with CaptureQueriesContext(connection) as asked:
            drain(channel, postman, clock)
        return len(asked) / -(-stories // deliveries.WIDTH)

    lean, wide = cost(deliveries.WIDTH), cost(10 * deliveries.WIDTH)
    assert wide <= lean <= 24


def test_a_message_is_json_of_three_keys(channel: Channel, receiver: Receiver, postman: HttpPostman, clock: Held) -> None:
    story(kinds=["order.filled"])
    collect()
    drain(channel, postman, clock)

    assert list(json.loads(receiver.told[0].body)) == ["type", "timestamp", "data"]
