"""Rows of copying."""

import factory
from factory.django import DjangoModelFactory

from risk.domain.copying import CopyKind
from risk.domain.following import Sizing
from risk.models import Copy, CopySignal, Following
from tests.factories import NOW
from tests.factories.trading import FillFactory, LeaderFactory, PositionFactory, SignalFactory, TraderFactory
from trading.domain.units import Percent, Usdc


class FollowingFactory(DjangoModelFactory):
    """A following that is on, fixed, and without caps."""

    class Meta:
        model = Following

    follower = factory.SubFactory(TraderFactory)
    leader = factory.SubFactory(LeaderFactory)
    mode_reason = "good"
    sizing = Sizing.FIXED
    fixed_usdc = Usdc.of(50)
    max_slippage_pct = Percent.of("0.5")
    counted_from = NOW
    created_at = NOW
    updated_at = NOW


class CopyFactory(DjangoModelFactory):
    """An open of 400 at 5x that is owed."""

    class Meta:
        model = Copy

    following = factory.SubFactory(FollowingFactory)
    key = factory.Sequence(lambda number: f"0x{number:064x}:0")
    kind = CopyKind.OPEN
    position = factory.SubFactory(PositionFactory, trader=factory.SelfAttribute("..following.leader"))
    fill = factory.SubFactory(FillFactory, position=factory.SelfAttribute("..position"))
    created_at = NOW
    next_action_at = NOW


class CopySignalFactory(DjangoModelFactory):
    """A signal that a copy became."""

    class Meta:
        model = CopySignal

    copy = factory.SubFactory(CopyFactory)
    signal = factory.SubFactory(SignalFactory)
