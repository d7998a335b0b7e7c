"""The console's pages on which people act on senders and intents."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from execution import conf
from execution.domain.intent import Blocked
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose
from execution.models.sender import SenderStatus
from tests.factories.logins import operator
from tests.scenario import way
from tests.scenario.world import World
from trading.conf import mode_switch
from trading.domain.people import Role
from trading.domain.units import Wei
from trading.models import AuditRow

GWEI = 10**9


@pytest.fixture(autouse=True)
def _desk_of_its_own(settings: Settings) -> Iterator[None]:
    """The process's own desk, made anew, and a switch that can be read: the banner's trouble would be everybody's."""
    settings.MODE_SWITCH = "tests.fakes.switch.Switch"
    conf.desk.cache_clear()
    mode_switch.cache_clear()
    yield
    conf.desk.cache_clear()
    mode_switch.cache_clear()


@pytest.fixture
def console(world: World) -> Client:
    """A browser that a superuser is logged in with."""
    return _browser(User.objects.create_superuser("ada", password="not used"))


def _browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _staff(*roles: Role) -> Client:
    return _browser(operator("bob", *roles))


def _page(row: Sender | TxIntent) -> str:
    return f"/admin/execution/{row._meta.model_name}/{row.pk}/operate/"


def _acted(client: Client, row: Sender | TxIntent, act: str, **said: str) -> list[str]:
    answer = client.post(_page(row), {"act": act, "reason": "a drill", **said}, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def test_a_senders_page_shows_the_report_and_every_act(world: World, console: Client) -> None:
    world.admit(123)
    way.send(world)

    page = console.get(_page(way.sender())).content.decode()

    assert "<td>mined and in the pool</td><td>1</td><td>1</td><td>ok</td>" in page
    assert "<td>gaps</td><td>none</td><td>none</td><td>ok</td>" in page
    for act in ("pause", "drain", "resume", "rebroadcast", "limits", "top_up", "treasury", "release"):
        assert f'name="act" value="{act}"' in page
    # Who reads a page changes nothing.
    assert not AuditRow.objects.filter(actor="ada").exists()


def test_without_a_node_the_acts_are_there_all_the_same(world: World, console: Client, settings: Settings) -> None:
    settings.BASE_RPC_URLS = ("http://127.0.0.1:1",)

    answer = console.get(_page(way.sender()))

    assert (answer.status_code, answer.context["heads"]) == (200, ())
    assert answer.context["trouble"]
    assert _acted(console, way.sender(), "pause") == ["Pause: done."]


def test_the_lists_lead_to_the_pages(world: World, console: Client) -> None:
    world.admit(123)
    intent = way.owe(world)

    for row in (way.sender(), intent):
        place = f"/admin/execution/{row._meta.model_name}/"
        for page in (place, f"{place}{row.pk}/change/"):
            assert f'href="{_page(row)}"' in console.get(page).content.decode()


def test_a_sender_is_paused_and_resumed_by_name_and_reason(world: World, console: Client) -> None:
    assert _acted(console, way.sender(), "pause") == ["Pause: done."]
    assert (way.sender().status, way.sender().status_reason) == (SenderStatus.PAUSED, "ada: a drill")
    assert _acted(console, way.sender(), "pause") == ["the sender is PAUSED: it can't go there (SENDER_STATUS)"]
    assert _acted(console, way.sender(), "resume") == ["Resume: done."]

    said = AuditRow.objects.filter(action="sender.turn").values_list("actor", "reason")
    assert list(said) == [("ada", "a drill")] * 2


@pytest.mark.parametrize("act", ["pause", "drain", "resume", "rebroadcast", "limits", "top_up", "treasury", "release"])
def test_no_act_on_a_sender_goes_without_a_reason(world: World, console: Client, act: str) -> None:
    before = Sender.objects.values().get()

    (said,) = _acted(console, way.sender(), act, reason=" ")

    assert "reason: This field is required." in said
    assert Sender.objects.values().get() == before


def test_a_release_is_typed_out(world: World, console: Client) -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED, status_reason="a test")

    assert _acted(console, way.sender(), "release", confirmation="release") == ["confirmation: Type RELEASE."]
    assert way.sender().status == SenderStatus.QUARANTINED
    assert _acted(console, way.sender(), "release", confirmation="RELEASE") == ["Release: done."]
    assert way.sender().status == SenderStatus.ACTIVE


def test_a_count_is_adopted_only_as_the_nodes_say_it(world: World, console: Client) -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED, status_reason="a test")

    (said,) = _acted(console, way.sender(), "release", confirmation="RELEASE", adopt_count="2")

    assert said == "the nodes don't agree on 2: node 0: 0; with the pool 0 (COUNT_UNPROVEN)"
    assert (way.sender().status, way.sender().next_nonce) == (SenderStatus.QUARANTINED, 0)


def test_limits_are_set(world: World, console: Client) -> None:
    assert _acted(console, way.sender(), "limits", ceiling_gwei="7", max_in_flight="8") == ["Limits: done."]

    sender = way.sender()
    assert (sender.fee_ceiling_wei, sender.max_in_flight, sender.gas_floor_wei) == (Wei(7 * GWEI), 8, Wei(5 * 10**14))


