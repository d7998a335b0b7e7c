"""Verdicts: what becomes of one waiting signal beside what its account holds. The caller holds the account's lock."""

from dataclasses import dataclass, replace
from datetime import timedelta

from risk.domain import stance
from risk.domain.decision import Check, Decision, Denial, Verdict
from risk.domain.rules import RULES
from risk.domain.rules import sources as source_rules
from risk.services.portfolios import Portfolio
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.signal import Side, SignalStatus
from trading.domain.source import SourceMode
from trading.kinds import piece
from trading.models import Signal
from trading.services import journal, signals

# A signal that waits for something on its way is looked at again after this long.
PAUSE = timedelta(seconds=1)
# What is on its way is there or gone after this long; then an exit is decided beside what there is.
LONGEST_WAIT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a signal; RECEIVED: it waits. One that was judged has its decision."""

    status: SignalStatus
    decision: Decision | None = None


WAITS = Fate(status=SignalStatus.RECEIVED)
EXPIRES = Fate(status=SignalStatus.EXPIRED)


@piece
def fate(signal: Signal, portfolio: Portfolio) -> Fate:
    """Judge a signal, and count what it is allowed as filled from now on."""
    if signal.status == SignalStatus.AWAITING:
        # Due only past its end: nobody said yes.
        return EXPIRES
    if _must_wait(signal, portfolio):
        return WAITS
    decision = _late(signal, portfolio) if _is_late(signal, portfolio) else _judged(signal, portfolio)
    if decision is None:
        return EXPIRES
    if signal.source.mode == SourceMode.OBSERVE and decision.verdict is Verdict.APPROVED:
        return Fate(status=SignalStatus.OBSERVED, decision=replace(decision, legs=()))
    for plan in decision.legs:
        portfolio.promise(plan, signal=signal)
    if decision.legs:
        portfolio.apply(signal)
    return Fate(status=SignalStatus(decision.verdict), decision=decision)


def _is_late(signal: Signal, portfolio: Portfolio) -> bool:
    return signal.expires_at is not None and signal.expires_at < portfolio.at


def _must_wait(signal: Signal, portfolio: Portfolio) -> bool:
    """Whether it is about something that isn't there yet, or not yet known to be gone."""
    if signal.side == Side.CANCEL or _is_late(signal, portfolio):
        return False
    coming = portfolio.on_its_way(signal)
    if signal.is_entry:
        return bool(signal.stance) and _waits_to_turn(signal, portfolio)
    is_patient = portfolio.at - signal.received_at <= LONGEST_WAIT and signal.position_id is None
    wanted = {Direction(signal.closes)} if signal.closes else set(Direction)
    return is_patient and bool(coming & wanted) and not portfolio.has_closable(signal, of=signal.closes)


def _waits_to_turn(signal: Signal, portfolio: Portfolio) -> bool:
    side = stance.resolved(Side(signal.side), standing=portfolio.standing(signal))
    if side is None:
        return False
    against = stance.other(Direction.of(side))
    is_blind = portfolio.funds.get(Book(signal.book)) is None and not portfolio.has_closable(signal, of=against)
    return is_blind or against in portfolio.on_its_way(signal)


def _judged(signal: Signal, portfolio: Portfolio) -> Decision:
    if signal.side == Side.CANCEL:
        return _canceled(signal, portfolio)
    standing = portfolio.standing(signal)
    side = stance.resolved(Side(signal.side), standing=standing)
    if side is None:
        return stance.nothing_held(Side(signal.side), standing=standing, symbol=signal.market.symbol)
    return stance.evaluate(portfolio.situation(signal, side=side), rules=RULES)


def _late(signal: Signal, portfolio: Portfolio) -> Decision | None:
    """Too late to enter; what a strategy wants left is left all the same."""
    side = stance.resolved(Side(signal.side), standing=portfolio.standing(signal)) if signal.stance else None
    return None if side is None else stance.exit_only(portfolio.situation(signal, side=side), rules=RULES)


def _canceled(signal: Signal, portfolio: Portfolio) -> Decision:
    """Take back what the same source still waits with in the market."""
    checks = tuple(check for rule in _OF_SOURCE if (check := rule(portfolio.situation(signal, side=Side.CLOSE))) is not None)
    earlier = Signal.objects.awaiting().filter(
        source_id=signal.source_id, trader_id=signal.trader_id, market_id=signal.market_id, pk__lt=signal.pk
    )
    found = list(earlier) if all(check.passed for check in checks) else []
    for each in found:
        signals.move(each, SignalStatus.WITHDRAWN, at=portfolio.at)
        each.save(update_fields=["status", "decided_at", "next_action_at"])
        journal.record("signal.withdrawn", each, at=portfolio.at, trace_id=each.trace_id, by=signal.intent_key)
    message = "" if found else f"Nothing that {signal.source.name} asked for in {signal.market.symbol} waits"
    held = Check(
        code=Denial.NOTHING_TO_CANCEL, passed=bool(found), value=str(len(found)), limit="a waiting signal", message=message
    )
    is_denied = not all(check.passed for check in (*checks, held))
    return Decision(verdict=Verdict.DENIED if is_denied else Verdict.APPROVED, checks=(*checks, held), legs=())


_OF_SOURCE = (source_rules.is_enabled, source_rules.account_is_allowed, source_rules.symbol_is_allowed)
