"""What each day brought: sums over fills and closed positions, so that a year is read from a few hundred rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from django.db import connection, models
from django.db.models import F, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from trading.domain.mode import Book
from trading.domain.result import Grain, Result
from trading.models.fields import UsdcField
from trading.models.lifecycle import choices, known_words
from trading.models.market import Market
from trading.models.trader import Trader

_KEYS = {Grain.DAY: F("day"), Grain.WEEK: TruncWeek("day"), Grain.MONTH: TruncMonth("day"), Grain.MARKET: F("market__symbol")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One day of one book of an account, from its start up to, and without, its end."""

    trader_id: int
    book: Book
    day: date
    starts_at: datetime
    ends_at: datetime


class DayResultQuerySet(models.QuerySet["DayResult"]):
    """Days, asked for in our words."""

    def of(self, *, trader_id: int, book: str) -> Self:
        """One book of an account."""
        return self.filter(trader_id=trader_id, book=book)

    def total(self) -> Result:
        """All of them together."""
        return _result(self.aggregate(**_SUMS))

    def by(self, grain: Grain) -> list[tuple[Any, Result]]:
        """The total of each day, week (by its Monday), month (by its first), or market (by its symbol), in order."""
        rows = self.annotate(key=_KEYS[grain]).order_by().values("key").annotate(**_SUMS).order_by("key")
        return [(row["key"], _result(row)) for row in rows]

    def by_trader(self) -> dict[int, Result]:
        """The total of each trader."""
        rows = self.order_by().values("trader_id").annotate(**_SUMS)
        return {row["trader_id"]: _result(row) for row in rows}

    def good_days(self) -> dict[int, tuple[int, int]]:
        """Of each trader: on how many days something was filled, and how many of those earned. One query."""
        earned = Sum(F("price_pnl_usdc") - F("fees_usdc") - F("rollover_usdc") - F("funding_usdc"), output_field=UsdcField())
        days = self.filter(fills__gt=0).order_by().values("trader_id", "day").annotate(earned=earned)
        # Django can't count the rows of a sum without reading them all.
        inner, given = days.values("trader_id", "day", "earned").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_GOOD_DAYS.format(days=inner), given)
            return {trader_id: (whole, good) for trader_id, whole, good in cursor.fetchall()}

    def recount(self, spans: Iterable[Span]) -> None:
        """Count the days anew from their fills and positions. One statement, however many they are."""
        wanted = sorted(spans, key=lambda span: (span.trader_id, span.book, span.day))
        if not wanted:
            return
        columns = ("trader_id", "book", "day", "starts_at", "ends_at")
        with connection.cursor() as cursor:
            cursor.execute(_RECOUNT, {name: [getattr(span, name) for span in wanted] for name in columns})


