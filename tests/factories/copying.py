"""Rows of copying."""

import factory
from factory.django import DjangoModelFactory

from risk.domain.copying import CopyKind
from risk.domain.following import Sizing
from risk.models import Copy, CopySignal, Following, Tracking
from tests.factories import NOW
from tests.factories.trading import FillFactory, LeaderFactory, PositionFactory, SignalFactory, TraderFactory
from trading.domain.mode import Book
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


class TrackingFactory(DjangoModelFactory):
    """A day on which both made nothing."""

    class Meta:
        model = Tracking

    following = factory.SubFactory(FollowingFactory)
    book = Book.LIVE
    day = NOW.date()
    trades = 1
    leader_net_usdc = Usdc.zero()
    leader_basis_usdc = Usdc.of(400)
    leader_return_pct = Percent.zero()
    follower_net_usdc = Usdc.zero()
    follower_basis_usdc = Usdc.of(40)
    follower_return_pct = Percent.zero()
    expected_usdc = Usdc.zero()
    not_copied_usdc = Usdc.zero()
    size_usdc = Usdc.zero()
    entry_usdc = Usdc.zero()
    exit_usdc = Usdc.zero()
    fees_usdc = Usdc.zero()
    carrying_usdc = Usdc.zero()
    measured_at = NOW
