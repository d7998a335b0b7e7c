"""What can be traded."""

from django.db import models

from trading.domain.units import Percent
from trading.models.fields import LeverageField, PercentField, UsdcField


class Market(models.Model):
    """A pair on the venue, as its catalogue last described it."""

    symbol = models.CharField(max_length=16, unique=True)
    # The venue's name for markets that move together; empty: it names none.
    group_name = models.CharField(max_length=32, default="", blank=True)
    # The venue's number of the pair.
    pair_index = models.PositiveIntegerField(unique=True)
    is_listed = models.BooleanField(default=True)
    # Close-only: the venue takes exits, no entries.
    is_close_only = models.BooleanField(default=False)
    is_open = models.BooleanField(default=True)
    min_notional_usdc = UsdcField()
    min_leverage_x = LeverageField()
    max_leverage_x = LeverageField()
    open_fee_pct = PercentField()
    close_fee_pct = PercentField()
    spread_pct = PercentField()
    # What holding costs an hour, of the notional. Funding is signed: positive, longs pay shorts.
    rollover_hourly_pct = PercentField(default=Percent.zero, db_default=0)
    funding_hourly_pct = PercentField(default=Percent.zero, db_default=0)
    # The most that a position can gain, of its collateral. Until the catalogue says more, the venue's lowest cap.
    max_gain_pct = PercentField(default="500", db_default=500)
    synced_at = models.DateTimeField()

    class Meta:
        db_table = "markets"

    def __str__(self) -> str:
        return self.symbol

    @property
    def round_trip_pct(self) -> Percent:
        """What an open and a close cost together, of the notional: fees, and the spread on either side."""
        cost: Percent = self.open_fee_pct + self.close_fee_pct + self.spread_pct + self.spread_pct
        return cost
