"""Whole flows for pages that show them: a signal with everything that it caused."""

from dataclasses import dataclass

from django.db import transaction

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxReceipt, TxSend
from execution.models.send import SendState
from execution.services import intents, orders
from execution.services.intents import Move
from risk.models import Decision, Leg
from tests.factories import NOW
from tests.factories.execution import OrderFactory, TxIntentFactory, TxSendFactory
from tests.factories.risk import DecisionFactory, LegFactory
from tests.factories.trading import FillFactory, PositionFactory, SignalFactory
from trading.domain.mode import Book
from trading.domain.signal import SignalStatus
from trading.domain.units import Wei
from trading.models import Fill, Position, Signal
from trading.services import journal

CHECKS = [
    {"code": "EMERGENCY_STOP", "passed": True, "value": "running", "limit": "running", "message": ""},
    {"code": "LEVERAGE_ABOVE_MAX", "passed": True, "value": "3x", "limit": "50x", "message": ""},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One filled open with its whole way."""

    signal: Signal
    decision: Decision
    leg: Leg
    order: Order
    intent: TxIntent
    send: TxSend
    receipt: TxReceipt
    position: Position
    fill: Fill


def ordered(**of_signal: object) -> tuple[Signal, Decision, Leg, Order, TxIntent]:
    """A signal up to its intent; nothing sent."""
    signal = SignalFactory(decided=SignalStatus.APPROVED, **of_signal)
    decision = DecisionFactory(signal=signal, checks=CHECKS)
    leg = LegFactory(decision=decision)
    order = OrderFactory(leg=leg)
    intent = TxIntentFactory(order=order)
    with transaction.atomic():
        journal.record("signal.received", signal, at=NOW, trace_id=signal.trace_id, side=signal.side)
    return signal, decision, leg, order, intent


def filled(**of_signal: object) -> Flow:
    """A LIVE open: sent, mined, filled."""
    signal, decision, leg, order, intent = ordered(book=Book.LIVE, **of_signal)
    send = TxSendFactory(intent=_sending(intent), state=SendState.SENT, tx_hash=f"0xc{signal.pk:063x}")
    # Apart from the hashes that the fills of other factories count up.
    block_hash = f"0xb{signal.pk:063x}"
    receipt = TxReceipt.objects.create(
        send=send,
        block_number=signal.pk,
        block_hash=block_hash,
        is_success=True,
        gas_used=21_000,
        gas_price_wei=Wei(1),
        l1_fee_wei=Wei(0),
        seen_at=NOW,
    )
    position = PositionFactory(trader=signal.trader, market=signal.market)
    fill = FillFactory(position=position, block_hash=block_hash, tx_hash=send.tx_hash)
    order.refresh_from_db()
    order.position, order.fill, order.settled_in_block = position, fill, block_hash
    with transaction.atomic():
        for target in (IntentStatus.SENT, IntentStatus.MINED, IntentStatus.FINAL):
            intents.move(intent, target, at=NOW)
        orders.move(order, OrderStatus.SUBMITTED, at=NOW)
        orders.move(order, OrderStatus.ACCEPTED, at=NOW)
        orders.move(order, OrderStatus.FILLED, at=NOW)
    return Flow(
        signal=signal,
        decision=decision,
        leg=leg,
        order=order,
        intent=intent,
        send=send,
        receipt=receipt,
        position=position,
        fill=fill,
    )


def _sending(intent: TxIntent) -> TxIntent:
    with transaction.atomic():
        for target in (IntentStatus.BUILDING, IntentStatus.BUILT):
            intents.move(intent, target, at=NOW)
        bind(intent)
    return intent


def bind(intent: TxIntent) -> None:
    """Give a built intent a nonce."""
    intent.nonce, intent.reserved_at = intent.pk, NOW
    intents.move_all([Move(intent=intent, target=IntentStatus.SENDING)], at=NOW, fields=("nonce", "reserved_at"))
