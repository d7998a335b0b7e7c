"""Losses: every account with something open is measured again and again, and locked where it lost too much.

A fill rings (`position.filled`), so that what it realised is measured at once; what is open is measured every
WATCH_EVERY. A measurement is one write under the account's lock, where decisions are made too: the next entry
meets the lock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import Exists, OuterRef

from risk.domain import authority, guard, loss
from risk.domain.equity import measure
from risk.domain.guard import LONGEST_WINDOW, Closing
from risk.domain.lock import LockPlan
from risk.domain.loss import LossLimits
from risk.domain.policy import PolicyRow, strictest
from risk.models import Equity, Lock, Policy
from risk.services import blocks, equities, falls, followings
from trading import locks
from trading.domain.errors import Invalid
from trading.domain.mode import Book
from trading.domain.people import Act, Person
from trading.domain.position import CLOSING, FillKind, PositionStatus
from trading.kinds import write
from trading.models import Fill, Position, Trader
from trading.services import audit, results

# How often an account with something open is measured.
WATCH_EVERY = timedelta(seconds=5)
# Whose name the locks carry.
ACTOR = "rule"

# The limits of an account (None), or of one of its markets.
LimitsOf = Callable[[str | None], LossLimits]


class ZoneUnknown(Invalid):
    """There is no such time zone, or no such account."""

    code = "ZONE_UNKNOWN"


def due(*, before: datetime) -> set[int]:
    """The accounts that must be measured. Two queries."""
    waiting = set(Equity.objects.filter(next_action_at__lte=before).values_list("trader_id", flat=True))
    watched = Equity.objects.filter(trader=OuterRef("trader"), book=OuterRef("book"), next_action_at__isnull=False)
    return waiting | set(Position.objects.open().ours().filter(~Exists(watched)).values_list("trader_id", flat=True))


@write
def watch(*, trader_id: int, at: datetime) -> list[Lock]:
    """Measure both books of an account, and place the locks that follow; those that are new.

    A book that isn't due and has no new fill is left alone: a second ring for it costs a few queries. Until somebody
    has seen the wallet, nobody knows what a share of a LIVE account is: its losses are measured, and breach nothing.
    """
    (trader,) = locks.accounts([trader_id])
    if trader.is_leader:
        # His losses are nobody's here.
        return []
    policies = [policy.as_row() for policy in Policy.objects.all()]
    held = [book for book in Book if Position.objects.of(trader_id=trader.pk, book=book).exists()]
    placed: list[Lock] = []
    for book in held:
        placed += _watch(trader, book=book, limits_of=partial(_limits, policies, trader), at=at)
    return placed


@write
def set_zone(*, tg_user_id: int, zone: str, person: Person, reason: str, at: datetime) -> None:
    """Say in which time zone an account's day begins; the day that runs is kept to its end.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person may not.
        ZoneUnknown: if there is no such zone or account.
    """
    authority.check(person, Act.UNLOCK, reason=reason)
    found = Trader.objects.filter(tg_user_id=tg_user_id).values_list("pk", flat=True).first()
    if zone not in available_timezones() or found is None:
        raise ZoneUnknown("there is no such time zone, or no such account", field="zone")
    (trader,) = locks.accounts([found])
    before, trader.zone = trader.zone, ZoneInfo(zone).key
    trader.save(update_fields=["zone"])
    results.rebuild(trader)
    audit.record(
        actor=person.name,
        action="account.zone",
        subject=f"account:{tg_user_id}",
        before={"zone": before},
        after={"zone": zone},
        reason=reason,
        at=at,
    )


def _limits(policies: list[PolicyRow], trader: Trader, symbol: str | None) -> LossLimits:
    """The strictest of what is said of an account, and of one of its markets if one is named."""
    applying = (each for each in policies if each.tg_user_id in (None, trader.account) and each.symbol in (None, symbol))
    return loss.limits_of(strictest(each.limits for each in applying))


def _watch(trader: Trader, *, book: Book, limits_of: LimitsOf, at: datetime) -> list[Lock]:
    equity = Equity.objects.filter(trader=trader, book=book).first()
    newest = equities.newest_fill(trader, book=book)
    has_news = equity is None or equity.newest_fill != newest
    if equity is not None and not has_news and not equity.is_due(at=at):
        return []
    day = falls.running_day(trader, book=book, at=at)
    account = equities.read(trader, book=book, since=day.starts_at, at=at)
    measured = measure(account, since=day.starts_at)
    limits = limits_of(None)
    plans = [falls.count_day(day, measured, share=limits.max_daily_loss, at=at)]
    equity = equity or falls.first(day)
    equity.newest_fill, equity.next_action_at = newest, at + WATCH_EVERY if account.held else None
    plans.append(falls.count_peak(equity, measured, share=limits.max_drawdown, at=at))
    if has_news:
        plans += _guards(trader, book=book, limits_of=limits_of, at=at)
        followings.review(trader, at=at)
    wanted = [plan for plan in plans if plan is not None and (plan.until is None or plan.until > at)]
    return blocks.place_all(wanted, trader=trader, book=book, by=ACTOR, at=at)


def _guards(trader: Trader, *, book: Book, limits_of: LimitsOf, at: datetime) -> list[LockPlan | None]:
    """What the recent closes ask for. Limits that were tightened since speak from the next close on."""
    closings = _closings(trader, book=book, since=at - LONGEST_WINDOW)
    stop_losses = limits_of(None).stop_losses
    plans = [guard.stop_loss_guard(closings, guard=stop_losses)] if stop_losses else []
    for symbol in sorted({each.symbol for each in closings}):
        limits = limits_of(symbol)
        plans += [guard.cooldown(closings, symbol=symbol, lasts=limits.cooldown)] if limits.cooldown else []
        plans += [guard.low_profit(closings, symbol=symbol, floor=limits.low_profit)] if limits.low_profit else []
    return plans


def _closings(trader: Trader, *, book: Book, since: datetime) -> list[Closing]:
    closes = Fill.objects.canonical().filter(trader=trader, book=book, filled_at__gt=since)
    return [_closing(fill) for fill in closes.filter(kind__in=CLOSING).select_related("position__market")]


def _closing(fill: Fill) -> Closing:
    position = fill.position
    return Closing(
        symbol=position.market.symbol,
        kind=FillKind(fill.kind),
        profit=fill.realised_pnl_usdc,
        closed_at=fill.filled_at,
        is_last=position.status == PositionStatus.CLOSED and position.closed_at == fill.filled_at,
    )
