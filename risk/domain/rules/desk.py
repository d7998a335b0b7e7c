"""What the desk itself allows now, and whether the signal comes in time."""

from datetime import timedelta

from risk.domain.decision import Check, Denial
from risk.domain.rules.speech import check, entries_only, refused, seconds
from risk.domain.situation import Situation
from trading.domain.signal import ENTRY_LIFETIME

# How far a sender's clock may be ahead of ours.
AHEAD_LIMIT = timedelta(seconds=5)


def emergency_stop(situation: Situation) -> Check | None:
    """No entries while stopped. An exit is approved and waits for its signature: no stop traps a position."""
    if not situation.is_entry:
        return None
    stopped = situation.mode.emergency_stop
    reason = "; ".join(situation.mode.reasons)
    return check(Denial.EMERGENCY_STOP, not stopped, "stopped" if stopped else "running", "running", reason)


def takes_entries(situation: Situation) -> Check | None:
    """The desk's own switch for entries."""
    return entries_only(situation, Denial.SIGNALS_DISABLED, situation.takes_entries, "the desk takes no entries now")


def maintenance(situation: Situation) -> Check | None:
    """While the desk is being worked on, exits only."""
    return entries_only(situation, Denial.MAINTENANCE, not situation.in_maintenance, "maintenance: exits only")


def freshness(situation: Situation) -> Check | None:
    """An entry is as good as its price: older than its lifetime, or than its source may be late, or from the future.

    A person's yes makes it as fresh as the yes.
    """
    wanted = situation.wanted
    if not situation.is_entry or wanted.signaled_at is None:
        return None
    age = situation.at - (wanted.granted_at or wanted.signaled_at)
    oldest = min(ENTRY_LIFETIME, situation.source.max_lag or ENTRY_LIFETIME)
    limit = f"{seconds(oldest)} s"
    if age < -AHEAD_LIMIT:
        ahead = f"Signal is {seconds(-age)} s ahead of the desk's clock, limit {seconds(AHEAD_LIMIT)} s"
        return refused(Denial.SIGNAL_STALE, f"{seconds(age)} s", limit, ahead)
    message = f"Signal is {seconds(age)} s old, limit {limit}"
    return check(Denial.SIGNAL_STALE, age <= oldest, f"{seconds(age)} s", limit, message)


def order_in_time(situation: Situation) -> Check | None:
    """An entry that was meant before one that is applied already comes too late: the later word holds."""
    meant_at, applied = situation.wanted.signaled_at, situation.applied_up_to
    if not situation.is_entry or meant_at is None or applied is None:
        return None
    message = f"A signal of {applied.isoformat()} is applied already"
    return check(Denial.OUT_OF_ORDER, meant_at >= applied, meant_at.isoformat(), applied.isoformat(), message)
