"""What pages and questions cost for an account with a million fills: the console, the API, and what the desk asks itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from risk.services import equities, losses
from tests.factories.logins import operator
from tests.factories.trading import MarketFactory, PositionFactory, TraderFactory
from trading import clock
from trading.domain.mode import Book
from trading.domain.people import Role
from trading.kinds import write
from trading.models import DayResult, ModeState, Trader
from trading.services import results

FILLS = 1_000_000
# Of everybody else.
OTHERS = 100_000
DAYS = 1_000
ROUNDS = 5
_USER = 7_100_000_000
# A position is opened and closed: two fills. Triggers are for what the application writes.
_POSITIONS = """
    INSERT INTO positions (
        trader_id, market_id, book, direction, venue_index, opened_at, status, origin, collateral_usdc, leverage_x, entry_price,
        realised_pnl_usdc, net_pnl_usdc, closed_at
    )
    SELECT %(trader)s, %(market)s, 'LIVE', 'LONG', number, opened_at, 'CLOSED', 'OURS', 0, 5, 60000,
        number %% 7 - 3, number %% 7 - 3.25, opened_at + interval '1 hour'
    FROM (
        SELECT number, %(now)s - interval '1 day' * %(days)s * number / %(count)s AS opened_at
        FROM generate_series(1, %(count)s) AS number
    ) AS numbered
"""
_FILLS = """
    INSERT INTO fills (
        position_id, trader_id, market_id, book, kind, price, collateral_usdc, leverage_x, fee_usdc, rollover_usdc, funding_usdc,
        price_pnl_usdc, payout_usdc, realised_pnl_usdc, chain_id, tx_hash, log_index, block_number, block_hash, is_canonical,
        filled_at, created_at
    )
    SELECT id, trader_id, market_id, book, kind, 60000, 50, 5, 0.125, 0, 0,
        CASE kind WHEN 'CLOSE' THEN realised_pnl_usdc + 0.125 ELSE 0 END,
        CASE kind WHEN 'CLOSE' THEN 50 + realised_pnl_usdc ELSE 0 END,
        CASE kind WHEN 'CLOSE' THEN realised_pnl_usdc ELSE 0 END,
        8453, kind || id, 0, id, kind || id, true, at, at
    FROM (
        SELECT *, 'OPEN' AS kind, opened_at AS at FROM positions WHERE trader_id = %(trader)s
        UNION ALL SELECT *, 'CLOSE', closed_at FROM positions WHERE trader_id = %(trader)s
    ) AS both_ends
    ORDER BY at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question: the median of its times, and its queries."""

    what: str
    milliseconds: float
    queries: int


def measure() -> list[Answer]:
    """Ask everything of an account with a million fills, beside others with a hundred thousand."""
    ModeState.objects.get_or_create(pk=1)
    account = _account(_USER, fills=FILLS)
    for number in range(1, 11):
        _account(_USER + number, fills=OTHERS // 10)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(operator("bench", Role.SUPER_ADMIN))
    begun = time.perf_counter()
    write(results.rebuild)(account)
    rebuilt = Answer(what="all its days counted anew", milliseconds=1000 * (time.perf_counter() - begun), queries=0)
    return [*(_asked(path, _page(client, path)) for path in _paths(account)), *_own(account), rebuilt]


def _paths(account: Trader) -> list[str]:
    fills = account.fills.order_by("pk")
    middle, book = fills[FILLS // 2].pk, f"tg_user_id={account.tg_user_id}&book=LIVE"
    return [
        *("/admin/trading/fill/", "/admin/trading/fill/?p=100", f"/admin/trading/fill/{middle}/change/"),
        *("/admin/trading/position/", f"/admin/trading/position/{fills[0].position_id}/change/"),
        f"/admin/reports/?account={account.pk}&book=LIVE&by=DAY&since={clock.now().date() - timedelta(days=30)}&until=",
        f"/admin/reports/?account={account.pk}&book=LIVE&by=MONTH&since=&until=",
        *(
            f"/api/fills?{book}",
            f"/api/fills?{book}&cursor={middle}",
            f"/api/positions?{book}&status=OPEN",
            f"/api/positions?{book}",
        ),
        *(f"/api/results?{book}&by=DAY", f"/api/results?{book}&by=MONTH", f"/api/performance?{book}"),
    ]


def _own(account: Trader) -> list[Answer]:
    now = clock.now()
    read = write(lambda: equities.read(account, book=Book.LIVE, since=now - timedelta(hours=12), at=now))
    spans = [results.span(account, Book.LIVE, now - timedelta(days=2))]
    return [
        _asked("what it earned, in all and today", read),
        _asked("a look at its losses", lambda: losses.watch(trader_id=account.pk, at=clock.now())),
        _asked("a day counted anew", lambda: DayResult.objects.recount(spans)),
    ]


def _page(client: Client, path: str) -> Callable[[], object]:
    def ask() -> None:
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")

    return ask


def _asked(what: str, ask: Callable[[], object]) -> Answer:
    ask()
    spans = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        with CaptureQueriesContext(connection) as seen:
            ask()
        spans.append(1000 * (time.perf_counter() - begun))
    return Answer(what=what, milliseconds=median(spans), queries=len(seen))


def _account(number: int, *, fills: int) -> Trader:
    account = TraderFactory(tg_user_id=number, name=f"bench {number}", address=f"0x{number:040x}")
    given = {"trader": account.pk, "market": MarketFactory().pk, "count": fills // 2, "days": DAYS, "now": clock.now()}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        cursor.execute(_POSITIONS, given)
        cursor.execute(_FILLS, given)
        cursor.execute("SET session_replication_role = DEFAULT; RESET statement_timeout")
        cursor.execute("ANALYZE")
    PositionFactory(trader=account, book=Book.LIVE)
    write(results.rebuild)(account)
    return account
