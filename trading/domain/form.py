"""Reading one field of a parsed body: the value in our units, or what is wrong with it."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from trading.domain.errors import Invalid
from trading.domain.signal import DEFAULT_SLIPPAGE, normalized_symbol
from trading.domain.strict_json import Number
from trading.domain.units import Percent, Quantity

_Q = TypeVar("_Q", bound=Quantity)
_T = TypeVar("_T")

MAX_META_BYTES = 4096
# Thirty days, in minutes.
LONGEST_SPAN = 43_200
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


def present(body: Mapping[str, object], name: str) -> object:
    """A field that must be there."""
    if name not in body:
        raise FormError("missing", field=name, code="FIELD_MISSING")
    return body[name]


def optional(body: Mapping[str, object], name: str, reader: Callable[[Mapping[str, object], str], _T]) -> _T | None:
    """A field that may be missing, as a reader reads it."""
    return reader(body, name) if name in body else None


def string(body: Mapping[str, object], name: str) -> str:
    """A text; a number is none."""
    value = present(body, name)
    if not isinstance(value, str) or isinstance(value, Number):
        raise FormError("must be a string", field=name)
    return value


def text(body: Mapping[str, object], name: str, *, limit: int) -> str:
    """Printable ASCII of 1 to `limit` characters."""
    value = string(body, name)
    if len(value) > limit or not _PRINTABLE.fullmatch(value):
        raise FormError(f"must be 1 to {limit} printable ASCII characters", field=name)
    return value


def one_of(body: Mapping[str, object], name: str, options: tuple[str, ...]) -> str:
    """One of a few words."""
    value = string(body, name)
    if value not in options:
        raise FormError(f"must be one of {', '.join(options)}", field=name)
    return value


def integer(body: Mapping[str, object], name: str) -> int:
    """A positive integer of 64 bits."""
    value = present(body, name)
    if not isinstance(value, Number) or not _INTEGER.fullmatch(value) or not 0 < int(value) < _INT64:
        raise FormError("must be a positive integer of 64 bits", field=name)
    return int(value)


def minutes(body: Mapping[str, object], name: str) -> timedelta:
    """A span of whole minutes, at most LONGEST_SPAN."""
    value = present(body, name)
    if not isinstance(value, Number) or not _INTEGER.fullmatch(value) or not 0 < int(value) <= LONGEST_SPAN:
        raise FormError(f"must be a whole number of minutes, at most {LONGEST_SPAN}", field=name)
    return timedelta(minutes=int(value))


def symbol(body: Mapping[str, object]) -> str:
    """A market's name, in our form."""
    found = normalized_symbol(string(body, "symbol"))
    if found is None:
        raise FormError("must be a market such as BTC-USD", field="symbol", code="SYMBOL_UNKNOWN")
    return found


def positive(unit: type[_Q]) -> Callable[[Mapping[str, object], str], _Q]:
    """A reader of amounts above 0, exact at their unit's scale."""

    def reader(body: Mapping[str, object], name: str) -> _Q:
        value = present(body, name)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or _decimals(value) > unit.SCALE:
            raise FormError(f"must be a decimal number with at most {unit.SCALE} decimals", field=name)
        quantity = unit.of(value)
        if not quantity:
            raise FormError("must be greater than 0", field=name)
        return quantity

    return reader


def _decimals(value: str) -> int:
    return len(value.partition(".")[2])


def slippage(body: Mapping[str, object]) -> Percent:
    """How far the venue's price may lie from ours."""
    found = optional(body, "slippage_pct", positive(Percent)) or DEFAULT_SLIPPAGE
    if found > Percent.of(10):
        raise FormError("must be at most 10", field="slippage_pct")
    return found


def moment(body: Mapping[str, object], name: str) -> datetime:
    """An instant: RFC 3339 or epoch seconds."""
    value = present(body, name)
    try:
        if isinstance(value, Number) and _INTEGER.fullmatch(value):
            return datetime.fromtimestamp(int(value), tz=UTC)
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            # In UTC, since an offset can carry a time out of the years that PostgreSQL's answer may hold.
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise FormError("must be an RFC 3339 time or epoch seconds", field=name)


def check_meta(meta: object) -> None:
    """A small object of anything printable."""
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
