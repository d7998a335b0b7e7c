"""Equity: what an account is worth and what its trading has earned, read under its lock."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import ExpressionWrapper, Max, Sum

from risk.domain.equity import Account, Held, Marks, stake
from risk.models import AccountFacts
from trading import selectors
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.units import Price, Usdc
from trading.kinds import piece
from trading.models import DayResult, Fill, Position, Quote, Trader
from trading.models.fields import UsdcField
from trading.models.position import EARNED, WALLET_GAIN, FillQuerySet
from trading.services import wallets

# What a fill moved from the wallet into its position: what it earned, and the wallet didn't gain.
_PUT_UP = ExpressionWrapper(EARNED - WALLET_GAIN, output_field=UsdcField())


@piece
def newest_fill(trader: Trader, *, book: Book) -> int | None:
    """The number of the newest fill that stands; None before the first."""
    number: int | None = _fills(trader, book=book).aggregate(newest=Max("pk"))["newest"]
    return number


@piece
def read(trader: Trader, *, book: Book, since: datetime, at: datetime) -> Account:
    """One book of an account: eight queries at most, none of which grows with its years.

    The caller holds the account's lock, or a close could count twice.
    """
    earned = DayResult.objects.of(trader_id=trader.pk, book=book).total().net
    held = tuple(_held(each) for each in Position.objects.open().of(trader_id=trader.pk, book=book).select_related("market"))
    return Account(
        earned=earned,
        earned_before=earned - _sum(EARNED, of=_fills(trader, book=book).filter(filled_at__gte=since)),
        held=held,
        marks=_marks({each.symbol for each in held}, at=at),
        stake=wallets.of(trader.pk, at=at).put_in_usdc if book is Book.PAPER else _live_stake(trader, earned=earned, held=held),
    )


def _live_stake(trader: Trader, *, earned: Usdc, held: Iterable[Held]) -> Usdc | None:
    """What people put in, as the last look at the wallet tells: what came after it is taken off again."""
    seen = AccountFacts.objects.filter(trader=trader).first()
    if seen is None:
        return None
    later = _fills(trader, book=Book.LIVE).filter(block_number__gt=seen.block_number)
    put_up = sum((each.collateral for each in held), Usdc.zero()) - _sum(_PUT_UP, of=later)
    return stake(balance=seen.balance_usdc, put_up=put_up, earned=earned - _sum(EARNED, of=later))


def _sum(amount: "ExpressionWrapper[Any]", *, of: FillQuerySet) -> Usdc:
    total: Usdc | None = of.aggregate(sum=Sum(amount))["sum"]
    return total or Usdc.zero()


def _fills(trader: Trader, *, book: Book) -> FillQuerySet:
    return Fill.objects.canonical().filter(trader=trader, book=book)


def _held(position: Position) -> Held:
    return Held(
        symbol=position.market.symbol,
        direction=Direction(position.direction),
        collateral=position.collateral_usdc,
        leverage=position.leverage_x,
        entry=position.entry_price,
        opened_at=position.opened_at,
    )


def _marks(symbols: set[str], *, at: datetime) -> Marks:
    agreed = selectors.agreed_prices(now=at, symbols=symbols) if symbols else {}
    missing = symbols - agreed.keys()
    last_known = _last_known(missing) if missing else {}
    return Marks(agreed={symbol: each.price for symbol, each in agreed.items()}, last_known=last_known)


def _last_known(symbols: Iterable[str]) -> dict[str, Price]:
    quotes = Quote.objects.filter(market__symbol__in=symbols).order_by("published_at")
    return dict(quotes.values_list("market__symbol", "price"))
