"""What the desk is set up with: traders, markets, quotes, the mode."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from trading.admin.base import ReadOnlyAdmin, link, onward
from trading.models import Market, ModeState, Quote, Trader


@admin.register(Trader)
class TraderAdmin(ReadOnlyAdmin):
    """Whose positions these are."""

    list_display = (
        "tg_user_id",
        "name",
        "address",
        "is_enabled",
        "leased_until",
        onward(
            ("signals", "trading_signal", "trader__id__exact", "pk"),
            ("orders", "execution_order", "trader__id__exact", "pk"),
            ("positions", "trading_position", "trader__id__exact", "pk"),
            ("delegations", "execution_delegation", "trader__id__exact", "pk"),
        ),
    )
    search_fields = ("tg_user_id__exact", "address__exact")
    search_help_text = "a whole Telegram id or address"
    more = (list_display[-1],)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trader]:
        """The accounts; leaders have a page of their own."""
        return super().get_queryset(request).filter(is_leader=False)


@admin.register(Market)
class MarketAdmin(ReadOnlyAdmin):
    """What can be traded."""

    list_display = (
        "symbol",
        "pair_index",
        "is_listed",
        "is_open",
        "is_close_only",
        "min_notional_usdc",
        "min_leverage_x",
        "max_leverage_x",
        "open_fee_pct",
        "close_fee_pct",
        "spread_pct",
        "rollover_hourly_pct",
        "funding_hourly_pct",
        "max_gain_pct",
        "synced_at",
        onward(("quotes", "trading_quote", "market__id__exact", "pk")),
    )
    search_fields = ("symbol__exact",)
    search_help_text = "a symbol: BTC-USD"


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    """The newest price of each source."""

    list_display = (link("market"), "source", "price", "confidence", "weight", "published_at", "received_at")
    list_display_links = ("source",)
    list_select_related = ("market",)


@admin.register(ModeState)
class ModeStateAdmin(ReadOnlyAdmin):
    """What is kept of the execution mode; it is switched on the control page."""

    list_display = ("configured", "is_chosen", "emergency_stop", "stopped_by", "signals_enabled", "maintenance", "updated_at")
