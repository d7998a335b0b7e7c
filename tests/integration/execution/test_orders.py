"""Each leg that a decision allows becomes one order; a leg that can't is set aside, and the account's others go on."""

import pytest
from django.db import IntegrityError
from structlog.testing import capture_logs

from execution.adapters.accounts import DeskAccounts
from execution.models import Delegation, Order, Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import orders
from risk.models import Leg
from risk.services import decisions
from tests.factories.execution import TxIntentFactory
from tests.scenario import way
from tests.scenario.world import World
from trading.models import Event, Signal, Trader

HELD_SECONDS = orders.CLAIM_SPAN.total_seconds()


def _decide(world: World, *signals: Signal) -> list[Leg]:
    """The one leg of each signal, decided and without an order."""
    accounts = DeskAccounts(world.desk)
    for signal in signals:
        decisions.drain(trader_id=signal.trader_id, switch=world.switch, accounts=accounts, clock=world.clock)
    return [Leg.objects.get(decision__signal=signal) for signal in signals]


def _spoil(leg: Leg) -> None:
    """Let its key be another intent's: the database takes no second one, as after a bug or a restored backup."""
    TxIntentFactory(intent_key=leg.decision.signal.intent_key)


def _spoiled(world: World) -> tuple[Trader, Leg, Leg, Leg]:
    """An account with a bad leg between two good ones."""
    trader = world.admit(123)
    first, bad, last = _decide(world, *(way.tell(world) for _ in range(3)))
    _spoil(bad)
    return trader, first, bad, last


def _raising_calls(world: World, trader: Trader) -> int:
    """Take in until it no longer raises; how often it did."""
    raised = 0
    while True:
        try:
            orders.take_in(trader_id=trader.pk, at=world.now)
        except IntegrityError:
            raised += 1
        else:
            return raised
        way.wait(world, HELD_SECONDS)


def _ordered(*legs: Leg) -> list[bool]:
    return [Order.objects.filter(leg=leg).exists() for leg in legs]


def test_a_leg_that_raises_is_set_aside_and_the_others_have_their_orders(world: World) -> None:
    trader, first, bad, last = _spoiled(world)

    with capture_logs() as said:
        raised = _raising_calls(world, trader)

    assert raised == orders.MAX_ATTEMPTS
    assert _ordered(first, bad, last) == [True, False, True]
    errors = [(line["event"], line["leg"]) for line in said if line["log_level"] == "error"]
    assert errors == [("leg.set_aside", bad.pk)]
    event = Event.objects.get(kind="leg.set_aside")
    assert (event.subject, event.facts) == (
        f"leg:{bad.pk}",
        {"reason": orders.ATTEMPTS_EXHAUSTED, "attempts": orders.MAX_ATTEMPTS},
    )
    assert event.trace_id == bad.decision.signal.trace_id


def test_what_is_set_aside_gives_its_room_back(world: World) -> None:
    trader, first, bad, last = _spoiled(world)

    _raising_calls(world, trader)

    bad.refresh_from_db()
    assert (bad.settled_at, bad.next_action_at, bad.attempts) == (world.now, None, orders.MAX_ATTEMPTS)
    assert set(Leg.objects.holding_room().filter(trader=trader)) == {first, last}


def test_the_others_wait_for_one_failure_and_no_more(world: World) -> None:
    trader, first, bad, last = _spoiled(world)

    seen = []
    for _ in range(3):
        with pytest.raises(IntegrityError):
            orders.take_in(trader_id=trader.pk, at=world.now)
        seen.append(_ordered(first, bad, last))
        way.wait(world, HELD_SECONDS)

    # All three together, then one by one, the least tried first.
    assert seen == [[False] * 3, [True, False, False], [True, False, True]]


def test_what_comes_later_overtakes_a_leg_that_raises(world: World) -> None:
    trader, _, bad, _ = _spoiled(world)
    for _ in range(2):
        with pytest.raises(IntegrityError):
            orders.take_in(trader_id=trader.pk, at=world.now)
        way.wait(world, HELD_SECONDS)

    (later,) = _decide(world, way.tell(world))
    with pytest.raises(IntegrityError):
        orders.take_in(trader_id=trader.pk, at=world.now)

    assert _ordered(later, bad) == [True, False]


def test_if_what_was_tried_went_with_the_others_all_would_be_set_aside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trader, *legs = _spoiled(world)
    monkeypatch.setattr(orders, "_batch", list)

    _raising_calls(world, trader)

    assert _ordered(*legs) == [False] * 3
    assert not Leg.objects.holding_room().filter(trader=trader).exists()


def test_what_a_dead_worker_had_claimed_is_due_again(world: World) -> None:
    trader = world.admit(123)
    (leg,) = _decide(world, way.tell(world))

    assert orders._claim(trader.pk, at=world.now) == [leg.pk]
    meanwhile = orders.take_in(trader_id=trader.pk, at=world.now)
    way.wait(world, HELD_SECONDS)
    afterwards = orders.take_in(trader_id=trader.pk, at=world.now)

    assert (meanwhile, afterwards) == (0, 1)


def test_who_claimed_and_slept_takes_in_nothing_twice(world: World) -> None:
    trader = world.admit(123)
    _decide(world, way.tell(world))
    slept = orders._claim(trader.pk, at=world.now)
    way.wait(world, HELD_SECONDS)
    orders.take_in(trader_id=trader.pk, at=world.now)

    assert orders._owe(slept, trader_id=trader.pk, at=world.now) == 0
    assert TxIntent.objects.count() == 1


def test_waiting_for_a_sender_is_no_attempt(world: World) -> None:
    trader = world.admit(123)
    (leg,) = _decide(world, way.tell(world))
    Delegation.objects.update(is_home=False)
    Sender.objects.update(status=SenderStatus.PAUSED)

    for _ in range(orders.MAX_ATTEMPTS + 1):
        assert orders.take_in(trader_id=trader.pk, at=world.now) == 0
        way.wait(world, orders.HOMELESS_PAUSE.total_seconds())

    Sender.objects.update(status=SenderStatus.ACTIVE)
    assert orders.take_in(trader_id=trader.pk, at=world.now) == 1
    assert _ordered(leg) == [True]
