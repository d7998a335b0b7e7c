"""Building: each call encoded, simulated and estimated before its intent may have a nonce.

Late reservation is the best gap prevention: what can't work fails here, where nothing is bound yet.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Q

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import fees
from execution.domain.chain import Call, Outcome, Simulation
from execution.domain.fees import Offer
from execution.domain.intent import Blocked, IntentStatus
from execution.domain.signing import MAX_TRANSACTION_GAS, SigningDenied
from execution.models import Order, TxIntent
from execution.models.intent import TxIntentQuerySet
from execution.ports import CloseRequest, OpenRequest, UnsignedCall
from execution.services import intents, nonces, papering, quoting, venue_room
from execution.services.intents import Move
from risk.domain.decision import Action
from trading import selectors
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.units import Price
from trading.kinds import step, write
from trading.lanes import Lease

log = structlog.get_logger(__name__)

BATCH = 100

# What raised or killed its worker this often fails: it has no nonce, so nothing hangs on it.
MAX_ATTEMPTS = 8
_PAUSE = timedelta(seconds=1)

# Which of a sender's due intents are built next.
Choice = Callable[[Lease, datetime], list[TxIntent]]


@step
def build_due(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Build every due intent of a sender that nobody has tried before."""
    while (batch := _claim(lease, _untried, at=clock())) is not None:
        _build(lease, batch, desk=desk, clock=clock)


@step
def build_suspect(lease: Lease, *, desk: Desk, clock: Clock) -> bool:
    """Build, alone, the intent that was tried least often before. False if there is none.

    One of them may be what raised or killed its worker: it takes nobody along.
    """
    if not _suspect(lease, clock()):
        return False
    _build(lease, _claim(lease, _suspect, at=clock()) or [], desk=desk, clock=clock)
    return True


def _build(lease: Lease, batch: list[TxIntent], *, desk: Desk, clock: Clock) -> None:
    views = selectors.price_views(now=clock())
    prices = {intent.pk: quoting.bound(intent.order, views=views) for intent in batch if intent.order}
    calls = {intent.pk: call for intent in batch if (call := _call(intent, price=prices.get(intent.pk), desk=desk)) is not None}
    lease.renew()
    live = [intent for intent in batch if intent.pk in calls and intent.book == Book.LIVE]
    simulations = desk.chain.simulate([calls[intent.pk] for intent in live])
    outcomes = {
        intent.pk: _permitted(calls[intent.pk], simulation, desk=desk)
        for intent, simulation in zip(live, simulations, strict=True)
    }
    _conclude(lease, batch, calls=calls, outcomes=outcomes, prices=prices, desk=desk, at=clock())


def _permitted(call: Call, simulation: Simulation, *, desk: Desk) -> Simulation:
    """A simulation, unless our own signer would refuse the call: then it fails here, where nothing is bound yet."""
    signer = desk.signer_of(call.sender)
    if simulation.outcome is not Outcome.OK or signer is None:
        return simulation
    try:
        signer.check(_unsigned(call, gas=simulation.gas, chain_id=desk.chain.chain_id))
    except SigningDenied as denied:
        return Simulation(outcome=Outcome.REVERTED, reason=f"SIGNING_DENIED: {denied.facts.get('rule', denied.message)}")
    return simulation


def _unsigned(call: Call, *, gas: int, chain_id: int) -> UnsignedCall:
    """A call as the signer's policy looks at it. Its nonce and its offer aren't known yet: the least of both."""
    return UnsignedCall(
        chain_id=chain_id,
        nonce=0,
        target=call.target,
        data=call.data,
        value=call.value,
        gas_limit=fees.gas_limit(gas, cap=MAX_TRANSACTION_GAS),
        offer=Offer(fee_cap=fees.MIN_TIP, tip_cap=fees.MIN_TIP),
    )


@write
def _claim(lease: Lease, choose: Choice, *, at: datetime) -> list[TxIntent] | None:
    """The next batch, its attempts counted before the work; what is past its deadline or its attempts ends here.

    A batch may be empty for that, while more is due after it; None when nothing is.
    """
    sender = locks.sender(lease)
    due = choose(lease, at)
    if not due:
        return None
    locked = locks.intents([intent.pk for intent in due])
    gone = {intent.pk: end for intent in locked if (end := _end(intent, at=at)) is not None}
    intents.move_all([gone[pk] for pk in gone], at=at)
    alive = sorted((intent for intent in locked if intent.pk not in gone), key=lambda intent: (intent.priority, intent.pk))
    # Simulated above the venue's limit, a call would be refused for good that only came too early.
    claimed = venue_room.fitting(nonces.fitting(sender, alive, at=at), at=at)
    intents.move_all(
        [Move(intent=intent, target=IntentStatus.BUILDING) for intent in claimed if intent.status != IntentStatus.BUILDING], at=at
    )
    TxIntent.objects.filter(pk__in=[intent.pk for intent in claimed]).update(attempts=F("attempts") + 1)
    return claimed


