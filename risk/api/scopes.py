"""Whom a trading state or a flatten is about, as a form says it."""

from typing import Any

from django.db.models import Q

from risk.domain.halt import HaltScope
from trading.api.fields import Line, Word
from trading.api.forms import Form, Said
from trading.domain.form import FormError


class ScopeForm(Form):
    """The desk, a market, a source, or an account."""

    scope = Word(HaltScope)
    key = Line(
        max_length=64,
        required=False,
        help_text="BTC-USD, a source's name, a Telegram id. For GLOBAL: none, since it is the desk.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A key wherever there is something to name; what it names is the service's to find.

        Raises:
            FormError: if it is missing, or can't be an account's.
        """
        key = attrs.setdefault("key", "")
        if bool(key) is (attrs["scope"] is HaltScope.GLOBAL):
            raise FormError("a key names a market, a source or an account; the desk has none", field="key")
        if attrs["scope"] is HaltScope.USER and not (key.isascii() and key.isdigit() and len(key) < 19):
            raise FormError("must be a Telegram id", field="key")
        return attrs


def account_of(said: Said) -> int | None:
    """Whose account it touches; None: the desk's, a market's, a source's."""
    return int(said["key"]) if said["scope"] is HaltScope.USER else None


def within(accounts: frozenset[int]) -> Q:
    """What is about everybody, or about one of the accounts."""
    return ~Q(scope=HaltScope.USER) | Q(key__in=[str(account) for account in accounts])
