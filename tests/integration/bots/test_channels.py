"""What people do with channels."""

from datetime import timedelta

import pytest

from bots.adapters.postman import HttpPostman
from bots.domain.target import Rules, TargetRefused
from bots.models import Channel, Delivery
from bots.services import channels
from bots.services.channels import ChannelExists, ChannelMisnamed, NoSuchEvent, NothingNamed, UnknownChannel, WrongStatus
from execution.services.warrants import ReasonMissing, Warrant
from tests.factories import NOW
from tests.factories.bots import ChannelFactory, DeliveryFactory, EventFactory
from tests.fakes import doorbell
from tests.integration.bots.outbox import by
from trading.domain import proof
from trading.domain.source import Auth
from trading.models import AuditRow, Event
from trading.services import vault

pytestmark = pytest.mark.usefixtures("committed")

URL = "https://hooks.example.org/vanta?token=canary"
POSTMAN = HttpPostman(rules=Rules(hosts=frozenset({"hooks.example.org"})))


def open_channel(name: str = "desk", url: str = URL, **said: object) -> channels.Opened:
    return channels.create(name=name, url=url, by=by(), postman=POSTMAN, **said)  # type: ignore[arg-type]


def test_a_channel_is_opened_with_a_secret_that_only_the_caller_sees() -> None:
    opened = open_channel(events=["order.*", "intent.final"], accounts=[7, 5, 7])

    channel = Channel.objects.get()
    assert (channel.status, channel.host, channel.events, channel.accounts) == (
        *("ACTIVE", "hooks.example.org"),
        *(["intent.final", "order.*"], [5, 7]),
    )
    assert len(proof.key_of(opened.secret, kind=Auth.STANDARD)) == 32
    assert vault.unseal(channel, "secret") == opened.secret
    assert opened.secret not in channel.secret
    row = AuditRow.objects.get()
    assert (row.action, row.subject, row.actor, row.reason) == ("channel.create", "channel:desk", "rita", "a drill")
    assert row.after == {"host": "hooks.example.org", "events": "intent.final, order.*", "accounts": "5, 7"}
    assert "canary" not in str(row.after)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"url": "https://other.example.org/"}, TargetRefused),
        ({"url": "http://hooks.example.org/"}, TargetRefused),
        ({"name": "Desk"}, ChannelMisnamed),
        ({"name": ""}, ChannelMisnamed),
        ({"name": "a b"}, ChannelMisnamed),
        ({"name": "a" * 65}, ChannelMisnamed),
        ({"events": ["order.*", "orders.*"]}, NoSuchEvent),
        ({"events": []}, NoSuchEvent),
        ({"name": "taken"}, ChannelExists),
    ],
)
def test_a_channel_that_can_not_be_is_refused_and_nothing_changes(said: dict[str, object], error: type[Exception]) -> None:
    ChannelFactory(name="taken")

    with pytest.raises(error):
        open_channel(**said)  # type: ignore[arg-type]

    assert (Channel.objects.count(), AuditRow.objects.count()) == (1, 0)


def test_nobody_acts_without_a_reason() -> None:
    with pytest.raises(ReasonMissing):
        Warrant(actor="rita", reason=" ", at=NOW)


def test_a_rotated_secret_leaves_the_one_before_a_day() -> None:
    first = open_channel()
    second = channels.rotate(channel_id=first.channel.pk, by=by())
    third = channels.rotate(channel_id=first.channel.pk, by=by(NOW + timedelta(hours=1)))

    channel = Channel.objects.get()
    assert len({first.secret, second.secret, third.secret}) == 3
    assert (vault.unseal(channel, "secret"), vault.unseal(channel, "previous_secret")) == (third.secret, second.secret)
    assert channel.previous_until == NOW + timedelta(hours=25)
    rows = AuditRow.objects.filter(action="channel.rotate")
    assert rows.count() == 2
    assert not any(secret in str(list(rows.values())) for secret in (second.secret, third.secret, channel.secret))