def _end(intent: TxIntent, *, at: datetime) -> Move | None:
    """How an intent ends that is too late or failed too often; None for the others."""
    if intent.is_late(at=at):
        return Move(intent=intent, target=IntentStatus.EXPIRED)
    if intent.cancel_reason:
        return Move(intent=intent, target=IntentStatus.CANCELED, failure=intent.cancel_reason)
    if intent.attempts >= MAX_ATTEMPTS:
        log.error("intent.set_aside", intent=intent.pk, attempts=intent.attempts, advice="look for what its building raised")
        return Move(intent=intent, target=IntentStatus.FAILED, failure="BUILD_ATTEMPTS_EXHAUSTED")
    return None


def _untried(lease: Lease, at: datetime) -> list[TxIntent]:
    return list(_due(lease, at=at).filter(attempts=0).in_order()[:BATCH])


def _suspect(lease: Lease, at: datetime) -> list[TxIntent]:
    return list(_due(lease, at=at).exclude(attempts=0).order_by("attempts", "priority", "pk")[:1])


def _due(lease: Lease, *, at: datetime) -> TxIntentQuerySet:
    unbuilt = Q(status__in=[IntentStatus.CREATED, IntentStatus.BUILDING])
    overaged = Q(status=IntentStatus.BUILT, book=Book.LIVE, built_at__lt=at - nonces.BUILT_MAX_AGE)
    return TxIntent.objects.of_lane(lease.pk).due(at=at).filter(unbuilt | overaged)


def _call(intent: TxIntent, *, price: Price | None, desk: Desk) -> Call | None:
    """The call that an intent stands for, or None while there is no price to bound its slippage with."""
    order = intent.order
    if order is None:
        return Call(sender=intent.sender.address, target=intent.target, data="0x", value=intent.value_wei)
    if price is None:
        return None
    if order.action == Action.OPEN:
        return desk.venue.open_call(_open_request(order, price=price), sender=intent.sender.address)
    return desk.venue.close_call(_close_request(order, price=price), sender=intent.sender.address)


def _open_request(order: Order, *, price: Price) -> OpenRequest:
    return OpenRequest(
        trader=order.trader.address,
        pair_index=order.market.pair_index,
        direction=Direction(order.direction),
        collateral=order.collateral_usdc,
        leverage=order.leverage_x,
        price=price,
        slippage=order.slippage_pct,
        take_profit=order.take_profit,
        stop_loss=order.stop_loss,
    )


def _close_request(order: Order, *, price: Price) -> CloseRequest:
    if order.position is None:
        raise ValueError("a close has a position")
    return CloseRequest(
        trader=order.trader.address,
        pair_index=order.market.pair_index,
        venue_index=order.position.venue_index,
        collateral=order.collateral_usdc,
        price=price,
    )


@write
def _conclude(
    lease: Lease,
    batch: list[TxIntent],
    *,
    calls: dict[int, Call],
    outcomes: dict[int, Simulation],
    prices: dict[int, Price | None],
    desk: Desk,
    at: datetime,
) -> None:
    locks.sender(lease)
    # One that a person withdrew meanwhile has ended.
    locked = [intent for intent in locks.intents([intent.pk for intent in batch]) if intent.status == IntentStatus.BUILDING]
    intents.block([intent for intent in locked if intent.pk not in calls], Blocked.PRICE, at=at, pause=_PAUSE)
    silent = [intent for intent in locked if outcomes.get(intent.pk, _PAPER).outcome is Outcome.UNKNOWN]
    intents.block(silent, Blocked.ENDPOINT, at=at, pause=_PAUSE)
    moves = [
        _concluded(intent, calls[intent.pk], outcomes.get(intent.pk, _PAPER), price=prices.get(intent.pk), desk=desk, at=at)
        for intent in locked
        if intent.pk in calls and intent not in silent
    ]
    intents.move_all(moves, at=at, fields=_BUILT)


# A PAPER intent is never simulated: it costs no gas and asks nobody's leave.
_PAPER = Simulation(outcome=Outcome.OK)
_BUILT = ("target", "calldata", "value_wei", "gas_limit", "wanted_price", "built_at")


def _concluded(intent: TxIntent, call: Call, simulation: Simulation, *, price: Price | None, desk: Desk, at: datetime) -> Move:
    if simulation.outcome is Outcome.REVERTED:
        return Move(intent=intent, target=IntentStatus.FAILED, failure=desk.venue.reason(simulation.reason))
    intent.target = call.target
    intent.calldata = call.data
    intent.value_wei = call.value
    intent.gas_limit = fees.gas_limit(simulation.gas, cap=MAX_TRANSACTION_GAS)
    intent.wanted_price = price
    intent.built_at = at
    facts = {"gas_limit": intent.gas_limit, "wanted_price": intent.wanted_price}
    due = papering.delay_of(intent.intent_key) if intent.book == Book.PAPER else timedelta(0)
    return Move(intent=intent, target=IntentStatus.BUILT, due=due, facts=facts)
