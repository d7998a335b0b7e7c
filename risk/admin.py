"""The console's pages over `risk`: decisions with every check, legs, and the policies that operators edit."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from risk.models import Decision, Leg, Policy
from risk.services import policies
from trading import clock
from trading.admin.base import ReadOnlyAdmin, ReadOnlyInline, Swift, link, onward, table
from trading.domain.units import Leverage, Usdc

# Django's forms take no parameters at run time.
if TYPE_CHECKING:
    Form = forms.ModelForm[Policy]
else:
    Form = forms.ModelForm


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


class PolicyForm(Form):
    """Limits as people say them: dollars, not millionths; and why they change."""

    max_leverage_x = forms.DecimalField(
        required=False, min_value=1, decimal_places=Leverage.SCALE, max_digits=18, help_text="Empty: no limit."
    )
    max_position_usd = forms.DecimalField(
        required=False, min_value=0, decimal_places=Usdc.SCALE, max_digits=18, help_text="Collateral × leverage. Empty: no limit."
    )
    reason = forms.CharField(max_length=500, help_text="Kept in the audit log, with your name.")

    class Meta:
        model = Policy
        fields = ("scope", "tg_user_id", "symbol", "max_leverage_x", "circuit_breaker")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cap = self.instance.max_position_usd_1e6
        self.initial["max_position_usd"] = None if cap is None else str(Usdc.from_raw(cap))

    def clean(self) -> dict[str, Any]:
        """Put the cap into the row, before Django holds the row to its constraints."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        cap = said.get("max_position_usd")
        self.instance.max_position_usd_1e6 = None if cap is None else Usdc.of(cap).raw
        return said


@admin.register(Policy)
class PolicyAdmin(Swift):
    """Limits. Each change is one service call, with the person and a reason."""

    form = PolicyForm
    fields = ("scope", "tg_user_id", "symbol", "max_leverage_x", "max_position_usd", "circuit_breaker", "reason")
    list_display = ("__str__", "scope", "tg_user_id", "symbol", "max_leverage_x", "max_position", "circuit_breaker", "updated_at")
    list_filter = ("scope", "circuit_breaker")
    search_fields = ("tg_user_id__exact", "symbol__exact")
    search_help_text = "a whole Telegram id or symbol"
    delete_confirmation_template = "vanta/policy_delete.html"

    @admin.display(description="max position, USD")
    def max_position(self, policy: Policy) -> str:
        """The cap in dollars."""
        cap = policy.max_position_usd_1e6
        return "no limit" if cap is None else f"{Usdc.from_raw(cap)}"

    def get_readonly_fields(self, _: HttpRequest, obj: Policy | None = None) -> tuple[str, ...]:
        """Whom a policy speaks about is settled when it is made."""
        return () if obj is None else ("scope", "tg_user_id", "symbol")

    # Django would open a transaction around the whole page; our writes open their own.
    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one policy, without Django's own transaction."""
        page: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]  # not in the stubs
        return page

    @method_decorator(csrf_protect)
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The confirmation of a removal, without Django's own transaction."""
        if request.method == "POST" and not request.POST.get("reason", "").strip():
            self.message_user(request, "Say why the policy is removed.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        page: HttpResponse = self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]  # not in the stubs
        return page

    def save_model(self, request: HttpRequest, obj: Policy, form: PolicyForm, _: object) -> None:
        """Save through the service."""
        policies.save(obj, actor=request.user.get_username(), reason=form.cleaned_data["reason"], at=clock.now())

    def delete_model(self, request: HttpRequest, obj: Policy) -> None:
        """Remove through the service."""
        policies.remove(obj, actor=request.user.get_username(), reason=request.POST["reason"].strip(), at=clock.now())
