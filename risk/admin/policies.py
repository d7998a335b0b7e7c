"""The console's page over the limits that operators edit."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.validators import MinValueValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from risk.models import Policy
from risk.services import policies
from trading import clock
from trading.admin.base import Swift
from trading.domain.people import Person
from trading.domain.units import Usdc
from trading.services import people

# Django's forms take no parameters at run time.
if TYPE_CHECKING:
    Form = forms.ModelForm[Policy]
else:
    Form = forms.ModelForm


_WHOM = ("scope", "tg_user_id", "symbol")
_POSITION = ("max_leverage_x", "max_position_usd", "max_account_risk_pct", "liquidation_buffer_pct", "max_price_deviation_pct")
# The cap in dollars is the form's own.
_OWN_COLUMNS = tuple(name for name in _POSITION if name != "max_position_usd")
_SUMS = (
    "max_exposure_usdc",
    "max_side_exposure_usdc",
    "max_group_exposure_usdc",
    "max_source_exposure_usdc",
    "max_open_positions",
)
_PACE = ("max_opens_per_minute", "max_trades_per_day", "max_collateral_per_hour_usdc", "max_volume_per_day_usdc")
_LOSSES = (
    "max_daily_loss_pct",
    "max_drawdown_pct",
    "cooldown_minutes",
    "stop_loss_guard",
    "stop_loss_minutes",
    "min_profit_usdc",
    "min_profit_minutes",
)


class PolicyForm(Form):
    """Limits as people say them: dollars, not millionths; and why they change. What is empty is no limit."""

    # Who fills it in; set for each request.
    person: Person

    max_position_usd = forms.DecimalField(
        required=False, min_value=0, decimal_places=Usdc.SCALE, max_digits=18, help_text="Collateral × leverage of one position."
    )
    reason = forms.CharField(max_length=500, help_text="Kept in the audit log, with your name.")

    class Meta:
        model = Policy
        fields = (
            *_WHOM,
            *(name for name in _POSITION if name != "max_position_usd"),
            *_SUMS,
            *_PACE,
            *_LOSSES,
            "circuit_breaker",
        )
        help_texts = {
            "max_account_risk_pct": "% of the equity that one position may lose at its stop.",
            "liquidation_buffer_pct": "% of the way to liquidation that a stop must leave.",
            "max_price_deviation_pct": "% that a signal's own price may lie from ours.",
            "max_exposure_usdc": "All that is open and promised: of the desk, the market or the account, by the scope.",
            "max_side_exposure_usdc": "Of the desk, long or short. Global only.",
            "max_group_exposure_usdc": "Of the desk, in markets that move together. Global only.",
            "max_source_exposure_usdc": "Of the desk, from one source. Global only.",
            "max_open_positions": "Of an account.",
            "max_opens_per_minute": "Sliding, of an account.",
            "max_trades_per_day": "Opens and closes within 24 hours, of an account; closes are never refused.",
            "max_daily_loss_pct": "% of the equity at the day's start.",
            "max_drawdown_pct": "% of the highest equity.",
            "cooldown_minutes": "Without entries in a market after a close there.",
            "stop_loss_guard": "So many stop-losses within the minutes below lock the account.",
            "min_profit_usdc": "A market that made less within the minutes below is locked for the account.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            # A profit may be a loss that is still allowed; all else counts from nothing.
            if isinstance(field, forms.DecimalField) and name != "min_profit_usdc":
                field.validators.append(MinValueValidator(1 if name == "max_leverage_x" else 0))
        cap = self.instance.max_position_usd_1e6
        self.initial["max_position_usd"] = None if cap is None else str(Usdc.from_raw(cap))

    def clean(self) -> dict[str, Any]:
        """Put the cap into the row, before Django holds the row to its constraints."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        cap = said.get("max_position_usd")
        self.instance.max_position_usd_1e6 = None if cap is None else Usdc.of(cap).raw
        return said

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if self.errors:
            return
        try:
            policies.refuse_stranger(self.instance, person=self.person)
        except policies.NotAllowed as error:
            self.add_error(None, error.message)


@admin.register(Policy)
class PolicyAdmin(Swift):
    """Limits. Each change is one service call, with the person and a reason."""

    form = PolicyForm
    fieldsets = (
        (None, {"fields": (*_WHOM, "circuit_breaker")}),
        ("One position", {"fields": _POSITION}),
        ("All of them", {"fields": _SUMS}),
        ("Pace", {"fields": _PACE}),
        ("Losses", {"fields": _LOSSES}),
        ("Why", {"fields": ("reason",)}),
    )
    list_display = (
        "__str__",
        "scope",
        "tg_user_id",
        "symbol",
        "max_leverage_x",
        "max_position",
        "circuit_breaker",
        "version",
        "updated_at",
    )
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

    def get_form(self, request: HttpRequest, obj: Policy | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's own
        """The form, which knows who fills it in."""
        form = cast("type[PolicyForm]", super().get_form(request, obj, change, **kwargs))
        form.person = people.of_user(request.user)
        return form

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
        policies.save(obj, person=people.of_user(request.user), reason=form.cleaned_data["reason"], at=clock.now())

    def delete_model(self, request: HttpRequest, obj: Policy) -> None:
        """Remove through the service."""
        policies.remove(obj, person=people.of_user(request.user), reason=request.POST["reason"].strip(), at=clock.now())
