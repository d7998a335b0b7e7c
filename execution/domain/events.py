"""What the venue says, in our words and units."""

from dataclasses import dataclass
from datetime import datetime

from trading.domain.errors import Conflict
from trading.domain.position import Direction, FillKind
from trading.domain.units import Leverage, Price, Usdc


class UnknownEvent(Conflict):
    """A contract that we follow said something that our ABI doesn't know: never dropped, always an alert."""

    code = "VENUE_EVENT_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInitiated:
    """The venue registered an order and took the escrow; a keeper will fill or cancel it."""

    order_id: int
    trader: str
    pair_index: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeExecuted:
    """The venue executed. `order_id` is None when no market order of anybody's asked for it (TP, SL, liquidation).

    `collateral` is what is open now (for an open, net of its fee) or what was closed.
    """

    order_id: int | None
    kind: FillKind
    trader: str
    pair_index: int
    venue_index: int
    opened_at: datetime
    direction: Direction
    price: Price
    collateral: Usdc
    leverage: Leverage
    payout: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled:
    """The venue gave an order up; the escrow of an open is paid back."""

    order_id: int
    trader: str
    pair_index: int


VenueEvent = OrderInitiated | TradeExecuted | OrderCanceled
