"""What an account is worth, and what its trading has earned: deposits and withdrawals move the first only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.domain.position import Direction, gross_profit
from trading.domain.units import Leverage, Price, Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An open position."""

    symbol: str
    direction: Direction
    collateral: Usdc
    leverage: Leverage
    entry: Price
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The prices to value positions at: agreed ones, and the last known where there is no agreement."""

    agreed: Mapping[str, Price]
    last_known: Mapping[str, Price]

    def of(self, symbol: str, *, entry: Price) -> Price:
        """The agreed price, or the last known one; without any, the entry price: no profit and no loss is invented."""
        return self.agreed.get(symbol) or self.last_known.get(symbol) or entry

    def doubts(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """What a valuation stood on where there was no agreed price."""
        return tuple(
            f"{symbol} at its last known price" if symbol in self.last_known else f"{symbol} at its entry price"
            for symbol in sorted(set(symbols) - self.agreed.keys())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One book of an account under its lock. `earned` is the sum over all its fills, `earned_before` that before its day."""

    earned: Usdc
    earned_before: Usdc
    held: tuple[Held, ...]
    marks: Marks
    # What people put in, in all, less what they took out; None: nobody has seen the wallet yet.
    stake: Usdc | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What was measured: what trading has earned in all and before the day began, and what the account is worth."""

    earned: Usdc
    earned_before: Usdc
    # None: nobody has seen the wallet yet.
    equity: Usdc | None
    doubts: tuple[str, ...]


def measure(account: Account, *, since: datetime) -> Measure:
    """Realised and unrealised together.

    What was open at `since` is valued now for then: that is exact for an account that was flat, and as old as
    the first look after a reset for one that wasn't. `Measure.earned_before` is used at that first look only.
    """
    kept = tuple(each for each in account.held if each.opened_at < since)
    earned = account.earned + unrealised(account.held, marks=account.marks)
    return Measure(
        earned=earned,
        earned_before=account.earned_before + unrealised(kept, marks=account.marks),
        equity=None if account.stake is None else account.stake + earned,
        doubts=account.marks.doubts(each.symbol for each in account.held),
    )


def stake(*, balance: Usdc, put_up: Usdc, earned: Usdc) -> Usdc:
    """What people put into a wallet, as one look at it tells: its balance, less what fills until then made of it.

    `put_up` and `earned` are of the fills in blocks up to that of the look. What was on its way to the venue just then is
    in neither: the stake is too small for it, never too large.
    """
    return balance + put_up - earned


def unrealised(held: Iterable[Held], *, marks: Marks) -> Usdc:
    """What closing everything now would bring before fees. A position loses no more than its collateral."""
    return sum((_profit(each, price=marks.of(each.symbol, entry=each.entry)) for each in held), Usdc.zero())


def _profit(each: Held, *, price: Price) -> Usdc:
    profit = gross_profit(
        direction=each.direction, collateral=each.collateral, leverage=each.leverage, entry=each.entry, exit_price=price
    )
    return max(profit, -each.collateral)
