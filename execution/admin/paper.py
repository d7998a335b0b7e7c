"""The console's pages over the money on paper."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin

from execution.admin.operated import Act, OperatedAdmin, ReasonForm, operate
from execution.services import paper_money
from execution.services.warrants import Warrant
from trading import clock
from trading.admin.base import ReadOnlyAdmin, link, onward
from trading.domain import people
from trading.domain.units import Usdc
from trading.models import PaperFlow, PaperWallet


class AmountForm(ReasonForm):
    """How much."""

    amount_usdc = forms.DecimalField(min_value=0, max_digits=24, decimal_places=Usdc.SCALE)


def _deposit(pk: int, said: dict[str, Any], by: Warrant) -> None:
    paper_money.deposit(trader_id=_trader_of(pk), amount=Usdc.of(said["amount_usdc"]), by=by)


def _withdraw(pk: int, said: dict[str, Any], by: Warrant) -> None:
    paper_money.withdraw(trader_id=_trader_of(pk), amount=Usdc.of(said["amount_usdc"]), by=by)


def _trader_of(pk: int) -> int:
    return PaperWallet.objects.get(pk=pk).trader_id


@admin.register(PaperWallet)
class PaperWalletAdmin(OperatedAdmin):
    """What each account has on paper."""

    acts = {
        "deposit": Act(
            title="Deposit",
            says="The account has so much more on paper. It is no gain.",
            do=_deposit,
            form=AmountForm,
            needs=people.Act.TRADE,
        ),
        "withdraw": Act(
            title="Withdraw",
            says="The account has so much less on paper. It is no loss.",
            do=_withdraw,
            form=AmountForm,
            needs=people.Act.TRADE,
        ),
    }
    list_display = (
        "pk",
        link("trader"),
        "balance_usdc",
        "put_in_usdc",
        "opened_at",
        operate,
        onward(("flows", "trading_paperflow", "wallet__id__exact", "pk")),
    )
    list_select_related = ("trader",)
    search_fields = ("trader__tg_user_id__exact",)
    search_help_text = "a whole Telegram id"
    more = (operate, list_display[-1])

    def standing(self, row: PaperWallet) -> Sequence[Sequence[object]]:
        """What it has, what of it is free, and whether its flows and fills sum up to it."""
        stands = paper_money.look(trader_id=row.trader_id, at=clock.now())
        heads = ("balance", "free", "put in", "flows and fills sum up to")
        return [heads, (stands.wallet.balance_usdc, stands.free, stands.wallet.put_in_usdc, stands.proven)]


@admin.register(PaperFlow)
class PaperFlowAdmin(ReadOnlyAdmin):
    """What people put in and took out."""

    list_display = ("pk", link("wallet"), "kind", "amount_usdc", "balance_after_usdc", "placed_by", "reason", "at")
    list_select_related = ("wallet",)
    list_filter = ("kind",)
