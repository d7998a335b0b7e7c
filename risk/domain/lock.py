"""Locks: temporary blocks of entries, each with its reason. An exit never meets one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trading.domain.people import MAY, Act, Role


class LockKind(StrEnum):
    """Why entries are blocked."""

    DAILY_LOSS = "DAILY_LOSS"  # the day's loss passed its limit: until the next reset, whatever is won back
    DRAWDOWN = "DRAWDOWN"  # equity fell too far below its peak: until somebody lifts it
    COOLDOWN = "COOLDOWN"  # a position in the market was closed a moment ago
    STOP_LOSS_GUARD = "STOP_LOSS_GUARD"  # so many stop-losses in a window
    LOW_PROFIT = "LOW_PROFIT"  # the market realised less than its limit in a window
    MANUAL = "MANUAL"  # a person said so


# Who may lift what before its time: the day's loss is a limit, and lifting its lock is raising it.
LIFTING: Mapping[LockKind, Act] = dict.fromkeys(LockKind, Act.UNLOCK) | {LockKind.DAILY_LOSS: Act.RAISE_LIMITS}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPlan:
    """A lock that somebody or some rule wants. `caused_at` is the fact behind it: the same fact locks once."""

    kind: LockKind
    # None: every market.
    symbol: str | None
    value: str
    limit: str
    reason: str
    caused_at: datetime
    # None: until it is lifted.
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveLock:
    """A lock that holds: what was measured, what it was held against, and how it ends."""

    lock_id: int
    kind: LockKind
    # None: every market.
    symbol: str | None
    value: str
    limit: str
    reason: str
    placed_by: str
    since: datetime
    # None: until it is lifted.
    until: datetime | None

    @property
    def lifters(self) -> tuple[Role, ...]:
        """The roles that may lift it."""
        return tuple(role for role in Role if LIFTING[self.kind] in MAY[role])

    def __str__(self) -> str:
        where = self.symbol or "every market"
        until = f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "until it is lifted"
        return f"{self.kind} in {where}: {self.reason}; {until}, or lifted by {' or '.join(self.lifters)}"


def outlasts(until: datetime | None, other: datetime | None) -> bool:
    """Whether a lock until then holds longer than one until the other; None is for ever."""
    return other is not None and (until is None or until > other)
