"""The console's pages over decisions, with every check, and over the orders that they allow."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString

from risk.models import Decision, Leg
from trading.admin.base import ReadOnlyAdmin, ReadOnlyInline, link, onward, table


@admin.display(description="checks")
def checks(decision: Decision) -> SafeString:
    """Every check in the order of the rules; none is left out because another failed."""
    rows = (
        (check["code"], check["value"], check["limit"], "pass" if check["passed"] else "FAIL", check["message"])
        for check in decision.checks
    )
    return table(("check", "value", "limit", "verdict", "in words"), rows)


class LegInline(ReadOnlyInline):
    """The orders that a decision allows."""

    model = Leg
    fk_name = "decision"
    columns = ("number", "action", "direction", link("market"), "collateral_usdc", "leverage_x", link("order"), "settled_at")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Leg]:
        """With what the columns show."""
        rows: models.QuerySet[Leg] = super().get_queryset(request)
        return rows.select_related("market", "order")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """The recorded verdicts."""

    list_display = (
        "pk",
        "decided_at",
        "verdict",
        "code",
        "message",
        link("signal"),
        link("trader"),
        "price",
        onward(("legs", "risk_leg", "decision__id__exact", "pk")),
    )
    list_select_related = ("signal", "trader")
    list_filter = ("verdict",)
    # One column only: an OR over two tables would read both of them whole.
    search_fields = ("signal__intent_key__exact",)
    search_help_text = "a whole intent key"
    hidden = ("checks",)
    more = (checks,)
    inlines = (LegInline,)


@admin.register(Leg)
class LegAdmin(ReadOnlyAdmin):
    """The orders that decisions allow."""

    list_display = (
        "pk",
        link("decision.signal", name="signal"),
        link("decision"),
        "number",
        "action",
        "direction",
        link("market"),
        "book",
        "collateral_usdc",
        "leverage_x",
        link("order"),
        "settled_at",
    )
    list_select_related = ("decision__signal", "market", "order")
    list_filter = ("action", "book")
    search_fields = ("decision__signal__intent_key__exact",)
    search_help_text = "a whole intent key"
    more = (link("order"),)
