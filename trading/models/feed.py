"""Who gives us prices and how that goes, and the price of each market that was last agreed on."""

from datetime import timedelta

from django.db import models

from trading.domain.feed import FeedState
from trading.domain.price import AgreedPrice, KeptPrice, Sequencer
from trading.models.fields import PriceField
from trading.models.market import Market


class PriceFeed(models.Model):
    """A price source, or the sequencer's own feed, as the rounds found it."""

    name = models.CharField(max_length=32, unique=True)
    weight = models.DecimalField(max_digits=4, decimal_places=2)
    # The listed markets that it is set up for; none while it isn't configured.
    symbols = models.JSONField(default=list)
    is_configured = models.BooleanField(default=True)
    rhythm = models.DurationField(default=timedelta(0))
    # Null: it never answered.
    answered_at = models.DateTimeField(null=True)
    # Null: it never failed.
    failed_at = models.DateTimeField(null=True)
    # In a row; 0 after each answer.
    failures = models.PositiveIntegerField(default=0)
    # What the last failure was.
    error = models.CharField(max_length=64, blank=True, default="")
    # How many of its quotes were rejected so far, by reason.
    rejections = models.JSONField(default=dict)
    # Null: this is no sequencer's feed, or the sequencer is down.
    up_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "price_feeds"

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> FeedState:
        """How it did so far."""
        return FeedState(rhythm=self.rhythm, answered_at=self.answered_at, failed_at=self.failed_at, failures=self.failures)

    @property
    def sequencer(self) -> Sequencer:
        """What a sequencer's feed says."""
        return Sequencer(up_since=self.up_since, seen_at=self.answered_at)


class LastPrice(models.Model):
    """The last agreed price of a market: for display and exits, while it is young."""

    market = models.OneToOneField(Market, on_delete=models.PROTECT, primary_key=True, related_name="last_price")
    price = PriceField()
    # That of the oldest quote that counted.
    published_at = models.DateTimeField()
    sources = models.JSONField()
    agreed_at = models.DateTimeField()

    class Meta:
        db_table = "last_prices"

    def __str__(self) -> str:
        return f"{self.market} {self.price}"

    def as_kept(self, *, symbol: str) -> KeptPrice:
        """The row in the domain's words."""
        agreed = AgreedPrice(symbol=symbol, price=self.price, published_at=self.published_at, sources=tuple(self.sources))
        return KeptPrice(agreed=agreed, agreed_at=self.agreed_at)
