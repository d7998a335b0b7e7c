"""The outbox is worked without a broker, beside the trade, and what is due is found."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client.core import Metric
from pytest_django.fixtures import Settings

from bots import conf
from bots.models import Channel, Delivery
from tests.factories import NOW
from tests.factories.bots import ChannelFactory, DeliveryFactory
from tests.fakes.receiver import Receiver, Reply
from tests.integration.bots.outbox import STORY, collect, story
from trading import clock
from vanta_site import outbox_metrics, sweep

pytestmark = pytest.mark.usefixtures("committed")

COLLECT, DELIVER = sweep.OUTBOX


@pytest.fixture
def local(settings: Settings) -> Iterator[None]:
    settings.WEBHOOK_TARGET_HOSTS, settings.WEBHOOK_ALLOW_LOOPBACK = ("127.0.0.1",), True
    conf.postman.cache_clear()
    yield
    conf.postman.cache_clear()


@pytest.mark.usefixtures("local")
def test_the_sweeper_alone_tells_what_happened(receiver: Receiver) -> None:
    ChannelFactory(url=receiver.url)
    story()

    # As if it had been due for long: nobody else is at work.
    worked = [sweep.tell_overdue(at=clock.now() + sweep.OVERDUE) for _ in range(3)]

    assert worked == [1, 1, 0]
    assert receiver.kinds == list(STORY)


@pytest.mark.usefixtures("local")
def test_the_trades_stages_tell_nobody(receiver: Receiver) -> None:
    ChannelFactory(url=receiver.url)
    story()
    collect()

    assert not {stage.task for stage in sweep.STAGES} & {stage.task for stage in sweep.OUTBOX}
    sweep.work_overdue(at=clock.now() + timedelta(hours=1))
    assert receiver.told == []


def test_a_channel_is_due_while_something_can_be_told() -> None:
    channel = ChannelFactory()
    first, _ = (DeliveryFactory(channel=channel, thread="t") for _ in range(2))

    def due() -> list[int]:
        return list(DELIVER.due(NOW))

    ready = due()
    # The second waits for the first, which isn't due.
    Delivery.objects.filter(pk=first.pk).update(next_action_at=NOW + timedelta(seconds=1))
    behind = due()
    Delivery.objects.filter(pk=first.pk).update(next_action_at=NOW)
    Channel.objects.update(resting_until=NOW + timedelta(seconds=1))
    resting = due()
    Channel.objects.update(resting_until=NOW)
    rested = due()
    Channel.objects.update(status="PAUSED", status_reason="a drill")

    assert (ready, behind, resting, rested, due()) == ([channel.pk], [], [], [channel.pk], [])


def test_the_journal_is_due_while_somebody_may_want_it() -> None:
    before = list(COLLECT.due(NOW))
    ChannelFactory()
    story()
    behind = list(COLLECT.due(NOW))
    collect()

    assert (before, behind, list(COLLECT.due(NOW))) == ([], [0], [])


def samples() -> dict[tuple[str, str], float]:
    families: list[Metric] = list(outbox_metrics.families())
    return {(each.name, each.labels["channel"]): each.value for family in families for each in family.samples}


def test_the_gauges_say_what_is_owed_to_whom() -> None:
    owed, well, gone = (ChannelFactory(name=name) for name in ("owed", "well", "gone"))
    for hours in (1, 2):
        DeliveryFactory(channel=owed, created_at=NOW + timedelta(hours=hours))
    failed, told = DeliveryFactory(channel=owed), DeliveryFactory(channel=well)
    Delivery.objects.filter(pk=failed.pk).update(status="FAILED", ended_at=NOW, next_action_at=None)
    Delivery.objects.filter(pk=told.pk).update(status="DELIVERED", ended_at=NOW, next_action_at=None, delivered_at=NOW)
    Channel.objects.filter(pk=owed.pk).update(failures=3, failing_since=NOW)
    DeliveryFactory(channel=gone)
    Channel.objects.filter(pk=gone.pk).update(status="DISABLED", status_reason="gone")

    assert samples() == {
        ("vanta_deliveries_pending", "owed"): 2,
        ("vanta_deliveries_pending", "well"): 0,
        ("vanta_oldest_pending_delivery_timestamp_seconds", "owed"): (NOW + timedelta(hours=1)).timestamp(),
        ("vanta_oldest_pending_delivery_timestamp_seconds", "well"): 0,
        ("vanta_deliveries_failed", "owed"): 1,
        ("vanta_deliveries_failed", "well"): 0,
        ("vanta_channel_failing_since_timestamp_seconds", "owed"): NOW.timestamp(),
        ("vanta_channel_failing_since_timestamp_seconds", "well"): 0,
    }


def test_without_channels_there_are_no_gauges() -> None:
    assert samples() == {}


@pytest.mark.usefixtures("local")
def test_a_channel_whose_work_throws_keeps_no_other_from_being_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, well = ChannelFactory(url="nonsense"), ChannelFactory(url=receiver.url)
    receiver.answer = Reply(status=204)
    story(kinds=["order.filled"])
    collect()

    sweep.tell_overdue(at=clock.now() + sweep.OVERDUE)

    assert receiver.kinds == ["order.filled"]
    assert Delivery.objects.get(channel=broken).last_trouble == "target not allowed"
    assert Delivery.objects.get(channel=well).status == "DELIVERED"
