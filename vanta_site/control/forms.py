"""What the control page asks: first what an act is about, then why."""

from collections.abc import Callable
from typing import Any

from django import forms

from risk.domain.halt import HaltScope, TradingState
from trading.domain.mode import Book, Mode
from trading.domain.signal import normalized_symbol
from trading.models import Market, Trader
from trading.services.mode import DeskSwitch


class Nothing(forms.Form):
    """An act that is about the desk and nothing else."""


class ModeForm(forms.Form):
    """Where the mode goes."""

    mode = forms.TypedChoiceField(choices=[(str(mode), str(mode)) for mode in Mode], coerce=Mode)


class SwitchForm(forms.Form):
    """One of the desk's switches, and where to."""

    name = forms.TypedChoiceField(choices=[(str(name), str(name)) for name in DeskSwitch], coerce=DeskSwitch)
    is_on = forms.TypedChoiceField(choices=[("true", "on"), ("false", "off")], coerce="true".__eq__, label="To")


class LockForm(forms.Form):
    """One lock, by its number."""

    lock = forms.IntegerField(min_value=1)


SCOPES = (
    (HaltScope.GLOBAL, "the desk"),
    (HaltScope.SYMBOL, "a market"),
    (HaltScope.SOURCE, "a source"),
    (HaltScope.USER, "an account"),
)


class ScopeForm(forms.Form):
    """Whom an act is about."""

    scope = forms.TypedChoiceField(choices=[(str(scope), text) for scope, text in SCOPES], coerce=HaltScope, label="For")
    key = forms.CharField(required=False, max_length=64, label="Which", help_text="BTC-USD, a source's name, a Telegram id.")

    def clean(self) -> dict[str, Any]:
        """A key that names something, spelled as it is kept."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if "scope" in said and "key" in said:
            said["key"] = self._known(said["scope"], said["key"])
        return said

    def _known(self, scope: HaltScope, key: str) -> str:
        if scope is HaltScope.GLOBAL:
            return ""
        known = _KNOWN[scope](key)
        if not known:
            self.add_error("key", "Nothing of that name is here.")
        return known


def _market(key: str) -> str:
    return Market.objects.filter(symbol=normalized_symbol(key)).values_list("symbol", flat=True).first() or ""


def _account(key: str) -> str:
    is_number = key.isascii() and key.isdigit() and len(key) < 19
    return key if is_number and Trader.objects.filter(tg_user_id=key).exists() else ""


def _source(key: str) -> str:
    """As it is: a source that never sent anything can be paused too."""
    return key.strip()


_KNOWN: dict[HaltScope, Callable[[str], str]] = {HaltScope.SYMBOL: _market, HaltScope.SOURCE: _source, HaltScope.USER: _account}


class FlattenForm(ScopeForm):
    """Where everything is closed, and in which book."""

    book = forms.TypedChoiceField(choices=[(str(book), str(book)) for book in reversed(Book)], coerce=Book)


STATES = (
    (TradingState.REDUCING, "pause: exits only"),
    (TradingState.HALTED, "halt: only people and protections close"),
    (TradingState.ACTIVE, "resume"),
)


class StateForm(ScopeForm):
    """A trading state, and for how long."""

    state = forms.TypedChoiceField(choices=[(str(state), text) for state, text in STATES], coerce=TradingState, label="Do")
    hours = forms.DecimalField(
        required=False, min_value=0, max_value=24 * 31, decimal_places=2, help_text="Empty: until somebody resumes it."
    )


class ReasonForm(forms.Form):
    """Why, for the audit log; what can't be taken back is typed out besides."""

    reason = forms.CharField(max_length=500, widget=forms.TextInput(attrs={"size": 50, "autofocus": True}))

    def __init__(self, *args: Any, word: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._word = word
        if word:
            typed = forms.TextInput(attrs={"size": 12, "autocomplete": "off"})
            self.fields["confirmation"] = forms.CharField(label=f"Type {word}", widget=typed)

    def clean_confirmation(self) -> str:
        """Exactly the word."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != self._word:
            raise forms.ValidationError(f"Type {self._word}.")
        return typed
