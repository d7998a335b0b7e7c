"""What an act will do, in numbers, before it is done. Nothing here changes anything."""

from dataclasses import dataclass

from django.db.models import Count, Q

from execution.domain.intent import UNMINED, IntentStatus
from execution.models import TxIntent
from risk.domain.halt import HaltScope, StateHeld, TradingState
from risk.models import Lock
from trading.domain.mode import Book
from trading.models import Trader
from trading.services.mode import DeskSwitch
from vanta_site.control.scopes import counted, held, named, waiting_entries
from vanta_site.standing import Standing

Lines = tuple[str, ...]
DESK = HaltScope.GLOBAL


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """What is owed to the chain: signed and not yet mined, and not yet signed."""

    sent: int
    unsigned: int


def in_flight() -> InFlight:
    """One query over what hasn't ended."""
    unsigned = (IntentStatus.CREATED, IntentStatus.BUILDING, IntentStatus.BUILT)
    live = TxIntent.objects.filter(closed_at=None, book=Book.LIVE)
    return InFlight(
        **live.aggregate(sent=Count("pk", filter=Q(status__in=UNMINED)), unsigned=Count("pk", filter=Q(status__in=unsigned)))
    )


def of_waits(standing: Standing) -> Lines:
    """What waits while the switch can't be read; nothing while it can."""
    if not any(reason.startswith("the switch can't be read") for reason in standing.holds.reasons):
        return ()
    return (
        "The switch in Redis can't be read, so DRY holds."
        " The stop, the switches, states and locks are kept in PostgreSQL and act at once.",
        "A change of the mode is kept, and told to the switch when it answers. LIVE closes wait until LIVE holds again.",
    )


def of_stop() -> Lines:
    """The emergency stop."""
    owed = in_flight()
    return (
        "Nothing new is signed, by any process, from its next look on.",
        f"{counted(owed.sent, 'transaction')} in flight: watched to the end; stored bytes may go out again.",
        f"{counted(owed.unsigned, 'intent')} not yet signed: waiting.",
        f"{counted(waiting_entries(DESK, ''), 'waiting entry')}: kept and refused with EMERGENCY_STOP, like all that come.",
        f"Stays open: {held(DESK, '')}.",
    )


def of_lift(standing: Standing) -> Lines:
    """The stop's end."""
    stops = [reason for reason in standing.holds.reasons if reason.startswith("emergency stop by")]
    return (
        f"{counted(in_flight().unsigned, 'intent')} not yet signed: signed as soon as LIVE holds.",
        f"The mode that people want is {standing.state.configured}.",
        *(f"This stop stays up, it isn't the desk's to lift: {reason}." for reason in stops),
    )


def of_dry(_: Standing) -> Lines:
    """The switch to DRY."""
    owed = in_flight()
    return (
        "New entries are paper. Nothing is signed.",
        f"{counted(owed.sent, 'transaction')} in flight: watched to the end.",
        f"{counted(owed.unsigned, 'LIVE intent')} not yet signed: waiting until LIVE holds again.",
        f"Stays open with money, and can't be closed by the desk until then: {held(DESK, '', book=Book.LIVE)}.",
    )


def of_live(standing: Standing) -> Lines:
    """The switch to LIVE."""
    accounts = Trader.objects.accounts().filter(is_enabled=True).count()
    others = [reason for reason in standing.holds.reasons if not reason.startswith("the switch says DRY")]
    return (
        f"New entries of {counted(accounts, 'account')} are signed and sent, with money.",
        f"{counted(in_flight().unsigned, 'intent')} that waits for LIVE: signed.",
        f"Stays on paper: {held(DESK, '', book=Book.PAPER)}.",
        *(f"LIVE doesn't hold all the same while this says no: {reason}." for reason in others),
    )


def of_confirmation(standing: Standing) -> Lines:
    """A second person's word for LIVE."""
    if not standing.waits_for_second_person:
        return ("No wish for LIVE waits for a second person.",)
    return (f"LIVE is {standing.state.wished_by}'s wish; somebody else agrees to it.", *of_live(standing))


def of_switch(name: DeskSwitch, *, is_on: bool) -> Lines:
    """One of the desk's other switches."""
    code, refuses = REFUSALS[str(name)]
    open_now = f"Exits go on; open now: {held(DESK, '')}."
    if not code:
        return ("Targets, trailing stops and copying pause." if is_on else "They go on.", "Stop-losses never pause.", open_now)
    waiting = counted(waiting_entries(DESK, ""), "waiting entry")
    if is_on is refuses:
        return (f"Entries are refused with {code}: {waiting}, and all that come.", open_now)
    return (f"Entries are taken again: {waiting}, and all that come. What was refused stays refused.", open_now)


# Of each switch: the code that it refuses entries with, and whether it does so when it is on.
REFUSALS = {
    "signals_enabled": ("SIGNALS_DISABLED", False),
    "maintenance": ("MAINTENANCE", True),
    "automation_paused": ("", True),
}


def of_state(scope: HaltScope, key: str, *, state: TradingState, others: list[StateHeld]) -> Lines:
    """A trading state of a scope, beside the states that others have."""
    where = named(scope, key)
    waiting = counted(waiting_entries(scope, key), "waiting entry")
    open_now = f"Open there now: {held(scope, key)}."
    if state is TradingState.ACTIVE:
        still = [f"{named(each.scope, each.key)} {each.state}" for each in others]
        besides = f"These states hold besides: {', '.join(still)}." if still else "No other state holds."
        return (f"Entries of {where} pass again: {waiting}, and all that come.", besides, open_now)
    who = "by people and by protections only" if state is TradingState.HALTED else "by anybody"
    return (f"Entries of {where} are refused: {waiting}, and all that come.", f"Closes pass, {who}.", open_now)


def of_unlock(lock: Lock, *, besides: int) -> Lines:
    """A lock's end before its time."""
    where = lock.market.symbol if lock.market else "every market"
    return (
        f"Entries of {named(HaltScope.USER, str(lock.trader.account))} in {where} pass this lock again, in {lock.book}.",
        f"It was placed because: {lock.reason}. Measured {lock.value} against {lock.limit}.",
        f"{counted(besides, 'other lock')} of this account and book still hold{'s' if besides == 1 else ''}.",
    )


def of_flatten(scope: HaltScope, key: str, *, book: Book, standing: Standing) -> Lines:
    """Closing everything of one book in a scope."""
    where, waiting = named(scope, key), counted(waiting_entries(scope, key), "waiting entry")
    waits = book is Book.LIVE and not standing.could_be.may_sign
    return (
        f"Closes {held(scope, key, book=book)}, {book}, each once.",
        f"Entries of {where} are refused until somebody resumes it: {waiting}, and all that come.",
        f"{counted(in_flight().sent, 'transaction')} in flight: watched to the end; what they open there is closed too.",
        *((f"The closes wait until LIVE holds; held down by: {standing.summary}.",) if waits else ()),
    )