class DayResult(models.Model):
    """One market on one day of one book of an account, in the account's own days. Nothing but sums: it can be counted anew."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="day_results", db_index=False)
    book = models.CharField(max_length=8, choices=choices(Book))
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="day_results", db_index=False)
    day = models.DateField()
    # As `trading.domain.result` names them.
    fills = models.PositiveIntegerField(default=0)
    trades = models.PositiveIntegerField(default=0)
    won = models.PositiveIntegerField(default=0)
    gains_usdc = UsdcField()
    losses_usdc = UsdcField()
    price_pnl_usdc = UsdcField()
    fees_usdc = UsdcField()
    rollover_usdc = UsdcField()
    funding_usdc = UsdcField()
    volume_usdc = UsdcField()

    objects = DayResultQuerySet.as_manager()

    class Meta:
        db_table = "day_results"
        constraints = [
            models.UniqueConstraint(name="one_result_for_each_day_and_market", fields=["trader", "book", "day", "market"]),
            known_words("day_result_book_is_known", Book, field="book"),
        ]
        indexes = [models.Index(name="day_results_by_day", fields=["day"])]

    def __str__(self) -> str:
        return f"{self.book} {self.trader_id} {self.day}"


_GOOD_DAYS = "SELECT trader_id, count(*), count(*) FILTER (WHERE earned > 0) FROM ({days}) AS days GROUP BY trader_id"
# The sums of a result, each under a name that no column has.
_COLUMNS = {
    "fills": "fills",
    "trades": "trades",
    "won": "won",
    "gains": "gains_usdc",
    "losses": "losses_usdc",
    "price_pnl": "price_pnl_usdc",
    "fees": "fees_usdc",
    "rollover": "rollover_usdc",
    "funding": "funding_usdc",
    "volume": "volume_usdc",
}
_SUMS = {f"sum_of_{name}": Sum(column) for name, column in _COLUMNS.items()}


def _result(sums: Mapping[str, Any]) -> Result:
    """The result that was asked for; without a row it is nothing."""
    return Result(**{name: value for name in _COLUMNS if (value := sums[f"sum_of_{name}"]) is not None})


# A day and market that has nothing anymore, since its block was reorganized out, is set to nothing: it stays a row.
_RECOUNT = """
    WITH spans AS (
        SELECT * FROM unnest(
            %(trader_id)s::bigint[], %(book)s::text[], %(day)s::date[], %(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[]
        ) AS span (trader_id, book, day, starts_at, ends_at)
    ), flows AS (
        -- For each day by itself, so that the index is asked however little PostgreSQL knows of the table.
        SELECT spans.trader_id, spans.book, spans.day, made.*
        FROM spans CROSS JOIN LATERAL (
            SELECT market_id, count(*) AS fills, sum(price_pnl_usdc) AS price_pnl, sum(fee_usdc) AS fees,
                sum(rollover_usdc) AS rollover, sum(funding_usdc) AS funding,
                sum(ceil(collateral_usdc * leverage_x * 1000000) / 1000000)
                    FILTER (WHERE kind NOT IN ('MARGIN', 'ADOPTED')) AS volume
            FROM fills
            WHERE fills.trader_id = spans.trader_id AND fills.book = spans.book AND is_canonical
                AND filled_at >= spans.starts_at AND filled_at < spans.ends_at
            GROUP BY market_id
        ) AS made
    ), closings AS (
        SELECT spans.trader_id, spans.book, spans.day, closed.*
        FROM spans CROSS JOIN LATERAL (
            SELECT market_id, count(*) AS trades, count(*) FILTER (WHERE net_pnl_usdc > 0) AS won,
                sum(greatest(net_pnl_usdc, 0)) AS gains, sum(greatest(-net_pnl_usdc, 0)) AS losses
            FROM positions
            WHERE positions.trader_id = spans.trader_id AND positions.book = spans.book AND status = 'CLOSED'
                AND closed_at >= spans.starts_at AND closed_at < spans.ends_at
            GROUP BY market_id
        ) AS closed
    ), known AS (
        SELECT trader_id, book, day, market_id FROM day_results JOIN spans USING (trader_id, book, day)
    )
    INSERT INTO day_results (
        trader_id, book, day, market_id, fills, trades, won, gains_usdc, losses_usdc,
        price_pnl_usdc, fees_usdc, rollover_usdc, funding_usdc, volume_usdc
    )
    SELECT trader_id, book, day, market_id, coalesce(fills, 0), coalesce(trades, 0), coalesce(won, 0), coalesce(gains, 0),
        coalesce(losses, 0), coalesce(price_pnl, 0), coalesce(fees, 0), coalesce(rollover, 0), coalesce(funding, 0),
        coalesce(volume, 0)
    FROM flows FULL JOIN closings USING (trader_id, book, day, market_id)
        FULL JOIN known USING (trader_id, book, day, market_id)
    ON CONFLICT (trader_id, book, day, market_id) DO UPDATE SET
        fills = excluded.fills, trades = excluded.trades, won = excluded.won, gains_usdc = excluded.gains_usdc,
        losses_usdc = excluded.losses_usdc, price_pnl_usdc = excluded.price_pnl_usdc, fees_usdc = excluded.fees_usdc,
        rollover_usdc = excluded.rollover_usdc, funding_usdc = excluded.funding_usdc, volume_usdc = excluded.volume_usdc
"""
