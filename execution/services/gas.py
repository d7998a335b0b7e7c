"""Gas money: a sender that ran out goes on once it has some again, and the treasury tops up one that soon would."""

import hashlib
import secrets
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import fees
from execution.domain.fees import FeeQuote
from execution.domain.intent import IntentKind, IntentStatus
from execution.models import Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import nonces, submission, warrants
from execution.services.sender_acts import NoTreasury
from execution.services.warrants import Warrant
from trading import doorbell
from trading.domain.errors import Conflict
from trading.domain.mode import Book
from trading.domain.units import Wei
from trading.kinds import piece, step, write
from trading.lanes import Lease
from trading.services import journal

log = structlog.get_logger(__name__)

# A sender that is short is asked for its balance no more often than this.
LOOK_AGAIN = timedelta(seconds=5)
# After a top-up that came to nothing, the next one waits: it would be refused the same way.
TOP_UP_PAUSE = timedelta(minutes=10)
# Topped up below this many times its floor.
LOW_WATER = 2


class TopUpOpen(Conflict):
    """One is on its way."""

    code = "TOP_UP_OPEN"


@step
def tend(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Look after the purse of a sender that is short of gas money; of the others nobody is asked."""
    sender = Sender.objects.get(pk=lease.pk)
    is_due = sender.gas_looked_at is None or clock() - sender.gas_looked_at >= LOOK_AGAIN
    if not (is_due and _is_short(sender)):
        return
    lease.renew()
    balance, quote = desk.chain.balance(sender.address), desk.chain.fees()
    _conclude(lease, balance=balance, quote=quote, at=clock())


def _is_short(sender: Sender) -> bool:
    return sender.is_gas_low or _is_drained(sender) or _is_below_water(sender)


def _is_drained(sender: Sender) -> bool:
    """Whether a node said that it can't pay; a person's drain has another reason."""
    return sender.status == SenderStatus.DRAINING and sender.status_reason == submission.FUNDS


def _is_below_water(sender: Sender) -> bool:
    return sender.balance_wei is not None and sender.balance_wei < sender.gas_floor_wei.times_up(LOW_WATER)


@write
def _conclude(lease: Lease, *, balance: Wei, quote: FeeQuote, at: datetime) -> None:
    sender = locks.sender(lease)
    sender.balance_wei, sender.gas_looked_at = balance, at
    _tell(sender, is_low=balance < sender.gas_floor_wei, at=at)
    if _is_drained(sender) and balance >= sender.gas_floor_wei + _promised(sender, quote=quote):
        sender.status, sender.status_reason = SenderStatus.ACTIVE, ""
        journal.record("sender.active", sender, at=at, reason="it has gas money again", balance_wei=balance)
    sender.save(update_fields=["balance_wei", "gas_looked_at", "is_gas_low", "status", "status_reason"])
    treasury = _treasury(sender)
    if treasury is not None and _is_below_water(sender) and not _is_pausing(sender, at=at):
        _owe(sender, treasury=treasury, at=at)


def _promised(sender: Sender, *, quote: FeeQuote) -> Wei:
    return nonces.promised(sender, cap=fees.first_offer(quote, ceiling=fees.call_ceiling(sender.fee_ceiling_wei)).fee_cap)


def _tell(sender: Sender, *, is_low: bool, at: datetime) -> None:
    """Only a change is news."""
    if is_low == sender.is_gas_low:
        return
    sender.is_gas_low = is_low
    facts = {"balance_wei": sender.balance_wei, "floor_wei": sender.gas_floor_wei}
    journal.record("sender.gas_low" if is_low else "sender.gas_enough", sender, at=at, **facts)
    if is_low:
        said = {name: str(value) for name, value in facts.items()}
        log.error("sender.gas_low", sender=sender.pk, address=sender.address, advice="send it gas money", **said)


@write
def top_up(*, sender_id: int, by: Warrant) -> TxIntent:
    """Owe a sender one top-up from the treasury.

    Raises:
        NoTreasury: if there is none, or this is it.
        TopUpOpen: if one is on its way.
    """
    (sender,) = locks.senders([sender_id])
    treasury = _treasury(sender)
    if treasury is None:
        raise NoTreasury("no other sender is the treasury: manage.py sender treasury makes one", sender=sender.address)
    owed = _owe(sender, treasury=treasury, at=by.at)
    if owed is None:
        raise TopUpOpen("a top-up of this sender is on its way", sender=sender.address)
    after = {"intent_key": owed.intent_key, "value_wei": owed.value_wei}
    warrants.use(by, action="sender.top_up", subject=f"sender:{sender.address}", before={}, after=after)
    return owed


def _treasury(sender: Sender) -> Sender | None:
    return Sender.objects.filter(chain_id=sender.chain_id, is_treasury=True).exclude(pk=sender.pk).first()


def _is_pausing(sender: Sender, *, at: datetime) -> bool:
    """Whether the last top-up failed a moment ago."""
    ended = TxIntent.objects.filter(kind=IntentKind.TOP_UP, target=sender.address, closed_at__gt=at - TOP_UP_PAUSE)
    return ended.exclude(status=IntentStatus.FINAL).exists()


@piece
def _owe(sender: Sender, *, treasury: Sender, at: datetime) -> TxIntent | None:
    """Owe one top-up unless one is open: the key counts the ended ones, so that two can't be open at once."""
    attempt = TxIntent.objects.filter(kind=IntentKind.TOP_UP, target=sender.address, closed_at__isnull=False).count()
    wanted = _top_up(sender, treasury=treasury, attempt=attempt, at=at)
    TxIntent.objects.bulk_create([wanted], ignore_conflicts=True)
    owed = TxIntent.objects.get(idempotency_key=wanted.idempotency_key)
    if owed.trace_id != wanted.trace_id:
        return None
    journal.record("gas.owed", owed, at=at, trace_id=owed.trace_id, beneficiary=sender.address, value_wei=owed.value_wei)
    doorbell.ring("intent.created", key=treasury.pk)
    return owed


def _top_up(sender: Sender, *, treasury: Sender, attempt: int, at: datetime) -> TxIntent:
    return TxIntent(
        intent_key=f"gas:{sender.address}:{attempt}",
        idempotency_key=hashlib.sha256(f"gas|{sender.address}|{attempt}".encode()).hexdigest(),
        kind=IntentKind.TOP_UP,
        book=Book.LIVE,
        sender=treasury,
        priority=TxIntent.EXIT_PRIORITY,
        target=sender.address,
        value_wei=Wei(settings.GAS_TOP_UP_WEI),
        trace_id=secrets.token_hex(16),
        created_at=at,
        next_action_at=at,
    )
