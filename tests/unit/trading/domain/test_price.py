"""Which quotes count, what they agree on, and what is said when they don't."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW
from trading.domain.price import (
    AgreedPrice,
    KeptPrice,
    PriceTrouble,
    PriceView,
    Quote,
    Rejection,
    Sequencer,
    distance,
    is_ahead,
    is_confident,
    is_fresh,
    is_settled,
    view,
    weighted_median,
)
from trading.domain.units import Percent, Price

VENUE, PYTH, CHAINLINK = "venue", "pyth", "chainlink"
WEIGHTS = {VENUE: "1.5", PYTH: "1", CHAINLINK: "1", "coingecko": "0"}
ALL = (VENUE, PYTH, CHAINLINK)


def quote(
    price: object = 60_000, source: str = VENUE, *, age: float = 0, confidence: str = "0", weight: str | None = None
) -> Quote:
    return Quote(
        symbol="BTC-USD",
        source=source,
        price=Price.of(str(price)),
        confidence=Price.of(confidence),
        weight=Decimal(WEIGHTS[source] if weight is None else weight),
        published_at=NOW - timedelta(seconds=age),
        limit=timedelta(seconds=5),
    )


def look(*quotes: Quote, expected: Sequence[str] = ALL, **more: Any) -> PriceView:
    return view("BTC-USD", quotes=quotes, expected=expected, now=NOW, **more)


def kept(age: float) -> KeptPrice:
    agreed = AgreedPrice(symbol="BTC-USD", price=Price.of(59_000), published_at=NOW - timedelta(seconds=age), sources=ALL)
    return KeptPrice(agreed=agreed, agreed_at=NOW - timedelta(seconds=age))


def reasons(seen: PriceView) -> dict[str, Rejection]:
    return {each.quote.source: each.reason for each in seen.rejected}


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (5, True), (5.001, False), (3_600, False)])
def test_a_quote_counts_up_to_its_sources_own_limit(age: float, fresh: bool) -> None:
    assert is_fresh(quote(age=age), now=NOW) is fresh


@pytest.mark.parametrize(("age", "ahead"), [(0, False), (-2, False), (-2.001, True)])
def test_a_quote_may_lie_two_seconds_ahead(age: float, ahead: bool) -> None:
    assert is_ahead(quote(age=age), now=NOW) is ahead


@pytest.mark.parametrize(("confidence", "sure"), [("0", True), ("600", True), ("600.0000000001", False)])
def test_a_quote_counts_up_to_a_confidence_of_one_percent(confidence: str, sure: bool) -> None:
    assert is_confident(quote(60_000, confidence=confidence)) is sure


@pytest.mark.parametrize(
    ("unsound", "reason"),
    [
        (quote(0, CHAINLINK), Rejection.NOT_POSITIVE),
        (quote(-1, CHAINLINK), Rejection.NOT_POSITIVE),
        (quote(source=CHAINLINK, age=6), Rejection.STALE),
        (quote(source=CHAINLINK, age=-3), Rejection.AHEAD),
        (quote(source=CHAINLINK, confidence="601"), Rejection.UNSURE),
        (quote("60300.0000000001", CHAINLINK), Rejection.OUTLIER),
        (quote("59699.9999999999", CHAINLINK), Rejection.OUTLIER),
    ],
)
def test_a_quote_that_does_not_count_keeps_its_reason(unsound: Quote, reason: Rejection) -> None:
    seen = look(unsound, quote(60_000, VENUE), quote(60_000, PYTH))

    assert reasons(seen) == {CHAINLINK: reason}
    assert seen.agreed is not None
    assert (seen.agreed.price, seen.agreed.sources) == (Price.of(60_000), (PYTH, VENUE))


@pytest.mark.parametrize("edge", ["60300", "59700"])
def test_half_a_percent_from_the_median_still_counts(edge: str) -> None:
    seen = look(quote(edge, CHAINLINK), quote(60_000, VENUE), quote(60_000, PYTH))

    assert (seen.rejected, seen.trouble) == ((), None)


def test_an_agreed_price_is_as_old_as_its_oldest_quote() -> None:
    seen = look(quote(60_000, CHAINLINK, age=1), quote(60_002, VENUE, age=4), quote(60_001, PYTH))

    assert seen.agreed == AgreedPrice(
        symbol="BTC-USD", price=Price.of(60_001), published_at=NOW - timedelta(seconds=4), sources=(CHAINLINK, PYTH, VENUE)
    )
    assert (seen.last_known, seen.trouble) == (seen.agreed, None)


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ({}, PriceTrouble.PRICE_STALE),
        # Nobody is left to confirm it.
        ({VENUE: 60_000}, PriceTrouble.PRICE_STALE),
        # Which of the two lies, their weights can't tell.
        ({VENUE: 60_600, PYTH: 60_000}, PriceTrouble.PRICE_DISAGREEMENT),
        ({PYTH: 60_600, CHAINLINK: 60_000}, PriceTrouble.PRICE_DISAGREEMENT),
        ({VENUE: 60_000, PYTH: 60_600, CHAINLINK: 61_200}, PriceTrouble.PRICE_DISAGREEMENT),
        ({VENUE: 60_000, PYTH: 60_200}, None),
        ({VENUE: 60_600, PYTH: 60_000, CHAINLINK: 60_000}, None),
        ({VENUE: 60_000, PYTH: 60_600, CHAINLINK: 60_000}, None),
    ],
)
def test_two_sources_must_agree_where_several_are_set_up(said: dict[str, int], trouble: PriceTrouble | None) -> None:
    seen = look(*(quote(price, source) for source, price in said.items()))

    assert seen.trouble == trouble
    assert (seen.agreed is None) is (trouble is not None)


def test_where_nothing_is_set_up_one_source_is_needed_still() -> None:
    assert look(expected=[]).trouble is PriceTrouble.PRICE_STALE
    assert look(quote(60_000, VENUE), expected=[]).trouble is None


def test_the_smallest_price_is_one_unit() -> None:
    seen = look(quote("0.0000000001", VENUE), quote("0.0000000001", PYTH))

    assert seen.agreed is not None
    assert (seen.agreed.price, seen.rejected) == (Price.from_raw(1), ())


def test_one_that_lies_while_another_is_frozen_is_a_disagreement() -> None:
    seen = look(quote(60_600, PYTH), quote(60_000, CHAINLINK), quote(60_000, VENUE, age=6))

    assert (seen.trouble, reasons(seen)) == (
        PriceTrouble.PRICE_DISAGREEMENT,
        {VENUE: Rejection.STALE, PYTH: Rejection.OUTLIER},
    )


def test_a_lone_source_is_believed_where_no_other_is_set_up() -> None:
    assert look(quote(60_000, VENUE), expected=[VENUE]).trouble is None


def test_less_than_half_of_the_fresh_weight_is_no_agreement() -> None:
    said = [("a", 60_000, "1"), ("b", 60_000, "1"), ("c", 61_000, "1.2"), ("d", 59_000, "1.2")]
    quotes = [
        Quote(
            symbol="BTC-USD",
            source=source,
            price=Price.of(price),
            confidence=Price.zero(),
            weight=Decimal(weight),
            published_at=NOW,
            limit=timedelta(seconds=5),
        )
        for source, price, weight in said
    ]

    half = [*quotes[:2], *(replace(each, weight=Decimal(1)) for each in quotes[2:])]

    assert look(*half, expected="abcd").trouble is None
    assert look(*quotes, expected="abcd").trouble is PriceTrouble.PRICE_DISAGREEMENT
    assert look(*quotes[:3], expected="abc").trouble is None


def test_a_cross_check_that_agrees_is_near_and_no_source() -> None:
    seen = look(quote(60_000, VENUE), quote(60_000, PYTH), quote(60_000, "coingecko"))

    assert seen.agreed is not None
    assert (len(seen.near), seen.agreed.sources) == (3, (PYTH, VENUE))


def test_a_cross_check_is_no_witness() -> None:
    seen = look(quote(60_000, VENUE), quote(60_600, PYTH), quote(60_000, "coingecko"))

    assert seen.trouble is PriceTrouble.PRICE_DISAGREEMENT


def test_a_cross_check_never_counts_and_is_still_judged() -> None:
    alone = look(quote(60_000, VENUE), quote(60_000, "coingecko"), expected=[VENUE, PYTH])
    beside = look(quote(60_000, VENUE), quote(60_000, PYTH), quote(70_000, "coingecko"))

    assert (alone.trouble, alone.counted) == (PriceTrouble.PRICE_STALE, (quote(60_000, VENUE),))
    assert (beside.trouble, reasons(beside)) == (None, {"coingecko": Rejection.OUTLIER})


@pytest.mark.parametrize(("age", "is_known"), [(0, True), (30, True), (30.001, False)])
def test_without_agreement_the_last_price_is_known_for_thirty_seconds(age: float, is_known: bool) -> None:
    seen = look(kept=kept(age))

    assert seen.trouble is PriceTrouble.PRICE_STALE
    assert seen.last_known == (kept(age).agreed if is_known else None)


@pytest.mark.parametrize(
    ("sequencer", "settled"),
    [
        (None, True),
        (Sequencer(up_since=NOW - timedelta(hours=1), seen_at=NOW), True),
        (Sequencer(up_since=NOW - timedelta(minutes=59), seen_at=NOW), False),
        (Sequencer(up_since=None, seen_at=NOW), False),
        (Sequencer(up_since=NOW - timedelta(days=1), seen_at=NOW - timedelta(seconds=60)), True),
        (Sequencer(up_since=NOW - timedelta(days=1), seen_at=NOW - timedelta(seconds=61)), False),
        (Sequencer(up_since=None, seen_at=None), False),
        (Sequencer(up_since=NOW - timedelta(days=1), seen_at=None), False),
    ],
)
def test_the_sequencer_must_be_up_for_an_hour_and_lately_seen(sequencer: Sequencer | None, settled: bool) -> None:
    seen = look(quote(60_000, VENUE), quote(60_000, PYTH), sequencer=sequencer, kept=kept(1))

    assert is_settled(sequencer, now=NOW) is settled
    assert seen.trouble == (None if settled else PriceTrouble.SEQUENCER_DOWN)
    assert seen.last_known is not None


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
    quotes = [quote(number, weight=weight) for number, weight in enumerate(weights, start=1)]

    assert weighted_median(quotes) == weighted_median(quotes[::-1]) == Price.of(price)


def test_without_a_quote_there_is_no_median() -> None:
    with pytest.raises(ValueError, match=r"^no quote, no median$"):
        weighted_median([])


def test_a_distance_is_rounded_toward_minus_infinity() -> None:
    assert distance(Price.from_raw(4), base=Price.from_raw(3)) == Percent.of("33.3333333333")
    assert distance(Price.from_raw(2), base=Price.from_raw(3)) == Percent.of("-33.3333333334")


@pytest.mark.parametrize(("price", "away"), [("60300", "0.5"), ("59700", "-0.5"), ("60000", "0")])
def test_a_distance_is_a_share_of_the_base(price: str, away: str) -> None:
    assert distance(Price.of(price), base=Price.of(60_000)) == Percent.of(away)


_RAW = st.integers(10**10, 10**15)
_WEIGHT = st.sampled_from(["0.5", "1", "1.5", "2"])


def _quotes(said: list[tuple[int, str]]) -> list[Quote]:
    return [
        Quote(
            symbol="BTC-USD",
            source=str(number),
            price=Price.from_raw(raw),
            confidence=Price.zero(),
            weight=Decimal(weight),
            published_at=_at(number),
            limit=timedelta(seconds=5),
        )
        for number, (raw, weight) in enumerate(said)
    ]


def _at(number: int) -> datetime:
    return NOW - timedelta(milliseconds=number)


@given(said=st.lists(st.tuples(_RAW, _WEIGHT), max_size=6), chance=st.randoms(use_true_random=False))
def test_the_order_of_quotes_does_not_matter(said: list[tuple[int, str]], chance: Any) -> None:
    quotes = _quotes(said)
    shuffled = chance.sample(quotes, len(quotes))
    expected = [each.source for each in quotes]
    first, second = (look(*order, expected=expected) for order in (quotes, shuffled))

    assert (first.agreed, first.trouble) == (second.agreed, second.trouble)
    assert set(first.counted) == set(second.counted)


@given(said=st.lists(st.tuples(st.integers(10**14, 10**14 + 10**12), _WEIGHT), min_size=1, max_size=6))
def test_the_agreed_price_lies_within_the_counted_quotes(said: list[tuple[int, str]]) -> None:
    quotes = _quotes(said)
    seen = look(*quotes, expected=[each.source for each in quotes])

    if seen.agreed is not None:
        raws = [each.price.raw for each in seen.counted]
        assert min(raws) <= seen.agreed.price.raw <= max(raws)
        assert len(seen.agreed.sources) >= min(2, len(quotes))


@given(
    honest=st.lists(st.tuples(st.integers(-(10**9), 10**9), _WEIGHT), min_size=1, max_size=5),
    lie=st.integers(1, 10**16),
    share=st.integers(1, 99),
)
def test_a_liar_of_less_than_half_of_the_weight_moves_the_price_by_half_a_percent_at_most(
    honest: list[tuple[int, str]], lie: int, share: int
) -> None:
    middle = 6 * 10**14
    truths = _quotes([(middle + offset, weight) for offset, weight in honest])
    weight = sum(each.weight for each in truths) * share / 100
    liar = Quote(
        symbol="BTC-USD",
        source="liar",
        price=Price.from_raw(lie),
        confidence=Price.zero(),
        weight=weight,
        published_at=NOW,
        limit=timedelta(seconds=5),
    )
    seen = look(*truths, liar, expected=[*(each.source for each in truths), "liar"])

    if seen.agreed is not None:
        raws = [each.price.raw for each in truths]
        assert min(raws) * 995 <= seen.agreed.price.raw * 1000 <= max(raws) * 1005
