"""Reconciliation: how accounts stand against the venue, where they differ, and money that came or went."""

from django.db.models import Q, QuerySet

from execution.domain.reconciliation import DifferenceKind, DifferenceState
from execution.models import AccountLook, Difference, WalletFlow
from trading.api.fields import Word
from trading.api.forms import AccountNumber, PageQuery
from trading.api.shapes import Shape, account
from trading.api.views import Resource, of_accounts


class AccountQuery(PageQuery):
    """Of which account."""

    tg_user_id = AccountNumber(source="trader", required=False)


class AccountLookShape(Shape):
    """An account as last compared: at which block, with what; or why it waits."""

    tg_user_id = account()

    class Meta:
        model = AccountLook
        fields = (
            *("id", "tg_user_id", "looked_at", "waits_for", "block_number", "block_hash", "balance_usdc", "allowance_usdc"),
            *("positions", "orders", "next_action_at"),
        )


class AccountLooks(Resource):
    """How accounts last stood against the venue."""

    shape = AccountLookShape
    query = AccountQuery

    def rows(self) -> QuerySet[AccountLook]:
        """Every account that was looked at."""
        return AccountLook.objects.select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those."""
        return of_accounts("trader", accounts)


class DifferenceShape(Shape):
    """One thing that books and venue say, or said, differently."""

    tg_user_id = account()

    class Meta:
        model = Difference
        fields = (
            *("id", "tg_user_id", "kind", "what", "state", "ours", "theirs", "first_seen_at", "first_block"),
            *("last_seen_at", "last_block", "confirmed_at", "resolved_at", "resolution"),
        )


class DifferenceQuery(AccountQuery):
    """Which differences."""

    kind = Word(DifferenceKind, required=False)
    state = Word(DifferenceState, required=False)


class Differences(Resource):
    """Where books and venue differ; what one look saw only may be nothing."""

    shape = DifferenceShape
    query = DifferenceQuery

    def rows(self) -> QuerySet[Difference]:
        """Every difference, those that are gone too."""
        return Difference.objects.select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)


class WalletFlowShape(Shape):
    """Money that came to an account on the chain, or went, and that no fill explains."""

    tg_user_id = account()

    class Meta:
        model = WalletFlow
        fields = ("id", "tg_user_id", "amount_usdc", "transferred_usdc", "first_block", "last_block", "seen_at")


class WalletFlows(Resource):
    """Money that came or went by itself."""

    shape = WalletFlowShape
    query = AccountQuery

    def rows(self) -> QuerySet[WalletFlow]:
        """Every flow."""
        return WalletFlow.objects.select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)
