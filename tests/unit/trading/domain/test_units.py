"""Quantities: exact, of one unit, and cheap to refuse."""

import time
from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.units import Leverage, NotExact, Percent, Price, Quantity, Usdc, Wei, notional

UNITS = (Usdc, Price, Leverage, Percent, Wei)
units = st.sampled_from(UNITS)
raws = st.integers(min_value=-(2**256), max_value=2**256)
pairs_of_different_units = st.tuples(units, units).filter(lambda pair: pair[0] is not pair[1])


@given(unit=units, raw=raws)
def test_what_is_written_reads_back_as_itself(unit: type[Quantity], raw: int) -> None:
    assert unit.of(str(unit.from_raw(raw))) == unit.from_raw(raw)


@given(unit=units, raw=raws)
def test_the_decimal_is_the_raw_number_at_the_units_scale(unit: type[Quantity], raw: int) -> None:
    assert Fraction(unit.from_raw(raw).decimal) == Fraction(raw, 10**unit.SCALE)
    assert unit.of(unit.from_raw(raw).decimal) == unit.from_raw(raw)


@pytest.mark.parametrize(
    ("quantity", "written"),
    [
        (Usdc.of("12.5"), "12.5"),
        (Usdc.of("12.500000"), "12.5"),
        (Usdc.of(100), "100"),
        (Usdc.of("-0.000001"), "-0.000001"),
        (Usdc.zero(), "0"),
        (Price.of("60000.0000000001"), "60000.0000000001"),
        (Wei.of(1_000), "1000"),
        (Leverage.of("1e1"), "10"),
    ],
)
def test_a_quantity_is_written_plainly(quantity: Quantity, written: str) -> None:
    assert str(quantity) == written


def test_a_human_number_becomes_the_chains_integer() -> None:
    assert (Usdc.of("12.5").raw, Price.of("12.5").raw, Wei.of("12").raw) == (12_500_000, 125_000_000_000, 12)


@pytest.mark.parametrize("number", [0.5, 0.1, float("nan"), 1.0])
def test_a_float_is_never_money(number: float) -> None:
    with pytest.raises(TypeError, match="float"):
        Usdc.of(number)


@pytest.mark.parametrize(
    "number", ["0.0000001", "1.2345678", "NaN", "sNaN", "Infinity", "-Infinity", "", " ", "abc", "1,5", "0x10", "١e", "--1"]
)
def test_a_number_that_does_not_fit_is_refused(number: str) -> None:
    with pytest.raises(NotExact) as refusal:
        Usdc.of(number)
    assert refusal.value.code == "NUMBER_NOT_EXACT"


@pytest.mark.parametrize(
    "number",
    ["1e1000000", "-1e1000000", "1e-1000000", "1e999999999999", "9" * 1_000_000, Decimal("1e1000000"), Decimal("1e-1000000")],
)
def test_an_exponent_bomb_is_refused_at_once(number: str | Decimal) -> None:
    started = time.process_time()
    with pytest.raises(NotExact):
        Usdc.of(number)
    # The bomb burns 24 s of processor time and more where it goes off.
    assert time.process_time() - started < 0.1


def test_a_number_of_ninety_digits_more_than_its_first_is_the_largest() -> None:
    assert (Wei.of("1e90").raw, Price.of("1e80").raw) == (10**90, 10**90)
    for above in ("1e91", "1" * 92):
        with pytest.raises(NotExact):
            Wei.of(above)


@pytest.mark.parametrize(("longest", "beyond"), [("0." + "1" * 100, "0." + "1" * 101), ("1e-189", "1e-190")])
def test_a_price_is_rounded_by_its_name_and_never_by_its_length(longest: str, beyond: str) -> None:
    assert Price.round_down(Decimal(longest)) <= Price.of("0.1111111111")
    with pytest.raises(Inexact):
        Price.round_down(Decimal(beyond))


@pytest.mark.parametrize(("raw", "is_something"), [(-1, True), (0, False), (1, True)])
def test_one_unit_is_something(raw: int, is_something: bool) -> None:
    assert bool(Usdc.from_raw(raw)) is is_something


def test_a_quantity_without_a_unit_counts_itself() -> None:
    assert Quantity.of(7) == Quantity.from_raw(7)
    with pytest.raises(NotExact):
        Quantity.of("0.7")


def test_a_hundred_percent_is_all_of_it() -> None:
    assert Percent.of(100).raw == Percent.HUNDRED == 1_000_000_000_000


def test_without_a_denominator_a_multiple_is_whole() -> None:
    assert (Usdc(7).times_down(3), Usdc(7).times_up(3)) == (Usdc(21), Usdc(21))


@given(pair=pairs_of_different_units, left=raws, right=raws)
def test_only_same_adds_with_same(pair: tuple[type[Quantity], type[Quantity]], left: int, right: int) -> None:
    first, second = pair[0].from_raw(left), pair[1].from_raw(right)
    assert first != second
    for operation in (lambda: first + second, lambda: first - second, lambda: first < second, lambda: first >= second):
        with pytest.raises(TypeError):
            operation()


@given(unit=units, left=raws, right=raws)
def test_a_plain_number_is_no_quantity(unit: type[Quantity], left: int, right: int) -> None:
    with pytest.raises(TypeError):
        unit.from_raw(left) + right
    assert unit.from_raw(left) != left


@given(unit=units, left=raws, right=raws)
def test_sums_and_order_are_those_of_the_integers(unit: type[Quantity], left: int, right: int) -> None:
    first, second = unit.from_raw(left), unit.from_raw(right)
    assert (first + second).raw == left + right
    assert (first - second).raw == left - right
    assert (first < second) == (left < right)
    assert (-first).raw == -left
    assert abs(first).raw == abs(left)
    assert bool(first) == bool(left)


@given(raw=raws, numerator=raws, denominator=st.integers(min_value=1, max_value=2**200))
def test_a_share_is_rounded_the_way_its_name_says(raw: int, numerator: int, denominator: int) -> None:
    exact = Fraction(raw * numerator, denominator)
    down = Usdc.from_raw(raw).times_down(numerator, denominator).raw
    up = Usdc.from_raw(raw).times_up(numerator, denominator).raw
    assert down <= exact < down + 1
    assert up - 1 < exact <= up


@given(number=st.decimals(min_value=Decimal("-1e30"), max_value=Decimal("1e30"), places=30))
def test_a_price_is_rounded_the_way_its_name_says(number: Decimal) -> None:
    exact = Fraction(number) * 10**Price.SCALE
    assert Price.round_down(number).raw <= exact < Price.round_down(number).raw + 1
    assert Price.round_up(number).raw - 1 < exact <= Price.round_up(number).raw


def test_thirty_digits_do_not_round_a_price_past_itself() -> None:
    assert Price.round_down(Decimal("1.99999999999999999999999999999")) == Price.of("1.9999999999")
    assert Price.round_up(Decimal("1.00000000000000000000000000001")) == Price.of("1.0000000001")


@given(collateral=st.integers(0, 10**18), leverage=st.integers(0, 500 * 10**10))
def test_notional_is_never_rounded_below_the_product(collateral: int, leverage: int) -> None:
    exact = Fraction(collateral * leverage, 10**Leverage.SCALE)
    result = notional(Usdc.from_raw(collateral), Leverage.from_raw(leverage)).raw
    assert result - 1 < exact <= result


def test_a_quantity_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Usdc.of(1).raw = 2
