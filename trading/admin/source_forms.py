"""What the pages of sources ask."""

from typing import Any

from django import forms

from trading.domain.signal import normalized_symbol
from trading.domain.source import Auth, SourceMode, Terms
from trading.domain.units import Leverage, NotExact, Quantity, Usdc
from trading.models import Source
from trading.models.lifecycle import choices


class AmountField(forms.CharField):
    """An amount of a unit, or none."""

    def __init__(self, unit: type[Quantity]) -> None:
        super().__init__(required=False)
        self._unit = unit

    def to_python(self, value: object) -> Any:
        """The typed amount; None where nothing was written."""
        text = str(value or "").strip()
        try:
            return self._unit.of(text) if text else None
        except NotExact as error:
            raise forms.ValidationError(error.message) from None


class WhyForm(forms.Form):
    """Why, for the audit log."""

    reason = forms.CharField(max_length=500, widget=forms.TextInput(attrs={"size": 50}))


class CreateForm(WhyForm):
    """A new source."""

    name = forms.CharField(max_length=64, help_text="As its signals call themselves.")
    auth = forms.TypedChoiceField(
        choices=[
            (str(Auth.SIGNATURE), "X-Signature: hex HMAC of the body"),
            (str(Auth.STANDARD), "Standard Webhooks"),
            (str(Auth.TOKEN), "TradingView: a token in the path"),
        ],
        coerce=Auth,
        label="Proves itself by",
    )
    field_order = ("name", "auth", "reason")


class RevokeForm(WhyForm):
    """Which secret; what it signs is refused from then on."""

    key_id = forms.CharField(max_length=16, label="Key")
    confirmation = forms.CharField(label="Type REVOKE", widget=forms.TextInput(attrs={"size": 12, "autocomplete": "off"}))
    field_order = ("key_id", "reason", "confirmation")

    def clean_confirmation(self) -> str:
        """Exactly the word."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != "REVOKE":
            raise forms.ValidationError("Type REVOKE.")
        return typed


class RehearsalForm(WhyForm):
    """For whose account, and in which market."""

    account = forms.IntegerField(min_value=1, max_value=2**63 - 1, help_text="A Telegram id.")
    market = forms.CharField(max_length=16, help_text="BTC-USD")
    field_order = ("account", "market", "reason")

    def clean_market(self) -> str:
        """A market, spelled as it is kept."""
        symbol = normalized_symbol(self.cleaned_data["market"])
        if symbol is None:
            raise forms.ValidationError("A market such as BTC-USD.")
        return symbol


class TermsForm(WhyForm):
    """What a source may send; whatever is empty is no limit of its own."""

    description = forms.CharField(max_length=200, required=False)
    mode = forms.TypedChoiceField(choices=choices(SourceMode), coerce=SourceMode)
    allowed_symbols = forms.CharField(required=False, help_text="BTC-USD, ETH-USD. Empty: every market.")
    allowed_accounts = forms.CharField(required=False, help_text="Telegram ids. Empty: every account.")
    max_leverage_x = AmountField(Leverage)
    max_position_usdc = AmountField(Usdc)
    max_exposure_usdc = AmountField(Usdc)
    max_lag_seconds = forms.IntegerField(required=False, min_value=1, help_text="Older entries are refused.")
    entries_per_minute = forms.IntegerField(required=False, min_value=1)
    heartbeat_seconds = forms.IntegerField(required=False, min_value=1, help_text="Silent for longer: people are told.")
    field_order = tuple(Terms.__dataclass_fields__)

    def clean_allowed_symbols(self) -> tuple[str, ...]:
        """Markets, spelled as they are kept."""
        written = _parts(self.cleaned_data["allowed_symbols"])
        symbols = [normalized_symbol(each) for each in written]
        if None in symbols:
            raise forms.ValidationError("Markets such as BTC-USD.")
        return tuple(symbol for symbol in symbols if symbol)

    def clean_allowed_accounts(self) -> tuple[int, ...]:
        """Telegram ids."""
        written = _parts(self.cleaned_data["allowed_accounts"])
        if not all(each.isascii() and each.isdigit() and len(each) < 19 for each in written):
            raise forms.ValidationError("Telegram ids.")
        return tuple(int(each) for each in written)

    def terms(self) -> Terms:
        """What was said."""
        return Terms(**{name: value for name, value in self.cleaned_data.items() if name != "reason"})


def said(source: Source) -> dict[str, Any]:
    """A source's terms as the form shows them."""
    plain = {name: getattr(source, name) for name in TermsForm.base_fields if name != "reason"}
    accounts = ", ".join(map(str, source.allowed_accounts))
    return plain | {"allowed_symbols": ", ".join(source.allowed_symbols), "allowed_accounts": accounts}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
