"""From a share to collateral, rounded down, costs included."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from risk.domain import sizing
from risk.domain.sizing import Ground, Unsized
from trading.domain.position import Direction, liquidation_price
from trading.domain.signal import Size, SizeKind
from trading.domain.units import Leverage, Percent, Price, Usdc

GROUND = Ground(
    free=Usdc.of(1_000),
    equity=Usdc.of(2_000),
    leverage=Leverage.of(5),
    price=Price.of(100),
    stop_loss=Price.of(99),
    cost=Percent.zero(),
)
HALF = Size(kind=SizeKind.RISK_PCT, share=Percent.of("0.5"))


def test_position_size_risk() -> None:
    # 2,000 × 0.5 % = 10 lost at a stop 1 % away: a notional of 1,000, which is 200 at 5x.
    assert sizing.collateral(HALF, GROUND) == Usdc.of(200)


def test_costs_make_a_size_by_risk_smaller() -> None:
    # 1 % to the stop and 0.25 % of costs: 10 / 1.25 % = 800, which is 160 at 5x.
    assert sizing.collateral(HALF, replace(GROUND, cost=Percent.of("0.25"))) == Usdc.of(160)


def test_a_short_is_sized_by_the_same_distance() -> None:
    assert sizing.collateral(HALF, replace(GROUND, stop_loss=Price.of(101))) == Usdc.of(200)


def test_a_size_by_risk_never_asks_for_more_than_is_free() -> None:
    assert sizing.collateral(HALF, replace(GROUND, free=Usdc.of(150))) == Usdc.of(150)


def test_a_size_by_risk_needs_a_stop_and_a_price() -> None:
    assert sizing.collateral(HALF, replace(GROUND, stop_loss=None)) is Unsized.STOP_REQUIRED
    assert sizing.collateral(HALF, replace(GROUND, price=None)) is Unsized.PRICE_UNKNOWN


def test_a_stop_at_the_entry_sizes_by_the_costs_alone_or_not_at_all() -> None:
    at_entry = replace(GROUND, stop_loss=Price.of(100))
    assert sizing.collateral(HALF, at_entry) is Unsized.NOTHING
    assert sizing.collateral(HALF, replace(at_entry, cost=Percent.of("0.5"))) == Usdc.of(400)


def test_a_share_of_the_balance_is_of_what_is_free_and_rounds_down() -> None:
    third = Size(kind=SizeKind.BALANCE_PCT, share=Percent.of("33.3333333333"))
    assert sizing.collateral(third, replace(GROUND, free=Usdc.of("0.000010"))) == Usdc.of("0.000003")
    assert sizing.collateral(third, replace(GROUND, free=Usdc.of("0.000002"))) is Unsized.NOTHING
    assert sizing.collateral(third, replace(GROUND, free=Usdc.zero())) is Unsized.NOTHING


def test_one_unit_is_a_size() -> None:
    whole = Size(kind=SizeKind.BALANCE_PCT, share=Percent.of(100))
    assert sizing.collateral(whole, replace(GROUND, free=Usdc.from_raw(1))) == Usdc.from_raw(1)


def test_the_smallest_loss_there_is_sizes_a_position() -> None:
    unit = Price.from_raw(1)
    found = sizing.position(
        equity=Usdc.from_raw(1),
        risk=Percent.from_raw(1),
        entry=unit,
        stop=unit,
        leverage=Leverage.of(1),
        cost=Percent.from_raw(1),
    )
    assert found == Usdc.from_raw(1)


amounts = st.integers(1, 10**12).map(Usdc.from_raw)
levels = st.integers(10**8, 10**16).map(Price.from_raw)
leverages = st.integers(10**10, 500 * 10**10).map(Leverage.from_raw)
shares = st.integers(1, 100 * 10**10).map(Percent.from_raw)


@given(equity=amounts, risk=shares, entry=levels, stop=levels, leverage=leverages, cost=shares)
def test_what_is_sized_loses_no_more_than_was_asked(
    equity: Usdc, risk: Percent, entry: Price, stop: Price, leverage: Leverage, cost: Percent
) -> None:
    held = sizing.position(equity=equity, risk=risk, entry=entry, stop=stop, leverage=leverage, cost=cost)
    notional = Fraction(held.raw * leverage.raw, 10**10)
    for_each = Fraction(abs(entry.raw - stop.raw), entry.raw) + Fraction(cost.raw, Percent.HUNDRED)
    allowed = Fraction(equity.raw * risk.raw, Percent.HUNDRED)
    assert notional * for_each <= allowed
    # And one unit more would.
    assert (notional + Fraction(leverage.raw, 10**10)) * for_each > allowed


@given(stop=levels, entry=levels, size=amounts, cost=shares)
def test_the_loss_at_a_stop_is_rounded_against_us(stop: Price, entry: Price, size: Usdc, cost: Percent) -> None:
    exact = size.raw * (Fraction(abs(entry.raw - stop.raw), entry.raw) + Fraction(cost.raw, Percent.HUNDRED))
    found = sizing.loss_at(stop, entry=entry, notional=size, cost=cost)
    assert exact <= found.raw < exact + 1


@given(entry=levels, leverage=leverages)
def test_without_a_buffer_the_furthest_stop_is_the_liquidation(entry: Price, leverage: Leverage) -> None:
    furthest = sizing.furthest_stop(entry=entry, leverage=leverage, buffer=Percent.zero())
    assert entry - furthest == liquidation_price(direction=Direction.LONG, leverage=leverage, entry=entry)


@given(entry=levels, stop=levels, buffer=st.integers(0, 99 * 10**10).map(Percent.from_raw))
def test_at_the_safe_leverage_the_stop_is_allowed_and_above_it_is_not(entry: Price, stop: Price, buffer: Percent) -> None:
    safe = sizing.safe_leverage(entry=entry, stop=stop, buffer=buffer)
    if entry == stop:
        assert safe is None
        return
    assert safe is not None
    distance = abs(entry - stop)
    if safe:
        assert distance <= sizing.furthest_stop(entry=entry, leverage=safe, buffer=buffer)
    above = Leverage.from_raw(safe.raw + 1)
    exact = Fraction(85 * (Percent.HUNDRED - buffer.raw) * 10**10 * entry.raw, 100 * Percent.HUNDRED * above.raw)
    assert distance.raw > exact


def test_the_safe_leverage_of_a_stop_one_percent_away() -> None:
    # 0.85 × 0.95 / 0.01
    found = sizing.safe_leverage(entry=Price.of(100), stop=Price.of(99), buffer=Percent.of(5))
    assert found == Leverage.of("80.75")
