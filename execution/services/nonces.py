"""Nonces: given late, in order, to as many as may be in flight; bound for life.

The database is the authority: a sender's `next_nonce` only counts up, in the transaction that gives the
nonces away. The chain's counts are compared, never copied back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Value
from django.db.models.functions import Coalesce

from execution import locks
from execution.domain import fees
from execution.domain.fees import FeeQuote
from execution.domain.intent import Blocked, IntentStatus
from execution.models import Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import copied, intents, venue_room
from execution.services.intents import Move
from trading.domain.mode import Book, EffectiveMode
from trading.domain.units import Wei
from trading.kinds import piece, write
from trading.lanes import Lease
from trading.models.fields import WeiField

# Built longer ago than this, an intent is built again: its price bounds the slippage.
BUILT_MAX_AGE = timedelta(seconds=10)
# What the mode switch said longer ago than this is not believed.
MODE_MAX_AGE = timedelta(seconds=1)
PAUSE = timedelta(seconds=1)
# One whose turn is far away isn't looked at again each second.
_LONGEST_PAUSE_SECONDS = 10


@piece
def fitting(sender: Sender, waiting: Sequence[TxIntent], *, at: datetime) -> list[TxIntent]:
    """Those worth building now: PAPER all, LIVE as many as could get a nonce; the others wait and say why."""
    live = [intent for intent in waiting if intent.book == Book.LIVE]
    if sender.status != SenderStatus.ACTIVE:
        intents.block(live, Blocked.SENDER, at=at, pause=PAUSE)
        return [intent for intent in waiting if intent.book == Book.PAPER]
    built = TxIntent.objects.of_lane(sender.pk).filter(status=IntentStatus.BUILT, book=Book.LIVE)
    room = max(free_places(sender) - built.exclude(pk__in=[intent.pk for intent in live]).count(), 0)
    _let_wait(sender, live[room:], at=at)
    crowded = {intent.pk for intent in live[room:]}
    return [intent for intent in waiting if intent.pk not in crowded]


def free_places(sender: Sender) -> int:
    """How many more of a sender's transactions may be in flight."""
    return max(sender.window_size - TxIntent.objects.of_lane(sender.pk).unmined().count(), 0)


def _let_wait(sender: Sender, crowded: Sequence[TxIntent], *, at: datetime) -> None:
    """Due again when their turn can have come: a window's worth each second."""
    for start in range(0, len(crowded), sender.window_size):
        pause = timedelta(seconds=min(1 + start // sender.window_size, _LONGEST_PAUSE_SECONDS))
        intents.block(crowded[start : start + sender.window_size], Blocked.IN_FLIGHT, at=at, pause=pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What gas costs now and what there is for it. `l1_fee`: the most that the rollup charges for one call's data."""

    quote: FeeQuote
    balance: Wei
    l1_fee: Wei


@write
def reserve(lease: Lease, *, effective: EffectiveMode, asked_at: datetime, has_key: bool, purse: Purse, at: datetime) -> int:
    """Bind the oldest built intents to the next nonces, exits first; how many.

    `asked_at` is the instant before the mode was asked for.
    """
    sender = locks.sender(lease)
    sender.balance_wei = purse.balance
    sender.save(update_fields=["balance_wei"])
    ready = _ready(sender, at=at)
    is_believed = at - asked_at <= MODE_MAX_AGE
    reason = _gate(sender, may_sign=effective.may_sign and is_believed, has_key=has_key, quote=purse.quote)
    if reason:
        intents.block(ready, reason, at=at, pause=PAUSE)
        return 0
    held = [intent for intent in ready if copied.must_wait(intent)]
    intents.block(held, Blocked.MODE, at=at, pause=PAUSE)
    fits = venue_room.fitting([intent for intent in ready if intent not in held], at=at)
    room = free_places(sender)
    _let_wait(sender, fits[room:], at=at)
    paid = _payable(sender, fits[:room], purse=purse)
    intents.block(fits[len(paid) : room], Blocked.FUNDS, at=at, pause=PAUSE)
    _bind(sender, paid, at=at)
    return len(paid)


def _ready(sender: Sender, *, at: datetime) -> list[TxIntent]:
    """The built ones whose quote is fresh, in order; what is too late ends here."""
    built = TxIntent.objects.of_lane(sender.pk).due(at=at).filter(status=IntentStatus.BUILT, book=Book.LIVE)
    locked = locks.intents(built.values_list("pk", flat=True))
    late = [intent for intent in locked if intent.is_late(at=at)]
    intents.move_all([Move(intent=intent, target=IntentStatus.EXPIRED) for intent in late], at=at)
    fresh = [intent for intent in locked if intent not in late and is_fresh(intent, at=at)]
    return sorted(fresh, key=lambda intent: (intent.priority, intent.pk))


def is_fresh(intent: TxIntent, *, at: datetime) -> bool:
    """Whether an intent was built a moment ago."""
    return intent.built_at is not None and at - intent.built_at <= BUILT_MAX_AGE


def _gate(sender: Sender, *, may_sign: bool, has_key: bool, quote: FeeQuote) -> Blocked:
    """Why nothing of this sender may get a nonce now; empty if it may."""
    if not may_sign:
        return Blocked.MODE
    if sender.status != SenderStatus.ACTIVE or not has_key:
        return Blocked.SENDER
    # Signed below the market it would only stand in the way of what comes after.
    if not fees.is_affordable(quote, ceiling=fees.call_ceiling(sender.fee_ceiling_wei)):
        return Blocked.CEILING
    return Blocked.NONE


def _payable(sender: Sender, wanted: list[TxIntent], *, purse: Purse) -> list[TxIntent]:
    """As many of them, in order, as the balance pays beside the floor and everything in flight."""
    cap = fees.first_offer(purse.quote, ceiling=fees.call_ceiling(sender.fee_ceiling_wei)).fee_cap
    free = purse.balance - sender.gas_floor_wei - promised(sender, cap=cap)
    paid: list[TxIntent] = []
    for intent in wanted:
        free = free - cap.times_up(intent.gas_limit or 0) - intent.value_wei - purse.l1_fee
        if free < Wei.zero():
            break
        paid.append(intent)
    return paid


def promised(sender: Sender, *, cap: Wei) -> Wei:
    """The most that what is in flight may still cost: each at its highest offer, unsigned ones at the present one."""
    unmined = TxIntent.objects.of_lane(sender.pk).unmined()
    priced = unmined.annotate(offered=Coalesce(Max("sends__fee_cap_wei"), Value(cap, output_field=WeiField())))
    rows = priced.values_list("offered", "gas_limit", "value_wei")
    return sum((offered.times_up(gas or 0) + value for offered, gas, value in rows), start=Wei.zero())


def _bind(sender: Sender, paid: list[TxIntent], *, at: datetime) -> None:
    for nonce, intent in enumerate(paid, start=sender.next_nonce):
        intent.nonce, intent.reserved_at = nonce, at
    moves = [Move(intent=intent, target=IntentStatus.SENDING, facts={"nonce": intent.nonce}) for intent in paid]
    intents.move_all(moves, at=at, fields=("nonce", "reserved_at"))
    sender.next_nonce += len(paid)
    sender.save(update_fields=["next_nonce"])
