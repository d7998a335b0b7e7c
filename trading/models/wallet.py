"""What an account has on paper, and what people put in and took out."""

from django.db import models
from django.db.models import Q

from trading.domain.wallet import FlowKind
from trading.models.fields import UsdcField
from trading.models.lifecycle import append_only, choices, known_words, never_deleted
from trading.models.trader import Trader


class PaperWallet(models.Model):
    """An account's money on paper: kept with each fill and each flow under the account's lock, and never summed anew."""

    trader = models.OneToOneField(Trader, on_delete=models.PROTECT, related_name="paper_wallet")
    # What isn't in a position; what is promised to orders under way is in it.
    balance_usdc = UsdcField()
    # The sum of its flows: a withdrawal is no loss, and a deposit no gain.
    put_in_usdc = UsdcField()
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "paper_wallets"
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.balance_usdc} USDC on paper"


class PaperFlow(models.Model):
    """Money that people put into a wallet on paper, or took out. The first is the stake."""

    wallet = models.ForeignKey(PaperWallet, on_delete=models.PROTECT, related_name="flows")
    kind = models.CharField(max_length=12, choices=choices(FlowKind))
    amount_usdc = UsdcField()
    balance_after_usdc = UsdcField()
    placed_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        db_table = "paper_flows"
        constraints = [
            known_words("paper_flow_kind_is_known", FlowKind, field="kind"),
            models.CheckConstraint(name="paper_flow_is_of_something", condition=Q(amount_usdc__gte=0)),
            models.UniqueConstraint(name="one_stake_for_each_wallet", fields=["wallet"], condition=Q(kind=FlowKind.STAKE)),
        ]
        triggers = [append_only("paper_flows_is_append_only")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_usdc} USDC"
