"""Accounts that hold, lose and close, for the tests of what follows from it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from risk.domain.lock import LockKind
from risk.domain.policy import Limits, Scope
from risk.models import AccountFacts, Lock, Policy
from risk.models.policy import COLUMNS
from risk.services import halts, losses
from tests.factories import NOW
from tests.factories.trading import FillFactory, PositionFactory, QuoteFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.position import FillKind, PositionStatus
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei
from trading.models import Fill, Position, Quote, Trader

RESET = datetime(2026, 1, 3, tzinfo=UTC)
# 20 % of the 10,000 USDC that a paper account begins with.
DAILY = Limits(max_daily_loss=Percent.of(20))
# What 4,000 USDC at 10× lose exactly the day's limit at.
AT_THE_LIMIT = 57_000


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def price_is(price: int | str, *, at: datetime = NOW) -> None:
    Quote.objects.all().delete()
    QuoteFactory(price=Price.of(price), published_at=at, max_age=timedelta(days=365))


def holding(account: Trader | None = None, *, book: Book = Book.PAPER, **said: Any) -> Trader:
    """An account with 4,000 USDC at 10× in bitcoin, bought at 60,000 today."""
    told: dict[str, Any] = {"collateral_usdc": Usdc.of(4_000), "leverage_x": Leverage.of(10)} | said
    position = PositionFactory(trader=account or TraderFactory(), book=book, **told)
    FillFactory(position=position, collateral_usdc=position.collateral_usdc, filled_at=position.opened_at)
    return position.trader


def close(account: Trader, *, profit: str, at: datetime = NOW, kind: FillKind = FillKind.CLOSE) -> None:
    """The venue closes what the account holds."""
    position = Position.objects.open().get(trader=account)
    FillFactory(
        position=position,
        kind=kind,
        collateral_usdc=position.collateral_usdc,
        payout_usdc=position.collateral_usdc + Usdc.of(profit),
        realised_pnl_usdc=Usdc.of(profit),
        filled_at=at,
    )
    position.status, position.closed_at, position.collateral_usdc = PositionStatus.CLOSED, at, Usdc.zero()
    position.realised_pnl_usdc = Usdc.of(profit)
    position.save()


def watch(account: Trader, *, limits: Limits = DAILY, balance: str | None = None, at: datetime = NOW) -> list[Lock]:
    """One look under these limits; `balance` is what the wallet holds by the newest block."""
    Policy.objects.update_or_create(scope=Scope.GLOBAL, defaults=_columns(limits) | {"updated_at": NOW})
    if balance is not None:
        seen = {"balance_usdc": Usdc.of(balance), "allowance_usdc": Usdc.zero(), "gas_wei": Wei(0), "seen_at": at}
        newest = Fill.objects.aggregate(newest=Max("block_number"))["newest"] or 0
        AccountFacts.objects.update_or_create(trader=account, defaults=seen | {"block_number": newest})
    return losses.watch(trader_id=account.pk, at=at)


def _columns(limits: Limits) -> dict[str, Any]:
    return {column: getattr(limits, limit) for limit, column in COLUMNS.items()}


def locked(account: Trader, *, at: datetime, book: Book = Book.PAPER) -> list[LockKind]:
    with transaction.atomic():
        return [lock.kind for lock in halts.of(account, book=book, at=at).locks(symbol="BTC-USD")]
