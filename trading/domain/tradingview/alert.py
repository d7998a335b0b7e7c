"""An alert from its bytes to the request that it makes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from trading.domain import form, strict_json
from trading.domain.form import FormError
from trading.domain.signal import SignalRequest, normalized_symbol
from trading.domain.tradingview import aims, entries, text
from trading.domain.units import Price

Body = Mapping[str, object]

_FIELDS = frozenset(
    (
        *("id", "ts", "tg_user_id", "symbol", "price", "slippage_pct", "test", "secret", "meta"),
        *("action", "market_position", "prev_market_position", "position_size", "contracts", "reduce_pct"),
        *("size", "leverage", "sl", "tp", "be_after_tp", "trail", "time_stop_minutes"),
    )
)
# `BINANCE:BTCUSDT.P` is a chart of the market that we know as BTC-USD.
_TICKER = re.compile(r"(?:[A-Z0-9_]{1,32}:)?([A-Z0-9]{2,10}?)[-/]?USD[TC]?(?:\.P)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A parsed alert: its fields without the secret, the secret, empty where there is none, and what is kept of its text."""

    fields: dict[str, object]
    secret: str
    kept: str


def parse(raw: bytes) -> Alert:
    """The fields of an alert, JSON or text, told apart by their first character.

    Raises:
        Malformed: if it is neither.
        AmbiguousBody: if a field occurs twice.
        FormError: for an unknown field, or for a secret that isn't a string.
    """
    body = strict_json.parse(raw) if raw.lstrip()[:1] == b"{" else text.parse(raw)
    if body.keys() - _FIELDS:
        raise FormError("a field that this form doesn't have", field="", code="FIELD_UNKNOWN")
    secret = form.string(body, "secret") if "secret" in body else ""
    fields = {name: value for name, value in body.items() if name != "secret"}
    # Word for word, unless it holds the secret: then its other fields, numbers as they were written.
    kept = json.dumps(fields, ensure_ascii=False, separators=(",", ":")) if "secret" in body else raw.decode()
    return Alert(fields=fields, secret=secret, kept=kept)


HEARTBEAT = "heartbeat"


def is_heartbeat(alert: Alert) -> bool:
    """Whether it only says that its sender is there."""
    return alert.fields.get("action") == HEARTBEAT


def read(alert: Alert, *, source: str, account: int | None) -> SignalRequest:
    """The request that an alert makes. `account`: whose, where the alert doesn't say.

    Raises:
        FormError: for the first field that is wrong.
    """
    body = alert.fields
    _refuse_unfilled(body)
    form.check_meta(body.get("meta", {}))
    aim = aims.read(body)
    return SignalRequest(
        source=source,
        signal_id=form.text(body, "id", limit=128),
        tg_user_id=_account(body, account),
        symbol=_symbol(body),
        slippage=form.slippage(body),
        price=form.optional(body, "price", form.positive(Price)),
        signaled_at=form.optional(body, "ts", form.moment),
        is_test=_is_test(body),
        side=aim.side,
        stance=aim.stance,
        closes=aim.closes,
        reduce_share=aim.share,
        **(entries.read(body) if aim.is_entry else {}),
    )


def _account(body: Body, account: int | None) -> int:
    if "tg_user_id" in body:
        return form.integer(body, "tg_user_id")
    if account is None:
        raise FormError("missing: this source trades for more than one account", field="tg_user_id", code="FIELD_MISSING")
    return account


def _symbol(body: Body) -> str:
    written = form.string(body, "symbol").upper()
    ticker = _TICKER.fullmatch(written) if written.isascii() else None
    symbol = normalized_symbol(f"{ticker[1]}-USD") if ticker else None
    if symbol is None:
        raise FormError("must be a market such as BTCUSD", field="symbol", code="SYMBOL_UNKNOWN")
    return symbol


def _is_test(body: Body) -> bool:
    value = body.get("test", False)
    if not isinstance(value, bool):
        raise FormError("must be true or false", field="test")
    return value


def _refuse_unfilled(body: Body) -> None:
    for name, value in body.items():
        if any("{{" in each for each in _texts(value)):
            raise FormError("TradingView didn't fill this placeholder", field=name, code="UNEXPANDED_PLACEHOLDER")


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [found for pair in value.items() for each in pair for found in _texts(each)]
        case list():
            return [found for each in value for found in _texts(each)]
        case _:
            return []
