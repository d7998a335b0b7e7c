"""`GET /signals/{intent_key}`: where a signal stands."""

from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order
from execution.selectors import journey
from execution.services import intents, orders
from risk.domain.decision import Verdict
from tests.factories import NOW
from tests.factories.execution import OrderFactory, TxIntentFactory
from tests.factories.flow import bind, filled, ordered
from tests.factories.logins import operator
from tests.factories.risk import DecisionFactory, LegFactory
from tests.factories.trading import FillFactory, SignalFactory, SourceFactory
from trading.domain.mode import Book
from trading.domain.people import Role
from trading.domain.position import FillKind
from trading.domain.proof import signature_of
from trading.domain.signal import SignalStatus
from trading.domain.units import Usdc

pytestmark = pytest.mark.django_db


def ask(client: Client, raw_path: str, *, signature: str | None = None) -> object:
    """As gunicorn hands on a request: the path decoded, and the raw one beside it."""
    signature = signature_of(raw_path.encode(), secret=settings.WEBHOOK_HMAC_SECRET) if signature is None else signature
    return client.get(raw_path, headers={"X-Signature": signature}, RAW_URI=raw_path)


def test_a_filled_signal_tells_its_whole_way(client: Client) -> None:
    flow = filled(source_name="desk", signal_id="first")

    answer = ask(client, "/signals/sig:desk:first")

    assert answer.status_code == 200
    said = answer.json()
    assert (said["intent_key"], said["state"], said["book"]) == ("sig:desk:first", "filled", "LIVE")
    assert said["trace_id"] == flow.signal.trace_id
    assert said["decision"] == {
        "verdict": "APPROVED",
        "code": "",
        "message": "",
        "checks": [
            {"code": "EMERGENCY_STOP", "value": "running", "limit": "running", "verdict": "pass"},
            {"code": "LEVERAGE_ABOVE_MAX", "value": "3x", "limit": "50x", "verdict": "pass"},
        ],
    }
    assert said["orders"] == [
        {
            "action": "OPEN",
            "side": "LONG",
            "status": "FILLED",
            "reason": "",
            "market": "BTC-USD",
            "collateral_usdc": "50",
            "leverage_x": "3",
            "position_id": flow.position.pk,
            "fills": [
                {
                    "kind": "OPEN",
                    "price": "60000",
                    "collateral_usdc": "50",
                    "fee_usdc": "0",
                    "rollover_usdc": "0",
                    "funding_usdc": "0",
                    "price_pnl_usdc": "0",
                    "payout_usdc": "0",
                    "realised_pnl_usdc": "0",
                    "tx_hash": flow.send.tx_hash,
                }
            ],
            "intent": {
                "intent_key": "sig:desk:first",
                "status": "FINAL",
                "nonce": flow.intent.pk,
                "failure_code": "",
                "blocked_reason": "",
                "sends": [
                    {
                        "seq": 1,
                        "purpose": "CALL",
                        "tx_hash": flow.send.tx_hash,
                        "state": "SENT",
                        "fee_cap_wei": "2000000000",
                        "receipts": [{"block_number": flow.receipt.block_number, "is_success": True, "is_canonical": True}],
                    }
                ],
            },
        }
    ]
    assert said["timeline"][0] == {
        "event": "signal.received",
        "at": NOW.isoformat(),
        "ms": 0,
        "detail": {"side": "LONG"},
    }
    assert [moment["event"] for moment in said["timeline"]][-3:] == ["order.submitted", "order.accepted", "order.filled"]


