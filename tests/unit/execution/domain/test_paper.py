"""The paper venue's arithmetic, against fractions."""

from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from execution.domain.paper import fill_close, fill_open
from tests.integration.devnet import arithmetic
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

SPREAD = Percent.of("0.01")
FEE = Percent.of("0.045")
HUNDRED = 100 * 10**10

directions = st.sampled_from(Direction)
collaterals = st.integers(min_value=1_000_000, max_value=10**13).map(Usdc)
leverages = st.integers(min_value=10**10, max_value=75 * 10**10).map(Leverage)
prices = st.integers(min_value=10**8, max_value=10**16).map(Price)


def _fee(collateral: Usdc, leverage: Leverage) -> int:
    notional = ceil(Fraction(collateral.raw * leverage.raw, 10**10))
    return ceil(notional * Fraction(FEE.raw, HUNDRED))


def _with_spread(price: Price, *, buys: bool) -> int:
    moved = price.raw * (1 + Fraction(SPREAD.raw, HUNDRED) * (1 if buys else -1))
    return ceil(moved) if buys else floor(moved)


@given(direction=directions, collateral=collaterals, leverage=leverages, price=prices)
def test_an_open_costs_its_fee_and_its_spread_rounded_against_us(
    direction: Direction, collateral: Usdc, leverage: Leverage, price: Price
) -> None:
    fill = fill_open(price=price, spread=SPREAD, fee=FEE, direction=direction, collateral=collateral, leverage=leverage)

    assert fill.fee.raw == _fee(collateral, leverage)
    assert fill.collateral == collateral - fill.fee
    assert fill.price.raw == _with_spread(price, buys=direction is Direction.LONG)
    assert fill.payout == Usdc.zero()


@given(direction=directions, collateral=collaterals, leverage=leverages, price=prices, entry=prices)
def test_a_close_pays_the_collateral_with_its_profit_less_the_fee_and_never_less_than_nothing(
    direction: Direction, collateral: Usdc, leverage: Leverage, price: Price, entry: Price
) -> None:
    fill = fill_close(
        price=price, spread=SPREAD, fee=FEE, direction=direction, collateral=collateral, leverage=leverage, entry=entry
    )

    is_long = direction is Direction.LONG
    at = _with_spread(price, buys=not is_long)
    move = Fraction(at - entry.raw if is_long else entry.raw - at, entry.raw)
    profit = floor(collateral.raw * Fraction(leverage.raw, 10**10) * move)
    assert fill.price.raw == at
    assert fill.payout.raw == max(0, collateral.raw + profit - _fee(collateral, leverage))
    assert (fill.collateral, fill.fee.raw) == (collateral, _fee(collateral, leverage))


@given(
    direction=directions,
    cents=st.integers(min_value=100, max_value=10**9),
    leverage=st.integers(min_value=1, max_value=75),
    dollars=st.integers(min_value=1, max_value=10**6),
)
def test_an_open_on_paper_is_what_the_contract_would_make_of_it(
    direction: Direction, cents: int, leverage: int, dollars: int
) -> None:
    # Multiples of two dollars: whatever the leverage, the contract has nothing to round either.
    collateral = Usdc(cents * 2_000_000)
    price = Price.of(dollars)

    fill = fill_open(
        price=price, spread=SPREAD, fee=FEE, direction=direction, collateral=collateral, leverage=Leverage.of(leverage)
    )

    there = arithmetic.opened(
        collateral=collateral.raw, leverage=leverage * 10**10, oracle=price.raw, buy=direction is Direction.LONG
    )
    assert (fill.collateral.raw, fill.price.raw, fill.fee.raw) == (there.collateral, there.price, there.fee)


@given(direction=directions, collateral=collaterals, leverage=leverages, price=prices)
def test_paper_is_never_better_than_the_contract(
    direction: Direction, collateral: Usdc, leverage: Leverage, price: Price
) -> None:
    fill = fill_open(price=price, spread=SPREAD, fee=FEE, direction=direction, collateral=collateral, leverage=leverage)

    is_long = direction is Direction.LONG
    there = arithmetic.opened(collateral=collateral.raw, leverage=leverage.raw, oracle=price.raw, buy=is_long)
    assert there.collateral - fill.collateral.raw in (0, 1, 2)
    assert (fill.price.raw - there.price if is_long else there.price - fill.price.raw) in (0, 1)


def test_a_loss_of_everything_pays_nothing() -> None:
    fill = fill_close(
        price=Price.of(30_000),
        spread=SPREAD,
        fee=FEE,
        direction=Direction.LONG,
        collateral=Usdc.of(100),
        leverage=Leverage.of(3),
        entry=Price.of(60_000),
    )

    assert fill.payout == Usdc.zero()
