"""Bodies that every door refuses, by class; fuzzers start from them too."""

import gzip
import json
from dataclasses import dataclass
from typing import Any

ENTRY = {
    "source": "desk",
    "signal_id": "s-1",
    "tg_user_id": 123,
    "symbol": "BTC-USD",
    "side": "LONG",
    "collateral_usdc": "50",
    "leverage_x": "3",
}
# Stands wherever a refused value stands: an answer that repeats it reflects its input.
CANARY = "zq7canary"

# What JSON can't be read from: 400, with the place.
MALFORMED = {
    "nothing": b"",
    "spaces": b"  \n",
    "half": b'{"source": "' + CANARY.encode(),
    "a list": b"[]",
    "a number": b"1",
    "a string": f'"{CANARY}"'.encode(),
    "null": b"null",
    "true": b"true",
    "two bodies": json.dumps(ENTRY).encode() * 2,
    "trailing words": json.dumps(ENTRY).encode() + CANARY.encode(),
    "a comment": b"/* " + CANARY.encode() + b" */" + json.dumps(ENTRY).encode(),
    "single quotes": str(ENTRY).encode(),
    "a trailing comma": b'{"source": "a",}',
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(ENTRY).encode(),
    "utf-16": json.dumps(ENTRY).encode("utf-16"),
    "utf-32": json.dumps(ENTRY).encode("utf-32"),
    "latin-1": json.dumps(ENTRY | {"source": "é"}, ensure_ascii=False).encode("latin-1"),
    "a raw surrogate": b'{"source": "\xed\xa0\x80"}',
    "an overlong slash": b'{"source": "\xc0\xaf"}',
    "a control character": b'{"source": "a\x01b"}',
    "a raw newline": b'{"source": "a\nb"}',
    "a bad escape": b'{"source": "\\x41"}',
    "a leading zero": b'{"tg_user_id": 0123}',
    "a plus": b'{"tg_user_id": +123}',
    "an underscore": b'{"tg_user_id": 1_23}',
    "hexadecimal": b'{"tg_user_id": 0x7b}',
    "form data": b"source=desk&signal_id=1",
    "an unexpanded placeholder": b'{"leverage_x": {{' + CANARY.encode() + b"}}}",
    "gzip": gzip.compress(json.dumps(ENTRY).encode()),
}


def raw_entry(**texts: str) -> bytes:
    """The entry with some values as raw JSON text."""
    fields = {name: json.dumps(value) for name, value in ENTRY.items()} | texts
    return ("{" + ", ".join(f'"{name}": {text}' for name, text in fields.items()) + "}").encode()


# What JSON says twice or not at all: 422.
AMBIGUOUS = {
    "a key twice": b'{"source": "a", "source": "' + CANARY.encode() + b'"}',
    "a key twice by an escape": b'{"source": "a", "\\u0073ource": "b"}',
    "a key twice inside": raw_entry(meta='{"k": 1, "k": 2}'),
    "nan": raw_entry(collateral_usdc="NaN"),
    "infinity": raw_entry(collateral_usdc="Infinity"),
    "minus infinity": raw_entry(leverage_x="-Infinity"),
    "nine levels": raw_entry(meta='{"a":' * 8 + "1" + "}" * 8),
    "ten thousand levels": b"[" * 10_000,
}

