"""What strangers write: never an uncaught exception, and never much memory. FUZZ_EXAMPLES makes it long."""

import json
import os
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.integration.trading.bad_bodies import CASES, ENTRY, raw_entry
from trading.domain import proof, signal_form, strict_json
from trading.domain.errors import Invalid
from trading.domain.signal import SignalRequest, intent_key, normalized_symbol, source_of
from trading.domain.source import Auth, is_free_name

fuzzed = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")))
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BODY_BYTES = 16 * 1024
# Of 16 KiB: the worst of them, quotes without an end, takes 720,000 bytes.
PEAK_BYTES = 1_000_000

SEEDS = [json.dumps(ENTRY).encode(), *(case.raw for case in CASES.values())]
BOMBS = {
    "a decimal of 16,000 digits": raw_entry(collateral_usdc="1" * 16_000),
    "an exponent of 16,000 digits": raw_entry(collateral_usdc="1e" + "9" * 16_000),
    "a decimal of 16,000 digits as a string": raw_entry(collateral_usdc='"' + "1" * 16_000 + '"'),
    "thousands of keys": b"{" + b",".join(b'"%d":1' % number for number in range(1_900)) + b"}",
    "thousands of keys inside": raw_entry(meta="{" + ",".join(f'"{number}":1' for number in range(1_800)) + "}"),
    "thousands of empty lists": raw_entry(meta='{"a":[' + ",".join(["[]"] * 5_000) + "]}"),
    "thousands of escapes": raw_entry(source='"' + "\\u0041" * 2_600 + '"'),
    "quotes without an end": b'{"a":' + b'"' * 16_000,
    "backslashes without an end": b'{"a":"' + b"\\" * 16_000,
    "brackets": b"[" * 16_000,
    "objects": b'{"a":' * 3_000,
    "spaces": b" " * 16_000 + b"{}",
    "names": b'{"source":"a","source":"b",' * 500,
}


def read(raw: bytes) -> SignalRequest | Invalid:
    """What the door makes of a body."""
    try:
        return signal_form.read(strict_json.parse(raw))
    except Invalid as refusal:
        return refusal


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A body of the table with a piece of it replaced by a piece of another, or by anything."""
    raw, other = draw(st.sampled_from(SEEDS)), draw(st.sampled_from(SEEDS))
    start, end = sorted(draw(st.tuples(st.integers(0, len(raw)), st.integers(0, len(raw)))))
    first, last = sorted(draw(st.tuples(st.integers(0, len(other)), st.integers(0, len(other)))))
    piece = draw(st.one_of(st.just(other[first:last]), st.binary(max_size=20)))
    return (raw[:start] + piece + raw[end:])[:BODY_BYTES]


@fuzzed
@given(spoiled())
def test_a_spoiled_body_is_read_or_refused(raw: bytes) -> None:
    assert isinstance(read(raw), SignalRequest | Invalid)
    assert len(proof.named(raw)) <= proof.MAX_NAMES


@fuzzed
@given(st.sampled_from(sorted(ENTRY)), st.one_of(st.text(max_size=40), st.decimals().map(str), st.floats().map(repr)))
@example("collateral_usdc", "1e1000000")
def test_any_text_in_any_field_is_read_or_refused(name: str, text: str) -> None:
    assert isinstance(read(json.dumps(ENTRY | {name: text}).encode()), SignalRequest | Invalid)


@fuzzed
@given(st.from_regex(r"[-+]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][-+]?[0-9]{1,9})?", fullmatch=True))
def test_any_number_is_taken_as_it_is_or_refused(text: str) -> None:
    taken = read(raw_entry(collateral_usdc=text))
    if isinstance(taken, SignalRequest):
        assert str(taken.collateral) in (text, text.rstrip("0").rstrip("."))


@fuzzed
@given(st.text(max_size=20))
def test_any_text_is_a_symbol_or_none(text: str) -> None:
    symbol = normalized_symbol(text)
    assert symbol is None or normalized_symbol(symbol) == symbol


header = st.one_of(st.text(max_size=80), st.from_regex(r"(v1,[A-Za-z0-9+/]{43}= ?){0,20}", fullmatch=True))
NAMES = ("x-signature", "webhook-id", "webhook-timestamp", "webhook-signature")


@fuzzed
@given(st.dictionaries(st.sampled_from(NAMES), header), st.binary(max_size=40), st.binary(max_size=40))
def test_any_headers_are_a_proof_of_nothing(headers: dict[str, str], message: bytes, key: bytes) -> None:
    claim = proof.read(headers)
    if claim is not None:
        claim.is_timely(NOW)
        assert proof.matches(claim, message=message, keys=[key]) == (False,)


@fuzzed
@given(st.text(max_size=60))
def test_any_text_is_a_secret_or_an_empty_key(text: str) -> None:
    for kind in Auth:
        assert isinstance(proof.key_of(text, kind=kind), bytes)
    assert len(proof.token_digest(text)) == 64
    assert is_free_name(text) in (True, False)


@fuzzed
@given(st.text(max_size=60))
def test_any_text_is_a_key_of_a_source_or_of_none(text: str) -> None:
    assert isinstance(source_of(text), str)
    if text.isascii() and text:
        assert source_of(intent_key(source=text, signal_id="1")) == text


@pytest.mark.parametrize("name", [*CASES, *BOMBS])
def test_a_body_takes_bounded_memory(name: str) -> None:
    raw = BOMBS[name] if name in BOMBS else CASES[name].raw
    read(raw)
    tracemalloc.start()
    try:
        proof.named(raw)
        read(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < PEAK_BYTES


def test_every_bomb_is_refused_and_no_larger_than_the_door_takes() -> None:
    assert all(isinstance(read(raw), Invalid) for raw in BOMBS.values())
    assert max(map(len, BOMBS.values())) < BODY_BYTES + 200
