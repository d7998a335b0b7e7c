"""What is held, and the venue's executions that made it so."""

from typing import Self

from django.db import models

from trading.domain.mode import Book
from trading.domain.position import LIFECYCLE, Direction, FillKind, PositionStatus
from trading.models.fields import LeverageField, PriceField, UsdcField
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted
from trading.models.market import Market
from trading.models.signal import Signal
from trading.models.trader import Trader


class PositionQuerySet(models.QuerySet["Position"]):
    """Positions, asked for in our words."""

    def open(self) -> Self:
        """Those with something left to close."""
        return self.filter(status=PositionStatus.OPEN)

    def of(self, *, trader_id: int, book: str) -> Self:
        """One trader's positions of one book."""
        return self.filter(trader_id=trader_id, book=book)


class Position(models.Model):
    """One position on the venue. Its amounts are the fold of its canonical fills (`trading.services.positions`)."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="positions")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="positions")
    book = models.CharField(max_length=8, choices=choices(Book))
    direction = models.CharField(max_length=8, choices=choices(Direction))
    # The venue's slot, which it uses again; for PAPER the number of the order that opened it.
    venue_index = models.BigIntegerField()
    # The venue's own open time, part of the identity because slots are used again.
    opened_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=choices(PositionStatus), default=PositionStatus.OPEN)
    # What opened it; null: nothing of ours.
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, null=True, related_name="positions")
    # What is still open; zero when closed.
    collateral_usdc = UsdcField()
    leverage_x = LeverageField()
    entry_price = PriceField()
    # Sum of payout minus collateral closed, over its closing fills.
    realised_pnl_usdc = UsdcField()
    # Null: none was set.
    take_profit = PriceField(null=True)
    stop_loss = PriceField(null=True)
    # Null while open.
    closed_at = models.DateTimeField(null=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        db_table = "positions"
        constraints = [
            models.UniqueConstraint(
                name="one_position_for_each_slot_and_time", fields=["book", "trader", "market", "venue_index", "opened_at"]
            ),
            known_states(LIFECYCLE),
            known_words("position_book_is_known", Book, field="book"),
            known_words("position_direction_is_known", Direction, field="direction"),
            models.CheckConstraint(
                name="position_is_closed_exactly_when_nothing_is_left",
                condition=models.Q(status=PositionStatus.OPEN, closed_at=None, collateral_usdc__gt=0)
                | (~models.Q(status=PositionStatus.OPEN) & models.Q(closed_at__isnull=False, collateral_usdc=0)),
            ),
        ]
        indexes = [
            models.Index(name="positions_open", fields=["trader", "market"], condition=models.Q(status=PositionStatus.OPEN)),
            models.Index(
                name="positions_closed", fields=["trader", "book", "closed_at"], condition=models.Q(status=PositionStatus.CLOSED)
            ),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return f"{self.book} {self.direction} {self.market_id} #{self.pk}"

    def move(self, target: PositionStatus) -> None:
        """Go to another state, if the table has the way; staying is no move."""
        if target != self.status:
            LIFECYCLE.check(source=PositionStatus(self.status), target=target)
            self.status = target


class FillQuerySet(models.QuerySet["Fill"]):
    """Fills, asked for in our words."""

    def canonical(self) -> Self:
        """Those in a block that the chain still has."""
        return self.filter(is_canonical=True)


class Fill(models.Model):
    """One execution by the venue: an event in a block, or the paper venue's answer.

    PAPER fills carry chain 0 and their intent's key where a hash would be.
    """

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="fills")
    # Its position's, beside what they are asked with: an account's fills are found without the positions between.
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="fills", db_index=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="fills", db_index=False)
    book = models.CharField(max_length=8, choices=choices(Book))
    kind = models.CharField(max_length=16, choices=choices(FillKind))
    price = PriceField()
    # Collateral opened (net of the open fee) or closed.
    collateral_usdc = UsdcField()
    leverage_x = LeverageField()
    # What the venue kept: on an open the difference to what was put up.
    fee_usdc = UsdcField()
    # What the trader was paid; zero on an open.
    payout_usdc = UsdcField()
    # Payout minus collateral closed; zero on an open.
    realised_pnl_usdc = UsdcField()
    chain_id = models.BigIntegerField()
    tx_hash = models.CharField(max_length=640)
    log_index = models.PositiveIntegerField()
    block_number = models.BigIntegerField()
    block_hash = models.CharField(max_length=640)
    is_canonical = models.BooleanField(default=True)
    filled_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FillQuerySet.as_manager()

    class Meta:
        db_table = "fills"
        constraints = [
            models.UniqueConstraint(name="one_fill_for_each_log_of_a_block", fields=["chain_id", "block_hash", "log_index"]),
            models.UniqueConstraint(
                name="one_canonical_fill_for_each_log",
                fields=["chain_id", "tx_hash", "log_index"],
                condition=models.Q(is_canonical=True),
            ),
            known_words("fill_kind_is_known", FillKind, field="kind"),
        ]
        indexes = [
            models.Index(name="fills_of_an_account", fields=["trader", "id"]),
            models.Index(name="fills_of_a_day", fields=["trader", "book", "filled_at"]),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind} {self.collateral_usdc} USDC at {self.price}"
