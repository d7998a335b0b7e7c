"""The outbox's worker dies at any point of its way: nothing is missing, and a repeat is known by its id."""

import os
from collections.abc import Callable

import pytest
from django.db import connections

from bots.adapters.postman import HttpPostman
from bots.domain.delivery import Answer, Trouble
from bots.models import Channel, Delivery
from bots.services import deliveries
from tests.factories.bots import ChannelFactory
from tests.fakes.receiver import Receiver
from tests.integration.bots import outbox
from tests.integration.bots.outbox import STORY, Held, collect, drain, story
from trading import failpoints

pytestmark = pytest.mark.usefixtures("committed")

DOOMED = 66
# Of a way, in the order of their first reach.
POINTS = (
    "bots.collecting.collect before commit",
    "bots.collecting.collect committed",
    "trading.lanes.take committed",
    "bots.deliveries.begin before commit",
    "bots.deliveries.begin committed",
    "trading.lanes.update committed",
    "bots.postman.HttpPostman.post asked",
    "bots.postman.HttpPostman.post answered",
    "bots.deliveries.record before commit",
    "bots.deliveries.record committed",
)
# Where the target has heard a message that nobody wrote down as told.
HEARD_UNRECORDED = {"bots.postman.HttpPostman.post answered", "bots.deliveries.record before commit"}


@pytest.fixture
def channel(receiver: Receiver) -> Channel:
    made: Channel = ChannelFactory(url=receiver.url)
    return made


def work(channel: Channel, postman: HttpPostman, clock: Held) -> None:
    collect()
    drain(channel, postman, clock)


def die(point: str, *, reach: int, work: Callable[[], None]) -> int:
    """Have a process of its own work until it reaches a point so many times; how it ended."""
    # A connection shared by two processes belongs to neither.
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        _live(point, reach, work)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _live(point: str, reach: int, work: Callable[[], None]) -> None:
    left = reach

    def reached(place: str) -> None:
        nonlocal left
        left -= place == point
        if left == 0:
            os._exit(DOOMED)

    try:
        with failpoints.listening(reached):
            work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a fork of a test must not go on as the test
        os._exit(1)


def test_the_way_has_these_points(channel: Channel, receiver: Receiver, postman: HttpPostman) -> None:
    story()
    reached: dict[str, None] = {}

    with failpoints.listening(lambda point: reached.setdefault(point)):
        work(channel, postman, Held())

    assert tuple(reached) == POINTS
    assert receiver.kinds == list(STORY)


# Where, and at which reach of it: a way has one collection, one lane and three rounds.
DEATHS = [(point, reach) for point in POINTS for reach in ((1,) if point in POINTS[:3] else (1, 2, 3))]


@pytest.mark.parametrize(("point", "reach"), DEATHS)
def test_a_death_loses_nothing_and_repeats_under_the_same_id(
    channel: Channel, receiver: Receiver, postman: HttpPostman, point: str, reach: int
) -> None:
    story()
    clock = Held()

    ended = die(point, reach=reach, work=lambda: work(channel, postman, clock))
    outbox.end_leases()
    clock.forward(seconds=15)
    work(channel, postman, clock)

    assert ended == DOOMED
    assert list(Delivery.objects.order_by("pk").values_list("status", flat=True)) == ["DELIVERED"] * 3
    ids = list(Delivery.objects.order_by("pk").values_list("message_id", flat=True))
    assert list(dict.fromkeys(receiver.ids)) == ids
    assert list(dict.fromkeys(receiver.kinds)) == list(STORY)
    assert len(receiver.told) == 3 + (point in HEARD_UNRECORDED)


def test_to_record_before_telling_would_lose_a_message(
    channel: Channel, receiver: Receiver, postman: HttpPostman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the tests above can fail."""
    tell, yes = deliveries._tell, Answer(trouble=Trouble.NONE, status=200)

    def record_first(lease: object, *, postman: HttpPostman, clock: Held, until: object) -> None:
        while (round_ := deliveries._begin(lease, at=clock())) is not None:  # type: ignore[arg-type]
            deliveries._record(lease, round_.owed, {each.pk: yes for each in round_.owed}, at=clock())  # type: ignore[arg-type]
            tell(round_, postman=postman, at=clock())

    monkeypatch.setattr(deliveries, "_work", record_first)
    story()
    clock = Held()

    die("bots.deliveries.record committed", reach=2, work=lambda: work(channel, postman, clock))
    outbox.end_leases()
    clock.forward(seconds=15)
    work(channel, postman, clock)

    assert receiver.kinds == ["signal.received", "order.filled"]


def test_a_message_that_kills_its_worker_each_time_is_given_up(
    channel: Channel, receiver: Receiver, postman: HttpPostman
) -> None:
    story()
    clock = Held()
    for _ in range(10):
        die("bots.postman.HttpPostman.post asked", reach=1, work=lambda: work(channel, postman, clock))
        outbox.end_leases()
        clock.forward(seconds=15)

    work(channel, postman, clock)

    assert outbox.statuses(channel) == [("FAILED", 10), ("DELIVERED", 1), ("DELIVERED", 1)]
    assert Delivery.objects.order_by("pk")[0].last_trouble == "nobody knows"
