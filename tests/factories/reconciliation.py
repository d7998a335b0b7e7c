"""Rows of reconciliation."""

import factory
from factory.django import DjangoModelFactory

from execution.domain.reconciliation import DifferenceKind
from execution.models import AccountLook, Difference, WalletFlow
from tests.factories import NOW
from tests.factories.trading import TraderFactory
from trading.domain.units import Usdc


class AccountLookFactory(DjangoModelFactory):
    """An account that was just compared."""

    class Meta:
        model = AccountLook
        django_get_or_create = ("trader",)

    trader = factory.SubFactory(TraderFactory)
    next_action_at = NOW
    looked_at = NOW
    block_number = 7
    block_hash = "0xb"
    balance_usdc = Usdc.of(100)
    allowance_usdc = Usdc.of(100)
    positions = 0
    orders = 0


class DifferenceFactory(DjangoModelFactory):
    """What one look saw."""

    class Meta:
        model = Difference

    trader = factory.SubFactory(TraderFactory)
    kind = DifferenceKind.POSITION_GONE
    what = factory.Sequence(lambda number: f"position 1/{number} of 2026-01-02T03:04:05Z")
    ours = "LONG 50 USDC at 3x"
    theirs = "nothing"
    first_seen_at = NOW
    first_block = 7
    last_seen_at = NOW
    last_block = 7


class WalletFlowFactory(DjangoModelFactory):
    """A deposit of the owner's."""

    class Meta:
        model = WalletFlow

    trader = factory.SubFactory(TraderFactory)
    first_block = 1
    last_block = 7
    amount_usdc = Usdc.of(70)
    transferred_usdc = Usdc.of(70)
    seen_at = NOW
