"""Limits, and how those of several scopes become one: the strictest wins."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from trading.domain.units import Leverage, Usdc


class Scope(StrEnum):
    """Whom a policy speaks about."""

    GLOBAL = "GLOBAL"
    SYMBOL = "SYMBOL"
    USER = "USER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one policy allows; None says nothing."""

    max_leverage: Leverage | None = None
    max_position: Usdc | None = None
    circuit_breaker: bool = False


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
    """The strictest of all limits that apply. The circuit breaker lets exits pass only."""

    max_leverage: Leverage
    max_user_position: Usdc | None
    max_symbol_position: Usdc | None
    circuit_breaker: bool


def strictest(policies: Iterable[PolicyRow], *, ceiling: Leverage, tg_user_id: int, symbol: str) -> EffectivePolicy:
    """The limits that hold for a user in a market; no policy can pass the ceiling of leverage."""
    applying = [policy for policy in policies if policy.applies(tg_user_id=tg_user_id, symbol=symbol)]
    leverages = [policy.limits.max_leverage for policy in applying if policy.limits.max_leverage is not None]
    return EffectivePolicy(
        max_leverage=min([ceiling, *leverages]),
        max_user_position=_smallest(policy for policy in applying if policy.scope is not Scope.SYMBOL),
        max_symbol_position=_smallest(policy for policy in applying if policy.scope is Scope.SYMBOL),
        circuit_breaker=any(policy.limits.circuit_breaker for policy in applying),
    )


def _smallest(policies: Iterable[PolicyRow]) -> Usdc | None:
    caps = [policy.limits.max_position for policy in policies if policy.limits.max_position is not None]
    return min(caps, default=None)
