"""What comes in, what is held, and what happened: signals, positions, fills, the journal."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from trading import selectors
from trading.admin.base import NOTHING, ReadOnlyAdmin, ReadOnlyInline, facts, link, onward, subject_link, table
from trading.domain.position import PositionStatus
from trading.models import Event, Fill, Firing, Position, Protection, Signal


@admin.display(description="timeline")
def timeline(signal: Signal) -> SafeString:
    """Everything that happened to a signal and what came of it, in milliseconds since it was received."""
    moments = selectors.timeline(signal)
    rows = ((moment.ms, moment.event, facts(moment.facts), subject_link(moment.subject)) for moment in moments)
    return table(("ms", "event", "detail", "row"), rows)


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    """The inbox."""

    list_display = (
        "intent_key",
        "received_at",
        "status",
        "side",
        link("market"),
        link("trader"),
        "book",
        "collateral_usdc",
        "leverage_x",
        onward(
            ("decision", "risk_decision", "signal__id__exact", "pk"),
            ("orders", "execution_order", "trace_id", "trace_id"),
            ("intents", "execution_txintent", "trace_id", "trace_id"),
            ("journal", "trading_event", "trace_id", "trace_id"),
        ),
    )
    list_select_related = ("market", "trader")
    list_filter = ("status", "side", "book")
    search_fields = ("intent_key__exact", "trace_id__exact")
    search_help_text = "a whole intent key or trace id"
    more = (list_display[-1], timeline)


_HANDS = (("close", "close-position"), ("breakeven", "breakeven"), ("stop", "attach-stop"))


@admin.display(description="do")
def hands(position: Position) -> SafeString | str:
    """Links to what people do with an open position; each page says what will happen."""
    if position.status != PositionStatus.OPEN:
        return NOTHING
    return format_html_join(
        " · ",
        '<a href="{}?position={}">{}</a>',
        ((reverse("admin:control_act", args=[name]), position.pk, text) for text, name in _HANDS),
    )


class GuardInline(ReadOnlyInline):
    """What guards a position, and what guarded it before."""

    model = Protection
    columns = (
        *("stop_price", "stop_reason", "best_price", "targets_hit", "deadline_at", "guard", "placed_by", "placed_at"),
        *("replaced_at", "replaced_by"),
    )
    ordering = ("-pk",)
    show_change_link = False


class FiringInline(ReadOnlyInline):
    """The levels that were reached, and what became of their closes."""

    model = Firing
    columns = ("cause", "level", "attempt", "level_price", "price", "reduce_usdc", "fired_at", link("signal"), "fate", "retry_at")
    ordering = ("-pk",)
    show_change_link = False


class FillInline(ReadOnlyInline):
    """The executions that made a position."""

    model = Fill
    columns = (
        "kind",
        "price",
        "collateral_usdc",
        "fee_usdc",
        "rollover_usdc",
        "funding_usdc",
        "price_pnl_usdc",
        "payout_usdc",
        "realised_pnl_usdc",
        "tx_hash",
        "block_number",
        "is_canonical",
        "filled_at",
    )
    ordering = ("block_number", "log_index")


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    """What is held."""

    list_display = (
        "pk",
        link("market"),
        link("trader"),
        "book",
        "direction",
        "status",
        "collateral_usdc",
        "leverage_x",
        "entry_price",
        "realised_pnl_usdc",
        "opened_at",
        "closed_at",
        hands,
        onward(
            ("orders", "execution_order", "position__id__exact", "pk"),
            ("fills", "trading_fill", "position__id__exact", "pk"),
            ("legs", "risk_leg", "position__id__exact", "pk"),
        ),
    )
    list_select_related = ("market", "trader")
    list_filter = ("status", "book", "direction")
    search_fields = ("pk__exact",)
    search_help_text = "a position's number"
    inlines = (GuardInline, FiringInline, FillInline)
    more = (list_display[-1],)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Position]:
        """Those of accounts."""
        return super().get_queryset(request).filter(trader__is_leader=False)


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin):
    """The venue's executions."""

    list_display = (
        "pk",
        "filled_at",
        "kind",
        link("market"),
        link("position"),
        "book",
        "price",
        "collateral_usdc",
        "fee_usdc",
        "rollover_usdc",
        "funding_usdc",
        "price_pnl_usdc",
        "payout_usdc",
        "realised_pnl_usdc",
        "is_canonical",
        onward(("send", "execution_txsend", "tx_hash", "tx_hash")),
    )
    list_select_related = ("market", "position", "trader")
    list_filter = ("kind", "book", "is_canonical")
    search_fields = ("pk__exact",)
    search_help_text = "a fill's number"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fill]:
        """Those of accounts' positions."""
        return super().get_queryset(request).filter(trader__is_leader=False)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The journal."""

    list_display = ("pk", "at", "kind", "what", "row", "trace_id")
    search_fields = ("trace_id__exact", "subject__exact")
    search_help_text = "a trace id, or a row as the journal writes it: signal:12"

    @admin.display(description="facts")
    def what(self, event: Event) -> str:
        """The event's facts."""
        return facts(event.facts)

    @admin.display(description="row")
    def row(self, event: Event) -> Any:
        """The row that it happened to."""
        return subject_link(event.subject)
