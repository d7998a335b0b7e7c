"""Paper positions as the paper venue's arithmetic takes them."""

from datetime import datetime

from execution.domain import paper
from execution.domain.paper import Held, Terms
from trading.domain import carrying
from trading.domain.position import Direction
from trading.models import Market, Position


def terms(market: Market) -> Terms:
    """What a market charges, as its catalogue last said."""
    return Terms(
        spread=market.spread_pct, open_fee=market.open_fee_pct, close_fee=market.close_fee_pct, max_gain=market.max_gain_pct
    )


def held(position: Position, *, at: datetime) -> Held:
    """A position with what it owes by now, at the rates of now; its market comes with it."""
    size = paper.size(position.collateral_usdc, position.leverage_x)
    direction, elapsed, market = Direction(position.direction), at - position.opened_at, position.market
    return Held(
        direction=direction,
        collateral=position.collateral_usdc,
        leverage=position.leverage_x,
        entry=position.entry_price,
        rollover=carrying.rollover(size, rate=market.rollover_hourly_pct, elapsed=elapsed),
        funding=carrying.funding(size, rate=market.funding_hourly_pct, elapsed=elapsed, direction=direction),
    )
