"""Falls: how far an account's book lies below where its day began, and below its peak; kept in rows, measured again and again."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from risk.domain.equity import Measure
from risk.domain.lock import LockKind, LockPlan
from risk.domain.loss import Fall
from risk.models import Equity, EquitySample, Lock, LossDay
from trading.domain.day import day_of
from trading.domain.mode import Book
from trading.domain.units import Percent, Usdc
from trading.kinds import piece
from trading.models import Trader
from trading.services import journal

# How close the points of a curve lie while something is open.
SAMPLE_EVERY = timedelta(minutes=15)


@piece
def running_day(trader: Trader, *, book: Book, at: datetime) -> LossDay:
    """The row of the day that runs; a new one isn't saved yet. One that was begun is kept to its end, whatever zone comes."""
    latest = LossDay.objects.filter(trader=trader, book=book).order_by("-starts_at").first()
    if latest is not None and latest.ends_at > at:
        return latest
    day = day_of(at, zone=ZoneInfo(trader.zone))
    if latest is not None and latest.ends_at > day.starts_at:
        day = replace(day, starts_at=latest.ends_at)
    return LossDay(trader=trader, book=book, starts_at=day.starts_at, ends_at=day.ends_at, zone=trader.zone)


@piece
def count_day(day: LossDay, measured: Measure, *, share: Percent | None, at: datetime) -> LockPlan | None:
    """Measure the day's loss, warn of it once, and say what lock it asks for: until the reset, whatever is won back."""
    if day.pk is None:
        day.baseline_earned_usdc = measured.earned_before
    if day.baseline_equity_usdc is None:
        day.baseline_equity_usdc = _worth_at(day.baseline_earned_usdc, measured)
    lost = day.baseline_earned_usdc - measured.earned
    fall = Fall(lost=lost, of=day.baseline_equity_usdc, share=share, since=day.starts_at)
    day.loss_usdc, day.limit_usdc, day.measured_at = lost, fall.limit, at
    is_first_warning = fall.is_near and day.warned_at is None
    day.warned_at = at if is_first_warning else day.warned_at
    day.breached_at = day.breached_at or (at if fall.is_breached else None)
    _store(day, _COUNTED)
    if is_first_warning:
        _warn(day, fall, at=at)
    return fall.plan(LockKind.DAILY_LOSS, words=f"since {day.starts_at:%Y-%m-%d %H:%M} UTC", until=day.ends_at)


@piece
def count_peak(equity: Equity, measured: Measure, *, share: Percent | None, at: datetime) -> LockPlan | None:
    """Measure the fall from the peak, and say what lock it asks for: until somebody lifts it, which begins a new peak."""
    if measured.earned > equity.peak_earned_usdc or _is_forgiven(equity):
        equity.peak_earned_usdc, equity.peak_equity_usdc, equity.peak_at = measured.earned, measured.equity, at
    if equity.peak_equity_usdc is None:
        equity.peak_equity_usdc = _worth_at(equity.peak_earned_usdc, measured)
    equity.earned_usdc, equity.equity_usdc, equity.doubts = measured.earned, measured.equity, "; ".join(measured.doubts)
    equity.measured_at = at
    _sample(equity, at=at)
    _store(equity, _MEASURED)
    fall = Fall(lost=equity.peak_earned_usdc - measured.earned, of=equity.peak_equity_usdc, share=share, since=equity.peak_at)
    return fall.plan(LockKind.DRAWDOWN, words=f"since the peak at {equity.peak_at:%Y-%m-%d %H:%M} UTC", until=None)


def first(day: LossDay) -> Equity:
    """The equity of a book that was never measured: its peak is where its first day began."""
    return Equity(trader=day.trader, book=day.book, peak_earned_usdc=day.baseline_earned_usdc, peak_at=day.starts_at)


# What a measurement changes; the rest of a row stays as it was born.
_COUNTED = ["baseline_equity_usdc", "loss_usdc", "limit_usdc", "measured_at", "warned_at", "breached_at"]
_MEASURED = ["earned_usdc", "equity_usdc", "doubts", "newest_fill", "measured_at", "next_action_at"]
_MEASURED += ["sampled_at", "peak_earned_usdc", "peak_equity_usdc", "peak_at"]


def _sample(equity: Equity, *, at: datetime) -> None:
    """A point of the curve now and then, and one for what is left when nothing is open anymore."""
    is_flat = equity.next_action_at is None
    if equity.sampled_at is not None and at - equity.sampled_at < SAMPLE_EVERY and not is_flat:
        return
    equity.sampled_at = at
    row = EquitySample(
        trader_id=equity.trader_id, book=equity.book, at=at, earned_usdc=equity.earned_usdc, equity_usdc=equity.equity_usdc
    )
    # Two measurements in one instant: the later one counts.
    EquitySample.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["trader", "book", "at"], update_fields=["earned_usdc", "equity_usdc"]
    )


def _store(row: LossDay | Equity, changed: list[str]) -> None:
    is_born = row.pk is None
    row.save(force_insert=is_born, update_fields=None if is_born else changed)


def _worth_at(earned: Usdc, measured: Measure) -> Usdc | None:
    """What the account was worth when trading had earned so much, as today's wallet tells it."""
    return None if measured.equity is None else measured.equity - (measured.earned - earned)


def _is_forgiven(equity: Equity) -> bool:
    """Whether a person lifted a drawdown's lock since the peak."""
    lifted = Lock.objects.of(trader_id=equity.trader_id, book=equity.book).filter(ended_at__gt=equity.peak_at)
    return lifted.filter(kind=LockKind.DRAWDOWN).exists()


def _warn(day: LossDay, fall: Fall, *, at: datetime) -> None:
    journal.record(
        "risk.daily_loss_warning",
        day,
        at=at,
        book=day.book,
        lost_usdc=fall.lost,
        limit_usdc=fall.limit,
        resets_at=day.ends_at,
        tg_user_id=day.trader.account,
    )
