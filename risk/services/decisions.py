"""Decisions: an account's waiting signals, one at a time, in the order received, under the account's lock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pgbulk
import structlog
from django.db.models import F

from risk.domain import decision as domain
from risk.domain.decision import Verdict
from risk.models import Decision, Leg
from risk.ports import Accounts
from risk.services import accounts as account_facts
from risk.services import portfolios, verdicts
from risk.services.accounts import Sight
from trading import doorbell, lanes, locks
from trading.domain.mode import EffectiveMode
from trading.domain.signal import SignalStatus, Stance
from trading.kinds import step, write
from trading.lanes import Lease
from trading.models import Event, Signal, Trader
from trading.ports import ModeSwitch
from trading.services import journal, mode, signals

log = structlog.get_logger(__name__)

BATCH = 200
# An entry whose account nobody can see is looked at again after this long.
UNSEEN_PAUSE = timedelta(seconds=1)
# A signal that raised or killed its worker this often is set aside, so that its lane goes on.
MAX_ATTEMPTS = 8

_KINDS = {
    SignalStatus.APPROVED: "decision.approved",
    SignalStatus.DENIED: "decision.denied",
    SignalStatus.OBSERVED: "decision.observed",
    SignalStatus.EXPIRED: "signal.expired",
}

Clock = Callable[[], datetime]


@step
def drain(*, trader_id: int, switch: ModeSwitch, accounts: Accounts, clock: Clock) -> bool:
    """Decide every due signal of an account. False if somebody else is at it."""
    return lanes.drain(Trader, trader_id, partial(_work, switch=switch, accounts=accounts, clock=clock))


def _work(lease: Lease, *, switch: ModeSwitch, accounts: Accounts, clock: Clock) -> None:
    sight = account_facts.look(lease.pk, accounts=accounts, at=clock())
    while signal_ids := _claim(lease, sight=sight, at=clock()):
        effective = mode.current(switch=switch, at=clock())
        lease.renew()
        try:
            _decide(lease, signal_ids, mode=effective, sight=sight, at=clock())
        except locks.Crowded as error:
            # No signal's fault, and no attempt of theirs: the next sweep comes back.
            log.warning("decisions.crowded", trader=lease.pk, **error.facts)
            _give_back(signal_ids)
            return
        sight = account_facts.look(lease.pk, accounts=accounts, at=clock())


@write
def _give_back(signal_ids: list[int]) -> None:
    Signal.objects.filter(pk__in=signal_ids, attempts__gt=0).update(attempts=F("attempts") - 1)


@write
def _claim(lease: Lease, *, sight: Sight, at: datetime) -> list[int]:
    """The next batch, its attempts counted before the work. One that was tried before goes alone.

    While nobody can say what the account has, its LIVE entries wait; exits and paper go on.
    """
    locks.account(lease)
    signals = Signal.objects.due(trader_id=lease.pk, at=at)
    if sight.reading is None:
        # One with a stance may have something to leave first.
        unfunded = signals.live_entries().filter(expires_at__gte=at, stance=Stance.ANOTHER)
        if sight.is_needed:
            unfunded.update(next_action_at=at + UNSEEN_PAUSE)
        signals = signals.exclude(pk__in=unfunded)
    due = list(signals[:BATCH])
    for signal in [signal for signal in due if signal.attempts >= MAX_ATTEMPTS]:
        due.remove(signal)
        _set_aside(signal, at=at)
    batch = due[:1] if due and due[0].attempts else [signal for signal in due if not signal.attempts]
    signal_ids = [signal.pk for signal in batch]
    Signal.objects.filter(pk__in=signal_ids).update(attempts=F("attempts") + 1)
    return signal_ids


def _set_aside(signal: Signal, *, at: datetime) -> None:
    signals.move(signal, SignalStatus.SET_ASIDE, at=at)
    signal.save(update_fields=["status", "decided_at", "next_action_at"])
    journal.record("signal.set_aside", signal, at=at, trace_id=signal.trace_id, attempts=signal.attempts)


@write
def _decide(lease: Lease, signal_ids: list[int], *, mode: EffectiveMode, sight: Sight, at: datetime) -> None:
    trader = locks.account(lease)
    waiting = list(Signal.objects.filter(pk__in=signal_ids).select_related("market", "source").order_by("id"))
    account_facts.keep(trader, sight)
    portfolio = portfolios.of(trader, signals=waiting, mode=mode, sight=sight, at=at)
    fates = [(signal, verdicts.fate(signal, portfolio)) for signal in waiting]
    for signal, fate in fates:
        if fate.status is SignalStatus.RECEIVED:
            # Waiting isn't an attempt.
            signal.next_action_at, signal.attempts = at + verdicts.PAUSE, 0
        else:
            signals.move(signal, fate.status, at=at)
    decided = [(signal, fate.decision) for signal, fate in fates if fate.decision is not None]
    _store(decided, portfolio=portfolio)
    pgbulk.update(Signal, waiting, ["status", "decided_at", "next_action_at", "attempts"])
    journal.record_all(_event(signal, at=at) for signal in waiting if signal.decided_at is not None)
    if any(decision.legs for _, decision in decided):
        doorbell.ring("decision.approved", key=trader.pk)


def _store(decided: list[tuple[Signal, domain.Decision]], *, portfolio: portfolios.Portfolio) -> None:
    rows = Decision.objects.bulk_create([_row(signal, verdict, portfolio) for signal, verdict in decided])
    Leg.objects.bulk_create(
        _leg(row, plan, number=number, signal=signal, at=portfolio.at)
        for row, (signal, verdict) in zip(rows, decided, strict=True)
        for number, plan in enumerate(verdict.legs, start=1)
    )


def _row(signal: Signal, verdict: domain.Decision, portfolio: portfolios.Portfolio) -> Decision:
    view = portfolio.prices.get(signal.market.symbol)
    price = view.agreed if view else None
    denial = verdict.denial
    return Decision(
        signal=signal,
        trader=portfolio.trader,
        verdict=verdict.verdict,
        code=denial.code if denial and verdict.verdict is Verdict.DENIED else "",
        message=_message(verdict),
        checks=[
            {"code": each.code, "passed": each.passed, "value": each.value, "limit": each.limit, "message": each.message}
            for each in verdict.checks
        ],
        price=price.price if price else None,
        decided_at=portfolio.at,
    )


def _message(decision: domain.Decision) -> str:
    """Why it was denied, or why only half of it was approved."""
    if decision.denial is None:
        return ""
    return decision.denial.message if decision.verdict is Verdict.DENIED else f"only the exit: {decision.denial.message}"


def _leg(row: Decision, plan: domain.LegPlan, *, number: int, signal: Signal, at: datetime) -> Leg:
    return Leg(
        decision=row,
        number=number,
        trader_id=row.trader_id,
        market_id=signal.market_id,
        book=signal.book,
        action=plan.action,
        direction=plan.direction,
        collateral_usdc=plan.collateral,
        leverage_x=plan.leverage,
        slippage_pct=signal.slippage_pct,
        take_profit=plan.take_profit,
        stop_loss=plan.stop_loss,
        position_id=plan.position_id,
        expires_at=signal.expires_at,
        next_action_at=at,
    )


def _event(signal: Signal, *, at: datetime) -> Event:
    return journal.event(_KINDS[SignalStatus(signal.status)], signal, at=at, trace_id=signal.trace_id)