def test_a_pause_and_what_follows_it() -> None:
    channel = ChannelFactory()
    channels.pause(channel_id=channel.pk, by=by())
    with pytest.raises(WrongStatus):
        channels.pause(channel_id=channel.pk, by=by())
    paused = Channel.objects.get()
    channels.resume(channel_id=channel.pk, by=by())
    with pytest.raises(WrongStatus):
        channels.resume(channel_id=channel.pk, by=by())

    assert (paused.status, paused.status_reason) == ("PAUSED", "rita: a drill")
    assert (Channel.objects.get().status, Channel.objects.get().status_reason) == ("ACTIVE", "")
    assert list(AuditRow.objects.order_by("pk").values_list("after__status", flat=True)) == ["PAUSED", "ACTIVE"]
    assert doorbell.heard() == [("delivery.owed", channel.pk)]


def test_a_disabled_channel_that_goes_on_starts_from_now_and_well() -> None:
    channel = ChannelFactory()
    Channel.objects.update(status="DISABLED", status_reason="x", failures=9, failing_since=NOW, resting_until=NOW)
    EventFactory()
    newest = Event.objects.get().transaction_number

    channels.resume(channel_id=channel.pk, by=by())

    now = Channel.objects.get()
    assert now.after_transaction > newest
    assert (now.status, now.failures, now.failing_since, now.resting_until) == ("ACTIVE", 0, None, None)


def test_a_ping_is_an_event_and_a_row() -> None:
    channel = ChannelFactory()

    channels.ping(channel_id=channel.pk, by=by())

    event = Event.objects.get()
    assert (event.kind, event.subject) == ("channel.ping", f"channel:{channel.pk}")
    assert AuditRow.objects.get().action == "channel.ping"


def test_a_disabled_channel_has_no_ping() -> None:
    channel = ChannelFactory()
    Channel.objects.update(status="DISABLED", status_reason="x")

    with pytest.raises(WrongStatus):
        channels.ping(channel_id=channel.pk, by=by())

    assert (Event.objects.count(), AuditRow.objects.count()) == (0, 0)


def test_a_replay_names_what_it_is_of() -> None:
    channel = ChannelFactory()
    old, told, owed, given_up = (DeliveryFactory(channel=channel, event__at=NOW + timedelta(hours=hour)) for hour in range(4))
    other = DeliveryFactory()
    for each, status in ((old, "DELIVERED"), (told, "DELIVERED"), (given_up, "FAILED"), (other, "DELIVERED")):
        Delivery.objects.filter(pk=each.pk).update(status=status, ended_at=NOW, next_action_at=None, delivered_at=NOW, attempts=7)
    Delivery.objects.filter(pk=owed.pk).update(attempts=4, next_action_at=NOW + timedelta(days=1))
    at = NOW + timedelta(days=2)

    by_time = channels.replay(channel_id=channel.pk, since=NOW + timedelta(hours=1), by=by(at))
    by_number = channels.replay(channel_id=channel.pk, delivery_ids=[old.pk, other.pk], by=by(at))

    assert (by_time, by_number) == (3, 1)
    rows = Delivery.objects.filter(channel=channel).order_by("pk")
    assert list(rows.values_list("status", "attempts", "replays", "next_action_at")) == [
        *(("PENDING", 0, 1, at), ("PENDING", 0, 1, at), ("PENDING", 0, 0, at), ("PENDING", 0, 1, at)),
    ]
    other.refresh_from_db()
    assert (other.status, other.replays) == ("DELIVERED", 0)
    assert [row.after["deliveries"] for row in AuditRow.objects.order_by("pk")] == [3, 1]


def test_a_replay_of_nothing_is_refused() -> None:
    with pytest.raises(NothingNamed):
        channels.replay(channel_id=ChannelFactory().pk, by=by())
    assert AuditRow.objects.count() == 0


def test_a_channel_that_is_not_there() -> None:
    with pytest.raises(UnknownChannel):
        channels.pause(channel_id=999, by=by())
    with pytest.raises(UnknownChannel):
        channels.find("nobody")


@pytest.mark.parametrize("column", ["event_id", "channel_id", "message_id", "thread", "body"])
def test_what_is_told_never_changes(column: str) -> None:
    delivery = DeliveryFactory()
    other = DeliveryFactory()

    with pytest.raises(Exception, match="Cannot update rows from deliveries"):
        Delivery.objects.filter(pk=delivery.pk).update(**{column: getattr(other, column)})


def test_a_swapped_secret_does_not_open() -> None:
    first, second = ChannelFactory(), ChannelFactory()
    Channel.objects.filter(pk=first.pk).update(secret=second.secret)
    first.refresh_from_db()

    with pytest.raises(vault.Unreadable):
        vault.unseal(first, "secret")