def test_it_asks_the_same_five_queries_however_much_happened(client: Client, django_assert_num_queries: object) -> None:
    small, large = filled(), filled()
    leg = LegFactory(decision=large.decision, number=2)
    TxIntentFactory(order=OrderFactory(leg=leg, position=large.position), intent_key=f"{large.intent.intent_key}#2")
    FillFactory(position=large.position, kind=FillKind.CLOSE)

    for flow in (small, large):
        # Orders with market and intent, sends, receipts, positions, fills, timeline, decision.
        with django_assert_num_queries(5):
            journey(flow.signal)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (SignalStatus.DENIED, "denied"),
        (SignalStatus.EXPIRED, "expired"),
        (SignalStatus.SET_ASIDE, "set_aside"),
        (SignalStatus.OBSERVED, "observed"),
        (SignalStatus.WITHDRAWN, "withdrawn"),
        # It owed nothing: it took others back.
        (SignalStatus.APPROVED, "done"),
        (None, "received"),
    ],
)
def test_before_an_order_the_signal_speaks(status: SignalStatus | None, state: str) -> None:
    assert journey(SignalFactory(decided=status)).stage == state


@pytest.mark.parametrize(("left_out", "state"), [("", "ordered"), ("ATTEMPTS_EXHAUSTED", "set_aside")])
def test_a_leg_without_an_order_waits_for_one_or_was_left_out(left_out: str, state: str) -> None:
    leg = LegFactory(left_out=left_out)

    assert journey(leg.decision.signal).stage == state


def test_a_denial_shows_every_check(client: Client) -> None:
    checks = [
        {"code": "EMERGENCY_STOP", "passed": True, "value": "running", "limit": "running", "message": ""},
        {
            "code": "LEVERAGE_ABOVE_MAX",
            "passed": False,
            "value": "51x",
            "limit": "50x",
            "message": "Leverage 51x exceeds max 50x",
        },
    ]
    signal = SignalFactory(source_name="desk", signal_id="bold", decided=SignalStatus.DENIED)
    DecisionFactory(signal=signal, verdict=Verdict.DENIED, code="LEVERAGE_ABOVE_MAX", message=checks[1]["message"], checks=checks)

    said = ask(client, "/signals/sig:desk:bold").json()

    assert (said["state"], said["orders"]) == ("denied", [])
    assert (said["decision"]["code"], said["decision"]["message"]) == ("LEVERAGE_ABOVE_MAX", "Leverage 51x exceeds max 50x")
    assert [check["verdict"] for check in said["decision"]["checks"]] == ["pass", "fail"]


_WAYS = (
    ([], [], "ordered"),
    ([IntentStatus.BUILDING, IntentStatus.FAILED], [], "failed"),
    ([IntentStatus.EXPIRED], [], "expired"),
    ([IntentStatus.CANCELED], [], "canceled"),
    ([IntentStatus.BUILDING, IntentStatus.BUILT, IntentStatus.SENDING, IntentStatus.SENT], [], "sent"),
    ([IntentStatus.BUILDING, IntentStatus.BUILT, IntentStatus.SENDING, IntentStatus.SENT, IntentStatus.MINED], [], "mined"),
    (
        [
            IntentStatus.BUILDING,
            IntentStatus.BUILT,
            IntentStatus.SENDING,
            IntentStatus.SENT,
            IntentStatus.MINED,
            IntentStatus.REVERTED,
        ],
        [],
        "rejected",
    ),
    (
        [IntentStatus.BUILDING, IntentStatus.BUILT, IntentStatus.SENDING, IntentStatus.SENT, IntentStatus.MINED],
        [OrderStatus.ACCEPTED, OrderStatus.CANCELED],
        "canceled",
    ),
)


@pytest.mark.parametrize(("moves", "order_moves", "state"), _WAYS)
def test_an_order_and_its_intent_say_how_far_it_is(moves: list[IntentStatus], order_moves: list[OrderStatus], state: str) -> None:
    signal, _, _, order, intent = ordered()
    with transaction.atomic():
        for target in moves:
            if target is IntentStatus.SENDING:
                bind(intent)
            else:
                intents.move(intent, target, at=NOW)
        for each in order_moves:
            orders.move(Order.objects.get(pk=order.pk), each, at=NOW)

    assert journey(signal).stage == state


def test_of_several_orders_the_one_that_is_least_far_speaks() -> None:
    flow = filled()
    leg = LegFactory(decision=flow.decision, number=2)
    TxIntentFactory(order=OrderFactory(leg=leg), intent_key=f"{flow.intent.intent_key}#2")

    assert journey(flow.signal).stage == "ordered"


