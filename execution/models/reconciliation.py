"""What reconciliation saw: how each account last stood, where books and venue differ, and money that came or went."""

from typing import Self

from django.db import models
from django.db.models import Q

from execution.domain.reconciliation import DifferenceKind, DifferenceState
from trading.models import Trader
from trading.models.fields import UsdcField
from trading.models.lane import Due
from trading.models.lifecycle import append_only, choices, known_words, never_deleted


class AccountLook(Due):
    """One account as last compared with the venue, at the block that our books had reached."""

    trader = models.OneToOneField(Trader, on_delete=models.PROTECT, related_name="look")
    # Why the last look saw nothing; empty when it did.
    waits_for = models.CharField(max_length=200, blank=True)
    # All of these are null until the first look.
    looked_at = models.DateTimeField(null=True)
    block_number = models.BigIntegerField(null=True)
    block_hash = models.CharField(max_length=66, blank=True)
    balance_usdc = UsdcField(null=True)
    allowance_usdc = UsdcField(null=True)
    positions = models.PositiveIntegerField(null=True)
    orders = models.PositiveIntegerField(null=True)
    # The balance is counted from this block on: what the account was worth there, and earned since, at the block judged last.
    base_block = models.BigIntegerField(null=True)
    judged_block = models.BigIntegerField(null=True)
    judged_hash = models.CharField(max_length=66, blank=True)
    worth_usdc = UsdcField(null=True)
    earned_usdc = UsdcField(null=True)

    class Meta:
        db_table = "account_looks"
        indexes = [models.Index(name="account_looks_due", fields=["next_action_at"])]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.trader_id} at block {self.block_number}"


class DifferenceQuerySet(models.QuerySet["Difference"]):
    """Differences, asked for in our words."""

    def unresolved(self) -> Self:
        """Those that the last look at their account still saw."""
        return self.filter(resolved_at=None)

    def standing(self) -> Self:
        """Those that two looks saw, and that are still there."""
        return self.filter(state=DifferenceState.CONFIRMED)


class Difference(models.Model):
    """One thing that books and venue say differently: a row while it lasts, named by its account, its kind and its subject."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="differences")
    kind = models.CharField(max_length=20, choices=choices(DifferenceKind))
    what = models.CharField(max_length=128)
    state = models.CharField(max_length=10, choices=choices(DifferenceState), default=DifferenceState.SEEN)
    # What each side says, as last seen.
    ours = models.CharField(max_length=200)
    theirs = models.CharField(max_length=200)
    first_seen_at = models.DateTimeField()
    first_block = models.BigIntegerField()
    last_seen_at = models.DateTimeField()
    last_block = models.BigIntegerField()
    # Null: one look saw it so far.
    confirmed_at = models.DateTimeField(null=True)
    # Null while it is there.
    resolved_at = models.DateTimeField(null=True)
    # How it ended; empty while it is there.
    resolution = models.CharField(max_length=64, blank=True)

    objects = DifferenceQuerySet.as_manager()

    class Meta:
        db_table = "differences"
        constraints = [
            models.UniqueConstraint(
                name="one_difference_of_each_thing", fields=["trader", "kind", "what"], condition=Q(resolved_at=None)
            ),
            known_words("difference_kind_is_known", DifferenceKind, field="kind"),
            models.CheckConstraint(
                name="difference_is_dated_as_its_state_says",
                condition=Q(state=DifferenceState.SEEN, confirmed_at=None, resolved_at=None)
                | Q(state=DifferenceState.CONFIRMED, confirmed_at__isnull=False, resolved_at=None)
                | Q(state=DifferenceState.RESOLVED, resolved_at__isnull=False),
            ),
        ]
        indexes = [models.Index(name="differences_standing", fields=["kind"], condition=Q(resolved_at=None))]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


class WalletFlow(models.Model):
    """Money that came to an account on the chain, or went, and that no fill explains."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="wallet_flows")
    first_block = models.BigIntegerField()
    last_block = models.BigIntegerField()
    # Below zero: it went.
    amount_usdc = UsdcField()
    # The part of it that the owner's own transfers explain.
    transferred_usdc = UsdcField()
    seen_at = models.DateTimeField()

    objects: models.Manager["WalletFlow"] = models.Manager()

    class Meta:
        db_table = "wallet_flows"
        triggers = [append_only("wallet_flows_is_append_only")]

    def __str__(self) -> str:
        return f"{self.amount_usdc} USDC"
