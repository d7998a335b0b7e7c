"""What a request's values may be: exactly what each field's own schema says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from trading.api.fields import Amount, Flag, Line, Moment, Strict, Typed, Whole, Word, WrittenFlag
from trading.domain.mode import Book
from trading.domain.strict_json import parse
from trading.domain.units import Leverage, Percent, Usdc


def value(text: str) -> Any:
    """A value as the strict parser hands it on."""
    return parse(f'{{"value": {text}}}'.encode())["value"]


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        (Line(max_length=3), '"abc"', "abc"),
        (Line(max_length=3), '" é "', " é "),
        (Line(max_length=9, pattern="^[0-9]+$"), '"12"', "12"),
        (Word(Book), '"PAPER"', Book.PAPER),
        (Typed("LIVE"), '"LIVE"', "LIVE"),
        (Whole(), "0", 0),
        (Whole(max_value=7), "7", 7),
        (Whole(), str(2**63 - 1), 2**63 - 1),
        (Flag(), "true", True),
        (Flag(), "false", False),
        (WrittenFlag(), '"true"', True),
        (WrittenFlag(), '"false"', False),
        (Amount(Usdc), '"12.5"', Usdc.of("12.5")),
        (Amount(Usdc), "12.5", Usdc.of("12.5")),
        (Amount(Usdc, least="0"), "0", Usdc.zero()),
        (Amount(Usdc, least="-5"), '"-5"', Usdc.of(-5)),
        (Amount(Percent, most="100"), "100", Percent.of(100)),
        (Moment(), '"2026-01-02T03:04:05+02:00"', datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        (Moment(), '"2026-01-02t03:04:05.5z"', datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
    ],
)
def test_a_value_is_taken_as_its_type(field: Strict, text: str, expected: object) -> None:
    assert field.run_validation(value(text)) == expected


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(
            (Line(max_length=3), text)
            for text in ('""', '" "', '"abcd"', '"a\\nb"', '"a\\u0000"', '"\\ud800"', '"a\\n"', "1", "[]", "true")
        ),
        *((Line(max_length=9, pattern="^[0-9]+$"), text) for text in ('"1x"', '"1\\n"', '"x1"')),
        *((Word(Book), text) for text in ('"paper"', '""', "1", "null", "{}", '["PAPER"]')),
        *((Typed("LIVE"), text) for text in ('"live"', '"LIVE "', "true", "null")),
        *((Whole(min_value=1, max_value=9), text) for text in ("0", "10", "-1", "1.0", "1e0", '"5"', "true", "null", "[]")),
        (Whole(), str(2**63)),
        *((Flag(), text) for text in ('"true"', "1", "0", "null")),
        *((WrittenFlag(), text) for text in ('"1"', '"True"', "true", '""')),
        *(
            (Amount(Usdc), text)
            for text in ("0", '"0"', "-1", "1e3", "1.0000001", '"1_0"', '"٣"', '" 1"', '"1\\n"', '"NaN"', "true")
        ),
        *((Amount(Usdc), text) for text in ("1234567890123", '"01"', "null", "[]", '""')),
        *((Amount(Percent, most="100"), text) for text in ("100.1", '"101"')),
        (Amount(Leverage, least="1"), "0.9"),
        (Amount(Usdc, least="-5"), '"-5.1"'),
        *(
            (Moment(), text)
            for text in ('"2026-01-02"', '"2026-01-02T03:04:05"', '"2026-13-02T03:04:05Z"', '"0001-01-01T00:00:00+23:00"')
        ),
        *((Moment(), text) for text in ('"2026-01-02T03:04:05Z\\n"', "1767323045", "null")),
    ],
)
def test_anything_else_is_refused_without_repeating_it(field: Strict, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        field.run_validation(value(text))

    assert str(refused.value.detail[0]) in {"not valid", "This field may not be null."}
