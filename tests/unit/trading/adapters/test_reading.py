"""Numbers of price services: exact, bounded, and None for what makes no sense."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.adapters import reading
from trading.domain.units import Price


@pytest.mark.parametrize(
    ("mantissa", "exponent", "price"),
    [
        (6_271_068_500_001, -8, "62710.68500001"),
        (21_619_027, -5, "216.19027"),
        (123_456_789_012, -12, "0.1234567890"),
        (-123_456_789_099, -12, "-0.1234567891"),
        (7, 2, "700"),
        (0, -8, "0"),
    ],
)
def test_a_mantissa_is_scaled_and_rounded_down(mantissa: int, exponent: int, price: str) -> None:
    assert reading.price(mantissa, exponent) == Price.of(price)


@pytest.mark.parametrize(("mantissa", "exponent"), [(1, -19), (1, 9), (1, -(10**9)), (10**16, 0), (-(10**16), 0), (10**30, 8)])
def test_a_scale_or_a_price_beyond_sense_is_nothing(mantissa: int, exponent: int) -> None:
    assert reading.price(mantissa, exponent) is None


@pytest.mark.parametrize(
    ("number", "price"),
    [
        (Decimal("67187.3358936566"), "67187.3358936566"),
        (Decimal("0.00000000019"), "0.0000000001"),
        (67_187, "67187"),
        (Decimal("6.7e4"), "67000"),
        (-5, "-5"),
    ],
)
def test_a_json_number_is_read_exactly(number: object, price: str) -> None:
    assert reading.price_of_number(number) == Price.of(price)


@pytest.mark.parametrize(
    "number",
    [
        True,
        None,
        "67187",
        1.5,
        [1],
        Decimal("1e41"),
        Decimal("1e1000000"),
        Decimal("1e-1000000"),
        Decimal(f"1.{'1' * 50}"),
        10**16,
    ],
)
def test_what_is_no_number_or_no_price_is_nothing(number: object) -> None:
    assert reading.price_of_number(number) is None


@given(number=st.decimals(allow_nan=False, allow_infinity=False))
def test_whatever_the_number_nothing_is_raised(number: Decimal) -> None:
    found = reading.price_of_number(number)

    assert found is None or abs(found) <= reading.HIGHEST


@pytest.mark.parametrize(("text", "number"), [("6271068500001", 6_271_068_500_001), ("-5", -5), ("0", 0)])
def test_an_integer_may_come_as_text(text: str, number: int) -> None:
    assert reading.integer(text) == number


@pytest.mark.parametrize("text", [5, "", "+5", " 5", "5 ", "5.0", "5e3", "1_000", "٥", "1" * 31, None, True])
def test_other_text_is_no_integer(text: object) -> None:
    assert reading.integer(text) is None


@pytest.mark.parametrize("number", [True, "5", 5.0, None])
def test_only_an_integer_is_whole(number: object) -> None:
    assert (reading.whole(5), reading.whole(number)) == (5, None)


@pytest.mark.parametrize("seconds", [0, -1, 4_102_444_801, 10**30, "1735645930", True, None])
def test_an_instant_lies_in_this_century(seconds: object) -> None:
    assert reading.instant(seconds) is None
    assert reading.instant(1_735_645_930) == datetime(2024, 12, 31, 11, 52, 10, tzinfo=UTC)


@pytest.mark.parametrize("part", [None, [], "x", 5])
def test_only_an_object_has_fields(part: object) -> None:
    assert (reading.fields(part), reading.fields({"a": 1})) == ({}, {"a": 1})
