"""Levels that the venue itself holds for a position: what is asked for them, and which of that a signer may sign."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from execution.domain.signing import SigningDenied
from trading.domain.errors import Denied
from trading.domain.position import Levels
from trading.domain.units import Price

# The venue takes what is asked until then; afterwards it is asked anew, with another nonce.
LIFETIME = timedelta(seconds=30)
# A position's levels are asked for at most so often.
PAUSE = timedelta(seconds=5)
# No signature is good for longer than the venue's own default (venue.md section 4.2).
LONGEST_LIFE = timedelta(minutes=2)
_NONCE_BITS = 256


class LevelsRefused(Denied):
    """The venue won't set these levels."""

    code = "LEVELS_REFUSED"


class UpdateStatus(StrEnum):
    """How far the venue is with new levels."""

    ASKED = "ASKED"  # it may have heard; after the deadline it can't act on it anymore
    SET = "SET"  # its own event said so


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsIntent:
    """New levels for a position in its slot, asked for by its trader's delegate."""

    trader: str
    pair_index: int
    venue_index: int
    levels: Levels
    asked_at: datetime
    deadline: datetime
    nonce: int


Rule = Callable[[LevelsIntent], bool]


def trader(intent: LevelsIntent) -> bool:
    """Somebody whose position it is."""
    return int(intent.trader or "0", 16) != 0


def lifetime(intent: LevelsIntent) -> bool:
    """Good for a while, and not for longer."""
    return timedelta(0) < intent.deadline - intent.asked_at <= LONGEST_LIFE


def some_level(intent: LevelsIntent) -> bool:
    """It may move a guard, never take both away."""
    found = (intent.levels.take_profit, intent.levels.stop_loss)
    return any(found) and all(each is None or each > Price.zero() for each in found)


def nonce(intent: LevelsIntent) -> bool:
    """One of the venue's own width."""
    return 0 <= intent.nonce < 1 << _NONCE_BITS


RULES: tuple[Rule, ...] = (trader, lifetime, some_level, nonce)


def permit(intent: LevelsIntent, *, rules: tuple[Rule, ...] = RULES) -> None:
    """Pass if a signer may sign this.

    Raises:
        SigningDenied: with the first rule that it breaks.
    """
    for rule in rules:
        if not rule(intent):
            raise SigningDenied("the signer's policy refuses the levels", act="levels", rule=rule.__name__)
