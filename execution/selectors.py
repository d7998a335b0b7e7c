"""What others read of `execution`."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Prefetch, Sum

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxSend
from risk.domain.decision import Action
from risk.models import Decision, Leg
from trading import selectors
from trading.domain.guarding import Fate
from trading.domain.signal import SignalStatus
from trading.domain.units import Usdc
from trading.models import Fill, Signal, many
from trading.selectors import Moment


class Stage(StrEnum):
    """How far a signal has come, all in all."""

    AWAITING = "awaiting"  # stored; a person must say yes
    RECEIVED = "received"  # stored, not yet decided
    OBSERVED = "observed"  # would have been approved; its source only watches
    DECLINED = "declined"  # a person said no
    WITHDRAWN = "withdrawn"  # its source took it back
    DONE = "done"  # it owed no order: it took others back
    DENIED = "denied"
    EXPIRED = "expired"  # too late, for its decision or for its nonce
    SET_ASIDE = "set_aside"  # nobody could decide it, or make an order of it: a person must look
    ORDERED = "ordered"  # decided; its transaction is owed
    SENT = "sent"
    MINED = "mined"  # on the chain; the venue has still to execute
    FAILED = "failed"  # refused in simulation or by policy
    REJECTED = "rejected"  # its transaction reverted
    CANCELED = "canceled"
    FILLED = "filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStanding:
    """One order of a signal, its intent with every send and receipt, and what the venue executed for it."""

    order: Order
    intent: TxIntent
    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Everything that is known about one signal."""

    signal: Signal
    stage: Stage
    timeline: list[Moment]
    decision: Decision | None
    orders: tuple[OrderStanding, ...]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it; a reorganization may still take a fill back."""
        return self.stage not in _ON_ITS_WAY


_ON_ITS_WAY = frozenset((Stage.AWAITING, Stage.RECEIVED, Stage.ORDERED, Stage.SENT, Stage.MINED))
# Orders of one signal may stand at different places: the first of these that any of them is at speaks for all.
_LOUDEST = (
    Stage.ORDERED,
    Stage.SENT,
    Stage.MINED,
    Stage.FAILED,
    Stage.REJECTED,
    Stage.CANCELED,
    Stage.EXPIRED,
    Stage.FILLED,
)
_OF_SIGNAL = {
    SignalStatus.RECEIVED: Stage.RECEIVED,
    SignalStatus.DENIED: Stage.DENIED,
    SignalStatus.EXPIRED: Stage.EXPIRED,
    SignalStatus.SET_ASIDE: Stage.SET_ASIDE,
    SignalStatus.AWAITING: Stage.AWAITING,
    SignalStatus.OBSERVED: Stage.OBSERVED,
    SignalStatus.DECLINED: Stage.DECLINED,
    SignalStatus.WITHDRAWN: Stage.WITHDRAWN,
}
_OF_ORDER = {
    OrderStatus.INITIALIZED: Stage.ORDERED,
    OrderStatus.SUBMITTED: Stage.SENT,
    OrderStatus.ACCEPTED: Stage.MINED,
    OrderStatus.FILLED: Stage.FILLED,
    OrderStatus.CANCELED: Stage.CANCELED,
    OrderStatus.DENIED: Stage.FAILED,
    OrderStatus.REJECTED: Stage.REJECTED,
    OrderStatus.EXPIRED: Stage.EXPIRED,
}
_ON_CHAIN = frozenset((IntentStatus.MINED, IntentStatus.FINAL))


def journey(signal: Signal) -> Journey:
    """Where a signal stands. The same few queries however much it caused."""
    orders = tuple(_standing(order) for order in _orders(signal))
    return Journey(
        signal=signal,
        stage=_stage(signal, orders),
        timeline=selectors.timeline(signal),
        decision=Decision.objects.filter(signal=signal, trader_id=signal.trader_id).first(),
        orders=orders,
    )


def _orders(signal: Signal) -> list[Order]:
    sends = TxSend.objects.order_by("seq").prefetch_related("receipts")
    rows = Order.objects.filter(leg__decision__signal=signal).select_related("market", "intent", "fill")
    return list(rows.prefetch_related(Prefetch("intent__sends", queryset=sends)).order_by("leg__number"))


def _standing(order: Order) -> OrderStanding:
    fills = (order.fill,) if order.fill is not None else ()
    return OrderStanding(order=order, intent=order.intent, fills=fills)


def _stage(signal: Signal, orders: tuple[OrderStanding, ...]) -> Stage:
    own = _OF_SIGNAL.get(SignalStatus(signal.status))
    if own is not None:
        return own
    reached = {_stage_of(standing) for standing in orders}
    return next((stage for stage in _LOUDEST if stage in reached), None) or _without_orders(signal)


def _without_orders(signal: Signal) -> Stage:
    """An approved signal of which no order was made, or not yet."""
    legs = Leg.objects.filter(decision__signal=signal)
    if legs.filter(left_out="").exists():
        return Stage.ORDERED
    return Stage.SET_ASIDE if legs.exists() else Stage.DONE


def _stage_of(standing: OrderStanding) -> Stage:
    stage = _OF_ORDER[OrderStatus(standing.order.status)]
    is_on_chain = IntentStatus(standing.intent.status) in _ON_CHAIN
    return Stage.MINED if stage is Stage.SENT and is_on_chain else stage


class Exits:
    """What became of closes, by their orders (`trading.ports.Exits`)."""

    def fates(self, signal_ids: Collection[int]) -> dict[int, Fate]:
        """What became of each close. Two queries, or none for none."""
        if not signal_ids:
            return {}
        statuses = Signal.objects.filter(pk__in=many.among(signal_ids)).values_list("pk", "status")
        legs: dict[int, list[Leg]] = defaultdict(list)
        rows = Leg.objects.filter(decision__signal__in=many.among(signal_ids)).select_related("decision", "order__intent")
        for leg in rows:
            legs[leg.decision.signal_id].append(leg)
        return {pk: _fate(SignalStatus(status), legs[pk]) for pk, status in statuses}

    def closing(self, position_ids: Collection[int]) -> dict[int, Usdc]:
        """How much of each position orders under way are closing. One query."""
        under_way = Leg.objects.holding_room().filter(action=Action.CLOSE, position__in=many.among(position_ids))
        sums = under_way.order_by().values_list("position_id").annotate(closing=Sum("collateral_usdc"))
        return {pk: closing for pk, closing in sums if pk is not None}


def _fate(status: SignalStatus, legs: Iterable[Leg]) -> Fate:
    if status in (SignalStatus.RECEIVED, SignalStatus.AWAITING):
        return Fate.UNDER_WAY
    fates = {_fate_of(leg) for leg in legs}
    return next((fate for fate in (Fate.UNDER_WAY, Fate.FILLED) if fate in fates), Fate.UNFILLED)


def _fate_of(leg: Leg) -> Fate:
    if leg.settled_at is None:
        return Fate.UNDER_WAY
    if leg.left_out:
        return Fate.UNFILLED
    if leg.order.status == OrderStatus.FILLED:
        return Fate.FILLED
    # The venue's word alone is one block's: what its transaction did must be settled for good too.
    return Fate.UNFILLED if leg.order.intent.closed_at is not None else Fate.UNDER_WAY
