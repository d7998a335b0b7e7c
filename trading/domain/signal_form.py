"""The closed form of `POST /signals`: a parsed body in, a `SignalRequest` out, or the first thing wrong with it."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from trading.domain.errors import Invalid
from trading.domain.signal import DEFAULT_SLIPPAGE, Side, SignalRequest, normalized_symbol
from trading.domain.strict_json import Number
from trading.domain.units import Leverage, Percent, Price, Quantity, Usdc

_Q = TypeVar("_Q", bound=Quantity)
_T = TypeVar("_T")

MAX_META_BYTES = 4096
# Twelve digits before the point: a trillion dollars. Longer ones are a mistake or an attack.
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,10})?", re.ASCII)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_PRINTABLE = re.compile(r"[\x20-\x7e]+", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_INT64 = 2**63


class FormError(Invalid):
    """One field of a body is missing, unknown or wrong; `field` names it and nothing of its value is repeated."""

    code = "FIELD_INVALID"

    def __init__(self, message: str, *, field: str, code: str = "FIELD_INVALID") -> None:
        super().__init__(message, field=field)
        self.field = field
        self.form_code = code


def read(body: Mapping[str, object]) -> SignalRequest:
    """The request that a body makes.

    Raises:
        FormError: for the first field that is wrong, in the order of the documentation.
    """
    _refuse_unknown(body)
    side = Side(_one_of(body, "side", tuple(Side)))
    _check_meta(body.get("meta", {}))
    return SignalRequest(
        source=_text(body, "source", limit=64),
        signal_id=_text(body, "signal_id", limit=128),
        tg_user_id=_integer(body, "tg_user_id"),
        symbol=_symbol(body),
        side=side,
        slippage=_slippage(body),
        price=_optional(body, "price", _positive(Price)),
        take_profit=_optional(body, "take_profit", _positive(Price)),
        stop_loss=_optional(body, "stop_loss", _positive(Price)),
        signaled_at=_optional(body, "ts", _moment),
        **(_exit_fields(body) if side is Side.CLOSE else _entry_fields(body)),
    )


_ENTRY_FIELDS = ("collateral_usdc", "leverage_x")
_EXIT_FIELDS = ("reduce_usdc", "reduce_pct")
_FIELDS = frozenset(
    (
        *(
            "source",
            "signal_id",
            "tg_user_id",
            "symbol",
            "side",
            "slippage_pct",
            "price",
            "take_profit",
            "stop_loss",
            "ts",
            "meta",
        ),
        *_ENTRY_FIELDS,
        *_EXIT_FIELDS,
    )
)


def _refuse_unknown(body: Mapping[str, object]) -> None:
    if body.keys() - _FIELDS:
        raise FormError("a field that this form doesn't have", field="", code="FIELD_UNKNOWN")


def _entry_fields(body: Mapping[str, object]) -> dict[str, Usdc | Leverage]:
    _refuse_fields(body, _EXIT_FIELDS, "only for CLOSE")
    leverage = _positive(Leverage)(body, "leverage_x")
    return {"collateral": _positive(Usdc)(body, "collateral_usdc"), "leverage": leverage}


def _exit_fields(body: Mapping[str, object]) -> dict[str, Usdc | Percent | None]:
    _refuse_fields(body, _ENTRY_FIELDS, "only for LONG and SHORT")
    if all(name in body for name in _EXIT_FIELDS):
        raise FormError("either reduce_usdc or reduce_pct", field="reduce_pct")
    return {
        "reduce": _optional(body, "reduce_usdc", _positive(Usdc)),
        "reduce_share": _optional(body, "reduce_pct", _positive(Percent)),
    }


def _refuse_fields(body: Mapping[str, object], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if name in body:
            raise FormError(why, field=name)


def _present(body: Mapping[str, object], name: str) -> object:
    if name not in body:
        raise FormError("missing", field=name, code="FIELD_MISSING")
    return body[name]


def _optional(body: Mapping[str, object], name: str, reader: Callable[[Mapping[str, object], str], _T]) -> _T | None:
    return reader(body, name) if name in body else None


def _string(body: Mapping[str, object], name: str) -> str:
    value = _present(body, name)
    if not isinstance(value, str) or isinstance(value, Number):
        raise FormError("must be a string", field=name)
    return value


def _text(body: Mapping[str, object], name: str, *, limit: int) -> str:
    value = _string(body, name)
    if len(value) > limit or not _PRINTABLE.fullmatch(value):
        raise FormError(f"must be 1 to {limit} printable ASCII characters", field=name)
    return value


def _one_of(body: Mapping[str, object], name: str, options: tuple[str, ...]) -> str:
    value = _string(body, name)
    if value not in options:
        raise FormError(f"must be one of {', '.join(options)}", field=name)
    return value


def _integer(body: Mapping[str, object], name: str) -> int:
    value = _present(body, name)
    if not isinstance(value, Number) or not _INTEGER.fullmatch(value) or not 0 < int(value) < _INT64:
        raise FormError("must be a positive integer of 64 bits", field=name)
    return int(value)


def _symbol(body: Mapping[str, object]) -> str:
    symbol = normalized_symbol(_string(body, "symbol"))
    if symbol is None:
        raise FormError("must be a market such as BTC-USD", field="symbol", code="SYMBOL_UNKNOWN")
    return symbol


def _positive(unit: type[_Q]) -> Callable[[Mapping[str, object], str], _Q]:
    def reader(body: Mapping[str, object], name: str) -> _Q:
        value = _present(body, name)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or _decimals(value) > unit.SCALE:
            raise FormError(f"must be a decimal number with at most {unit.SCALE} decimals", field=name)
        quantity = unit.of(value)
        if not quantity:
            raise FormError("must be greater than 0", field=name)
        return quantity

    return reader


def _decimals(value: str) -> int:
    return len(value.partition(".")[2])


def _slippage(body: Mapping[str, object]) -> Percent:
    slippage = _optional(body, "slippage_pct", _positive(Percent)) or DEFAULT_SLIPPAGE
    if slippage > Percent.of(10):
        raise FormError("must be at most 10", field="slippage_pct")
    return slippage


def _moment(body: Mapping[str, object], name: str) -> datetime:
    value = _present(body, name)
    try:
        if isinstance(value, Number) and _INTEGER.fullmatch(value):
            return datetime.fromtimestamp(int(value), tz=UTC)
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            # In UTC, since an offset can carry a time out of the years that PostgreSQL's answer may hold.
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise FormError("must be an RFC 3339 time or epoch seconds", field=name)


def _check_meta(meta: object) -> None:
    if not isinstance(meta, dict):
        raise FormError("must be an object", field="meta")
    _refuse_control_characters(meta)
    if len(json.dumps(meta, ensure_ascii=False).encode()) > MAX_META_BYTES:
        raise FormError(f"must be at most {MAX_META_BYTES} bytes", field="meta")


def _refuse_control_characters(value: object) -> None:
    if isinstance(value, str):
        if any(
            ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 or 0xD800 <= ord(character) < 0xE000 for character in value
        ):
            raise FormError("must not hold control characters", field="meta")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_control_characters(key)
            _refuse_control_characters(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_control_characters(inner)
