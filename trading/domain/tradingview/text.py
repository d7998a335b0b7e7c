"""The text form of an alert: `key=value;key=value`, with short forms for what JSON nests."""

import re
from collections.abc import Callable

from trading.domain.form import FormError
from trading.domain.strict_json import AmbiguousBody, Malformed, Number

# What the text form writes in short, as the JSON form has it in full.
_COMPOUNDS: dict[str, tuple[str, ...]] = {
    "size": ("type", "value"),
    "sl": ("type", "value"),
    "trail": ("activate_pct", "delta_pct"),
}
_WHOLE_NUMBERS = ("be_after_tp", "time_stop_minutes", "tg_user_id")
_PAIR = re.compile(r"([a-z_]{1,32})=([\x20-\x3a\x3c-\x7e]{1,512})", re.ASCII)


def parse(raw: bytes) -> dict[str, object]:
    """The fields of a text, in the shape that the JSON form has.

    Raises:
        Malformed: if it isn't ASCII or isn't made of pairs.
        AmbiguousBody: if a key occurs twice.
        FormError: if one of the short forms isn't whole.
    """
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise Malformed(f"not ASCII at position {error.start}", position=error.start) from None
    pairs = [_pair(match) for match in re.finditer(r"[^;]+", text)]
    body = dict(pairs)
    if not body:
        raise Malformed("neither JSON nor key=value;key=value", position=0)
    if len(body) != len(pairs):
        raise AmbiguousBody("a key occurs twice")
    return body


def _pair(match: re.Match[str]) -> tuple[str, object]:
    pair = _PAIR.fullmatch(match.group().strip())
    if pair is None:
        raise Malformed(f"not key=value at position {match.start()}", position=match.start())
    name, value = pair[1], pair[2].strip()
    reader = _READERS.get(name)
    return name, reader(name, value) if reader else value


def _compound(name: str, value: str) -> object:
    """`risk_pct:0.5` as the object that the JSON form has."""
    keys, parts = _COMPOUNDS[name], value.split(":")
    if len(parts) != len(keys):
        raise FormError(f"must be {':'.join(keys)}", field=name)
    return dict(zip(keys, parts, strict=True))


def _listed(name: str, value: str) -> object:
    """`rr:1@50,rr:2@50` as the list of targets that the JSON form has."""
    return [_listed_target(name, each) for each in value.split(",")]


def _listed_target(name: str, value: str) -> dict[str, str]:
    level, _, share = value.partition("@")
    kind, _, number = level.partition(":")
    if not kind or not number:
        raise FormError("must be type:value@close_pct, one or more", field=name)
    return {"type": kind, "value": number, **({"close_pct": share} if share else {})}


def _truth(_: str, value: str) -> object:
    return {"true": True, "false": False}.get(value, value)


_READERS: dict[str, Callable[[str, str], object]] = {
    **dict.fromkeys(_COMPOUNDS, _compound),
    **dict.fromkeys(_WHOLE_NUMBERS, lambda _, value: Number(value)),
    "tp": _listed,
    "test": _truth,
}
