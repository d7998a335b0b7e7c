"""The paper venue: fills at the newest price with the venue's own spread and fees; nothing is signed."""

from dataclasses import dataclass

from trading.domain.position import Direction, gross_profit
from trading.domain.units import Leverage, Percent, Price, Usdc, notional


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFill:
    """What the paper venue did: the price, the collateral that moved, its fee, and the payout of a close."""

    price: Price
    collateral: Usdc
    fee: Usdc
    payout: Usdc


def fill_open(
    *, price: Price, spread: Percent, fee: Percent, direction: Direction, collateral: Usdc, leverage: Leverage
) -> PaperFill:
    """An open: bought above or sold below the price, the fee on the notional taken out of the collateral."""
    paid = notional(collateral, leverage).times_up(fee.raw, Percent.HUNDRED)
    at = _with_spread(price, spread=spread, buys=direction is Direction.LONG)
    return PaperFill(price=at, collateral=collateral - paid, fee=paid, payout=Usdc.zero())


def fill_close(
    *,
    price: Price,
    spread: Percent,
    fee: Percent,
    direction: Direction,
    collateral: Usdc,
    leverage: Leverage,
    entry: Price,
) -> PaperFill:
    """A close: the collateral with its profit less the fee, and never less than nothing."""
    at = _with_spread(price, spread=spread, buys=direction is Direction.SHORT)
    gross = gross_profit(direction=direction, collateral=collateral, leverage=leverage, entry=entry, exit_price=at)
    paid = notional(collateral, leverage).times_up(fee.raw, Percent.HUNDRED)
    payout = max(collateral + gross - paid, Usdc.zero())
    return PaperFill(price=at, collateral=collateral, fee=paid, payout=payout)


def _with_spread(price: Price, *, spread: Percent, buys: bool) -> Price:
    if buys:
        return price.times_up(Percent.HUNDRED + spread.raw, Percent.HUNDRED)
    return price.times_down(Percent.HUNDRED - spread.raw, Percent.HUNDRED)
