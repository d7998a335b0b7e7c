"""Reconciliation: what the venue holds for an account against what our books say of the same block. Asks nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc


class DifferenceKind(StrEnum):
    """How books and venue differ."""

    POSITION_UNKNOWN = "POSITION_UNKNOWN"  # the venue holds one that we don't know; it is adopted
    POSITION_GONE = "POSITION_GONE"  # we hold one that the venue doesn't
    POSITION_AMOUNT = "POSITION_AMOUNT"  # another collateral, leverage or direction
    POSITION_ENTRY = "POSITION_ENTRY"  # another entry price
    LEVELS = "LEVELS"  # another stop or target
    ORDER_UNKNOWN = "ORDER_UNKNOWN"  # the venue has an order under way that we don't know
    ORDER_GONE = "ORDER_GONE"  # we wait for one that the venue doesn't have
    BALANCE = "BALANCE"  # money is missing that neither a fill nor a transfer of the owner's explains
    ALLOWANCE_LOW = "ALLOWANCE_LOW"  # the venue may soon take nothing more


class DifferenceState(StrEnum):
    """How sure we are of one."""

    SEEN = "SEEN"  # by one look: a node may lag, or lie
    CONFIRMED = "CONFIRMED"  # by a second look at a later block, or in a final one
    RESOLVED = "RESOLVED"  # gone, or adopted


# What can't be, if all that happened was read: these set DRY.
GRAVE = frozenset(
    {
        DifferenceKind.POSITION_GONE,
        DifferenceKind.POSITION_AMOUNT,
        DifferenceKind.POSITION_ENTRY,
        DifferenceKind.ORDER_GONE,
        DifferenceKind.BALANCE,
    }
)
# While one of these stands, money came or went that no book of ours explains: the balance isn't judged.
UNREAD = GRAVE - {DifferenceKind.BALANCE} | {DifferenceKind.POSITION_UNKNOWN, DifferenceKind.ORDER_UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Which position: a slot of the venue, and when it was filled, in the venue's whole seconds."""

    pair_index: int
    venue_index: int
    opened_at: datetime

    def __str__(self) -> str:
        return f"position {self.pair_index}/{self.venue_index} of {self.opened_at:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFacts:
    """One position, as one side has it. Levels that are None on our side weren't told to us: nothing is compared."""

    place: Place
    direction: Direction
    collateral: Usdc
    leverage: Leverage
    entry: Price
    take_profit: Price | None = None
    stop_loss: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """One order that waits at the venue: by its number, or, for a limit, by its place. `escrow` is what was put up for it."""

    name: str
    escrow: Usdc = field(default_factory=Usdc.zero)


def order_name(number: int) -> str:
    """What a market order is called here."""
    return f"order {number}"


