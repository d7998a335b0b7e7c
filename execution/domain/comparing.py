"""The same trade in both books: why they ended differently, part by part, and the parts add up to the difference exactly."""

from dataclasses import dataclass

from execution.domain import paper
from execution.domain.paper import Terms
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One book's way in and out: the prices before and after the spread, the collateral, and what was paid for."""

    direction: Direction
    collateral: Usdc
    leverage: Leverage
    entry: Price
    exit: Price
    price_pnl: Usdc
    # Of the opening and of the close.
    fees: Usdc
    rollover: Usdc
    funding: Usdc

    @property
    def net(self) -> Usdc:
        """What the trade brought."""
        return self.price_pnl - self.fees - self.rollover - self.funding


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePart:
    """Why one of the prices differs: the market moved between the two, or another spread was taken."""

    delay: Price
    spread: Price

    @property
    def total(self) -> Price:
        """The live price less the one on paper."""
        return self.delay + self.spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Live less paper: each price's parts, and the money's."""

    entry: PricePart
    exit: PricePart
    delay: Usdc
    spread: Usdc
    # Another collateral, the cap of a gain, a floor, or a rounding.
    size: Usdc
    fees: Usdc
    rollover: Usdc
    funding: Usdc

    @property
    def total(self) -> Usdc:
        """All the parts together: exactly what live brought more, or less, than paper."""
        return self.delay + self.spread + self.size + self.fees + self.rollover + self.funding


def explain(*, on_paper: Told, live: Told, terms: Terms) -> Explained:
    """Go from paper to live one step at a time: first the market's own prices, then the spreads, then the size.

    Of a live fill only the price with its spread is known; the market's is what the catalogue's spread makes of it.
    """
    opens, closes = (live.direction is Direction.LONG, live.direction is Direction.SHORT)
    entry = _parts(on_paper.entry, live.entry, terms=terms, buys=opens)
    exit_ = _parts(on_paper.exit, live.exit, terms=terms, buys=closes)
    moved = _profit(on_paper, entry=on_paper.entry + entry.delay, exit_price=on_paper.exit + exit_.delay)
    spread = _profit(on_paper, entry=live.entry, exit_price=live.exit)
    before = _profit(on_paper, entry=on_paper.entry, exit_price=on_paper.exit)
    return Explained(
        entry=entry,
        exit=exit_,
        delay=moved - before,
        spread=spread - moved,
        size=(live.price_pnl - on_paper.price_pnl) - (spread - before),
        fees=on_paper.fees - live.fees,
        rollover=on_paper.rollover - live.rollover,
        funding=on_paper.funding - live.funding,
    )


def _parts(on_paper: Price, live: Price, *, terms: Terms, buys: bool) -> PricePart:
    market = [without_spread(price, terms=terms, buys=buys) for price in (on_paper, live)]
    # What the spread of the catalogue would have made of the live market, less what it made of the one on paper.
    moved = paper.with_spread(market[1], spread=terms.spread, buys=buys) - on_paper
    return PricePart(delay=moved, spread=live - on_paper - moved)


def without_spread(price: Price, *, terms: Terms, buys: bool) -> Price:
    """The highest market price of which the spread makes no more than this one."""
    sign = 1 if buys else -1
    guess = price.times_down(Percent.HUNDRED, Percent.HUNDRED + sign * terms.spread.raw)
    # A rounding may leave it a unit off.
    for step in (1, 0, -1):
        near = guess + Price(step)
        if paper.with_spread(near, spread=terms.spread, buys=buys) <= price:
            return near
    return guess


def _profit(told: Told, *, entry: Price, exit_price: Price) -> Usdc:
    held = paper.Held(direction=told.direction, collateral=told.collateral, leverage=told.leverage, entry=entry)
    return paper.profit(held, at=exit_price)
