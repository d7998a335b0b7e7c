"""Approvals: a person's yes or no to a signal of a source that may not act by itself."""

from datetime import datetime

from trading import doorbell, locks
from trading.domain.errors import Conflict, Invalid
from trading.domain.people import Act, Person, check
from trading.domain.signal import ENTRY_LIFETIME, SignalStatus
from trading.kinds import piece, write
from trading.models import Signal
from trading.services import audit, journal, signals


class NotAwaiting(Conflict):
    """The signal waits for nobody's word: it expired, or somebody else was faster."""

    code = "SIGNAL_NOT_AWAITING"


class UnknownSignal(Invalid):
    """There is no such signal."""

    code = "SIGNAL_UNKNOWN"


@write
def grant(*, signal_id: int, person: Person, reason: str, at: datetime) -> Signal:
    """Let a signal be decided now. It is as fresh as the yes: its lifetime begins here.

    Raises:
        NotAllowed: if the person may not trade for the account.
        NotAwaiting: if it doesn't wait, or no longer.
    """
    signal = _awaiting(signal_id, person=person, at=at)
    signal.move(SignalStatus.RECEIVED)
    signal.granted_at, signal.granted_by = at, person.name
    signal.next_action_at, signal.expires_at = at, at + ENTRY_LIFETIME
    signal.save(update_fields=["status", "granted_at", "granted_by", "next_action_at", "expires_at"])
    _note(signal, "signal.granted", person=person, reason=reason, at=at)
    doorbell.ring("signal.accepted", key=signal.trader_id)
    return signal


@write
def decline(*, signal_id: int, person: Person, reason: str, at: datetime) -> Signal:
    """Let a signal end undecided.

    Raises:
        NotAllowed: if the person may not trade for the account.
        NotAwaiting: if it doesn't wait, or no longer.
    """
    signal = _awaiting(signal_id, person=person, at=at)
    signals.move(signal, SignalStatus.DECLINED, at=at)
    signal.save(update_fields=["status", "decided_at", "next_action_at"])
    _note(signal, "signal.declined", person=person, reason=reason, at=at)
    return signal


@piece
def _awaiting(signal_id: int, *, person: Person, at: datetime) -> Signal:
    found = Signal.objects.filter(pk=signal_id).select_related("trader").first()
    if found is None:
        raise UnknownSignal("there is no such signal", signal=signal_id)
    check(person, Act.TRADE, account=found.trader.account)
    locks.accounts([found.trader_id])
    # Under the lock once more: the sweep that expires it holds the same one.
    found.refresh_from_db(fields=["status", "expires_at", "next_action_at", "decided_at"])
    if found.status != SignalStatus.AWAITING or (found.expires_at is not None and found.expires_at < at):
        raise NotAwaiting(f"this signal is {found.status}: it waits for nobody's word", status=found.status)
    return found


def _note(signal: Signal, action: str, *, person: Person, reason: str, at: datetime) -> None:
    journal.record(action, signal, at=at, trace_id=signal.trace_id, by=person.name, reason=reason)
    audit.record(
        actor=person.name,
        action=action,
        subject=signal.intent_key[:200],
        before={"status": SignalStatus.AWAITING},
        after={"status": signal.status},
        reason=reason,
        at=at,
        trace_id=signal.trace_id,
    )