def limit_name(pair_index: int, venue_index: int) -> str:
    """What a limit is called here: it has a place, and no number."""
    return f"limit {pair_index}/{venue_index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAccount:
    """What the venue and the chain hold of one trader at one block."""

    trader: str
    balance: Usdc
    allowance: Usdc
    positions: tuple[PositionFacts, ...]
    orders: tuple[OrderFacts, ...]

    @property
    def worth(self) -> Usdc:
        """The wallet, the escrow and the collateral together: only fees, results and transfers move it."""
        escrow = sum((order.escrow for order in self.orders), Usdc.zero())
        return self.balance + escrow + sum((position.collateral for position in self.positions), Usdc.zero())


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedAccount:
    """What our books say of one trader as of one block. `max_gain`: the most that a position can gain, by its market."""

    positions: tuple[PositionFacts, ...]
    orders: tuple[OrderFacts, ...]
    max_gain: dict[int, Percent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: of what, and what each side says."""

    kind: DifferenceKind
    what: str
    ours: str
    theirs: str


def compare(ours: BookedAccount, theirs: VenueAccount, *, least_allowance: Usdc) -> tuple[Finding, ...]:
    """Every difference, in a fixed order."""
    return (
        *_positions(ours, theirs),
        *_orders(ours.orders, theirs.orders),
        *_allowance(theirs, least=least_allowance),
    )


def _positions(ours: BookedAccount, theirs: VenueAccount) -> Iterator[Finding]:
    booked, held = _by_place(ours.positions), _by_place(theirs.positions)
    for place in sorted(held.keys() - booked.keys()):
        yield Finding(kind=DifferenceKind.POSITION_UNKNOWN, what=str(place), ours="nothing", theirs=_said(held[place]))
    for place in sorted(booked.keys() - held.keys()):
        yield Finding(kind=DifferenceKind.POSITION_GONE, what=str(place), ours=_said(booked[place]), theirs="nothing")
    for place in sorted(booked.keys() & held.keys()):
        yield from _position(booked[place], held[place], max_gain=ours.max_gain.get(place.pair_index))


def _position(ours: PositionFacts, theirs: PositionFacts, *, max_gain: Percent | None) -> Iterator[Finding]:
    what = str(ours.place)
    amounts = [(each.direction, each.collateral, each.leverage) for each in (ours, theirs)]
    if amounts[0] != amounts[1]:
        yield Finding(kind=DifferenceKind.POSITION_AMOUNT, what=what, ours=_said(ours), theirs=_said(theirs))
    if ours.entry != theirs.entry:
        yield Finding(kind=DifferenceKind.POSITION_ENTRY, what=what, ours=str(ours.entry), theirs=str(theirs.entry))
    if not _levels_fit(ours, theirs, max_gain=max_gain):
        yield Finding(kind=DifferenceKind.LEVELS, what=what, ours=_levels(ours), theirs=_levels(theirs))


def _levels_fit(ours: PositionFacts, theirs: PositionFacts, *, max_gain: Percent | None) -> bool:
    """Whether the venue's levels are those that we know; a target may have been drawn to the cap of a new leverage."""
    if ours.take_profit is None and ours.stop_loss is None:
        return True
    is_target = theirs.take_profit == ours.take_profit or theirs.take_profit == _cap(theirs, max_gain=max_gain)
    return is_target and theirs.stop_loss == ours.stop_loss


def _cap(position: PositionFacts, *, max_gain: Percent | None) -> Price | None:
    """Where the venue's cap of the gain lies, as its contract has it."""
    if max_gain is None:
        return None
    distance = position.entry.times_down(max_gain.raw, 100 * position.leverage.raw)
    return position.entry + distance if position.direction is Direction.LONG else position.entry - distance


def _orders(ours: Iterable[OrderFacts], theirs: Iterable[OrderFacts]) -> Iterator[Finding]:
    booked, held = ({order.name: order for order in orders} for orders in (ours, theirs))
    for name in sorted(held.keys() - booked.keys()):
        said = f"{held[name].escrow} USDC in escrow"
        yield Finding(kind=DifferenceKind.ORDER_UNKNOWN, what=name, ours="nothing", theirs=said)
    for name in sorted(booked.keys() - held.keys()):
        yield Finding(kind=DifferenceKind.ORDER_GONE, what=name, ours="waits", theirs="nothing")


def _allowance(theirs: VenueAccount, *, least: Usdc) -> Iterator[Finding]:
    if theirs.allowance < least:
        said = f"{theirs.allowance} USDC"
        yield Finding(kind=DifferenceKind.ALLOWANCE_LOW, what="allowance", ours=f"at least {least} USDC", theirs=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account was worth at one look, and what its fills had earned by then."""

    worth: Usdc
    earned: Usdc

    def flow_since(self, earlier: "Balance") -> Usdc:
        """What came, or went, that no fill explains."""
        return (self.worth - earlier.worth) - (self.earned - earlier.earned)


def missing(flow: Usdc, *, transferred: Usdc) -> Finding | None:
    """The part of a flow that isn't the owner's, if it is money that went; what came is nobody's loss."""
    unexplained = flow - transferred
    if unexplained >= Usdc.zero():
        return None
    explained = f"{transferred} USDC by the owner's transfers"
    return Finding(kind=DifferenceKind.BALANCE, what="balance", ours=explained, theirs=f"{flow} USDC")


def _by_place(positions: Iterable[PositionFacts]) -> dict[Place, PositionFacts]:
    return {position.place: position for position in positions}


def _said(position: PositionFacts) -> str:
    return f"{position.direction} {position.collateral} USDC at {position.leverage}x"


def _levels(position: PositionFacts) -> str:
    return f"target {position.take_profit or 'none'}, stop {position.stop_loss or 'none'}"
