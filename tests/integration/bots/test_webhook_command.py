"""`manage.py webhook`."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from bots import conf
from bots.models import Channel, Delivery
from tests.factories.bots import ChannelFactory, DeliveryFactory
from trading.models import AuditRow, Event
from trading.services import vault

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> Iterator[None]:
    settings.WEBHOOK_TARGET_HOSTS = ("hooks.example.org",)
    conf.postman.cache_clear()
    yield
    conf.postman.cache_clear()


def webhook(*words: str) -> str:
    printed = StringIO()
    call_command("webhook", *words, stdout=printed)
    return printed.getvalue()


WHY = ("--reason", "a drill")


def test_a_channel_from_its_opening_to_its_replay() -> None:
    opened = webhook("create", "desk", "--url", "https://hooks.example.org/x", "--event", "order.*", "--account", "5", *WHY)
    channel = Channel.objects.get()
    assert opened == f"desk: {vault.unseal(channel, 'secret')}\n"
    rotated = webhook("rotate", "desk", *WHY)
    channel.refresh_from_db()
    assert rotated == f"desk: {vault.unseal(channel, 'secret')}\n" != opened

    webhook("pause", "desk", *WHY)
    assert webhook("list") == f"desk PAUSED ({channel_reason()}): hooks.example.org, order.*; 0 owed\n"
    webhook("resume", "desk", *WHY)
    webhook("ping", "desk", *WHY)
    delivery = DeliveryFactory(channel=channel)
    assert webhook("replay", "desk", "--since", "2026-01-01T00:00:00Z", *WHY) == "1 to be told again\n"
    assert webhook("replay", "desk", "--delivery", str(delivery.pk), *WHY) == "1 to be told again\n"

    assert webhook("list") == "desk ACTIVE: hooks.example.org, order.*; 1 owed\n"
    assert (channel.accounts, Event.objects.filter(kind="channel.ping").count()) == ([5], 1)
    assert {row.actor.partition(": ")[0] for row in AuditRow.objects.all()} == {"command line"}
    assert AuditRow.objects.count() == 7


def channel_reason() -> str:
    return Channel.objects.get().status_reason


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "desk", "--url", "https://hooks.example.org/"), "REASON_MISSING"),
        (("create", "desk", "--url", "https://169.254.169.254/", *WHY), "TARGET_REFUSED"),
        (("create", "desk", *WHY), "TARGET_REFUSED"),
        (("create", "--url", "https://hooks.example.org/", *WHY), "CHANNEL_MISNAMED"),
        (("pause", "nobody", *WHY), "CHANNEL_UNKNOWN"),
        (("replay", "there", *WHY), "REPLAY_OF_NOTHING"),
        (("replay", "there", "--since", "yesterday", *WHY), "an instant with its zone"),
        (("replay", "there", "--since", "2026-01-01T00:00:00", *WHY), "an instant with its zone"),
    ],
)
def test_what_is_refused_ends_with_its_code(words: tuple[str, ...], said: str) -> None:
    ChannelFactory(name="there")

    with pytest.raises(CommandError, match=said):
        webhook(*words)

    assert (Channel.objects.count(), AuditRow.objects.count(), Delivery.objects.count()) == (1, 0, 0)
