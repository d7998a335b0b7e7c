"""The console's pages over followings and what they copied."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from risk.models import Copy, CopySignal, Following, Tracking
from trading.admin.base import ReadOnlyAdmin, ReadOnlyInline, link, onward


@admin.register(Following)
class FollowingAdmin(ReadOnlyAdmin):
    """Who follows whom, and how."""

    list_display = (
        "pk",
        link("follower"),
        link("leader"),
        "mode",
        "mode_reason",
        "sizing",
        "fixed_usdc",
        "share_pct",
        "max_trade_usdc",
        "max_day_usdc",
        "max_leverage_x",
        onward(
            ("copies", "risk_copy", "following__id__exact", "pk"),
            ("tracking", "risk_tracking", "following__id__exact", "pk"),
        ),
    )
    list_select_related = ("follower", "leader")
    list_filter = ("mode", "sizing")
    search_fields = ("follower__tg_user_id__exact", "leader__address__exact")
    search_help_text = "a whole Telegram id or a leader's address"
    more = (list_display[-1],)


class CopySignalInline(ReadOnlyInline):
    """The signals that a copy became."""

    model = CopySignal
    columns = (link("signal"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CopySignal]:
        """With the signals that it names."""
        return super().get_queryset(request).select_related("signal")


@admin.register(Copy)
class CopyAdmin(ReadOnlyAdmin):
    """What became of each of the leaders' trades; what is orphaned is gone from the chain, and only its copy stands."""

    list_display = (
        "pk",
        "created_at",
        link("following"),
        "kind",
        link("position.market", name="market"),
        "status",
        "reason",
        "collateral_usdc",
        "leverage_x",
        "orphaned_at",
    )
    list_select_related = ("following", "position__market")
    list_filter = ("kind", "status", "reason")
    search_fields = ("pk__exact", "key__exact")
    search_help_text = "a copy's number, or its key"
    inlines = (CopySignalInline,)


@admin.register(Tracking)
class TrackingAdmin(ReadOnlyAdmin):
    """Each day of a following beside its leader's: the parts are in dollars, and add up."""

    list_display = (
        "day",
        link("following"),
        "book",
        "trades",
        "leader_return_pct",
        "follower_return_pct",
        "follower_net_usdc",
        "expected_usdc",
        "not_copied_usdc",
        "size_usdc",
        "entry_usdc",
        "exit_usdc",
        "fees_usdc",
        "carrying_usdc",
    )
    list_select_related = ("following",)
    list_filter = ("book",)
    search_fields = ("following__follower__tg_user_id__exact",)
    search_help_text = "a whole Telegram id"
