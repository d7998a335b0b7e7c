"""The day's loss: at the limit passes, above it entries are locked until the reset, whatever comes after."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from risk.domain.lock import LockKind
from risk.domain.policy import Limits, Scope
from risk.models import Equity, Lock, LossDay
from risk.services import blocks, losses
from tests.factories import NOW
from tests.factories.people import SUPER_ADMIN
from tests.factories.risk import PolicyFactory
from tests.factories.trading import FillFactory, PositionFactory, QuoteFactory, TraderFactory
from tests.integration.risk.holdings import AT_THE_LIMIT, RESET, close, holding, later, locked, price_is, watch
from trading.domain.mode import Book
from trading.domain.position import FillKind
from trading.domain.units import Percent, Price, Usdc
from trading.models import AuditRow, Event, Position

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("price", "is_locked"), [(60_000, False), (AT_THE_LIMIT, False), (AT_THE_LIMIT - 1, True)])
def test_a_loss_at_the_limit_passes_and_above_it_entries_are_locked(price: int, is_locked: bool) -> None:
    account = holding()
    price_is(price)

    assert bool(watch(account)) is is_locked
    assert (locked(account, at=NOW) == [LockKind.DAILY_LOSS]) is is_locked


def test_the_lock_says_what_was_lost_against_what_and_until_when() -> None:
    account = holding()
    price_is(56_000)

    (lock,) = watch(account)

    assert (lock.value, lock.limit) == ("$2666.666667", "$2000 (20% of $10000)")
    assert lock.reason == "Lost $2666.666667 since 2026-01-02 00:00 UTC, limit $2000 (20% of $10000)"
    assert (lock.market, lock.placed_by, lock.since, lock.until) == (None, "rule", NOW, RESET)


def test_the_day_keeps_its_baseline_what_was_measured_and_its_reset() -> None:
    account = holding()
    price_is(59_000)
    watch(account)

    day = LossDay.objects.get()
    assert (day.starts_at, day.ends_at, day.zone) == (RESET - timedelta(days=1), RESET, "UTC")
    assert (day.baseline_equity_usdc, day.baseline_earned_usdc) == (Usdc.of(10_000), Usdc.zero())
    assert (day.loss_usdc, day.limit_usdc, day.measured_at) == (Usdc.of("666.666667"), Usdc.of(2_000), NOW)
    equity = Equity.objects.get()
    assert (equity.equity_usdc, equity.earned_usdc, equity.doubts) == (Usdc.of("9333.333333"), Usdc.of("-666.666667"), "")


def test_what_is_won_back_lifts_no_lock_before_the_reset() -> None:
    account = holding()
    price_is(56_000)
    watch(account)

    price_is(70_000, at=later(1))
    watch(account, at=later(1))

    assert LossDay.objects.get().loss_usdc < Usdc.zero()
    assert locked(account, at=later(1)) == [LockKind.DAILY_LOSS]
    assert locked(account, at=RESET - timedelta(microseconds=1)) == [LockKind.DAILY_LOSS]
    assert locked(account, at=RESET) == []


def test_a_new_day_begins_where_the_account_stands() -> None:
    account = holding()
    price_is(56_000)
    watch(account)

    price_is(56_000, at=RESET)
    assert watch(account, at=RESET) == []

    first, second = LossDay.objects.order_by("starts_at")
    assert (second.starts_at, second.baseline_equity_usdc, second.loss_usdc) == (
        RESET,
        Usdc.of("7333.333333"),
        Usdc.zero(),
    )
    assert (first.loss_usdc, first.breached_at) == (Usdc.of("2666.666667"), NOW)


@pytest.mark.parametrize("price", [60_000, 66_000, 120_000])
def test_a_profit_never_trips_it(price: int) -> None:
    account = holding()
    price_is(price)

    assert watch(account, limits=Limits(max_daily_loss=Percent.zero(), max_drawdown=Percent.zero())) == []


def test_realised_and_unrealised_count_together() -> None:
    account = holding()
    close(account, profit="-1500")
    holding(account)
    price_is(59_250)
    assert watch(account) == []

    price_is("59249.99", at=later(1))
    assert [lock.kind for lock in watch(account, at=later(1))] == [LockKind.DAILY_LOSS]


def test_the_fee_of_an_open_is_lost_at_once() -> None:
    position = PositionFactory(book=Book.PAPER)
    FillFactory(position=position, fee_usdc=Usdc.of("0.07"))
    price_is(60_000)

    watch(position.trader)

    assert LossDay.objects.get().loss_usdc == Usdc.of("0.07")


def test_what_a_reorganization_took_away_was_not_lost() -> None:
    account = holding()
    FillFactory(position=Position.objects.get(), kind=FillKind.CLOSE, realised_pnl_usdc=Usdc.of(-3_000), is_canonical=False)
    price_is(60_000)

    assert watch(account) == []


def test_an_account_that_was_flat_at_the_reset_is_measured_from_it_whenever_it_is_first_looked_at() -> None:
    account = holding(opened_at=RESET - timedelta(days=3))
    close(account, profit="-1000", at=RESET - timedelta(days=2))
    holding(account, opened_at=NOW)
    close(account, profit="-1801")

    assert [lock.limit for lock in watch(account)] == ["$1800 (20% of $9000)"]


def test_a_warning_comes_once_a_day_at_four_fifths_of_the_limit() -> None:
    account = holding()
    for minute, price in enumerate((57_601, 57_600, 57_000, 58_000, 57_000)):
        price_is(price, at=later(minute))
        watch(account, at=later(minute))

    warning = Event.objects.get(kind="risk.daily_loss_warning")
    assert (warning.facts["lost_usdc"], warning.facts["limit_usdc"]) == ("1600", "2000")
    assert LossDay.objects.get().warned_at == later(1)


def test_a_lock_that_was_lifted_is_not_placed_again_that_day() -> None:
    account = holding()
    price_is(56_000)
    (lock,) = watch(account)
    blocks.lift(lock_id=lock.pk, person=SUPER_ADMIN, reason="he may go on", at=later(1))

    assert watch(account, at=later(2)) == []
    assert locked(account, at=later(2)) == []


def test_a_missing_price_is_the_last_known_one_and_is_said() -> None:
    account = holding()
    QuoteFactory(price=Price.of(56_000), published_at=NOW - timedelta(days=2))

    (lock,) = watch(account)

    assert lock.value == "$2666.666667"
    assert Equity.objects.get().doubts == "BTC-USD at its last known price"


def test_without_any_price_a_position_counts_as_bought() -> None:
    account = holding()

    assert watch(account) == []
    assert (LossDay.objects.get().loss_usdc, Equity.objects.get().doubts) == (Usdc.zero(), "BTC-USD at its entry price")


def test_books_are_measured_apart() -> None:
    account = holding(book=Book.PAPER)
    holding(account, book=Book.LIVE)
    price_is(56_000)

    (lock,) = watch(account, balance="1000000")

    assert lock.book == Book.PAPER
    assert locked(account, at=NOW, book=Book.LIVE) == []
    assert {day.book: day.baseline_equity_usdc for day in LossDay.objects.all()} == {
        "PAPER": Usdc.of(10_000),
        "LIVE": Usdc.of(1_004_000),
    }


def test_without_a_balance_a_live_account_is_measured_and_nothing_is_invented() -> None:
    account = holding(book=Book.LIVE)
    price_is(56_000)

    assert watch(account) == []

    day = LossDay.objects.get()
    assert (day.loss_usdc, day.baseline_equity_usdc, day.limit_usdc) == (Usdc.of("2666.666667"), None, None)
    assert Equity.objects.get().equity_usdc is None


def test_a_balance_that_becomes_known_gives_the_day_its_limit() -> None:
    account = holding(book=Book.LIVE)
    price_is(56_000)
    watch(account)

    (lock,) = watch(account, balance="6000", at=later(1))

    assert lock.limit == "$2000 (20% of $10000)"


@pytest.mark.parametrize("moved", [-5_000, 5_000, 1_000_000])
def test_a_deposit_hides_no_loss_and_a_withdrawal_is_none(moved: int) -> None:
    account = holding(book=Book.LIVE)
    price_is(60_000)
    watch(account, balance="6000")
    wallet = str(6_000 + moved)

    price_is(AT_THE_LIMIT, at=later(1))
    assert watch(account, balance=wallet, at=later(1)) == []
    price_is(AT_THE_LIMIT - 1, at=later(2))
    assert [lock.kind for lock in watch(account, balance=wallet, at=later(2))] == [LockKind.DAILY_LOSS]


@pytest.mark.django_db(transaction=True)
def test_many_watchers_at_once_place_one_lock(committed: None) -> None:
    account = holding()
    price_is(56_000)

    def look(_: int) -> None:
        try:
            watch(account, limits=Limits(max_daily_loss=Percent.of(20), max_drawdown=Percent.of(20)))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(16)))

    assert sorted(Lock.objects.values_list("kind", flat=True)) == ["DAILY_LOSS", "DRAWDOWN"]
    assert AuditRow.objects.filter(action="lock.place").count() == 2
    assert (LossDay.objects.count(), Equity.objects.count()) == (1, 1)


def test_whoever_has_something_open_is_measured_again_and_again_and_nobody_else() -> None:
    account, flat = holding(), TraderFactory()
    price_is(60_000)
    assert losses.due(before=NOW) == {account.pk}

    watch(account)
    assert losses.due(before=NOW + losses.WATCH_EVERY - timedelta(microseconds=1)) == set()
    assert losses.due(before=NOW + losses.WATCH_EVERY) == {account.pk}

    close(account, profit="1", at=later(1))
    watch(account, at=later(1))
    watch(flat, at=later(1))
    assert losses.due(before=later(9_999)) == set()


def test_a_close_between_two_looks_is_still_measured() -> None:
    account = holding()
    price_is(60_000)
    watch(account)
    close(account, profit="-2001", at=later(1))

    assert losses.due(before=later(1)) == {account.pk}
    assert [lock.kind for lock in watch(account, at=later(1))] == [LockKind.DAILY_LOSS]


def _asked(look: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        look()
    return len(asked)


def test_a_look_costs_the_same_however_much_an_account_holds() -> None:
    few, many = TraderFactory(), TraderFactory()
    for account, number in ((few, 1), (many, 20)):
        for _ in range(number):
            holding(account, collateral_usdc=Usdc.of(1))
    price_is(60_000)
    watch(few)
    watch(many)

    again = _asked(lambda: losses.watch(trader_id=few.pk, at=later(1)))

    assert again == _asked(lambda: losses.watch(trader_id=many.pk, at=later(1)))
    assert again == 18


def test_a_second_ring_for_an_account_that_was_just_measured_is_cheap() -> None:
    account = holding()
    price_is(56_000)
    watch(account)

    # The account's lock, policies and books, the book's row and its newest fill, inside a transaction.
    assert _asked(lambda: losses.watch(trader_id=account.pk, at=later(0.05))) == 8
    assert Equity.objects.get().measured_at == NOW


def test_a_hundred_accounts_are_due_in_two_queries() -> None:
    for _ in range(100):
        holding()

    assert _asked(lambda: losses.due(before=NOW)) == 2
    assert len(losses.due(before=NOW)) == 100


def test_the_strictest_policy_of_an_account_holds() -> None:
    account, other = holding(), holding()
    PolicyFactory(scope=Scope.USER, tg_user_id=account.tg_user_id, max_daily_loss_pct=Percent.of(5))
    PolicyFactory(scope=Scope.USER, tg_user_id=1, max_daily_loss_pct=Percent.of(1))
    PolicyFactory(scope=Scope.SYMBOL, symbol="BTC-USD", max_daily_loss_pct=Percent.of(1))
    price_is(58_000)

    (lock,) = watch(account)

    assert (lock.value, lock.limit) == ("$1333.333334", "$500 (5% of $10000)")
    assert watch(other) == []


def test_if_the_same_fact_were_news_again_every_look_would_place_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_is_news", lambda *_, **__: True)
    account = holding()
    price_is(56_000)

    assert [len(watch(account, at=later(minute))) for minute in range(3)] == [1, 1, 1]
    assert Lock.objects.count() == 3