def test_the_treasury_is_typed_out(world: World, console: Client) -> None:
    assert _acted(console, way.sender(), "treasury", confirmation="yes") == ["confirmation: Type TREASURY."]
    assert _acted(console, way.sender(), "treasury", confirmation="TREASURY") == ["Treasury: done."]

    assert way.sender().is_treasury is True


def test_what_is_on_the_wire_is_sent_again(world: World, console: Client) -> None:
    world.admit(123)
    way.send(world)

    assert _acted(console, way.sender(), "rebroadcast") == ["Rebroadcast: done."]
    assert TxSend.objects.get().times_sent == 2


def test_an_intent_is_bumped_and_canceled_from_its_page(world: World, console: Client) -> None:
    world.admit(123)
    intent = way.send(world)

    assert _acted(console, intent, "bump") == ["Bump: done."]
    # Its audit row and the next look are at the database's time.
    TxIntent.objects.update(next_action_at=world.now)
    way.drain(world)
    assert _acted(console, intent, "limit", ceiling_gwei="400") == ["Ceiling: done."]
    assert _acted(console, intent, "cancel", confirmation="cancel") == ["confirmation: Type CANCEL."]
    assert _acted(console, intent, "cancel", confirmation="CANCEL") == ["Cancel: done."]
    TxIntent.objects.update(next_action_at=world.now)
    way.drain(world)

    purposes = list(TxSend.objects.order_by("seq").values_list("purpose", flat=True))
    assert purposes == [Purpose.CALL, Purpose.CALL, Purpose.CANCELLATION]
    assert way.fresh(intent).cancel_reason == "WITHDRAWN: a drill"
    page = console.get(_page(intent)).content.decode()
    assert "<td>SENT</td><td></td><td>0</td><td>WITHDRAWN: a drill</td><td>400000000000</td>" in page


def test_an_intent_is_given_up_by_its_words_and_by_proof(world: World, console: Client) -> None:
    world.admit(123)
    intent = way.send(world)
    assert _acted(console, intent, "give_up", confirmation="give up") == ["confirmation: Type GIVE UP."]
    (unproven,) = _acted(console, intent, "give_up", confirmation="GIVE UP")
    TxIntent.objects.update(blocked_reason=Blocked.NONCE, doubted_at_block=1)

    assert _acted(console, intent, "give_up", confirmation="GIVE UP") == ["Give up: done."]

    assert unproven.endswith("(INTENT_MAY_BE_MINED)")
    assert (way.fresh(intent).status, way.fresh(intent).failure_code) == ("CANCELED", "NONCE_USED_ELSEWHERE: a drill")


def test_giving_up_needs_a_super_admin(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    TxIntent.objects.update(blocked_reason=Blocked.NONCE, doubted_at_block=1)
    said = {"act": "give_up", "reason": "a drill", "confirmation": "GIVE UP"}

    assert _staff(Role.RISK).post(_page(intent), said).status_code == 403
    assert way.fresh(intent).status == "SENT"


def test_an_illegal_act_is_refused_with_its_code(world: World, console: Client) -> None:
    world.admit(123)
    intent = way.owe(world)

    (said,) = _acted(console, intent, "bump")

    assert said.endswith("(INTENT_NOT_SENT)")


@pytest.mark.parametrize("act", ["resume", "limits", "top_up", "treasury", "release"])
def test_what_raises_a_risk_needs_a_super_admin_and_the_attempt_is_kept(world: World, act: str) -> None:
    risk = _staff(Role.RISK)
    said = {"act": act, "reason": "a drill", "confirmation": act.upper()}

    answer = risk.post(_page(way.sender()), said)

    assert (answer.status_code, answer.json()["message"]) == (403, "EMPOWER needs the role super-admin; bob has risk")
    row = AuditRow.objects.get(actor="bob")
    assert (row.action, row.subject, row.after["act"]) == ("act.refused", f"sender:{way.sender().pk}", "EMPOWER")
    assert f'value="{act}"' not in risk.get(_page(way.sender())).content.decode()
    assert _acted(risk, way.sender(), "pause") == ["Pause: done."]


def test_who_only_watches_sees_the_page_and_does_nothing(world: World) -> None:
    watcher = _staff(Role.TRADER)

    refused = {watcher.post(_page(way.sender()), {"act": act, "reason": "why"}).status_code for act in ("pause", "nothing")}

    assert (refused, watcher.get(_page(way.sender())).status_code) == ({403}, 200)
    assert way.sender().status == SenderStatus.ACTIVE


def test_who_may_not_even_watch_is_refused(world: World) -> None:
    nobody = _staff()

    assert [nobody.get(_page(way.sender())).status_code, nobody.post(_page(way.sender())).status_code] == [403, 403]


def test_a_form_without_its_token_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ada", password="not used"))

    assert client.post(_page(way.sender()), {"act": "pause", "reason": "why"}).status_code == 403
    assert way.sender().status == SenderStatus.ACTIVE


def test_a_row_that_isnt_there_has_no_page(world: World, console: Client) -> None:
    assert console.get("/admin/execution/sender/999999/operate/").status_code == 404
