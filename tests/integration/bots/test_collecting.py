"""From the journal to the outbox: everything once, in commit order, and nothing from before a channel's beginning."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bots.domain.channel import ChannelStatus
from bots.models import Channel, Delivery, JournalPlace
from bots.services import channels, collecting
from risk.domain.decision import Verdict
from risk.models import Decision
from tests.factories import NOW
from tests.factories.bots import ChannelFactory
from tests.factories.risk import LockFactory
from tests.factories.trading import PositionFactory, SignalFactory, TraderFactory
from tests.fakes import doorbell
from tests.integration.bots.outbox import by, collect, happen, story
from trading.kinds import write
from trading.models import Event
from trading.services import journal

pytestmark = pytest.mark.usefixtures("committed")

INSERT = "INSERT INTO journal (kind, subject, trace_id, facts, at) VALUES (%s, 'signal:1', '', '{}', now())"


@pytest.fixture
def late(committed: None) -> Iterator[psycopg.Connection]:
    """A second connection, for a transaction that commits late."""
    own = connection.settings_dict
    place = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"], "dbname": own["NAME"]}
    with psycopg.connect(**place) as second:
        yield second


def kinds(channel: Channel) -> list[str]:
    return list(channel.deliveries.order_by("pk").values_list("event__kind", flat=True))


def said(channel: Channel) -> list[dict[str, Any]]:
    return [json.loads(body)["data"] for body in channel.deliveries.order_by("pk").values_list("body", flat=True)]


def test_each_event_is_owed_to_each_channel_once() -> None:
    first, second = ChannelFactory(), ChannelFactory(events=["order.*", "signal.expired"])
    story()

    read = [collect(), collect()]

    assert read == [3, 0]
    assert kinds(first) == ["signal.received", "decision.approved", "order.filled"]
    assert kinds(second) == ["order.filled"]
    assert doorbell.heard().count(("delivery.owed", first.pk)) == 1
    ids = list(Delivery.objects.values_list("message_id", flat=True))
    assert len(set(ids)) == 4
    assert all(each.startswith("msg_") and len(each) == 28 for each in ids)


def test_a_lost_place_makes_no_second_delivery() -> None:
    channel = ChannelFactory()
    story()
    collect()
    place = JournalPlace.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal_places DISABLE TRIGGER USER")
        cursor.execute("UPDATE journal_places SET transaction_number = 0, event_id = 0")
        cursor.execute("ALTER TABLE journal_places ENABLE TRIGGER USER")

    assert (collect(), len(kinds(channel))) == (3, 3)
    assert JournalPlace.objects.get() == place


def test_a_place_never_goes_back() -> None:
    ChannelFactory()
    story()
    collect()

    with pytest.raises(Exception, match="a reader of the journal never goes back"):
        JournalPlace.objects.update(event_id=0)


def test_a_channel_starts_from_now() -> None:
    story(kinds=["signal.received"])
    opened = channels.create(name="new", url="https://x", by=by(), postman=_Anywhere())
    story(kinds=["order.filled"])

    collect()

    assert kinds(opened.channel) == ["order.filled"]


class _Anywhere:
    def check(self, url: str, /) -> None:
        """Anything may be a target."""

    def post(self, *_: object, **__: object) -> Any:
        raise AssertionError("nobody is told")


def test_what_nobody_was_there_for_is_not_even_read() -> None:
    for _ in range(5):
        story()
    newest = Event.objects.order_by("-transaction_number")[0].transaction_number
    channel = ChannelFactory(after_transaction=newest)
    story(kinds=["order.filled"])

    assert (collect(), kinds(channel)) == (1, ["order.filled"])


def test_without_a_channel_nothing_is_read() -> None:
    story()
    assert (collecting.is_behind(), collect(), JournalPlace.objects.values_list("event_id", flat=True).first()) == (False, 0, 0)


def test_it_is_behind_exactly_while_something_is_unread() -> None:
    ChannelFactory()
    before = collecting.is_behind()
    story()
    then = collecting.is_behind()
    collect()

    assert (before, then, collecting.is_behind()) == (False, True, False)


def test_a_late_commit_is_not_skipped(late: psycopg.Connection) -> None:
    channel = ChannelFactory()
    late.execute(INSERT, ["signal.expired"])
    story(kinds=["signal.received"])

    first = (collect(), kinds(channel))
    late.commit()
    second = (collect(), kinds(channel))

    assert first == (0, [])
    assert second == (2, ["signal.expired", "signal.received"])


def test_a_reader_by_number_skips_a_late_commit(late: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail: what the place would be without the journal's own order."""

    def by_number(*, transaction_number: int, event_id: int, limit: int) -> list[Event]:
        return list(Event.objects.filter(pk__gt=event_id if event_id < 2**62 else 0).order_by("pk")[:limit])

    monkeypatch.setattr(journal, "read_after", by_number)
    channel = ChannelFactory()
    late.execute(INSERT, ["signal.expired"])
    story(kinds=["signal.received"])
    collect()
    late.commit()
    collect()

    assert kinds(channel) == ["signal.received"]


