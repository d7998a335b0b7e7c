"""Limits, and how those of several scopes become one: the strictest wins."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from trading.domain.units import Leverage, Percent, Usdc


class Scope(StrEnum):
    """Whom a policy speaks about."""

    GLOBAL = "GLOBAL"
    SYMBOL = "SYMBOL"
    USER = "USER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one policy allows; None says nothing."""

    max_leverage: Leverage | None = None
    # Of one position: collateral × leverage.
    max_position: Usdc | None = None
    # Of all that is open and promised: the desk's at GLOBAL, the market's at SYMBOL, the account's at USER.
    max_exposure: Usdc | None = None
    # The desk's on either side, in one group of markets, from one source: at GLOBAL only.
    max_side_exposure: Usdc | None = None
    max_group_exposure: Usdc | None = None
    max_source_exposure: Usdc | None = None
    # Of an account, in one book.
    max_open_positions: int | None = None
    # Share of the equity that one position may lose at its stop.
    max_account_risk: Percent | None = None
    # Share of the way to liquidation that a stop must leave.
    liquidation_buffer: Percent | None = None
    # How far the signal's own price may lie from ours.
    max_price_deviation: Percent | None = None
    # Share of the equity at the day's start, and of its peak.
    max_daily_loss: Percent | None = None
    max_drawdown: Percent | None = None
    # Sliding windows of an account, in one book.
    max_opens_per_minute: int | None = None
    max_trades_per_day: int | None = None
    max_collateral_per_hour: Usdc | None = None
    max_volume_per_day: Usdc | None = None
    # Minutes without entries in a market after a close there.
    cooldown_minutes: int | None = None
    # So many stop-losses within so many minutes lock an account.
    stop_loss_guard: int | None = None
    stop_loss_minutes: int | None = None
    # A market whose realised PnL within so many minutes is below this is locked for an account.
    min_profit: Usdc | None = None
    min_profit_minutes: int | None = None
    # True: exits only.
    circuit_breaker: bool = False


Pick = Callable[[Iterable[Any]], Any]
# Which of two values is the stricter one: the smaller unless it stands here.
_STRICTER: dict[str, Pick] = {
    "liquidation_buffer": max,
    "cooldown_minutes": max,
    "stop_loss_minutes": max,
    "min_profit": max,
    "min_profit_minutes": max,
    "circuit_breaker": any,
}
_NAMES = tuple(each.name for each in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One policy: its scope, whom it names there, and its limits."""

    scope: Scope
    limits: Limits
    tg_user_id: int | None = None
    symbol: str | None = None

    def applies(self, *, tg_user_id: int, symbol: str) -> bool:
        """Whether it speaks about this user and market."""
        return self.tg_user_id in (None, tg_user_id) and self.symbol in (None, symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectivePolicy:
    """The limits that hold for a user in a market, sent by a source. The circuit breaker lets exits pass only.

    Most hold whoever set them (`overall`); exposures are sums whose width is the scope of their policy.
    """

    overall: Limits
    desk: Limits
    symbol: Limits
    account: Limits
    source: Limits = Limits()

    @property
    def max_leverage(self) -> Leverage:
        """There always is one: no policy can pass the ceiling."""
        if self.overall.max_leverage is None:
            raise ValueError("a policy in effect has a ceiling of leverage")
        return self.overall.max_leverage

    @property
    def max_user_position(self) -> Usdc | None:
        """The cap of one position that doesn't depend on the market."""
        return strictest([self.desk, self.account, self.source]).max_position


def strictest(limits: Iterable[Limits]) -> Limits:
    """Field by field the strictest of what is said; nothing said stays unsaid."""
    every = list(limits)
    return Limits(**{name: _strictest(name, [getattr(each, name) for each in every]) for name in _NAMES})


def in_effect(
    policies: Iterable[PolicyRow], *, source: Limits, ceiling: Leverage, tg_user_id: int, symbol: str
) -> EffectivePolicy:
    """The limits that hold for a user in a market; nothing passes the ceiling of leverage. A source can only lower them."""
    applying = [policy for policy in policies if policy.applies(tg_user_id=tg_user_id, symbol=symbol)]
    by_scope = {scope: strictest(policy.limits for policy in applying if policy.scope is scope) for scope in Scope}
    return EffectivePolicy(
        overall=strictest([Limits(max_leverage=ceiling), source, *by_scope.values()]),
        desk=by_scope[Scope.GLOBAL],
        symbol=by_scope[Scope.SYMBOL],
        account=by_scope[Scope.USER],
        source=source,
    )


def loosened(before: Limits, after: Limits) -> list[str]:
    """The fields in which the later limits allow more than the earlier ones."""
    return [name for name in _NAMES if getattr(strictest([before, after]), name) != getattr(after, name)]


def _strictest(name: str, values: list[Any]) -> Any:
    said = [value for value in values if value is not None]
    if not said:
        return Limits.__dataclass_fields__[name].default
    return _STRICTER.get(name, min)(said)
