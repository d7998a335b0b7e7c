"""Wallets on paper, and what people put into them and took out."""

from django.db.models import Q, QuerySet
from rest_framework import serializers

from trading.api.fields import Word
from trading.api.forms import AccountNumber, PageQuery
from trading.api.shapes import Shape, account
from trading.api.views import Resource, of_accounts
from trading.domain.wallet import FlowKind
from trading.models import PaperFlow, PaperWallet


class PaperWalletShape(Shape):
    """What an account has on paper outside of its positions, and what people put in, in all."""

    tg_user_id = account()

    class Meta:
        model = PaperWallet
        fields = ("id", "tg_user_id", "balance_usdc", "put_in_usdc", "opened_at")


class PaperWalletQuery(PageQuery):
    """Which wallets."""

    tg_user_id = AccountNumber(source="trader", required=False)


class PaperWallets(Resource):
    """What accounts have on paper; one is opened when it is first needed."""

    shape = PaperWalletShape
    query = PaperWalletQuery

    def rows(self) -> QuerySet[PaperWallet]:
        """Every wallet."""
        return PaperWallet.objects.select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)


class PaperFlowShape(Shape):
    """Money that came or went."""

    tg_user_id = account("wallet.trader.tg_user_id")
    wallet = serializers.IntegerField(source="wallet_id", read_only=True)

    class Meta:
        model = PaperFlow
        fields = ("id", "wallet", "tg_user_id", "kind", "amount_usdc", "balance_after_usdc", "placed_by", "reason", "at")


class PaperFlowQuery(PageQuery):
    """Which flows."""

    kind = Word(FlowKind, required=False)
    tg_user_id = AccountNumber(source="wallet__trader", required=False)


class PaperFlows(Resource):
    """Deposits and withdrawals on paper; the first of each account is its stake."""

    shape = PaperFlowShape
    query = PaperFlowQuery

    def rows(self) -> QuerySet[PaperFlow]:
        """Every flow."""
        return PaperFlow.objects.select_related("wallet__trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts' wallets."""
        return of_accounts("wallet__trader", accounts)
