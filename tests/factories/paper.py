"""Rows of the paper book's money."""

import factory
from factory.django import DjangoModelFactory

from tests.factories import NOW
from tests.factories.trading import TraderFactory
from trading.domain.units import Usdc
from trading.domain.wallet import FlowKind
from trading.models import PaperFlow, PaperWallet


class PaperWalletFactory(DjangoModelFactory):
    """As it was opened."""

    class Meta:
        model = PaperWallet
        django_get_or_create = ("trader",)

    trader = factory.SubFactory(TraderFactory)
    balance_usdc = Usdc.of(10_000)
    put_in_usdc = Usdc.of(10_000)
    opened_at = NOW


class PaperFlowFactory(DjangoModelFactory):
    """The stake."""

    class Meta:
        model = PaperFlow

    wallet = factory.SubFactory(PaperWalletFactory)
    kind = FlowKind.STAKE
    amount_usdc = Usdc.of(10_000)
    balance_after_usdc = Usdc.of(10_000)
    placed_by = "environment"
    reason = "PAPER_BALANCE_USDC"
    at = NOW
