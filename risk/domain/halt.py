"""The trading state of each scope, and what holds for one signal: the strictest state, and every lock."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from risk.domain.lock import ActiveLock

# Whose exits a halt lets pass: people's own hands, and the protections of what they hold.
NEVER_REFUSED = ("console", "telegram", "protection")


class TradingState(StrEnum):
    """What a scope lets pass, from the least cautious to the most."""

    ACTIVE = "ACTIVE"  # everything
    REDUCING = "REDUCING"  # exits only
    HALTED = "HALTED"  # only exits by a person or by a protection: nobody's programs trade

    @property
    def caution(self) -> int:
        """How strict it is: the larger wins."""
        return list(TradingState).index(self)


class HaltScope(StrEnum):
    """Whom a trading state speaks about, the widest first."""

    GLOBAL = "GLOBAL"  # the desk; its key is empty
    SYMBOL = "SYMBOL"  # a market; its key is the symbol
    SOURCE = "SOURCE"  # a source, by its name; `copy` also means each `copy:...`
    USER = "USER"  # an account; its key is the Telegram id


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHeld:
    """A trading state that somebody set. `since` is None for the one that nobody did: ACTIVE."""

    state: TradingState
    scope: HaltScope
    key: str
    reason: str
    set_by: str
    since: datetime | None
    # None: until somebody changes it.
    until: datetime | None

    def covers(self, *, symbol: str, source: str) -> bool:
        """Whether it speaks about a signal of an account that it was read for."""
        match self.scope:
            case HaltScope.SYMBOL:
                return self.key == symbol
            case HaltScope.SOURCE:
                return self.key in (source, family(source))
        return True

    def refuses(self, *, is_entry: bool, source: str) -> bool:
        """Whether a signal doesn't pass. No state keeps a person or a protection from closing."""
        if is_entry:
            return self.state is not TradingState.ACTIVE
        return self.state is TradingState.HALTED and family(source) not in NEVER_REFUSED


UNSET = StateHeld(state=TradingState.ACTIVE, scope=HaltScope.GLOBAL, key="", reason="", set_by="", since=None, until=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Halts:
    """Every trading state and lock that one account's signals of one book may meet."""

    states: tuple[StateHeld, ...]
    active: tuple[ActiveLock, ...]

    def state(self, *, symbol: str, source: str) -> StateHeld:
        """The strictest state that covers a signal; of equal ones that of the widest scope."""
        covering = sorted((each for each in self.states if each.covers(symbol=symbol, source=source)), key=_width)
        return max(covering, key=lambda each: each.state.caution, default=UNSET)

    def locks(self, *, symbol: str) -> tuple[ActiveLock, ...]:
        """The locks that keep entries out of a market, those of the whole account first."""
        mine = [lock for lock in self.active if lock.symbol in (None, symbol)]
        return tuple(sorted(mine, key=lambda lock: (lock.symbol is not None, lock.since)))


def family(source: str) -> str:
    """The name before the colon: `copy` for `copy:0xabc`."""
    return source.partition(":")[0]


def relaxes(before: StateHeld, *, state: TradingState, until: datetime | None) -> bool:
    """Whether a new state lets more happen than the one that holds: a weaker one, or one that ends sooner."""
    if before.state is TradingState.ACTIVE:
        return False
    ends_sooner = until is not None and (before.until is None or until < before.until)
    return state.caution < before.state.caution or ends_sooner


def _width(held: StateHeld) -> int:
    return list(HaltScope).index(held.scope)
