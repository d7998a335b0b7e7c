"""The paper venue's arithmetic, against the definition of the contract's."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain import paper
from execution.domain.paper import Held, Terms, Wish
from tests.integration.devnet import arithmetic
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

TERMS = Terms(spread=Percent.of("0.01"), open_fee=Percent.of("0.045"), close_fee=Percent.of("0.045"), max_gain=Percent.of(2500))

directions = st.sampled_from(Direction)
collaterals = st.integers(min_value=1_000_000, max_value=10**13).map(Usdc)
leverages = st.integers(min_value=10**10, max_value=75 * 10**10).map(Leverage)
prices = st.integers(min_value=10**8, max_value=10**16).map(Price)
seconds = st.integers(min_value=0, max_value=90 * 24 * 3600)


def position(direction: Direction, collateral: Usdc, leverage: Leverage, entry: Price, **owed: Usdc) -> Held:
    return Held(direction=direction, collateral=collateral, leverage=leverage, entry=entry, **owed)


def there(held: Held) -> arithmetic.Opened:
    """A position as the contract has it."""
    return arithmetic.Opened(
        collateral=held.collateral.raw,
        leverage=held.leverage.raw,
        price=held.entry.raw,
        fee=0,
        buy=held.direction is Direction.LONG,
    )


@given(direction=directions, collateral=collaterals, leverage=leverages, price=prices)
def test_an_open_is_what_the_contract_makes_of_it(
    direction: Direction, collateral: Usdc, leverage: Leverage, price: Price
) -> None:
    fill = paper.fill_open(price=price, terms=TERMS, direction=direction, collateral=collateral, leverage=leverage)

    contract = arithmetic.opened(
        collateral=collateral.raw, leverage=leverage.raw, oracle=price.raw, buy=direction is Direction.LONG
    )
    assert (fill.collateral.raw, fill.price.raw, fill.fee.raw) == (contract.collateral, contract.price, contract.fee)
    assert (fill.payout, fill.rollover, fill.funding) == (Usdc.zero(),) * 3


@given(
    direction=directions,
    collateral=collaterals,
    leverage=leverages,
    entry=prices,
    move=st.integers(min_value=-3_000, max_value=3_000),
    share=st.integers(min_value=1, max_value=100),
    elapsed=seconds,
)
def test_a_close_is_what_the_contract_makes_of_it(
    direction: Direction, collateral: Usdc, leverage: Leverage, entry: Price, move: int, share: int, elapsed: int
) -> None:
    price = Price(entry.raw * (10_000 + move) // 10_000)
    bare = position(direction, collateral, leverage, entry)
    owed = Usdc(arithmetic.rollover(there(bare).notional, elapsed))
    amount = collateral.times_down(share, 100)

    fill = paper.fill_close(
        price=price, terms=TERMS, held=position(direction, collateral, leverage, entry, rollover=owed), amount=amount
    )

    contract = arithmetic.closed(there(bare), amount=amount.raw, oracle=price.raw, seconds=elapsed)
    assert (fill.price.raw, fill.payout.raw) == (contract.price, contract.sent)
    assert fill.payout - amount == fill.price_pnl - fill.fee - fill.rollover - fill.funding


@given(direction=directions, collateral=collaterals, leverage=leverages, entry=prices, elapsed=seconds)
def test_the_edge_of_liquidation_is_the_contracts(
    direction: Direction, collateral: Usdc, leverage: Leverage, entry: Price, elapsed: int
) -> None:
    bare = position(direction, collateral, leverage, entry)
    owed = Usdc(min(arithmetic.rollover(there(bare).notional, elapsed), collateral.raw * 85 // 100))

    edge = paper.liquidation_price(position(direction, collateral, leverage, entry, rollover=owed))

    loss = collateral.raw * 85 // 100 - owed.raw
    distance = entry.raw * loss * 10**10 // (collateral.raw * leverage.raw)
    assert edge.raw == (max(0, entry.raw - distance) if direction is Direction.LONG else entry.raw + distance)


@pytest.mark.parametrize(("funding", "sign"), [("0.5", -1), ("-0.5", 1)])
def test_funding_is_paid_or_earned_by_share(funding: str, sign: int) -> None:
    plain = position(Direction.LONG, Usdc.of(100), Leverage.of(10), Price.of(60_000))
    owing = position(Direction.LONG, Usdc.of(100), Leverage.of(10), Price.of(60_000), funding=Usdc.of(funding))

    before, after = (
        paper.fill_close(price=Price.of(60_000), terms=TERMS, held=each, amount=Usdc.of(40)) for each in (plain, owing)
    )

    assert after.payout - before.payout == Usdc(sign * 200_000)
    assert after.funding == Usdc(-sign * 200_000)
    assert after.price_pnl == before.price_pnl


def test_a_gain_ends_at_the_cap() -> None:
    held = position(Direction.LONG, Usdc.of(100), Leverage.of(10), Price.of(1_000))

    fill = paper.fill_close(price=Price.of(1_000_000), terms=TERMS, held=held, amount=Usdc.of(100))

    # 25 times the collateral and itself, less 0.045 % of a notional of 1,000.
    assert fill.payout == Usdc.of(2_600) - Usdc.of("0.45")


@pytest.mark.parametrize(("price", "payout"), [("91500", "0"), ("91500.1", "14.551")])
def test_what_has_lost_the_liquidations_share_pays_nothing(price: str, payout: str) -> None:
    held = position(Direction.LONG, Usdc.of(100), Leverage.of(10), Price.of(100_000))

    fill = paper.fill_close(
        price=Price.of(price),
        terms=Terms(**{**_without_spread(), "close_fee": Percent.of("0.045")}),
        held=held,
        amount=Usdc.of(100),
    )

    assert (str(fill.payout), fill.payout - fill.collateral) == (
        payout,
        fill.price_pnl - fill.fee - fill.rollover - fill.funding,
    )


def _without_spread() -> dict[str, Percent]:
    return {"spread": Percent.zero(), "open_fee": Percent.zero(), "close_fee": Percent.zero(), "max_gain": Percent.of(2500)}


@pytest.mark.parametrize(
    ("direction", "price", "is_reached"),
    [
        (Direction.LONG, "91500", True),
        (Direction.LONG, "91500.0000000001", False),
        (Direction.SHORT, "108500", True),
        (Direction.SHORT, "108499.9999999999", False),
    ],
)
def test_a_position_is_liquidated_at_its_edge_and_not_before(direction: Direction, price: str, is_reached: bool) -> None:
    held = position(direction, Usdc.of(100), Leverage.of(10), Price.of(100_000))

    assert paper.is_liquidated(held, price=Price.of(price)) is is_reached


def test_a_liquidation_pays_nothing_and_its_parts_add_up() -> None:
    held = position(Direction.LONG, Usdc.of(100), Leverage.of(10), Price.of(100_000), rollover=Usdc.of(1), funding=Usdc.of(-2))

    fill = paper.liquidate(price=Price.of(91_000), terms=TERMS, held=held)

    assert (fill.collateral, fill.payout, fill.fee) == (Usdc.of(100), Usdc.zero(), Usdc.zero())
    assert (fill.rollover, fill.funding, fill.price_pnl) == (Usdc.of(1), Usdc.of(-2), Usdc.of(-101))


# Why an order isn't filled.


def wish(direction: Direction, *, opens: bool = True, **levels: Price) -> Wish:
    return Wish(direction=direction, opens=opens, price=Price.of(100), slippage=Percent.of(1), **levels)


@pytest.mark.parametrize(
    ("direction", "opens", "within", "beyond"),
    [
        (Direction.LONG, True, "101", "101.0000000001"),
        (Direction.SHORT, False, "101", "101.0000000001"),
        (Direction.SHORT, True, "99", "98.9999999999"),
        (Direction.LONG, False, "99", "98.9999999999"),
    ],
)
def test_a_fill_slips_beyond_the_side_that_hurts(direction: Direction, opens: bool, within: str, beyond: str) -> None:
    said = [paper.trouble(_filled(price), wish(direction, opens=opens)) for price in (within, beyond)]

    assert said == ["", "HIGH_SLIPPAGE"]


@pytest.mark.parametrize(
    ("direction", "levels", "expected"),
    [
        (Direction.LONG, {"take_profit": Price.of(100)}, "WRONG_TP"),
        (Direction.LONG, {"stop_loss": Price.of(100)}, "WRONG_SL"),
        (Direction.SHORT, {"take_profit": Price.of(100)}, "WRONG_TP"),
        (Direction.SHORT, {"stop_loss": Price.of(100)}, "WRONG_SL"),
        (Direction.LONG, {"take_profit": Price.of("100.1"), "stop_loss": Price.of("99.9")}, ""),
        (Direction.SHORT, {"take_profit": Price.of("99.9"), "stop_loss": Price.of("100.1")}, ""),
    ],
)
def test_a_level_that_the_price_has_passed_is_refused(direction: Direction, levels: dict[str, Price], expected: str) -> None:
    assert paper.trouble(_filled("100"), wish(direction, **levels)) == expected


def _filled(price: str) -> paper.PaperFill:
    return paper.PaperFill(price=Price.of(price), collateral=Usdc.of(1), fee=Usdc.zero(), payout=Usdc.zero())


def test_the_contracts_notional_is_rounded_down() -> None:
    assert paper.size(Usdc(3), Leverage.of("1.5")) == Usdc(int(Fraction(9, 2)))
