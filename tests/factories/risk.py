"""Rows of `risk`."""

from datetime import timedelta

import factory
from factory.django import DjangoModelFactory

from risk.domain.decision import Action, Verdict
from risk.domain.halt import HaltScope, TradingState
from risk.domain.lock import LockKind
from risk.domain.policy import Scope
from risk.models import Decision, Equity, EquitySample, Flatten, Halt, Leg, Lock, LossDay, Policy
from tests.factories import NOW
from tests.factories.trading import PositionFactory, SignalFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.signal import SignalStatus
from trading.domain.units import Leverage, Usdc


class PolicyFactory(DjangoModelFactory):
    """The global policy, which says nothing until limits are given."""

    class Meta:
        model = Policy

    scope = Scope.GLOBAL
    updated_at = NOW


class DecisionFactory(DjangoModelFactory):
    """An approval; its signal is approved too."""

    class Meta:
        model = Decision

    signal = factory.SubFactory(SignalFactory, decided=SignalStatus.APPROVED)
    trader = factory.SelfAttribute("signal.trader")
    verdict = Verdict.APPROVED
    checks = factory.List([])
    decided_at = NOW


class LegFactory(DjangoModelFactory):
    """An open that waits for its order."""

    class Meta:
        model = Leg

    decision = factory.SubFactory(DecisionFactory)
    number = 1
    trader = factory.SelfAttribute("decision.trader")
    market = factory.SelfAttribute("decision.signal.market")
    book = factory.SelfAttribute("decision.signal.book")
    action = Action.OPEN
    direction = Direction.LONG
    collateral_usdc = Usdc.of(50)
    leverage_x = Leverage.of(3)
    slippage_pct = factory.SelfAttribute("decision.signal.slippage_pct")
    next_action_at = NOW


class CloseLegFactory(LegFactory):
    """A close of a whole position that waits for its order."""

    action = Action.CLOSE
    position = factory.SubFactory(
        PositionFactory,
        trader=factory.SelfAttribute("..trader"),
        market=factory.SelfAttribute("..market"),
        book=factory.SelfAttribute("..book"),
    )


class HaltFactory(DjangoModelFactory):
    """A pause of the whole desk."""

    class Meta:
        model = Halt

    scope = HaltScope.GLOBAL
    state = TradingState.REDUCING
    reason = "a drill"
    placed_by = "rita"
    since = NOW


class LockFactory(DjangoModelFactory):
    """A lock by hand on every market of a live account."""

    class Meta:
        model = Lock

    trader = factory.SubFactory(TraderFactory)
    book = Book.LIVE
    kind = LockKind.MANUAL
    value = "locked"
    limit = "unlocked"
    reason = "away"
    placed_by = "rita"
    since = NOW
    caused_at = NOW


class EquityFactory(DjangoModelFactory):
    """A paper account that earned nothing yet."""

    class Meta:
        model = Equity

    trader = factory.SubFactory(TraderFactory)
    book = Book.PAPER
    earned_usdc = Usdc.zero()
    equity_usdc = Usdc.of(10_000)
    peak_earned_usdc = Usdc.zero()
    peak_equity_usdc = Usdc.of(10_000)
    peak_at = NOW
    measured_at = NOW


class EquitySampleFactory(DjangoModelFactory):
    """A point of its curve."""

    class Meta:
        model = EquitySample

    trader = factory.SubFactory(TraderFactory)
    book = Book.PAPER
    at = NOW
    earned_usdc = Usdc.zero()
    equity_usdc = Usdc.of(10_000)


class LossDayFactory(DjangoModelFactory):
    """A paper account's day without an end in sight, nothing lost."""

    class Meta:
        model = LossDay

    trader = factory.SubFactory(TraderFactory)
    book = Book.PAPER
    starts_at = NOW
    ends_at = NOW + timedelta(days=36_500)
    zone = "UTC"
    baseline_earned_usdc = Usdc.zero()
    baseline_equity_usdc = Usdc.of(10_000)
    loss_usdc = Usdc.zero()
    limit_usdc = Usdc.of(2_000)
    measured_at = NOW


class FlattenFactory(DjangoModelFactory):
    """A job over the whole live desk, to be worked."""

    class Meta:
        model = Flatten

    scope = HaltScope.GLOBAL
    book = Book.LIVE
    reason = "a drill"
    started_by = "rita"
    started_at = NOW
    next_action_at = NOW
