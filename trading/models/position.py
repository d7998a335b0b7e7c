"""What is held, and the venue's executions that made it so."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Case, ExpressionWrapper, F, When

from trading.domain.mode import Book
from trading.domain.position import CLOSING, LIFECYCLE, OPENING, RESIZING, Direction, FillKind, Origin, PositionStatus
from trading.domain.units import Usdc
from trading.models.fields import LeverageField, PriceField, UsdcField
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted
from trading.models.market import Market
from trading.models.signal import Signal
from trading.models.trader import Trader

_CLOSING = sorted(str(kind) for kind in CLOSING)
_RESIZING = sorted(str(kind) for kind in RESIZING)
# What a fill earned for its trader: the parts of its profit, whatever its kind. An opening fee is gone at once.
EARNED = ExpressionWrapper(F("price_pnl_usdc") - F("fee_usdc") - F("rollover_usdc") - F("funding_usdc"), output_field=UsdcField())
# What a fill brought to the trader's wallet, or took from it; what was adopted had been taken before we saw it.
WALLET_GAIN = Case(
    When(kind__in=sorted((*OPENING, FillKind.ADOPTED)), then=-F("collateral_usdc") - F("fee_usdc")),
    When(kind=FillKind.MARGIN, payout_usdc=0, then=-F("collateral_usdc")),
    default=F("payout_usdc"),
    output_field=UsdcField(),
)


class PositionQuerySet(models.QuerySet["Position"]):
    """Positions, asked for in our words."""

    def open(self) -> Self:
        """Those with something left to close."""
        return self.filter(status=PositionStatus.OPEN)

    def ours(self) -> Self:
        """Those of accounts; a leader's are none of the desk's."""
        return self.filter(trader__is_leader=False)

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
    origin = models.CharField(max_length=8, choices=choices(Origin), default=Origin.OURS, db_default=Origin.OURS)
    # What is still open; zero when closed.
    collateral_usdc = UsdcField()
    leverage_x = LeverageField()
    entry_price = PriceField()
    # Sum of what its fills realised.
    realised_pnl_usdc = UsdcField()
    # The same less the fees of opening: what its fills earned.
    net_pnl_usdc = UsdcField(default=Usdc.zero, db_default=0)
    # What the venue itself holds for it; null: nothing, as far as we know.
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
            known_words("position_origin_is_known", Origin, field="origin"),
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

    def after(self, filled_at: datetime, pk: int) -> Self:
        """Those that come after a fill, by time and then by number."""
        return self.filter(models.Q(filled_at__gt=filled_at) | models.Q(filled_at=filled_at, pk__gt=pk))

    def ours(self) -> Self:
        """Those of accounts; a leader's are none of the desk's."""
        return self.filter(trader__is_leader=False)


class Fill(models.Model):
    """One execution by the venue: an event in a block, or the paper venue's answer.

    PAPER fills carry chain 0 and their intent's key where a hash would be. What the trader's wallet gained is the payout
    less what he put up: collateral and fee of an open or an increase, the collateral of a deposit.
    """

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="fills")
    # Its position's, beside what they are asked with: an account's fills are found without the positions between.
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="fills", db_index=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="fills", db_index=False)
    book = models.CharField(max_length=8, choices=choices(Book))
    kind = models.CharField(max_length=16, choices=choices(FillKind))
    price = PriceField()
    # What moved: collateral opened or added (net of the open fee), closed, deposited or withdrawn.
    collateral_usdc = UsdcField()
    # The position's, after an increase or a change of margin the new one.
    leverage_x = LeverageField()
    # What an increase or a change of margin leaves open, and at which entry; null for all others.
    held_usdc = UsdcField(null=True)
    entry_price = PriceField(null=True)
    # The fee of opening or closing: on an open the difference to what was put up.
    fee_usdc = UsdcField()
    # What holding it has cost since it was last taken; signed: positive, the trader paid.
    rollover_usdc = UsdcField(default=Usdc.zero, db_default=0)
    funding_usdc = UsdcField(default=Usdc.zero, db_default=0)
    # What the price made of a close; what a floor or a liquidation took is in it. Zero where nothing was closed.
    price_pnl_usdc = UsdcField(default=Usdc.zero, db_default=0)
    # What the trader was paid: by a close, or by a withdrawal of margin.
    payout_usdc = UsdcField()
    # Payout minus collateral closed; where nothing was closed what rollover and funding took.
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
            models.CheckConstraint(
                name="fill_is_the_sum_of_its_parts",
                condition=models.Q(
                    kind__in=_CLOSING,
                    realised_pnl_usdc=F("price_pnl_usdc") - F("fee_usdc") - F("rollover_usdc") - F("funding_usdc"),
                )
                | (
                    ~models.Q(kind__in=_CLOSING)
                    & models.Q(price_pnl_usdc=0, realised_pnl_usdc=-F("rollover_usdc") - F("funding_usdc"))
                ),
            ),
            models.CheckConstraint(
                name="fill_says_what_is_left_exactly_when_it_resizes",
                condition=models.Q(kind__in=_RESIZING, held_usdc__isnull=False, entry_price__isnull=False)
                | (~models.Q(kind__in=_RESIZING) & models.Q(held_usdc=None, entry_price=None)),
            ),
        ]
        indexes = [
            models.Index(name="fills_of_an_account", fields=["trader", "id"]),
            models.Index(name="fills_of_a_day", fields=["trader", "book", "filled_at"]),
            models.Index(name="fills_after_a_block", fields=["trader", "book", "block_number"]),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind} {self.collateral_usdc} USDC at {self.price}"