def test_one_account_is_told_of_its_own() -> None:
    trader, other = TraderFactory(), TraderFactory()
    channel, desk = ChannelFactory(accounts=[trader.tg_user_id]), ChannelFactory()
    for each in (trader, other):
        story(SignalFactory(trader=each), kinds=["order.filled"])
    _happen_to_rows(trader, other)

    collect()

    assert [(each["stage"], each["account"]) for each in said(channel)] == [
        ("order", trader.tg_user_id),
        ("position", trader.tg_user_id),
        ("risk", trader.tg_user_id),
        ("risk", trader.tg_user_id),
        ("risk", trader.tg_user_id),
    ]
    assert [each["account"] for each in said(desk)] == [
        *(trader.tg_user_id, other.tg_user_id),
        *(trader.tg_user_id, other.tg_user_id),
        *(trader.tg_user_id, trader.tg_user_id, trader.tg_user_id, None),
    ]


@write
def _happen_to_rows(trader: Any, other: Any) -> None:
    """Events that no signal caused: of positions, a lock, a day, a scope, the desk."""
    for each in (trader, other):
        journal.record("position.filled", PositionFactory(trader=each), at=NOW, price="1")
    journal.record("risk.locked", LockFactory(trader=trader), at=NOW, kind="MANUAL")
    journal.record("risk.daily_loss_warning", trader, at=NOW, tg_user_id=trader.tg_user_id)
    journal.record("risk.state_changed", trader, at=NOW, scope="USER", key=str(trader.tg_user_id), state="HALTED")
    journal.record("risk.state_changed", trader, at=NOW, scope="GLOBAL", key="", state="HALTED")


def test_a_message_says_whose_and_which() -> None:
    channel = ChannelFactory()
    signal = story(kinds=["signal.received"])

    collect()

    (data,) = said(channel)
    assert data == {
        "event": Event.objects.get().pk,
        "stage": "signal",
        "subject": f"signal:{signal.pk}",
        "trace_id": signal.trace_id,
        "intent_key": signal.intent_key,
        "account": signal.trader.tg_user_id,
        "book": "LIVE",
        "side": None,
        "symbol": None,
    }


def test_a_denial_says_its_reasons() -> None:
    channel, signal = ChannelFactory(), SignalFactory()
    Decision.objects.create(
        signal=signal,
        trader=signal.trader,
        verdict=Verdict.DENIED,
        code="LEVERAGE_TOO_HIGH",
        checks=[
            {"code": "MARKET_CLOSED", "passed": True},
            {"code": "LEVERAGE_TOO_HIGH", "passed": False},
            {"code": "PRICE_STALE", "passed": False},
        ],
        decided_at=NOW,
    )
    happen("decision.denied", signal)

    collect()

    (data,) = said(channel)
    assert (data["code"], data["reasons"]) == ("LEVERAGE_TOO_HIGH", ["LEVERAGE_TOO_HIGH", "PRICE_STALE"])


def test_what_the_table_does_not_name_is_told_to_nobody() -> None:
    channel = ChannelFactory()
    story(kinds=["intent.building", "trader.rehomed", "made.up"])

    assert (collect(), kinds(channel)) == (3, [])


@pytest.mark.parametrize(("status", "told"), [(ChannelStatus.PAUSED, ["order.filled"]), (ChannelStatus.DISABLED, [])])
def test_what_happens_is_kept_for_a_paused_channel_and_not_for_a_disabled_one(status: str, told: list[str]) -> None:
    channel = ChannelFactory()
    Channel.objects.filter(pk=channel.pk).update(status=status, status_reason="a drill")
    ChannelFactory()
    story(kinds=["order.filled"])

    collect()

    assert kinds(channel) == told


def test_a_ping_is_for_one_channel_whatever_it_wants() -> None:
    channel, other = ChannelFactory(events=["order.filled"], accounts=[5]), ChannelFactory()
    channels.ping(channel_id=channel.pk, by=by())

    collect()

    assert (kinds(channel), kinds(other)) == (["channel.ping"], [])


def test_two_readers_at_once_do_not_wait_for_each_other(late: psycopg.Connection) -> None:
    ChannelFactory()
    story()
    collect()
    story()
    late.execute("SELECT * FROM journal_places FOR UPDATE")

    assert collect() == 0
    late.rollback()
    assert collect() == 3


def test_a_batch_costs_the_same_queries_however_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        ChannelFactory()
    collect()

    def cost(stories: int) -> int:
        for _ in range(stories):
            story()
        with CaptureQueriesContext(connection) as asked:
            assert collecting._collect(at=NOW) == 3 * stories
        return len(asked)

    assert (cost(2), cost(20)) == (cost(1), cost(1))
    assert cost(1) <= 14
