"""Which quotes count, and what they agree on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW
from trading.domain.price import AgreedPrice, Quote, agree, is_confident, is_fresh
from trading.domain.units import Price


def quote(price: object = 60_000, *, source: str = "a", weight: str = "1", age: float = 0, confidence: str = "0") -> Quote:
    return Quote(
        symbol="BTC-USD",
        source=source,
        price=Price.of(str(price)),
        confidence=Price.of(confidence),
        weight=Decimal(weight),
        published_at=NOW - timedelta(seconds=age),
        limit=timedelta(seconds=5),
    )


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (5, True), (5.001, False), (-2, True), (-2.001, False), (3_600, False)])
def test_a_quote_counts_from_two_seconds_ahead_to_its_own_limit(age: float, fresh: bool) -> None:
    assert is_fresh(quote(age=age), now=NOW) is fresh


@pytest.mark.parametrize(("confidence", "sure"), [("0", True), ("600", True), ("600.0000000001", False)])
def test_a_quote_counts_up_to_a_confidence_of_one_percent(confidence: str, sure: bool) -> None:
    assert is_confident(quote(60_000, confidence=confidence)) is sure


@pytest.mark.parametrize("unusable", [quote(age=6), quote(age=-3), quote(confidence="601"), quote(0), quote(-1)])
def test_without_a_quote_that_counts_there_is_no_price(unusable: Quote) -> None:
    assert agree([], now=NOW) is None
    assert agree([unusable], now=NOW) is None
    agreed = agree([unusable, quote(60_010, source="b")], now=NOW)
    assert agreed is not None
    assert (agreed.price, agreed.sources) == (Price.of(60_010), ("b",))


def test_an_agreed_price_is_as_old_as_its_oldest_quote() -> None:
    quotes = [quote(60_000, source="b", age=1), quote(60_002, source="a", age=4), quote(60_001, source="c")]
    assert agree(quotes, now=NOW) == AgreedPrice(
        symbol="BTC-USD", price=Price.of(60_001), published_at=NOW - timedelta(seconds=4), sources=("a", "b", "c")
    )


@pytest.mark.parametrize(
    ("weights", "price"),
    [
        (("1", "1", "1"), 2),
        (("1.5", "1", "1"), 2),
        (("3", "1", "1"), 1),
        (("1", "1", "3"), 3),
        (("2", "1", "1"), 1),
        (("1", "1", "2"), 2),
    ],
)
def test_the_median_is_weighted(weights: tuple[str, ...], price: int) -> None:
    quotes = [quote(number, source=str(number), weight=weight) for number, weight in enumerate(weights, start=1)]
    for order in (quotes, quotes[::-1]):
        agreed = agree(order, now=NOW)
        assert agreed is not None
        assert agreed.price == Price.of(price)


@given(st.lists(st.integers(1, 10**15), min_size=1, max_size=7))
def test_the_agreed_price_is_one_that_somebody_quoted_and_half_lie_on_each_side(raws: list[int]) -> None:
    quotes = [quote(Price.from_raw(raw), source=str(number)) for number, raw in enumerate(raws)]
    agreed = agree(quotes, now=NOW)
    assert agreed is not None
    assert agreed.price.raw in raws
    assert 2 * sum(raw < agreed.price.raw for raw in raws) <= len(raws)
    assert 2 * sum(raw > agreed.price.raw for raw in raws) <= len(raws)
