"""Following: how an account copies a leader, within which caps, and when it stops by itself."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from trading.domain.signal import DEFAULT_SLIPPAGE
from trading.domain.units import Leverage, Percent, Usdc


class FollowMode(StrEnum):
    """What of a leader is copied."""

    ON = "ON"  # what he opens and what he closes
    CLOSES_ONLY = "CLOSES_ONLY"  # what he closes
    OFF = "OFF"  # what he closes of what was copied before, and nothing else


class Sizing(StrEnum):
    """How big a copied trade is."""

    FIXED = "FIXED"  # always the same collateral
    MIRROR = "MIRROR"  # a share of the leader's collateral
    EQUITY_PCT = "EQUITY_PCT"  # a share of the follower's own equity


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a follower wants copied, and at most how much. None in a cap: there is none."""

    sizing: Sizing
    # Exactly with FIXED.
    fixed: Usdc | None = None
    # Exactly with MIRROR (of the leader's collateral; 100 is as much) and EQUITY_PCT.
    share: Percent | None = None
    # Collateral of one trade, and of all that one UTC day opens.
    max_trade: Usdc | None = None
    max_day: Usdc | None = None
    max_leverage: Leverage | None = None
    # How far the price may lie from the leader's, and the fill from the price.
    max_slippage: Percent = DEFAULT_SLIPPAGE
    # Empty: every market.
    symbols: frozenset[str] = frozenset()
    # So many losses in a row, or so much lost below the best that it had made, and only closes are copied.
    max_losses: int | None = None
    max_drawdown: Usdc | None = None


# A smaller number here is the stricter one; None is no cap at all.
_CAPS = ("fixed", "share", "max_trade", "max_day", "max_leverage", "max_slippage", "max_losses", "max_drawdown")


def raised(before: Terms, after: Terms) -> list[str]:
    """What a change lets through that was held back before, by name."""
    looser = [name for name in _CAPS if _is_looser(getattr(before, name), getattr(after, name))]
    resized = ["sizing"] if before.sizing is not after.sizing else []
    is_wider = bool(before.symbols) and not (after.symbols and after.symbols <= before.symbols)
    return [*resized, *looser, *(["symbols"] if is_wider else [])]


def _is_looser(before: Usdc | None, after: Usdc | None) -> bool:
    return before is not None and (after is None or after > before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why a following goes on with closes only: the limit's name, what was measured and what was allowed."""

    limit: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.limit}: {self.value}, limit {self.allowed}"


def stopped(profits: Iterable[Usdc], terms: Terms) -> Stopped | None:
    """Whether what was copied has lost enough; `profits` are those of closed positions, in their order."""
    lost_in_a_row, fallen = _record(profits)
    if terms.max_losses is not None and lost_in_a_row >= terms.max_losses:
        return Stopped(limit="losses in a row", value=str(lost_in_a_row), allowed=str(terms.max_losses))
    if terms.max_drawdown is not None and fallen >= terms.max_drawdown:
        return Stopped(limit="drawdown", value=f"${fallen}", allowed=f"${terms.max_drawdown}")
    return None


def _record(profits: Iterable[Usdc]) -> tuple[int, Usdc]:
    lost_in_a_row, earned, best = 0, Usdc.zero(), Usdc.zero()
    for profit in profits:
        lost_in_a_row = lost_in_a_row + 1 if profit < Usdc.zero() else 0
        earned += profit
        best = max(best, earned)
    return lost_in_a_row, best - earned


def said(terms: Terms) -> dict[str, str | int]:
    """Terms as the audit log keeps them: what says nothing is left out."""
    plain = {each.name: getattr(terms, each.name) for each in fields(terms)}
    plain["symbols"] = " ".join(sorted(terms.symbols))
    return {name: value if isinstance(value, int) else str(value) for name, value in plain.items() if value not in (None, "")}
