"""What the desk is set up with: sources, traders, markets and their prices."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from trading import clock, selectors
from trading.api.fields import Line, Plain, Whole, WrittenFlag
from trading.api.forms import PageQuery
from trading.api.shapes import Document, Shape
from trading.api.views import ALL, NONE, Resource
from trading.domain.price import PriceTrouble
from trading.models import Market, Source, Trader


class SourceShape(Shape):
    """Who may send signals. Of its secrets nothing is shown."""

    class Meta:
        model = Source
        fields = (
            *("id", "name", "description", "auth", "mode", "is_enabled", "is_internal", "allowed_symbols", "allowed_accounts"),
            *("max_leverage_x", "max_position_usdc", "max_exposure_usdc", "max_lag_seconds"),
            *("entries_per_minute", "heartbeat_seconds", "last_heard_at", "silent_at", "created_at"),
        )


class SourceQuery(PageQuery):
    """Which sources."""

    name = Line(max_length=64, required=False)
    is_enabled = WrittenFlag(required=False)


class Sources(Resource):
    """Who may send signals; they are the desk's and no account's."""

    shape = SourceShape
    query = SourceQuery

    def rows(self) -> QuerySet[Source]:
        """Every source."""
        return Source.objects.all()

    def within(self, _: frozenset[int]) -> Q:
        """None: a source says which other accounts it trades for."""
        return NONE


class TraderShape(Shape):
    """An account."""

    class Meta:
        model = Trader
        fields = ("id", "tg_user_id", "name", "address", "is_enabled", "zone", "created_at")


class TraderQuery(PageQuery):
    """Which traders."""

    tg_user_id = Whole(min_value=1, required=False)


class Traders(Resource):
    """Whose positions these are."""

    shape = TraderShape
    query = TraderQuery

    def rows(self) -> QuerySet[Trader]:
        """Every account."""
        return Trader.objects.accounts()

    def within(self, accounts: frozenset[int]) -> Q:
        """Himself."""
        return Q(tg_user_id__in=accounts)


class PriceShape(Document):
    """A price on which the sources agree, or agreed lately."""

    price = Plain()
    published_at = serializers.DateTimeField()
    sources = serializers.ListField(child=serializers.CharField())


class PriceViewShape(Document):
    """A market's price as it looks now: `agreed` for entries, `last_known` for display and exits."""

    agreed = PriceShape(allow_null=True)
    last_known = PriceShape(allow_null=True)
    trouble = serializers.ChoiceField(choices=[str(word) for word in PriceTrouble], allow_null=True)


class MarketShape(Shape):
    """A market and its price."""

    price = PriceViewShape(source="price_view", read_only=True)

    class Meta:
        model = Market
        fields = (
            *("id", "symbol", "group_name", "pair_index", "is_listed", "is_close_only", "is_open", "min_notional_usdc"),
            *("min_leverage_x", "max_leverage_x", "open_fee_pct", "close_fee_pct", "spread_pct", "rollover_hourly_pct"),
            *("funding_hourly_pct", "max_gain_pct", "synced_at", "price"),
        )


class MarketQuery(PageQuery):
    """Which markets."""

    symbol = Line(max_length=16, required=False)
    is_listed = WrittenFlag(required=False)


class Markets(Resource):
    """What can be traded."""

    shape = MarketShape
    query = MarketQuery

    def rows(self) -> QuerySet[Market]:
        """Every market."""
        return Market.objects.all()

    def within(self, _: frozenset[int]) -> Q:
        """All: they are the same for everybody."""
        return ALL

    def documents(self, page: Sequence[Market]) -> Any:
        """Markets with their prices: two queries more, however many they are."""
        views = selectors.price_views(now=clock.now(), symbols=[market.symbol for market in page])
        for market in page:
            market.price_view = views[market.symbol]  # type: ignore[attr-defined]  # for the shape
        return super().documents(page)
