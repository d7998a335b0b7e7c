"""The leaderboard: from what the chain still has, in three queries, however many fills there were."""

from datetime import UTC, date, datetime, timedelta
from time import monotonic

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.trading import EtherMarketFactory, LeaderFactory, MarketFactory, TraderFactory
from trading import selectors
from trading.domain.mode import Book
from trading.domain.ranking import Measure, Window
from trading.domain.units import Usdc
from trading.models import DayResult, Market, Trader

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 31)


def day(trader: Trader, *, ago: int, earned: str, volume: str = "100", market: Market | None = None, **said: object) -> None:
    DayResult.objects.create(
        trader=trader,
        market=market or MarketFactory(),
        day=TODAY - timedelta(days=ago),
        price_pnl_usdc=Usdc.of(earned),
        volume_usdc=Usdc.of(volume),
        **{"book": Book.LIVE, "fills": 2, "trades": 1} | dict.fromkeys(_NOTHING, Usdc.zero()) | said,
    )


_NOTHING = ("gains_usdc", "losses_usdc", "fees_usdc", "rollover_usdc", "funding_usdc")


def board(window: Window = Window.WEEK, by: Measure = Measure.PNL) -> list[tuple[int, str, int, int]]:
    found = selectors.leaderboard(window=window, by=by, today=TODAY)
    return [(each.leader_id, str(each.result.net), each.days, each.good_days) for each in found]


def test_each_window_counts_its_days_and_today() -> None:
    leader = LeaderFactory()
    for ago in (0, 6, 7, 29, 30, 89, 90):
        day(leader, ago=ago, earned="1")

    assert [board(window) for window in Window] == [
        [(leader.pk, "2", 2, 2)],
        [(leader.pk, "4", 4, 4)],
        [(leader.pk, "6", 6, 6)],
    ]


def test_costs_count_and_a_day_is_good_by_all_its_markets() -> None:
    leader = LeaderFactory()
    day(leader, ago=1, earned="5", fees_usdc=Usdc.of(1), rollover_usdc=Usdc.of(1), funding_usdc=Usdc.of(-1))
    day(leader, ago=1, earned="-6", market=EtherMarketFactory())
    day(leader, ago=2, earned="3")

    assert board() == [(leader.pk, "1", 2, 1)]


def test_a_day_of_which_nothing_is_left_after_a_reorganization_is_none() -> None:
    leader = LeaderFactory()
    day(leader, ago=1, earned="0", volume="0", fills=0, trades=0)

    assert board() == [(leader.pk, "0", 0, 0)]


def test_accounts_paper_and_whom_nobody_watches_are_left_out() -> None:
    leader, gone = LeaderFactory(), LeaderFactory(is_enabled=False)
    for trader, book in ((TraderFactory(), Book.LIVE), (leader, Book.PAPER), (gone, Book.LIVE)):
        day(trader, ago=1, earned="9", book=book)

    assert board() == [(leader.pk, "0", 0, 0)]


def test_the_best_comes_first_by_what_is_asked() -> None:
    rich, busy = LeaderFactory(), LeaderFactory()
    day(rich, ago=1, earned="9", volume="10")
    day(busy, ago=1, earned="1", volume="900")

    assert [each[0] for each in board(by=Measure.PNL)] == [rich.pk, busy.pk]
    assert [each[0] for each in board(by=Measure.VOLUME)] == [busy.pk, rich.pk]


def test_three_queries_however_many_leaders_and_days() -> None:
    MarketFactory()
    leaders = LeaderFactory.create_batch(20)
    for leader in leaders:
        for ago in range(5):
            day(leader, ago=ago, earned="1")

    with CaptureQueriesContext(connection) as asked:
        assert len(board()) == 20

    assert len(asked) == 3


def test_a_million_fills_are_ranked_in_less_than_a_second() -> None:
    """Day rows of a thousand leaders who filled some eleven orders each on each of ninety days."""
    MarketFactory()
    leaders = LeaderFactory.create_batch(1_000)
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"today": datetime(2026, 3, 31, tzinfo=UTC), "market": Market.objects.get().pk})
        cursor.execute("ANALYZE day_results")
    assert sum(DayResult.objects.values_list("fills", flat=True)) == 990_000

    began = monotonic()
    found = board(Window.QUARTER)

    assert monotonic() - began < 1
    assert len(found) == len(leaders)


_MANY = """
    INSERT INTO day_results (trader_id, book, market_id, day, fills, trades, won, gains_usdc, losses_usdc, price_pnl_usdc,
        fees_usdc, rollover_usdc, funding_usdc, volume_usdc)
    SELECT traders.id, 'LIVE', %(market)s, (%(today)s::date - ago), 11, 5, 2, 3, 1, (traders.id + ago) %% 7 - 3, 0, 0, 0, 100
    FROM traders CROSS JOIN generate_series(0, 89) AS ago WHERE is_leader
"""
