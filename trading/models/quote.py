"""The newest price that each source gave for each market."""

from django.db import models

from trading.models.fields import PriceField
from trading.models.market import Market


class Quote(models.Model):
    """One source's newest price of one market."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="quotes")
    source = models.CharField(max_length=32)
    price = PriceField()
    # Half a band around the price, in its unit.
    confidence = PriceField()
    weight = models.DecimalField(max_digits=4, decimal_places=2)
    # How old it may grow before it is stale: a source's own rhythm.
    max_age = models.DurationField()
    published_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "quotes"
        constraints = [models.UniqueConstraint(name="one_quote_for_each_market_and_source", fields=["market", "source"])]

    def __str__(self) -> str:
        return f"{self.market} {self.price} from {self.source}"
