"""The recorded verdict on a signal, and the orders that it allows."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from risk.domain.decision import Action, Verdict
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.models import Market, Position, Signal, Trader
from trading.models.fields import LeverageField, PercentField, PriceField, UsdcField
from trading.models.lane import Due
from trading.models.lifecycle import append_only, choices, known_words, never_deleted


class Decision(models.Model):
    """One verdict for each signal and trader, with every check that was made."""

    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, related_name="decisions")
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=choices(Verdict))
    # The first check that failed; empty when approved.
    code = models.CharField(max_length=48, blank=True)
    message = models.TextField(blank=True)
    # [{code, passed, value, limit, message}], in the order of the rules.
    checks = models.JSONField()
    # Null: there was no fresh price.
    price = PriceField(null=True)
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "decisions"
        constraints = [
            models.UniqueConstraint(name="one_decision_for_each_signal_and_trader", fields=["signal", "trader"]),
            known_words("decision_verdict_is_known", Verdict, field="verdict"),
            models.CheckConstraint(
                name="decision_denies_with_a_code",
                condition=Q(verdict=Verdict.APPROVED, code="") | (Q(verdict=Verdict.DENIED) & ~Q(code="")),
            ),
        ]
        indexes = [models.Index(name="decisions_lately", fields=["trader", "decided_at"])]
        triggers = [append_only("decisions_are_append_only")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.code}".strip()


class LegQuerySet(models.QuerySet["Leg"]):
    """Legs, asked for in our words."""

    def due(self, *, at: datetime) -> Self:
        """Those that wait for their order, oldest first. An open waits for the closes that come before it in its decision."""
        before = Leg.objects.holding_room().filter(decision=OuterRef("decision"), number__lt=OuterRef("number"))
        blocked = Q(action=Action.OPEN) & Q(Exists(before.filter(action=Action.CLOSE)))
        return self.filter(next_action_at__lte=at).exclude(blocked).order_by("id")

    def holding_room(self) -> Self:
        """Those whose order hasn't ended: they count as filled."""
        return self.filter(settled_at=None)


class Leg(Due):
    """One order that a decision allows, and the room it holds until that order has ended."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="legs")
    number = models.PositiveSmallIntegerField()
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="legs")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="legs")
    book = models.CharField(max_length=8, choices=choices(Book))
    action = models.CharField(max_length=8, choices=choices(Action))
    direction = models.CharField(max_length=8, choices=choices(Direction))
    # Put up by an open, taken out by a close.
    collateral_usdc = UsdcField()
    leverage_x = LeverageField()
    slippage_pct = PercentField()
    # Null: none was asked for.
    take_profit = PriceField(null=True)
    stop_loss = PriceField(null=True)
    # The position to close; null for an open.
    position = models.ForeignKey(Position, on_delete=models.PROTECT, null=True, related_name="legs")
    # Null for exits, which don't expire.
    expires_at = models.DateTimeField(null=True)
    # The block in which the venue took an open's collateral from the trader; null until it did.
    charged_in_block = models.BigIntegerField(null=True)
    # Why no order was ever made of it; empty: one was, or will be.
    left_out = models.CharField(max_length=32, blank=True, default="")
    # Null while it holds room.
    settled_at = models.DateTimeField(null=True)

    objects = LegQuerySet.as_manager()

    class Meta:
        db_table = "legs"
        constraints = [
            models.UniqueConstraint(name="one_leg_for_each_number", fields=["decision", "number"]),
            known_words("leg_action_is_known", Action, field="action"),
            models.CheckConstraint(
                name="leg_closes_a_position_exactly_when_it_closes",
                condition=Q(action=Action.OPEN, position=None) | Q(action=Action.CLOSE, position__isnull=False),
            ),
            models.CheckConstraint(name="leg_moves_some_collateral", condition=Q(collateral_usdc__gt=0)),
        ]
        indexes = [
            models.Index(name="legs_due", fields=["trader", "id"], condition=Q(next_action_at__isnull=False)),
            models.Index(name="legs_holding_room", fields=["trader"], condition=Q(settled_at=None)),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.action} {self.direction} {self.collateral_usdc} USDC"
