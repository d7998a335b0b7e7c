"""What we ask the venue for."""

from django.db import models
from django.db.models import Q

from execution.domain.order import LIFECYCLE, OrderStatus
from risk.domain.decision import Action
from risk.models import Leg
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.models import Fill, Market, Position, Trader
from trading.models.fields import LeverageField, PercentField, PriceField, UsdcField
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, never_deleted


class Order(models.Model):
    """One open or close at the venue: exactly one for each leg of a decision."""

    leg = models.OneToOneField(Leg, on_delete=models.PROTECT, related_name="order")
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="orders")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="orders")
    book = models.CharField(max_length=8, choices=choices(Book))
    action = models.CharField(max_length=8, choices=choices(Action))
    direction = models.CharField(max_length=8, choices=choices(Direction))
    collateral_usdc = UsdcField()
    leverage_x = LeverageField()
    slippage_pct = PercentField()
    # Null: none was asked for.
    take_profit = PriceField(null=True)
    stop_loss = PriceField(null=True)
    # For a close the position it closes; for an open null until it is filled.
    position = models.ForeignKey(Position, on_delete=models.PROTECT, null=True, related_name="orders")
    # The venue's execution of it; null until then, and after a reorganization took it away.
    fill = models.OneToOneField(Fill, on_delete=models.PROTECT, null=True, related_name="order")
    # The venue's number; null until its own event told it, and for PAPER.
    venue_order_id = models.BigIntegerField(null=True)
    # The blocks that registered and ended it, for the day one of them is reorganized out; empty before, and for PAPER.
    accepted_in_block = models.CharField(max_length=66, blank=True)
    settled_in_block = models.CharField(max_length=66, blank=True)
    status = models.CharField(max_length=12, choices=choices(OrderStatus), default=OrderStatus.INITIALIZED)
    # Why it was denied, rejected or canceled; empty otherwise.
    reason = models.CharField(max_length=200, blank=True)
    trace_id = models.CharField(max_length=32, db_index=True)
    created_at = models.DateTimeField()
    # Null while something is still owed to it.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "orders"
        constraints = [
            known_states(LIFECYCLE),
            models.UniqueConstraint(
                name="one_order_for_each_venue_number", fields=["venue_order_id"], condition=Q(venue_order_id__isnull=False)
            ),
            models.CheckConstraint(
                name="order_has_ended_exactly_when_its_state_says_so",
                condition=Q(status__in=["INITIALIZED", "SUBMITTED", "ACCEPTED"], ended_at=None)
                | (~Q(status__in=["INITIALIZED", "SUBMITTED", "ACCEPTED"]) & Q(ended_at__isnull=False)),
            ),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return f"{self.action} {self.direction} {self.collateral_usdc} USDC {self.status}"
