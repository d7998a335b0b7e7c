"""Restoring: a database that was restored or promoted starts stopped, with every sender in quarantine.

What the lost rows had signed may be on the chain: until a person has compared the two, nothing is signed.
PostgreSQL itself says which cluster and which timeline this is; a dump that was read back into the same server
isn't seen by that, so people can say it too (`manage.py restored`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import pgbulk
import structlog
from django.db import ProgrammingError, connection

from execution import locks
from execution.domain.intent import IntentStatus
from execution.models import DatabaseIdentity, Sender, TxIntent
from execution.services import doubts, intents, warrants
from execution.services.intents import Move
from execution.services.warrants import Warrant
from risk.models import Leg
from trading import locks as trading_locks
from trading.domain.signal import SignalStatus
from trading.kinds import piece, step, write
from trading.models import Signal
from trading.ports import ModeSwitch
from trading.services import journal, mode, signals

log = structlog.get_logger(__name__)

ORIGIN = "restore"
REASON = "the database was restored"
WITHDRAWN = "RESTORED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A PostgreSQL cluster, and how often its history has branched."""

    system_identifier: str
    timeline: int


@step
def check(*, switch: ModeSwitch, at: datetime) -> bool:
    """Stop everything if this isn't the database that was last confirmed; True if it is.

    Called before a process does its first work. A new desk's first database is confirmed as it is.
    """
    seen = _seen()
    if seen is None or _is_confirmed(seen) or _confirm_first(seen, at=at):
        return True
    by = Warrant(actor="environment", reason=f"{REASON}, or a standby was promoted", at=at)
    _stop(switch=switch, by=by)
    _quarantine(seen, by=by)
    log.error("database.restored", advice="compare each sender with the chain (manage.py sender report), then release it")
    return False


@step
def declare(*, restored_at: datetime, switch: ModeSwitch, by: Warrant) -> int:
    """A person says that the database was restored: everything older than `restored_at` that isn't signed is withdrawn.

    The answer counts what was withdrawn.
    """
    _stop(switch=switch, by=by)
    withdrawn = _withdraw_older(restored_at=restored_at, by=by)
    _quarantine(_seen(), by=by)
    log.error("database.restored", withdrawn=withdrawn, advice="compare each sender with the chain, then release it")
    return withdrawn


def is_restored(sender: Sender) -> bool:
    """Whether a sender is quarantined because its rows may be older than the chain."""
    return sender.status_reason.startswith(REASON)


@piece
def withdraw(sender_ids: Iterable[int], *, at: datetime, older_than: datetime | None = None) -> int:
    """Cancel what has no nonce yet, since lost rows may have carried it out already; how many. The caller holds the senders."""
    bare = TxIntent.objects.filter(sender__in=sender_ids, closed_at=None, nonce=None)
    bare = bare.filter(created_at__lt=older_than) if older_than else bare
    locked = locks.intents(bare.values_list("pk", flat=True))
    moves = [Move(intent=intent, target=IntentStatus.CANCELED, failure=WITHDRAWN) for intent in locked if intent.nonce is None]
    intents.move_all(moves, at=at)
    return len(moves)


def _seen() -> Identity | None:
    """What PostgreSQL says, or None if it doesn't let us ask."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT system_identifier::text, timeline_id FROM pg_control_system(), pg_control_checkpoint()")
            identifier, timeline = cursor.fetchone()
    except ProgrammingError as error:
        _say_unknown(type(error).__name__)
        return None
    return Identity(system_identifier=identifier, timeline=timeline)


@cache
def _say_unknown(error: str) -> None:
    """Once a process: a sweeper asks each second."""
    advice = "let the application's role execute pg_control_system() and pg_control_checkpoint()"
    log.error("database.identity_unknown", error=error, words="a restore won't be noticed", advice=advice)


def _is_confirmed(seen: Identity) -> bool:
    same = DatabaseIdentity.objects.filter(pk=1, system_identifier=seen.system_identifier, timeline=seen.timeline)
    return same.exists()


@write
def _confirm_first(seen: Identity, *, at: datetime) -> bool:
    """Whether no database was ever confirmed; then this one is."""
    _, is_new = DatabaseIdentity.objects.get_or_create(pk=1, defaults=_row(seen, at=at))
    return is_new


def _row(seen: Identity, *, at: datetime) -> dict[str, object]:
    return {"system_identifier": seen.system_identifier, "timeline": seen.timeline, "confirmed_at": at}


def _stop(*, switch: ModeSwitch, by: Warrant) -> None:
    # First of all: should we die after it, nothing is signed, and the next start does the rest.
    mode.stop_everything(switch=switch, actor=by.actor, origin=ORIGIN, reason=by.reason, at=by.at)


@write
def _quarantine(seen: Identity | None, *, by: Warrant) -> None:
    """Set every sender aside, and confirm the database as the one that this was done for."""
    senders = locks.senders(Sender.objects.values_list("pk", flat=True))
    known = DatabaseIdentity.objects.select_for_update().filter(pk=1).first()
    for sender in senders:
        doubts.quarantine(sender, reason=REASON, at=by.at)
        if not is_restored(sender):
            sender.status_reason = f"{REASON}; {sender.status_reason}"[:200]
            sender.save(update_fields=["status_reason"])
    if seen is not None:
        DatabaseIdentity.objects.update_or_create(pk=1, defaults=_row(seen, at=by.at))
    before, after = {"identity": known}, {"identity": seen and f"{seen.system_identifier} on timeline {seen.timeline}"}
    warrants.use(by, action="database.restored", subject="database", before=before, after=after)


@write
def _withdraw_older(*, restored_at: datetime, by: Warrant) -> int:
    waiting = Signal.objects.filter(status=SignalStatus.RECEIVED, received_at__lt=restored_at)
    legs = Leg.objects.filter(order=None, settled_at=None, decision__signal__received_at__lt=restored_at)
    trading_locks.accounts({*waiting.values_list("trader_id", flat=True), *legs.values_list("trader_id", flat=True)})
    senders = locks.senders(Sender.objects.values_list("pk", flat=True))
    count = withdraw([sender.pk for sender in senders], at=by.at, older_than=restored_at)
    return count + _expire(list(waiting), at=by.at) + _settle(list(legs.select_related("decision__signal")), at=by.at)


def _expire(waiting: list[Signal], *, at: datetime) -> int:
    for signal in waiting:
        signals.move(signal, SignalStatus.EXPIRED, at=at)
    pgbulk.update(Signal, waiting, ["status", "decided_at", "next_action_at"])
    journal.record_all(
        journal.event("signal.expired", signal, at=at, trace_id=signal.trace_id, reason=WITHDRAWN) for signal in waiting
    )
    return len(waiting)


def _settle(legs: list[Leg], *, at: datetime) -> int:
    """Give the room back of legs that never became orders."""
    Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(next_action_at=None, settled_at=at)
    journal.record_all(
        journal.event("leg.withdrawn", leg, at=at, trace_id=leg.decision.signal.trace_id, reason=WITHDRAWN) for leg in legs
    )
    return len(legs)
