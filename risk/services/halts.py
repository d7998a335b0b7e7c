"""Trading states: pausing, halting and resuming a scope, and what an account's signals meet."""

from datetime import datetime

from risk.domain import authority
from risk.domain.halt import UNSET, Halts, HaltScope, StateHeld, TradingState, relaxes
from risk.models import Halt, Lock
from risk.models.bounded import ENDING
from trading import locks
from trading.domain.errors import Invalid
from trading.domain.people import Act, Person
from trading.domain.signal import normalized_symbol
from trading.kinds import piece, write
from trading.models import Market, Trader
from trading.services import audit, journal

KEY_LENGTH = 64


class ScopeUnknown(Invalid):
    """A trading state was asked for something that isn't there."""

    code = "SCOPE_UNKNOWN"


class UntilRefused(Invalid):
    """A trading state was asked to end before it begins, or ACTIVE to end at all."""

    code = "UNTIL_REFUSED"


@piece
def of(trader: Trader, *, book: str, at: datetime) -> Halts:
    """What an account's signals of one book meet: two queries, whatever the number of signals and markets."""
    states = Halt.objects.holding(at=at).meeting(tg_user_id=trader.account).order_by("pk")
    blocks = Lock.objects.holding(at=at).of(trader_id=trader.pk, book=book).select_related("market")
    return Halts(states=tuple(row.as_held() for row in states), active=tuple(row.as_active() for row in blocks))


def held(*, at: datetime) -> list[StateHeld]:
    """Every trading state that holds, the widest scope first."""
    rows = Halt.objects.holding(at=at).order_by("since")
    return sorted((row.as_held() for row in rows), key=lambda each: list(HaltScope).index(each.scope))


def act_for(*, scope: HaltScope, key: str, state: TradingState, until: datetime | None, at: datetime) -> Act:
    """What a person must be allowed to set a scope's state, as it stands now. `set_state` asks again, under its lock."""
    own = (each for each in held(at=at) if (each.scope, each.key) == (scope, key))
    return _needed(next(own, UNSET), scope=scope, state=state, until=until)


@write
def set_state(
    *,
    scope: HaltScope,
    key: str,
    state: TradingState,
    person: Person,
    reason: str,
    at: datetime,
    until: datetime | None = None,
) -> StateHeld:
    """Set a scope's trading state: more caution at once, less only by who may resume. Setting what holds is no change.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person may not.
        ScopeUnknown: if the key names nothing of that scope.
        UntilRefused: if it would end before it begins.
    """
    return place(scope=scope, key=key, state=state, person=person, reason=reason, at=at, until=until)


@piece
def place(
    *,
    scope: HaltScope,
    key: str,
    state: TradingState,
    person: Person,
    reason: str,
    at: datetime,
    until: datetime | None = None,
) -> StateHeld:
    """As `set_state`, in the caller's transaction."""
    key = checked_key(scope, key)
    if until is not None and (until <= at or state is TradingState.ACTIVE):
        raise UntilRefused("a pause ends after it begins, and ACTIVE has no end", field="until")
    # The mode's row stands for the desk: one change of its states at a time.
    locks.mode_state()
    row = Halt.objects.filter(scope=scope, key=key, ended_at=None).first()
    before = row.as_held() if row is not None and row.holds(at=at) else UNSET
    act = _needed(before, scope=scope, state=state, until=until)
    authority.check(person, act, reason=reason, account=int(key) if scope is HaltScope.USER else None)
    if (before.state, before.until) == (state, until):
        return before
    if row is not None:
        row.end(by=person.name, reason=reason, at=at)
        row.save(update_fields=ENDING)
    wanted = Halt(scope=scope, key=key, state=state, reason=reason, placed_by=person.name, since=at, until=until)
    if state is not TradingState.ACTIVE:
        wanted.save(force_insert=True)
    _note(wanted, before=before, subject=row or wanted, at=at)
    return wanted.as_held()


@piece
def tighten(*, scope: HaltScope, key: str, state: TradingState, person: Person, reason: str, at: datetime) -> StateHeld:
    """Hold a scope at least so strictly, and until somebody resumes it; what is stricter stays.

    Raises:
        ReasonMissing, NotAllowed, ScopeUnknown: as `set_state`.
    """
    locks.mode_state()
    row = Halt.objects.holding(at=at).filter(scope=scope, key=key).first()
    strictest = max([state, *([TradingState(row.state)] if row else [])], key=lambda each: each.caution)
    return place(scope=scope, key=key, state=strictest, person=person, reason=reason, at=at)


def checked_key(scope: HaltScope, key: str) -> str:
    """A scope's key as it is kept.

    Raises:
        ScopeUnknown: if it names nothing of that scope.
    """
    found: str | None = key
    if scope is HaltScope.SYMBOL:
        found = Market.objects.filter(symbol=normalized_symbol(key)).values_list("symbol", flat=True).first()
    elif scope is HaltScope.USER:
        found = str(Trader.objects.values_list("tg_user_id", flat=True).filter(tg_user_id=_number(key)).first() or "")
    if found is None or bool(found) is (scope is HaltScope.GLOBAL) or len(found) > KEY_LENGTH:
        raise ScopeUnknown(f"{scope} has nothing of that name", field="key", scope=str(scope))
    return found


def _number(key: str) -> int:
    return int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0


def _needed(before: StateHeld, *, scope: HaltScope, state: TradingState, until: datetime | None) -> Act:
    if relaxes(before, state=state, until=until):
        return Act.RESUME
    return Act.PAUSE if scope is HaltScope.USER else Act.HALT


def _note(wanted: Halt, *, before: StateHeld, subject: Halt, at: datetime) -> None:
    audit.record(
        actor=wanted.placed_by,
        action="state.change",
        subject=f"state:{wanted.scope}:{wanted.key}",
        before=_said(before),
        after=_said(wanted.as_held()),
        reason=wanted.reason,
        at=at,
    )
    said = wanted.as_held()
    journal.record(
        "risk.state_changed",
        subject,
        at=at,
        scope=said.scope,
        key=said.key,
        state=said.state,
        until=said.until,
        reason=said.reason,
    )


def _said(held: StateHeld) -> dict[str, str | None]:
    return {"state": str(held.state), "until": held.until.isoformat() if held.until else None}