def test_only_the_fills_of_its_own_block_and_kind_belong_to_an_order() -> None:
    flow = filled()
    FillFactory(position=flow.position, kind=FillKind.CLOSE, block_hash=flow.fill.block_hash, log_index=1)
    FillFactory(position=flow.position, kind=FillKind.CLOSE)
    FillFactory(position=flow.position, block_hash=flow.fill.block_hash, log_index=2, is_canonical=False)

    (standing,) = journey(flow.signal).orders

    assert [fill.pk for fill in standing.fills] == [flow.fill.pk]


def test_a_paper_fill_is_found_by_its_order() -> None:
    signal, _, _, order, intent = ordered(book=Book.PAPER)
    fill = FillFactory(position__book=Book.PAPER, chain_id=0, block_hash=intent.intent_key, tx_hash=intent.intent_key)
    order.position, order.fill = fill.position, fill
    with transaction.atomic():
        for target in (IntentStatus.BUILDING, IntentStatus.BUILT, IntentStatus.SIMULATED):
            intents.move(intent, target, at=NOW)
        orders.move(order, OrderStatus.FILLED, at=NOW)

    found = journey(signal)

    assert (found.stage, [each.pk for each in found.orders[0].fills]) == ("filled", [fill.pk])
    assert found.orders[0].fills[0].collateral_usdc == Usdc.of(50)


@pytest.mark.parametrize("is_encoded_again", [False, True])
def test_a_key_with_percent_signs_is_found_as_sent_and_encoded_once_more(client: Client, is_encoded_again: bool) -> None:
    signal = SignalFactory(source_name="a:b/c", signal_id="ü 1")
    assert signal.intent_key == "sig:a%3Ab%2Fc:%C3%BC%201"
    key = quote(signal.intent_key, safe=":") if is_encoded_again else signal.intent_key

    answer = ask(client, f"/signals/{key}")

    assert (answer.status_code, answer.json()["intent_key"]) == (200, signal.intent_key)


@pytest.mark.parametrize("signature", ["", "00", "ü"])
def test_without_a_signature_nothing_is_told_not_even_who_exists(client: Client, signature: str) -> None:
    SignalFactory(source_name="desk", signal_id="first")

    answers = [ask(client, f"/signals/sig:desk:{name}", signature=signature) for name in ("first", "none")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json() == {"code": "SIGNATURE_INVALID", "message": "the signature doesn't match"}


def test_a_signature_is_good_for_its_own_path_only(client: Client) -> None:
    SignalFactory(source_name="desk", signal_id="first")
    other = signature_of(b"/signals/sig:desk:other", secret=settings.WEBHOOK_HMAC_SECRET)

    assert ask(client, "/signals/sig:desk:first", signature=other).status_code == 401


def test_an_unknown_key_is_not_found(client: Client) -> None:
    answer = ask(client, "/signals/sig:desk:none")

    assert (answer.status_code, answer.json()["code"]) == (404, "SIGNAL_UNKNOWN")


def test_the_default_source_does_not_see_the_signals_of_others(client: Client) -> None:
    SignalFactory(source=SourceFactory(name="telegram"), source_name="telegram:1", signal_id="x")

    assert ask(client, "/signals/sig:telegram%3A1:x").status_code == 404


def test_who_may_look_sees_every_signal_without_a_signature(client: Client) -> None:
    SignalFactory(source=SourceFactory(name="telegram"), source_name="telegram", signal_id="x")
    client.force_login(operator("bob", Role.VIEWER))

    assert client.get("/signals/sig:telegram:x").status_code == 200


def test_somebody_who_is_only_logged_in_sees_nothing(client: Client) -> None:
    SignalFactory(source_name="desk", signal_id="first")
    client.force_login(operator("eve"))

    assert client.get("/signals/sig:desk:first").status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/signals/sig:desk:first").status_code == 405
