"""A position's arithmetic, held against fractions."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW
from trading.domain.position import (
    LIFECYCLE,
    Direction,
    Exposure,
    FillFacts,
    FillKind,
    Held,
    Holding,
    PositionStatus,
    fold,
    gross_profit,
    liquidation_price,
    worst_price,
)
from trading.domain.signal import Side
from trading.domain.units import Leverage, Percent, Price, Usdc

prices = st.integers(min_value=1, max_value=10**7 * 10**10).map(Price.from_raw)
leverages = st.integers(min_value=10**10, max_value=500 * 10**10).map(Leverage.from_raw)
collaterals = st.integers(min_value=1, max_value=10**12).map(Usdc.from_raw)
directions = st.sampled_from(Direction)


def fill(kind: FillKind, collateral: str, *, pnl: str = "0", fee: str = "0", minute: int = 0, price: int = 60_000) -> FillFacts:
    return FillFacts(
        kind=kind,
        price=Price.of(price),
        collateral=Usdc.of(collateral),
        leverage=Leverage.of(3),
        realised_pnl=Usdc.of(pnl),
        earned=Usdc.of(pnl) - Usdc.of(fee),
        filled_at=NOW + timedelta(minutes=minute),
    )


@pytest.mark.parametrize("kind", [kind for kind in FillKind if kind.closes])
def test_a_position_without_its_opening_fill_is_nothing(kind: FillKind) -> None:
    assert fold([]) is None
    assert fold([fill(kind, "50")]) is None


def test_an_opening_fill_alone_is_an_open_position() -> None:
    assert fold([fill(FillKind.OPEN, "49.93", fee="0.07")]) == Holding(
        status=PositionStatus.OPEN,
        collateral=Usdc.of("49.93"),
        leverage=Leverage.of(3),
        entry_price=Price.of(60_000),
        realised_pnl=Usdc.zero(),
        net_pnl=Usdc.of("-0.07"),
        closed_at=None,
    )


def test_a_partial_close_leaves_the_rest_open() -> None:
    holding = fold([fill(FillKind.OPEN, "50"), fill(FillKind.CLOSE, "20.5", pnl="-1.25", minute=1)])
    assert holding is not None
    assert (holding.status, holding.collateral, holding.realised_pnl, holding.closed_at) == (
        PositionStatus.OPEN,
        Usdc.of("29.5"),
        Usdc.of("-1.25"),
        None,
    )


@pytest.mark.parametrize("kind", [kind for kind in FillKind if kind.closes])
def test_a_position_is_closed_by_the_fill_that_takes_the_last_of_it(kind: FillKind) -> None:
    holding = fold(
        [fill(FillKind.OPEN, "50"), fill(FillKind.CLOSE, "20", pnl="2", minute=1), fill(kind, "30", pnl="-5", minute=2)]
    )
    assert holding is not None
    assert (holding.status, holding.collateral, holding.realised_pnl, holding.closed_at) == (
        PositionStatus.CLOSED,
        Usdc.zero(),
        Usdc.of("-3"),
        NOW + timedelta(minutes=2),
    )


AFTER = Held(collateral=Usdc.of("69.5"), leverage=Leverage.of("2.5"), entry=Price.of(60_500))


@pytest.mark.parametrize("kind", [FillKind.INCREASE, FillKind.MARGIN])
def test_what_resizes_says_what_it_leaves(kind: FillKind) -> None:
    resizing = replace(fill(kind, "20", pnl="-0.5", fee="0.25", minute=1), after=AFTER)
    holding = fold([fill(FillKind.OPEN, "50"), resizing, fill(FillKind.CLOSE, "9.5", pnl="1", minute=2)])
    assert holding == Holding(
        status=PositionStatus.OPEN,
        collateral=Usdc.of(60),
        leverage=AFTER.leverage,
        entry_price=AFTER.entry,
        realised_pnl=Usdc.of("0.5"),
        net_pnl=Usdc.of("0.25"),
        closed_at=None,
    )


def test_more_closed_than_was_held_is_nothing_until_the_rest_is_read() -> None:
    closed = fill(FillKind.CLOSE, "60", minute=2)
    grown = replace(fill(FillKind.INCREASE, "20", minute=1), after=AFTER)
    assert fold([fill(FillKind.OPEN, "50"), closed]) is None
    holding = fold([fill(FillKind.OPEN, "50"), grown, closed])
    assert holding is not None
    assert holding.collateral == Usdc.of("9.5")


def test_what_was_adopted_is_held_as_it_was_found() -> None:
    adopted = fill(FillKind.ADOPTED, "40", minute=1, price=59_000)
    holding = fold([fill(FillKind.CLOSE, "10", pnl="2"), adopted])
    assert holding is not None
    assert (holding.collateral, holding.entry_price, holding.realised_pnl) == (Usdc.of(40), Price.of(59_000), Usdc.of(2))


def test_each_kind_opens_or_closes_or_does_neither() -> None:
    assert [kind for kind in FillKind if kind.opens] == [FillKind.OPEN, FillKind.INCREASE]
    assert [kind for kind in FillKind if not kind.opens and not kind.closes] == [FillKind.MARGIN, FillKind.ADOPTED]


def test_a_position_is_closed_when_its_last_fill_was_made() -> None:
    closing = [fill(FillKind.CLOSE, "10", minute=minute) for minute in (1, 2, 3)]
    holding = fold([fill(FillKind.OPEN, "30"), *closing])
    assert holding is not None
    assert holding.closed_at == NOW + timedelta(minutes=3)


@given(shares=st.lists(st.integers(min_value=1, max_value=10**9), min_size=1, max_size=6), rest=st.integers(0, 10**9))
def test_what_is_left_is_what_was_opened_less_what_was_closed(shares: list[int], rest: int) -> None:
    opening = fill(FillKind.OPEN, str(Usdc.from_raw(sum(shares) + rest)))
    closing = [fill(FillKind.CLOSE, str(Usdc.from_raw(share)), pnl="0.5", minute=number) for number, share in enumerate(shares)]
    holding = fold([opening, *closing])
    assert holding is not None
    assert holding.collateral.raw == rest
    assert holding.status is (PositionStatus.OPEN if rest else PositionStatus.CLOSED)
    assert holding.realised_pnl == Usdc.of("0.5").times_down(len(shares))


@given(direction=directions, collateral=collaterals, leverage=leverages, entry=prices, exit_price=prices)
def test_gross_profit_is_the_venues_formula_rounded_against_us(
    direction: Direction, collateral: Usdc, leverage: Leverage, entry: Price, exit_price: Price
) -> None:
    sign = 1 if direction is Direction.LONG else -1
    exact = Fraction(collateral.raw * leverage.raw, 10**10) * sign * (exit_price.raw - entry.raw) / entry.raw
    found = gross_profit(direction=direction, collateral=collateral, leverage=leverage, entry=entry, exit_price=exit_price).raw
    assert found <= exact < found + 1


@pytest.mark.parametrize(
    ("direction", "exit_price", "profit"),
    [
        (Direction.LONG, 66_000, "15"),
        (Direction.LONG, 54_000, "-15"),
        (Direction.SHORT, 66_000, "-15"),
        (Direction.SHORT, 54_000, "15"),
    ],
)
def test_a_tenth_of_the_price_is_three_tenths_of_the_collateral_at_3x(direction: Direction, exit_price: int, profit: str) -> None:
    found = gross_profit(
        direction=direction,
        collateral=Usdc.of(50),
        leverage=Leverage.of(3),
        entry=Price.of(60_000),
        exit_price=Price.of(exit_price),
    )
    assert found == Usdc.of(profit)


@pytest.mark.parametrize(("direction", "price"), [(Direction.LONG, 54_900), (Direction.SHORT, 65_100)])
def test_ten_times_leverage_is_liquidated_at_eight_and_a_half_percent(direction: Direction, price: int) -> None:
    assert liquidation_price(direction=direction, leverage=Leverage.of(10), entry=Price.of(60_000)) == Price.of(price)


@given(direction=directions, leverage=leverages, entry=prices)
def test_liquidation_is_foreseen_earlier_never_later(direction: Direction, leverage: Leverage, entry: Price) -> None:
    distance = Fraction(entry.raw * 85 * 10**10, 100 * leverage.raw)
    found = liquidation_price(direction=direction, leverage=leverage, entry=entry).raw
    if direction is Direction.LONG:
        assert 0 <= found - (entry.raw - distance) < 1
    else:
        assert 0 <= (entry.raw + distance) - found < 1


@given(price=prices, slippage=st.integers(0, 10 * 10**10).map(Percent.from_raw))
def test_the_worst_price_never_gives_more_than_the_slippage(price: Price, slippage: Percent) -> None:
    above = Fraction(price.raw * (Percent.HUNDRED + slippage.raw), Percent.HUNDRED)
    below = Fraction(price.raw * (Percent.HUNDRED - slippage.raw), Percent.HUNDRED)
    assert 0 <= above - worst_price(price=price, slippage=slippage, buys=True).raw < 1
    assert 0 <= worst_price(price=price, slippage=slippage, buys=False).raw - below < 1


def test_exposure_is_collateral_times_leverage_rounded_up() -> None:
    exposure = Exposure(symbol="BTC-USD", direction=Direction.LONG, collateral=Usdc.from_raw(1), leverage=Leverage.of("1.5"))
    assert exposure.notional == Usdc.from_raw(2)


def test_a_close_has_no_direction() -> None:
    assert (Direction.of(Side.LONG), Direction.of(Side.SHORT)) == (Direction.LONG, Direction.SHORT)
    with pytest.raises(ValueError, match="CLOSE"):
        Direction.of(Side.CLOSE)


def test_no_state_of_a_position_is_beyond_a_reorganization() -> None:
    assert LIFECYCLE.terminal == frozenset()
