"""The console's pages over what holds entries back: trading states, locks, losses, and jobs that close everything."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.db.models.functions import Now
from django.http import HttpRequest

from risk.models import Equity, Flatten, Halt, Lock, LossDay
from trading.admin.base import NOTHING, ReadOnlyAdmin, link

# In force, by the database's own clock: at its `until` a row ends by itself.
_HOLDS = ExpressionWrapper(Q(Q(until=None) | Q(until__gt=Now()), ended_at=None), output_field=models.BooleanField())


@admin.display(description="holds", boolean=True)
def holds(row: Any) -> bool:
    """Whether it is in force."""
    return bool(row.holds_now)


class BoundedAdmin(ReadOnlyAdmin):
    """The pages of what holds for a while."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With whether each row is in force."""
        rows: models.QuerySet[Any] = super().get_queryset(request).annotate(holds_now=_HOLDS)
        return rows


@admin.display(description="may be lifted by")
def lifters(lock: Lock) -> str:
    """The roles that may end it before its time."""
    return " or ".join(lock.as_active().lifters)


@admin.display(description="used")
def used(day: LossDay) -> str:
    """The share of the limit that is lost."""
    if not day.limit_usdc:
        return NOTHING
    return f"{max(0, 100 * day.loss_usdc.raw // day.limit_usdc.raw)} %"


@admin.display(description="progress")
def progress(job: Flatten) -> str:
    """The counts as last made."""
    return str(job.progress)


@admin.register(Halt)
class HaltAdmin(BoundedAdmin):
    """Trading states other than ACTIVE, those that ended too."""

    list_display = ("pk", "scope", "key", "state", holds, "reason", "placed_by", "since", "until", "ended_at", "ended_by")
    list_filter = ("scope", "state")
    more = (holds,)


@admin.register(Lock)
class LockAdmin(BoundedAdmin):
    """Blocks of entries: why, value against limit, since, until, and who may lift them."""

    list_display = ("pk", link("trader"), "book", link("market"), "kind", holds, "value", "limit", "since", "until", lifters)
    list_select_related = ("trader", "market")
    list_filter = ("kind", "book")
    search_fields = ("trader__tg_user_id__exact",)
    search_help_text = "a whole Telegram id"
    more = (holds, lifters)


@admin.register(Equity)
class EquityAdmin(ReadOnlyAdmin):
    """What accounts are worth, and their peaks."""

    list_display = (
        *("pk", link("trader"), "book", "equity_usdc", "earned_usdc", "peak_earned_usdc", "peak_at", "measured_at", "doubts"),
    )
    list_select_related = ("trader",)
    list_filter = ("book",)
    search_fields = ("trader__tg_user_id__exact",)
    search_help_text = "a whole Telegram id"


@admin.register(LossDay)
class LossDayAdmin(ReadOnlyAdmin):
    """Each day's baseline, loss and limit."""

    list_display = (
        *("pk", link("trader"), "book", "starts_at", "ends_at", "zone", "baseline_equity_usdc", "loss_usdc", "limit_usdc"),
        *(used, "warned_at", "breached_at"),
    )
    list_select_related = ("trader",)
    list_filter = ("book",)
    search_fields = ("trader__tg_user_id__exact",)
    search_help_text = "a whole Telegram id"
    more = (used,)


@admin.register(Flatten)
class FlattenAdmin(ReadOnlyAdmin):
    """Jobs that close everything in a scope."""

    list_display = ("pk", "scope", "key", "book", "status", progress, "reason", "started_by", "started_at", "ended_at")
    list_filter = ("status", "book")
    more = (progress,)
