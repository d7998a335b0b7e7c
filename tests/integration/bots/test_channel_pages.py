"""The console's pages of channels: a secret is shown once, and people do only what their roles allow."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from bots import conf
from bots.models import Channel, Delivery
from tests.factories.bots import ChannelFactory, DeliveryFactory
from tests.factories.logins import operator
from trading.conf import mode_switch
from trading.domain.people import Role
from trading.models import AuditRow, Event
from trading.services import vault
from vanta_site import groups

NEW = "/admin/bots/channel/add/"
SAID = {
    "name": "desk",
    "url": "https://hooks.example.org/x",
    "events": "order.*,intent.final",
    "accounts": "",
    "reason": "a drill",
}


@pytest.fixture(autouse=True)
def _desk_of_its_own(committed: None, settings: Settings) -> Iterator[None]:
    settings.MODE_SWITCH = "tests.fakes.switch.Switch"
    settings.WEBHOOK_TARGET_HOSTS = ("Hooks.example.org",)
    groups.settle()
    for made in (conf.postman, mode_switch):
        made.cache_clear()
    yield
    for made in (conf.postman, mode_switch):
        made.cache_clear()


def browser(role: Role) -> Client:
    client = Client()
    client.force_login(operator("rita", role))
    return client


@pytest.fixture
def supreme() -> Client:
    return browser(Role.SUPER_ADMIN)


def acted(client: Client, channel: Channel, act: str, **said: str) -> list[str]:
    answer = client.post(f"/admin/bots/channel/{channel.pk}/operate/", {"act": act, "reason": "a drill", **said}, follow=True)
    return [str(message) for message in answer.context["messages"]] if answer.status_code == 200 else [str(answer.status_code)]


def test_a_new_channels_secret_is_in_one_answer_and_nowhere_else(supreme: Client) -> None:
    answer = supreme.post(NEW, SAID)

    channel = Channel.objects.get()
    secret = vault.unseal(channel, "secret")
    assert (answer.status_code, secret in answer.content.decode()) == (200, True)
    assert "no-store" in answer["Cache-Control"]
    assert (channel.name, channel.events, channel.accounts) == ("desk", ["intent.final", "order.*"], [])
    for page in (
        f"/admin/bots/channel/{channel.pk}/change/",
        "/admin/bots/channel/",
        f"/admin/bots/channel/{channel.pk}/operate/",
    ):
        shown = supreme.get(page).content.decode()
        assert secret not in shown
        assert "hooks.example.org/x" not in shown
    assert AuditRow.objects.get(action="channel.create").actor == "rita"


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"url": "https://evil.example.org/"}, "TARGET_REFUSED"),
        ({"events": "orders.*"}, "EVENT_UNKNOWN"),
        ({"reason": ""}, "This field is required"),
        ({"name": "a b"}, "Enter a valid"),
    ],
)
def test_what_is_refused_is_said_and_not_done(supreme: Client, changes: dict[str, str], shown: str) -> None:
    answer = supreme.post(NEW, SAID | changes)

    assert shown in answer.content.decode()
    assert Channel.objects.count() == 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.RISK])
def test_only_a_super_admin_opens_a_channel_or_changes_its_secret(role: Role) -> None:
    channel, client = ChannelFactory(), browser(role)

    assert client.get("/admin/bots/channel/").status_code == 200
    assert "bots/channel/add/" not in client.get("/admin/bots/channel/").content.decode()
    for page in (NEW, f"/admin/bots/channel/{channel.pk}/rotate/"):
        assert (client.get(page).status_code, client.post(page, SAID).status_code) == (403, 403)
    assert Channel.objects.get().secret == channel.secret
    assert AuditRow.objects.filter(action="act.refused", after__act="MANAGE_CHANNELS").count() == 4


def test_a_rotated_secret_is_shown_once(supreme: Client) -> None:
    channel = ChannelFactory()
    page = f"/admin/bots/channel/{channel.pk}/rotate/"
    before = supreme.get(page).content.decode()

    answer = supreme.post(page, {"reason": "a leak"})

    channel.refresh_from_db()
    assert vault.unseal(channel, "secret") in answer.content.decode()
    assert "whsec_" not in before
    assert AuditRow.objects.get().reason == "a leak"


def test_operators_pause_resume_ping_and_replay() -> None:
    client, channel = browser(Role.RISK), ChannelFactory()
    delivery = DeliveryFactory(channel=channel)
    Delivery.objects.update(status="FAILED", ended_at=delivery.created_at, next_action_at=None)

    said = [
        *acted(client, channel, "pause"),
        *acted(client, channel, "pause"),
        *acted(client, channel, "resume"),
        *acted(client, channel, "ping"),
        *acted(client, channel, "replay", since="2026-01-01 00:00"),
    ]

    assert said == [
        *("Pause: done.", "the channel is PAUSED (CHANNEL_WRONG_STATUS)"),
        *("Resume: done.", "Ping: done.", "Replay: done."),
    ]
    assert Event.objects.filter(kind="channel.ping").count() == 1
    assert Delivery.objects.get().status == "PENDING"
    actions = list(AuditRow.objects.order_by("pk").values_list("action", "actor"))
    assert actions == [(f"channel.{act}", "rita") for act in ("turn", "turn", "ping", "replay")]


def test_a_viewer_does_nothing() -> None:
    client, channel = browser(Role.VIEWER), ChannelFactory()

    assert acted(client, channel, "pause") == ["403"]
    assert Channel.objects.get().status == "ACTIVE"


@pytest.mark.parametrize(("what", "shown"), [("failed", 1), ("troubled", 1), ("owed", 2), ("", 4)])
def test_failures_are_a_click_away(supreme: Client, what: str, shown: int) -> None:
    failed, told, troubled, _ = DeliveryFactory.create_batch(4, channel=ChannelFactory())
    Delivery.objects.filter(pk=failed.pk).update(status="FAILED", ended_at=failed.created_at, next_action_at=None)
    told_now = {"status": "DELIVERED", "ended_at": failed.created_at, "delivered_at": failed.created_at, "next_action_at": None}
    Delivery.objects.filter(pk=told.pk).update(**told_now)
    Delivery.objects.filter(pk=troubled.pk).update(last_trouble="too slow")

    answer = supreme.get("/admin/bots/delivery/", {"what": what} if what else {})

    assert len(answer.context["cl"].result_list) == shown
