"""The outbox on the console: what is owed and what was told, failures first."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bots.domain.delivery import DeliveryStatus
from bots.models import Delivery, JournalPlace
from trading.admin.base import ReadOnlyAdmin, link


class FailuresFirst(admin.SimpleListFilter):
    """The list as it is looked at when something is wrong, or whole."""

    title = "what"
    parameter_name = "what"

    def lookups(self, *_: object) -> list[tuple[str, str]]:
        """The choices beside all."""
        return [("failed", "given up"), ("troubled", "in trouble"), ("owed", "owed")]

    def queryset(self, _: HttpRequest, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """The rows of a choice; their indexes are partial, for these very conditions."""
        match self.value():
            case "failed":
                return rows.filter(status=DeliveryStatus.FAILED)
            case "troubled":
                return rows.filter(ended_at=None).exclude(last_trouble="")
            case "owed":
                return rows.filter(ended_at=None)
        return rows


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Events owed to channels, and what came of it."""

    list_display = (
        *("pk", link("channel"), link("event"), "status", "attempts", "last_status_code", "last_trouble", "next_action_at"),
        *("created_at", "delivered_at", "replays"),
    )
    list_select_related = ("channel", "event")
    list_filter = (FailuresFirst, "channel")
    search_fields = ("message_id__exact",)
    search_help_text = "a whole webhook-id"


@admin.register(JournalPlace)
class JournalPlaceAdmin(ReadOnlyAdmin):
    """How far the journal was read for the outbox."""

    list_display = ("reader", "transaction_number", "event_id")
