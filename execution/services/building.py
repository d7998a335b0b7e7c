"""Building: each call encoded, simulated and estimated before its intent may have a nonce.

Late reservation is the best gap prevention: what can't work fails here, where nothing is bound yet.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import fees
from execution.domain.chain import Call, Outcome, Simulation
from execution.domain.intent import Blocked, IntentStatus
from execution.models import Order, TxIntent
from execution.ports import CloseRequest, OpenRequest
from execution.services import intents, venue_room
from risk.domain.decision import Action
from trading import selectors
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.units import Price
from trading.kinds import step, write
from trading.lanes import Lease

BATCH = 100
# Built longer ago than this, an intent is built again: its price bounds the slippage.
BUILT_MAX_AGE = timedelta(seconds=10)
# What raised or killed its worker this often fails: it has no nonce, so nothing hangs on it.
MAX_ATTEMPTS = 8
# The chain's cap for one transaction (EIP-7825: 2^24).
MAX_TRANSACTION_GAS = 16_777_216
_PAUSE = timedelta(seconds=1)


@step
def build_due(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Build every due intent of a sender."""
    while (batch := _claim(lease, at=clock())) is not None:
        _build(lease, batch, desk=desk, clock=clock)


def _build(lease: Lease, batch: list[TxIntent], *, desk: Desk, clock: Clock) -> None:
    prices = {symbol: agreed.price for symbol, agreed in selectors.agreed_prices(now=clock()).items()}
    calls = {intent.pk: call for intent in batch if (call := _call(intent, prices=prices, desk=desk)) is not None}
    lease.renew()
    live = [intent for intent in batch if intent.pk in calls and intent.book == Book.LIVE]
    simulations = desk.chain.simulate([calls[intent.pk] for intent in live])
    outcomes = dict(zip((intent.pk for intent in live), simulations, strict=True))
    _conclude(lease, batch, calls=calls, outcomes=outcomes, prices=prices, desk=desk, at=clock())


@write
def _claim(lease: Lease, *, at: datetime) -> list[TxIntent] | None:
    """The next batch, its attempts counted before the work; what is past its deadline or its attempts ends here.

    A batch may be empty for that, while more is due after it; None when nothing is.
    """
    locks.sender(lease)
    due = _due(lease, at=at)
    if not due:
        return None
    alive = []
    for intent in locks.intents([intent.pk for intent in due]):
        if intent.deadline_at is not None and intent.deadline_at < at:
            intents.move(intent, IntentStatus.EXPIRED, at=at)
        elif intent.attempts >= MAX_ATTEMPTS:
            intents.move(intent, IntentStatus.FAILED, at=at, failure="BUILD_ATTEMPTS_EXHAUSTED")
        else:
            alive.append(intent)
    # Simulated above the venue's limit, a call would be refused for good that only came too early.
    claimed = venue_room.fitting(sorted(alive, key=lambda intent: (intent.priority, intent.pk)), at=at)
    for intent in claimed:
        if intent.status != IntentStatus.BUILDING:
            intents.move(intent, IntentStatus.BUILDING, at=at)
    TxIntent.objects.filter(pk__in=[intent.pk for intent in claimed]).update(attempts=F("attempts") + 1)
    return claimed


def _due(lease: Lease, *, at: datetime) -> list[TxIntent]:
    unbuilt = Q(status__in=[IntentStatus.CREATED, IntentStatus.BUILDING])
    overaged = Q(status=IntentStatus.BUILT, book=Book.LIVE, built_at__lt=at - BUILT_MAX_AGE)
    due = list(TxIntent.objects.of_lane(lease.pk).due(at=at).filter(unbuilt | overaged).in_order()[:BATCH])
    # One that was tried before goes alone: if it is the one that kills, it takes nobody along.
    suspects = [intent for intent in due if intent.attempts]
    return suspects[:1] or due


def _call(intent: TxIntent, *, prices: dict[str, Price], desk: Desk) -> Call | None:
    """The call that an intent stands for, or None while there is no price to bound its slippage with."""
    order = intent.order
    price = prices.get(order.market.symbol)
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
    prices: dict[str, Price],
    desk: Desk,
    at: datetime,
) -> None:
    locks.sender(lease)
    for intent in locks.intents([intent.pk for intent in batch]):
        call, simulation = calls.get(intent.pk), outcomes.get(intent.pk)
        if call is None:
            intents.block([intent], Blocked.PRICE, at=at, pause=_PAUSE)
        elif simulation is None:
            _settle_call(intent, call, price=prices[intent.order.market.symbol], gas=0, at=at)
        elif simulation.outcome is Outcome.OK:
            _settle_call(intent, call, price=prices[intent.order.market.symbol], gas=simulation.gas, at=at)
        elif simulation.outcome is Outcome.REVERTED:
            intents.move(intent, IntentStatus.FAILED, at=at, failure=desk.venue.reason(simulation.reason))
        else:
            intents.block([intent], Blocked.ENDPOINT, at=at, pause=_PAUSE)


def _settle_call(intent: TxIntent, call: Call, *, price: Price, gas: int, at: datetime) -> None:
    intent.target = call.target
    intent.calldata = call.data
    intent.value_wei = call.value
    intent.gas_limit = fees.gas_limit(gas, cap=MAX_TRANSACTION_GAS)
    intent.wanted_price = price
    intent.built_at = at
    intents.move(intent, IntentStatus.BUILT, at=at, gas_limit=intent.gas_limit, wanted_price=price)