# What the form doesn't take: (the field, the changes, the code).
FORM: list[tuple[str, dict[str, Any], str]] = [
    ("", {CANARY: 1}, "FIELD_UNKNOWN"),
    ("", {"Source": CANARY}, "FIELD_UNKNOWN"),
    ("", {"sidee": "LONG"}, "FIELD_UNKNOWN"),
    ("", {"__proto__": {}}, "FIELD_UNKNOWN"),
    ("", {"\ud800": 1}, "FIELD_UNKNOWN"),
    ("", {f"{CANARY}{number}": 1 for number in range(700)}, "FIELD_UNKNOWN"),
    ("source", {"source": None}, "FIELD_INVALID"),
    ("source", {"source": ""}, "FIELD_INVALID"),
    ("source", {"source": 7}, "FIELD_INVALID"),
    ("source", {"source": ["desk"]}, "FIELD_INVALID"),
    ("source", {"source": {"name": CANARY}}, "FIELD_INVALID"),
    ("source", {"source": f"{CANARY}\n"}, "FIELD_INVALID"),
    ("source", {"source": f"{CANARY}\r\nX-Evil: 1"}, "FIELD_INVALID"),
    ("source", {"source": f"{CANARY}\x00"}, "FIELD_INVALID"),
    ("source", {"source": f"{CANARY}\u200b"}, "FIELD_INVALID"),
    ("source", {"source": f"{CANARY}\u202e"}, "FIELD_INVALID"),
    ("source", {"source": "dеsk"}, "FIELD_INVALID"),
    ("source", {"source": "\ud800"}, "FIELD_INVALID"),
    ("source", {"source": CANARY * 8}, "FIELD_INVALID"),
    ("signal_id", {"signal_id": CANARY * 15}, "FIELD_INVALID"),
    ("signal_id", {"signal_id": CANARY * 1_100}, "FIELD_INVALID"),
    ("signal_id", {"signal_id": True}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": "123"}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": "１２３"}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": True}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": [123]}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": 0}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": -123}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": 123.0}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": 2**63}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": 10**400}, "FIELD_INVALID"),
    ("tg_user_id", {"tg_user_id": 124}, "TRADER_UNKNOWN"),
    ("symbol", {"symbol": CANARY}, "SYMBOL_UNKNOWN"),
    ("symbol", {"symbol": "DOGE-USD"}, "SYMBOL_UNKNOWN"),
    ("symbol", {"symbol": "ВТС-USD"}, "SYMBOL_UNKNOWN"),
    ("symbol", {"symbol": "BTC-USD\n"}, "SYMBOL_UNKNOWN"),
    ("symbol", {"symbol": "BTC-USD' OR '1'='1"}, "SYMBOL_UNKNOWN"),
    ("side", {"side": "long"}, "FIELD_INVALID"),
    ("side", {"side": CANARY}, "FIELD_INVALID"),
    ("side", {"side": "ＬＯＮＧ"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "NaN"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "1e2"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "1e1000000"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "0.0000001"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "1" * 13}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "1_000"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": " 50"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "50\n"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "-0"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "0"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "-50"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": "٥٠"}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": True}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": ["50"]}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": None}, "FIELD_INVALID"),
    ("collateral_usdc", {"collateral_usdc": 1e-7}, "FIELD_INVALID"),
    ("leverage_x", {"leverage_x": "3x"}, "FIELD_INVALID"),
    ("leverage_x", {"leverage_x": "½"}, "FIELD_INVALID"),
    ("slippage_pct", {"slippage_pct": "10.1"}, "FIELD_INVALID"),
    ("slippage_pct", {"slippage_pct": "0"}, "FIELD_INVALID"),
    ("price", {"price": "{{close}}"}, "FIELD_INVALID"),
    ("take_profit", {"take_profit": None}, "FIELD_INVALID"),
    ("stop_loss", {"stop_loss": f"{CANARY}"}, "FIELD_INVALID"),
    ("ts", {"ts": CANARY}, "FIELD_INVALID"),
    ("ts", {"ts": 1_767_323_045_000}, "FIELD_INVALID"),
    ("ts", {"ts": "1767323045"}, "FIELD_INVALID"),
    ("ts", {"ts": "0001-01-01T00:00:00+14:00"}, "FIELD_INVALID"),
    ("ts", {"ts": "9999-12-31T23:59:59-14:00"}, "FIELD_INVALID"),
    ("meta", {"meta": CANARY}, "FIELD_INVALID"),
    ("meta", {"meta": {"k": CANARY * 500}}, "FIELD_INVALID"),
    ("meta", {"meta": {"k": f"{CANARY}\x00"}}, "FIELD_INVALID"),
    ("meta", {"meta": {"k": "\ud800"}}, "FIELD_INVALID"),
    ("reduce_usdc", {"reduce_usdc": "1"}, "FIELD_INVALID"),
    ("collateral_usdc", {"side": "CLOSE"}, "FIELD_INVALID"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One body, and what the door answers to it once it knows whose it is."""

    raw: bytes
    status: int
    code: str
    field: str | None = None


def _cases() -> dict[str, Case]:
    """Every refused body, by a name that a test can show."""
    cases = {f"malformed: {name}": Case(raw=raw, status=400, code="BODY_MALFORMED") for name, raw in MALFORMED.items()}
    cases |= {f"ambiguous: {name}": Case(raw=raw, status=422, code="BODY_AMBIGUOUS", field="") for name, raw in AMBIGUOUS.items()}
    for number, (field, changes, code) in enumerate(FORM):
        raw = json.dumps(ENTRY | changes).encode()
        cases[f"form {number}: {field or 'unknown'}"] = Case(raw=raw, status=422, code=code, field=field)
    for name in ENTRY:
        raw = json.dumps({key: value for key, value in ENTRY.items() if key != name}).encode()
        cases[f"without {name}"] = Case(raw=raw, status=422, code="FIELD_MISSING", field=name)
    return cases


CASES = _cases()
