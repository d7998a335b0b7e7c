"""The catalogue: what can be traded, as the venue says."""

from datetime import datetime

from execution.desk import Desk
from execution.ports import MarketListing
from trading.kinds import step, write
from trading.models import Market


@step
def sync(*, desk: Desk, at: datetime) -> int:
    """Bring the markets up to date; one that the venue no longer names is unlisted, never deleted."""
    return _store(desk.venue.markets(), at=at)


@write
def _store(listings: list[MarketListing], *, at: datetime) -> int:
    for listing in listings:
        Market.objects.update_or_create(symbol=listing.symbol, defaults=_fields(listing, at=at))
    Market.objects.exclude(symbol__in=[listing.symbol for listing in listings]).update(is_listed=False)
    return len(listings)


def _fields(listing: MarketListing, *, at: datetime) -> dict[str, object]:
    return {
        "group_name": listing.group,
        "pair_index": listing.pair_index,
        "is_listed": listing.is_listed,
        "is_open": listing.is_open,
        "is_close_only": listing.is_close_only,
        "min_notional_usdc": listing.min_notional,
        "min_leverage_x": listing.min_leverage,
        "max_leverage_x": listing.max_leverage,
        "open_fee_pct": listing.open_fee,
        "close_fee_pct": listing.close_fee,
        "spread_pct": listing.spread,
        "rollover_hourly_pct": listing.rollover_hourly,
        "funding_hourly_pct": listing.funding_hourly,
        "max_gain_pct": listing.max_gain,
        "synced_at": at,
    }
