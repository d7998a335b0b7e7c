"""What is offered for a gas, first and again."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from execution.domain.fees import (
    MIN_TIP,
    FeeQuote,
    Offer,
    call_ceiling,
    first_offer,
    gas_limit,
    higher_offer,
    is_affordable,
)
from trading.domain.units import Wei

GWEI = 10**9
CEILING = Wei(500 * GWEI)

wei = st.integers(min_value=0, max_value=1_000 * GWEI).map(Wei)
quotes = st.builds(FeeQuote, base_fee=wei, tip=wei)
last_offers = st.integers(min_value=1, max_value=600 * GWEI).flatmap(
    lambda cap: st.builds(Offer, fee_cap=st.just(Wei(cap)), tip_cap=st.integers(min_value=0, max_value=cap).map(Wei))
)


def test_the_first_offer_is_twice_the_base_fee_and_the_tip() -> None:
    offer = first_offer(FeeQuote(base_fee=Wei(7 * GWEI), tip=Wei(2 * GWEI)), ceiling=CEILING)

    assert offer == Offer(fee_cap=Wei(16 * GWEI), tip_cap=Wei(2 * GWEI))


def test_the_tip_never_falls_below_what_a_builder_looks_at() -> None:
    offer = first_offer(FeeQuote(base_fee=Wei(100), tip=Wei(0)), ceiling=CEILING)

    assert offer == Offer(fee_cap=Wei(1_000_200), tip_cap=MIN_TIP)


def test_the_first_offer_stops_at_the_ceiling() -> None:
    offer = first_offer(FeeQuote(base_fee=Wei(300 * GWEI), tip=Wei(GWEI)), ceiling=CEILING)

    assert offer == Offer(fee_cap=CEILING, tip_cap=Wei(GWEI))


def test_a_tip_above_the_ceiling_is_cut_to_the_cap() -> None:
    offer = first_offer(FeeQuote(base_fee=Wei(0), tip=Wei(501 * GWEI)), ceiling=CEILING)

    assert offer == Offer(fee_cap=CEILING, tip_cap=CEILING)


@given(quote=quotes)
def test_no_first_offer_is_above_the_ceiling_and_no_tip_above_its_cap(quote: FeeQuote) -> None:
    offer = first_offer(quote, ceiling=CEILING)

    assert offer.tip_cap <= offer.fee_cap <= CEILING


@given(last=last_offers, quote=quotes, number=st.integers(1, 9))
def test_a_higher_offer_rises_by_ten_percent_on_both_fields_and_never_above_the_ceiling(
    last: Offer, quote: FeeQuote, number: int
) -> None:
    offer = higher_offer(last, quote=quote, ceiling=CEILING, number=number)

    if offer is None:
        assert Fraction(last.fee_cap.raw) * Fraction(11, 10) > CEILING.raw
        return
    assert offer.fee_cap <= CEILING
    assert Fraction(offer.fee_cap.raw) >= Fraction(last.fee_cap.raw) * Fraction(11, 10)
    assert Fraction(offer.tip_cap.raw) >= Fraction(last.tip_cap.raw) * Fraction(11, 10)
    assert offer.tip_cap <= offer.fee_cap


@given(last=last_offers, quote=quotes)
def test_a_higher_offer_is_never_below_the_market(last: Offer, quote: FeeQuote) -> None:
    offer = higher_offer(last, quote=quote, ceiling=CEILING, number=1)
    fresh = first_offer(quote, ceiling=CEILING)

    assert offer is None or (offer.fee_cap >= fresh.fee_cap and offer.tip_cap >= fresh.tip_cap)


def test_a_bump_is_an_eighth_rounded_up() -> None:
    quote = FeeQuote(base_fee=Wei(1), tip=Wei(1))

    last = Offer(fee_cap=Wei(80_000_001), tip_cap=Wei(8_000_001))
    offers = [higher_offer(last, quote=quote, ceiling=CEILING, number=number) for number in (1, 2, 3)]

    assert offers == [Offer(fee_cap=Wei(90_000_002), tip_cap=Wei(9_000_002))] * 3


def test_an_exit_gives_the_tip_of_those_in_a_hurry() -> None:
    quote = FeeQuote(base_fee=Wei(100), tip=Wei(2 * GWEI), urgent_tip=Wei(5 * GWEI))

    assert first_offer(quote, ceiling=CEILING).tip_cap == Wei(2 * GWEI)
    assert first_offer(quote.urgent, ceiling=CEILING) == Offer(fee_cap=Wei(200 + 5 * GWEI), tip_cap=Wei(5 * GWEI))


def test_from_the_fourth_on_it_is_a_quarter() -> None:
    quote = FeeQuote(base_fee=Wei(1), tip=Wei(1))

    offer = higher_offer(Offer(fee_cap=Wei(80_000_001), tip_cap=Wei(8_000_001)), quote=quote, ceiling=CEILING, number=4)

    assert offer == Offer(fee_cap=Wei(100_000_002), tip_cap=Wei(10_000_002))


def test_near_the_ceiling_the_least_step_that_nodes_take_is_made() -> None:
    last = Offer(fee_cap=Wei(450 * GWEI), tip_cap=Wei(GWEI))

    offer = higher_offer(last, quote=FeeQuote(base_fee=Wei(1), tip=Wei(1)), ceiling=CEILING, number=1)

    assert offer == Offer(fee_cap=Wei(495 * GWEI), tip_cap=Wei(GWEI * 11 // 10))


def test_at_the_ceiling_there_is_no_higher_offer() -> None:
    last = Offer(fee_cap=Wei(455 * GWEI), tip_cap=Wei(GWEI))

    assert higher_offer(last, quote=FeeQuote(base_fee=Wei(1), tip=Wei(1)), ceiling=CEILING, number=1) is None


@given(quote=quotes)
def test_above_whatever_a_call_offered_its_cancellation_still_fits(quote: FeeQuote) -> None:
    call = first_offer(quote, ceiling=call_ceiling(CEILING))

    cancellation = higher_offer(call, quote=quote, ceiling=CEILING, number=1)

    assert cancellation is not None
    assert cancellation.fee_cap <= CEILING


def test_a_market_above_the_ceiling_is_not_affordable() -> None:
    at = [is_affordable(FeeQuote(base_fee=Wei(base), tip=Wei(0)), ceiling=Wei(100_000_000)) for base in (99_000_000, 99_000_001)]

    assert at == [True, False]


def test_the_gas_limit_is_a_fifth_above_the_estimate_rounded_up_and_never_above_the_cap() -> None:
    limits = [gas_limit(estimate, cap=16_777_216) for estimate in (0, 1, 21_000, 100_001, 13_981_013, 13_981_014, 30_000_000)]

    assert limits == [0, 2, 25_200, 120_002, 16_777_216, 16_777_216, 16_777_216]
