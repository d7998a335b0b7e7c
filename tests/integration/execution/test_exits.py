"""What became of closes: nothing is called unfilled before that is proven."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent
from execution.selectors import Exits
from execution.services import intents, orders
from risk.models import Leg
from tests.factories import NOW
from tests.factories.execution import OrderFactory, TxIntentFactory
from tests.factories.risk import CloseLegFactory, DecisionFactory
from tests.factories.trading import CloseSignalFactory
from trading.domain.guarding import Fate
from trading.domain.signal import SignalStatus
from trading.domain.units import Usdc
from trading.models import Signal

pytestmark = pytest.mark.django_db


def fate(signal: Signal) -> Fate:
    return Exits().fates([signal.pk])[signal.pk]


def closing() -> tuple[Signal, Leg, Order, TxIntent]:
    """A close that is approved, with its order and its intent."""
    signal = CloseSignalFactory(decided=SignalStatus.APPROVED)
    leg = CloseLegFactory(decision=DecisionFactory(signal=signal))
    order = OrderFactory(leg=leg)
    return signal, leg, order, TxIntentFactory(order=order)


def move(order: Order, *targets: OrderStatus) -> None:
    with transaction.atomic():
        for target in targets:
            orders.move(order, target, at=NOW)


@pytest.mark.parametrize("status", [SignalStatus.DENIED, SignalStatus.SET_ASIDE, SignalStatus.EXPIRED])
def test_what_was_never_allowed_was_not_filled(status: SignalStatus) -> None:
    assert fate(CloseSignalFactory(decided=status)) is Fate.UNFILLED


def test_what_waits_for_its_decision_is_under_way() -> None:
    assert fate(CloseSignalFactory()) is Fate.UNDER_WAY


def test_a_close_is_under_way_until_the_venue_fills_it() -> None:
    signal, _, order, _ = closing()
    seen = [fate(signal)]
    for target in (OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.FILLED):
        move(order, target)
        seen.append(fate(signal))

    assert seen == [Fate.UNDER_WAY] * 3 + [Fate.FILLED]


def test_what_the_venue_gave_back_is_unfilled_once_its_transaction_is_settled_for_good() -> None:
    signal, _, order, intent = closing()
    move(order, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.CANCELED)
    assert fate(signal) is Fate.UNDER_WAY

    with transaction.atomic():
        intents.move(intent, IntentStatus.CANCELED, at=NOW)

    assert fate(signal) is Fate.UNFILLED


def test_what_a_reorganization_brings_back_is_under_way_again() -> None:
    signal, _, order, _ = closing()
    move(order, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.FILLED, OrderStatus.ACCEPTED)

    assert fate(signal) is Fate.UNDER_WAY


def test_a_leg_of_which_no_order_was_made_is_unfilled() -> None:
    signal = CloseSignalFactory(decided=SignalStatus.APPROVED)
    CloseLegFactory(decision=DecisionFactory(signal=signal), settled_at=NOW, next_action_at=None, left_out="ATTEMPTS_EXHAUSTED")

    assert fate(signal) is Fate.UNFILLED


def test_what_is_being_closed_is_the_sum_of_what_holds_room() -> None:
    leg = CloseLegFactory(collateral_usdc=Usdc.of(20))
    CloseLegFactory(position=leg.position, collateral_usdc=Usdc.of(5))
    CloseLegFactory(position=leg.position, collateral_usdc=Usdc.of(7), settled_at=NOW, next_action_at=None)

    assert Exits().closing([leg.position_id, 0]) == {leg.position_id: Usdc.of(25)}


def test_many_cost_the_queries_of_one() -> None:
    signals = [closing()[0].pk for _ in range(3)]

    with CaptureQueriesContext(connection) as seen:
        assert set(Exits().fates(signals).values()) == {Fate.UNDER_WAY}
    assert len(seen) == 2
    assert Exits().fates([]) == {}
