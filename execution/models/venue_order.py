"""What the venue registered, whoever asked for it."""

from typing import Self

from django.db import models
from django.db.models import Q

from execution.domain.venue_order import LIFECYCLE, VenueOrderKind, VenueOrderStatus
from trading.domain.position import Direction
from trading.models import Trader
from trading.models.fields import LeverageField, PriceField, UsdcField
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted

_LIMIT, _PENDING = str(VenueOrderKind.LIMIT), str(VenueOrderStatus.PENDING)


class VenueOrderQuerySet(models.QuerySet["VenueOrder"]):
    """The venue's orders, asked for in our words."""

    def canonical(self) -> Self:
        """Those registered in a block that the chain still has."""
        return self.filter(is_canonical=True)

    def pending(self) -> Self:
        """Those that the venue still has to fill or cancel."""
        return self.canonical().filter(status=VenueOrderStatus.PENDING)


class VenueOrder(models.Model):
    """One order of a followed trader's, as the event in its block says; ours are among them. A limit's new terms are a row."""

    chain_id = models.BigIntegerField()
    # The transaction that initiated it, and its place among the orders that this one initiated, from zero.
    tx_hash = models.CharField(max_length=66)
    ordinal = models.PositiveIntegerField()
    log_index = models.PositiveIntegerField()
    block_number = models.BigIntegerField()
    block_hash = models.CharField(max_length=66)
    is_canonical = models.BooleanField(default=True)
    kind = models.CharField(max_length=8, choices=choices(VenueOrderKind))
    # The venue's number; null: a limit, which has none.
    venue_order_id = models.BigIntegerField(null=True)
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="venue_orders")
    pair_index = models.PositiveIntegerField()
    # The place of the limit, or of the position to increase; null: the event doesn't say.
    venue_index = models.BigIntegerField(null=True)
    direction = models.CharField(max_length=8, choices=choices(Direction))
    # What was put up, or what is to be closed.
    collateral_usdc = UsdcField()
    # Null: the event doesn't say.
    leverage_x = LeverageField(null=True)
    wanted_price = PriceField(null=True)
    registered_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=choices(VenueOrderStatus), default=VenueOrderStatus.PENDING)
    # The block that ended it, for the day that one is reorganized out; empty and null while pending.
    ended_in_block = models.CharField(max_length=66, blank=True)
    ended_at = models.DateTimeField(null=True)

    objects = VenueOrderQuerySet.as_manager()

    class Meta:
        db_table = "venue_orders"
        constraints = [
            models.UniqueConstraint(
                name="one_venue_order_for_each_log_of_a_block", fields=["chain_id", "block_hash", "log_index"]
            ),
            models.UniqueConstraint(
                name="one_canonical_venue_order_for_each_number",
                fields=["chain_id", "venue_order_id"],
                condition=Q(is_canonical=True, venue_order_id__isnull=False),
            ),
            known_states(LIFECYCLE),
            known_words("venue_order_kind_is_known", VenueOrderKind, field="kind"),
            known_words("venue_order_direction_is_known", Direction, field="direction"),
            models.CheckConstraint(
                name="only_a_limit_has_no_number",
                condition=Q(kind=_LIMIT, venue_order_id=None, venue_index__isnull=False)
                | (~Q(kind=_LIMIT) & Q(venue_order_id__isnull=False)),
            ),
            models.CheckConstraint(
                name="venue_order_has_ended_exactly_when_its_state_says_so",
                condition=Q(status=_PENDING, ended_in_block="", ended_at=None)
                | (~Q(status=_PENDING) & ~Q(ended_in_block="") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="venue_orders_pending", fields=["trader", "pair_index"], condition=Q(status=_PENDING)),
            models.Index(name="venue_orders_limits", fields=["trader", "pair_index", "venue_index"], condition=Q(kind=_LIMIT)),
            models.Index(name="venue_orders_by_transaction", fields=["tx_hash"]),
            models.Index(name="venue_orders_by_block", fields=["block_hash"]),
            models.Index(name="venue_orders_by_end", fields=["ended_in_block"], condition=~Q(ended_in_block="")),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind} {self.direction} {self.collateral_usdc} USDC {self.status}"

    def move(self, target: VenueOrderStatus) -> None:
        """Go to another state, if the table has the way; staying is no move."""
        if target != self.status:
            LIFECYCLE.check(source=VenueOrderStatus(self.status), target=target)
            self.status = target
