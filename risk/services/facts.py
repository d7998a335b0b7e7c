"""Rows and settings in the words that the rules speak."""

from datetime import timedelta

from django.conf import settings

from risk.domain.policy import Limits
from risk.domain.situation import Canary, MarketFacts, SourceFacts, Wanted
from trading.domain.position import Direction
from trading.domain.protection import of_json
from trading.domain.signal import Side, Stance
from trading.domain.units import Leverage, Usdc
from trading.models import Market, Signal, Source


def market(row: Market) -> MarketFacts:
    """A market in the domain's words."""
    return MarketFacts(
        symbol=row.symbol,
        group=row.group_name,
        is_open=row.is_open and row.is_listed,
        is_close_only=row.is_close_only,
        min_notional=row.min_notional_usdc,
        min_leverage=row.min_leverage_x,
        max_leverage=row.max_leverage_x,
        cost=row.round_trip_pct,
    )


def source(row: Source) -> SourceFacts:
    """Who sent it, and what he may send."""
    return SourceFacts(
        name=row.name,
        is_enabled=row.is_enabled,
        symbols=frozenset(row.allowed_symbols),
        accounts=frozenset(row.allowed_accounts),
        max_lag=None if row.max_lag_seconds is None else timedelta(seconds=row.max_lag_seconds),
    )


# Those of a position that no source of ours opened.
NO_LIMITS = Limits()


def source_limits(row: Source) -> Limits:
    """The limits of a source's own."""
    return Limits(
        max_leverage=row.max_leverage_x,
        max_position=row.max_position_usdc,
        max_source_exposure=row.max_exposure_usdc,
    )


def wanted(signal: Signal, *, side: Side) -> Wanted:
    """What a signal asks, as it says it; `side` is what its own means beside what is held."""
    return Wanted(
        side=side,
        collateral=signal.collateral_usdc,
        leverage=signal.leverage_x,
        reduce=signal.reduce_usdc,
        reduce_share=signal.reduce_pct,
        slippage=signal.slippage_pct,
        price=signal.price,
        take_profit=signal.take_profit,
        stop_loss=signal.stop_loss,
        signaled_at=signal.signaled_at,
        stance=Stance(signal.stance),
        closes=Direction(signal.closes) if signal.closes else None,
        granted_at=signal.granted_at,
        max_deviation=signal.max_deviation_pct,
        protection=None if signal.protection is None else of_json(signal.protection),
    )


def canary() -> Canary | None:
    """The canary's caps while it flies."""
    if not settings.CANARY_ENABLED:
        return None
    return Canary(
        max_notional=Usdc.of(settings.MAX_NOTIONAL_USDC),
        symbols=frozenset(settings.ALLOWED_SYMBOLS),
        accounts=frozenset(settings.CANARY_USER_IDS),
    )


def ceiling() -> Leverage:
    """The most leverage that this process allows, whatever policies say."""
    highest = Leverage.of(settings.MAX_LEVERAGE)
    return min(highest, Leverage.of(settings.CANARY_LEVERAGE)) if settings.CANARY_ENABLED else highest
