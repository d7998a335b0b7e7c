"""What the venue says, in our words and units."""

from dataclasses import dataclass
from datetime import datetime

from execution.domain.chain import Block, Log
from execution.domain.venue_order import VenueOrderKind
from trading.domain.errors import Conflict
from trading.domain.position import Direction, FillKind, Held, LevelKind, Levels
from trading.domain.units import Leverage, Price, Usdc


class UnknownEvent(Conflict):
    """A contract that we follow said something that our ABI doesn't know: never dropped, always an alert."""

    code = "VENUE_EVENT_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInitiated:
    """The venue registered an order and took the escrow; a keeper will fill or cancel it.

    A limit has a place, `venue_index`, and no number; an increase names its position by it. None: the event doesn't say.
    """

    order_id: int | None
    kind: VenueOrderKind
    trader: str
    pair_index: int
    venue_index: int | None
    direction: Direction
    collateral: Usdc
    leverage: Leverage | None
    price: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUpdated:
    """A limit waits for another price now."""

    trader: str
    pair_index: int
    venue_index: int
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCanceled:
    """Its trader withdrew a limit; what it had in escrow is paid back."""

    trader: str
    pair_index: int
    venue_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What an execution moved and what it cost. `moved`: collateral put up, closed, deposited or withdrawn, at a leverage."""

    moved: Usdc
    leverage: Leverage
    fee: Usdc
    rollover: Usdc
    funding: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsCharged:
    """What the execution that follows in the same transaction cost."""

    trader: str
    pair_index: int
    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeExecuted:
    """The venue executed. `order_id` is None when no market order of anybody's asked for it (TP, SL, liquidation).

    `collateral` is what is open now (for an open, net of its fee) or what was closed. `limit_index`: where the limit lay
    that was executed, if one was.
    """

    order_id: int | None
    limit_index: int | None
    kind: FillKind
    trader: str
    pair_index: int
    venue_index: int
    # None: the venue's own word for it makes no sense.
    opened_at: datetime | None
    direction: Direction
    price: Price
    collateral: Usdc
    leverage: Leverage
    payout: Usdc
    levels: Levels
    # None: it wasn't told.
    costs: Costs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionResized:
    """An increase was filled, or margin was moved: `after` is what the position is from now on.

    `coins`: what an increase added, None for margin. `margin_fee`: what a change of margin took, None for an increase.
    """

    order_id: int | None
    kind: FillKind
    trader: str
    pair_index: int
    venue_index: int
    opened_at: datetime | None
    direction: Direction
    after: Held
    levels: Levels
    coins: int | None
    margin_fee: Usdc | None
    is_withdrawal: bool
    costs: Costs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChanged:
    """The venue holds another level for a position; a price of None: none any more."""

    trader: str
    pair_index: int
    venue_index: int
    opened_at: datetime | None
    level: LevelKind
    price: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled:
    """The venue gave an order up; `pays_back`: what it had in escrow, if it was to add to a position."""

    order_id: int
    pays_back: bool
    trader: str
    pair_index: int


VenueEvent = (
    OrderInitiated | LimitUpdated | LimitCanceled | CostsCharged | TradeExecuted | PositionResized | LevelChanged | OrderCanceled
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One of the venue's events, with the block and the log it stands in.

    `ordinal`: how many orders its transaction had registered before it, whoever they were for. What is `past` was read
    long after it happened: it is nobody's news. `refund`: what came back with a cancellation; None: nobody looked.
    """

    event: VenueEvent
    block: Block
    log: Log
    chain_id: int
    ordinal: int = 0
    past: bool = False
    refund: Usdc | None = None
