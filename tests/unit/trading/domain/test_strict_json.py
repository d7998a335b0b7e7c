"""JSON with one meaning for each text."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.strict_json import MAX_DEPTH, AmbiguousBody, Malformed, Number, parse


def test_numbers_stay_as_they_were_written() -> None:
    body = parse(b'{"a": 1.50, "b": 1e1000000, "c": -0, "d": [12]}')
    assert body == {"a": "1.50", "b": "1e1000000", "c": "-0", "d": ["12"]}
    assert all(isinstance(body[name], Number) for name in "abc")


def test_a_string_of_digits_is_not_a_number() -> None:
    assert not isinstance(parse(b'{"a": "12"}')["a"], Number)


@pytest.mark.parametrize(
    ("raw", "position"),
    [
        (b"", 0),
        (b"   ", 3),
        (b"{", 1),
        (b'{"a": 1', 7),
        (b'{"a": 1,}', 8),
        (b'{"a": 1} x', 9),
        (b'{"a": 1}{"b": 2}', 8),
        (b"{'a': 1}", 1),
        (b'{"a": 01}', 7),
        (b'{"a": +1}', 6),
        (b'{"a": .5}', 6),
        (b'{"a": 1_000}', 7),
        (b'{"a": 0x1}', 7),
        (b'{"a": True}', 6),
        (b'{"a": 1 /* one */}', 8),
        (b"// \n{}", 0),
        (b'{"a": "line\nbreak"}', 11),
        (b'{"a": "tab\there"}', 10),
        (b'{"a": "\\x41"}', 7),
        (b'\xef\xbb\xbf{"a": 1}', 0),
        ('{"a": 1}'.encode("utf-16"), 0),
        (b'{"a": "\xe9"}', 7),
        (b'{"a": "\xed\xa0\x80"}', 7),
        (b'{"a": "\xc0\xaf"}', 7),
        (b"[]", 0),
        (b'"text"', 0),
        (b"12", 0),
        (b"null", 0),
        (b"true", 0),
        (b'{"a": "' + b"[" * 20, 6),
    ],
)
def test_what_is_not_a_json_object_is_malformed_at_its_place(raw: bytes, position: int) -> None:
    with pytest.raises(Malformed) as refusal:
        parse(raw)
    assert refusal.value.facts == {"position": position}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"meta": {"a": 1, "a": 2}}',
        b'{"meta": [{"a": 1, "a": 2}]}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b"NaN",
    ],
)
def test_what_two_readers_could_read_differently_is_ambiguous(raw: bytes) -> None:
    with pytest.raises(AmbiguousBody):
        parse(raw)


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_nesting_up_to_the_limit_passes_and_one_deeper_does_not(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return b'{"x": ' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"

    parse(nested(MAX_DEPTH))
    with pytest.raises(AmbiguousBody, match=r"^nested deeper than 8$"):
        parse(nested(MAX_DEPTH + 1))


def test_brackets_inside_a_string_do_not_nest() -> None:
    text = '[{"\\' * 40
    assert parse(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 16_384,
        b'{"a":' * 3_276,
        b'"' + b'\\"' * 8_190,
        b'{"a": "' + b'\\"' * 8_000,
        b'"' * 16_384,
        b"\\" * 16_384,
        b'{"' + b"a" * 16_000 + b'": 1}',
        b"{" + b",".join(b'"k%d": 1' % number for number in range(1_500)) + b"}",
        b'{"a": ' + b"9" * 16_000 + b"}",
        b'{"a": 1e' + b"9" * 16_000 + b"}",
    ],
)
def test_no_body_of_the_allowed_size_costs_more_than_a_moment(raw: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(Malformed, AmbiguousBody):
        parse(raw)
    assert time.process_time() - started < 0.1


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_refusal(raw: bytes) -> None:
    with contextlib.suppress(Malformed, AmbiguousBody):
        assert isinstance(parse(raw), dict)


leaves = st.none() | st.booleans() | st.text()
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_what_was_written_plainly_is_read_back(body: dict[str, object]) -> None:
    raw = json.dumps(body).encode()
    try:
        assert parse(raw) == body
    except AmbiguousBody:
        assert raw.count(b"[") + raw.count(b"{") > MAX_DEPTH
