"""The client against the desk itself: what it sends arrives once, and what goes wrong has a kind."""

import itertools
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.factories.trading import PositionFactory, SignalFactory
from tests.integration.vanta_site.client.conftest import World
from trading.models import Signal
from vanta import Desk, Problem, Refused, Silent, Unknown, Unrecognized


class Losing(httpx.BaseTransport):
    """The real wire, which loses the first answers."""

    def __init__(self, *, losses: int) -> None:
        self._wire = httpx.HTTPTransport()
        self._left = losses
        self.sent = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and lose what comes back."""
        self.sent += 1
        answer = self._wire.handle_request(request)
        if self._left:
            self._left -= 1
            answer.close()
            raise httpx.ReadTimeout("lost", request=request)
        return answer


def test_a_signal_is_accepted_and_found_again(world: World, client: Desk) -> None:
    first = client.send_signal(**world.entry, signal_id="one")
    again = client.send_signal(**world.entry, signal_id="one")

    assert (first.status, again.status, first.id) == ("accepted", "duplicate", again.id)
    stored = Signal.objects.get(pk=first.id)
    assert (stored.signal_id, str(stored.collateral_usdc), str(stored.leverage_x)) == ("one", "50", "3")
    assert client.find_signal(first.intent_key) == first.id


def test_a_lost_answer_is_asked_for_again_and_the_signal_is_one(world: World) -> None:
    wire = Losing(losses=2)
    before = Signal.objects.count()

    with Desk(url=world.url, token=world.token, transport=wire, sleep=lambda _: None) as desk:
        accepted = desk.send_signal(**world.entry)

    assert (wire.sent, accepted.status, Signal.objects.count()) == (3, "duplicate", before + 1)


def test_who_never_hears_an_answer_is_told_that_nobody_knows(world: World) -> None:
    with (
        Desk(url=world.url, token=world.token, transport=Losing(losses=9), sleep=lambda _: None) as desk,
        pytest.raises(Silent) as silence,
    ):
        desk.send_signal(**world.entry)

    assert (silence.value.code, silence.value.exit_code) == ("NO_ANSWER", 4)


def test_a_journey_is_told_as_it_stands(world: World, client: Desk) -> None:
    (journey,) = client.follow(world.flow.signal.pk)

    assert (journey.state, journey.has_ended, journey.book, journey.reason) == ("filled", True, "LIVE", "")
    assert journey.timeline[0].event == "signal.received"


def test_what_goes_on_is_followed_no_longer_than_asked(world: World, client: Desk) -> None:
    waiting = SignalFactory()

    with pytest.raises(Silent, match="still received after 0 s; it goes on"):
        list(client.follow(waiting.pk, seconds=0))


def test_positions_come_page_after_page(world: World, client: Desk) -> None:
    PositionFactory.create_batch(3, trader=world.flow.signal.trader)

    first = client.positions(limit=2, status="OPEN")
    found = list(client.all_positions(limit=2, status="OPEN"))

    assert (len(first.results), first.next is not None, len(found)) == (2, True, 4)
    assert [each.id for each in found] == sorted((each.id for each in found), reverse=True)
    assert (found[-1].symbol, found[-1].collateral_usdc, found[-1].direction) == ("BTC-USD", Decimal(50), "LONG")


def test_the_same_key_closes_once(world: World, client: Desk) -> None:
    position = world.flow.position.pk

    answers = [client.close_position(position, reduce_pct="50", key="a").status for _ in range(2)]

    assert answers == ["accepted", "duplicate"]
    assert Signal.objects.get(position_id=position).reduce_pct is not None


def test_the_mode_is_seen_and_switched(client: Desk) -> None:
    assert client.mode().configured == "DRY"
    assert client.switch_mode("DRY", reason="drill").mode == "DRY"
    assert client.emergency_stop(reason="drill").emergency_stop is True


def test_what_happens_is_read_in_order_and_from_a_place(world: World, client: Desk) -> None:
    found, place = client.events(trace_id=world.flow.signal.trace_id)
    assert found[0].kind == "signal.received"

    client.send_signal(**world.entry)
    (event,) = itertools.islice(client.tail(after=place), 1)
    assert (event.kind, client.events(after="latest")[0]) == ("signal.received", ())


@pytest.mark.parametrize(
    ("ask", "kind", "code"),
    [
        (lambda desk, world: desk.send_signal(**world.entry | {"symbol": "NO-USD"}), Refused, "SYMBOL_UNKNOWN"),
        (lambda desk, world: desk.send_signal(**world.entry | {"leverage_x": "-3"}), Refused, "FIELD_INVALID"),
        (lambda desk, _: desk.switch_mode("LIVE", reason="drill"), Refused, "FIELD_MISSING"),
        (lambda desk, _: desk.close_position(10**9), Unknown, "NOT_FOUND"),
        (lambda desk, _: desk.journey(10**9), Unknown, "NOT_FOUND"),
        (lambda desk, _: desk.find_signal("sig:no:body"), Unknown, "NOT_FOUND"),
    ],
)
def test_what_goes_wrong_has_a_kind_and_a_code(world: World, client: Desk, ask: Any, kind: type[Problem], code: str) -> None:
    with pytest.raises(kind) as problem:
        ask(client, world)

    assert problem.value.code == code


def test_the_same_id_with_another_body_is_refused(world: World, client: Desk) -> None:
    client.send_signal(**world.entry, signal_id="one")

    with pytest.raises(Refused) as conflict:
        client.send_signal(**world.entry | {"leverage_x": 4}, signal_id="one")

    assert (conflict.value.code, conflict.value.status) == ("SIGNAL_CONFLICT", 409)


@pytest.mark.parametrize("token", ["nonsense", "vanta_0_0"])
def test_a_token_that_is_not_good_is_not_recognized(world: World, token: str) -> None:
    with Desk(url=world.url, token=token) as desk, pytest.raises(Unrecognized) as problem:
        desk.mode()

    assert problem.value.code == "TOKEN_INVALID"


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nX-Evil: 1", "ü"])
def test_what_no_header_can_hold_is_no_token(token: str) -> None:
    with pytest.raises(Unrecognized):
        Desk(url="http://desk.example.org", token=token)


def test_a_token_that_only_reads_does_nothing(world: World) -> None:
    with Desk(url=world.url, token=world.readers_token) as desk:
        assert desk.mode().mode == "DRY"
        with pytest.raises(Unrecognized) as problem:
            desk.send_signal(**world.entry)

    assert problem.value.code == "NOT_ALLOWED"


def test_what_answers_something_else_is_no_desk() -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))

    with (
        Desk(url="http://desk.example.org", token="x", transport=page, sleep=lambda _: None) as desk,
        pytest.raises(Silent) as silence,
    ):
        desk.mode()

    assert silence.value.code == "NO_DESK"


def test_neither_a_redirect_nor_another_host_sees_the_token() -> None:
    seen: list[str] = []

    def lead_away(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere.example.org/"}, json={"code": "MOVED"})

    with (
        Desk(url="http://desk.example.org", token="x", transport=httpx.MockTransport(lead_away)) as desk,
        pytest.raises(Refused),
    ):
        desk.mode()

    assert seen == ["desk.example.org"]
