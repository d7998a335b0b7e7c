"""The parts of a difference: each named by what caused it alone, and all of them together to the unit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from risk.domain.tracking import Made, Parts, Report, Trade, report
from trading.domain.position import Direction
from trading.domain.units import Percent, Price, Usdc


def made(notional: str, *, entry: str = "100", price_pnl: str = "0", fees: str = "0", carrying: str = "0") -> Made:
    return Made(
        notional=Usdc.of(notional),
        entry=Price.of(entry),
        price_pnl=Usdc.of(price_pnl),
        fees=Usdc.of(fees),
        carrying=Usdc.of(carrying),
    )


# The leader put up 400 at 5x, entered at 100, left at 110, and paid 4 in fees and 2 for carrying.
LEADER = made("2000", price_pnl="200", fees="4", carrying="2")
# The follower's share of it: a tenth, in everything.
SAME = made("200", price_pnl="20", fees="0.4", carrying="0.2")
TRADE = Trade(
    direction=Direction.LONG, leader=LEADER, put_up=Usdc.of(400), notional=Usdc.of(2000), wanted=Usdc.of(40), copied=SAME
)


def only(**said: object) -> Report:
    return report([replace(TRADE, **said)])


def test_a_perfect_copy_differs_in_nothing() -> None:
    found = report([TRADE])

    assert (found.leader_net, found.leader_basis) == (Usdc.of(194), Usdc.of(400))
    assert (found.follower_net, found.follower_basis, found.expected) == (Usdc.of("19.4"), Usdc.of(40), Usdc.of("19.4"))
    assert found.leader_return == found.follower_return == Percent.of("48.5")
    assert found.parts == Parts()


@pytest.mark.parametrize(
    ("copied", "parts"),
    [
        # At half the size.
        (made("100", price_pnl="10", fees="0.2", carrying="0.1"), Parts(size=Usdc.of("-9.7"))),
        # Entered at 101, left at 110: 200 × 9 / 101.
        (made("200", entry="101", price_pnl="17.821782", fees="0.4", carrying="0.2"), Parts(entry=Usdc.of("-2.178218"))),
        # Entered with him, left at 109.
        (made("200", price_pnl="18", fees="0.4", carrying="0.2"), Parts(exit=Usdc.of(-2))),
        (made("200", price_pnl="20", fees="1", carrying="0.2"), Parts(fees=Usdc.of("-0.6"))),
        (made("200", price_pnl="20", fees="0.4", carrying="-1"), Parts(carrying=Usdc.of("1.2"))),
    ],
)
def test_each_part_is_named_by_what_caused_it_alone(copied: Made, parts: Parts) -> None:
    found = only(copied=copied)

    assert found.parts == parts
    assert found.follower_net - found.expected == parts.total


def test_a_short_that_entered_lower_made_less() -> None:
    # He left at 90; the follower entered at 99: 200 × 9 / 99.
    found = only(direction=Direction.SHORT, copied=replace(SAME, entry=Price.of(99), price_pnl=Usdc.of("18.181818")))

    assert found.parts == Parts(entry=Usdc.of("-1.818182"))


def test_what_wasn_t_copied_is_what_it_would_have_made_by_reason() -> None:
    found = report([replace(TRADE, copied=None, reason="STALE"), replace(TRADE, copied=None, reason="CAP_DAY"), TRADE])

    assert found.parts == Parts(not_copied={"CAP_DAY": Usdc.of("-19.4"), "STALE": Usdc.of("-19.4")})
    assert (found.follower_net, found.expected) == (Usdc.of("19.4"), Usdc.of("58.2"))


def test_an_increase_is_a_part_of_its_position() -> None:
    halves = [replace(TRADE, put_up=Usdc.of(200), notional=Usdc.of(1000), wanted=Usdc.of(20)) for _ in range(2)]
    copied = made("100", price_pnl="10", fees="0.2", carrying="0.1")

    found = report([replace(each, copied=copied) for each in halves])

    assert (found.leader_net, found.parts) == (Usdc.of(194), Parts())


def test_a_fixed_size_weighs_trades_otherwise_than_the_leader_did() -> None:
    small = replace(
        TRADE, leader=made("200", price_pnl="-20"), put_up=Usdc.of(40), notional=Usdc.of(200), copied=made("200", price_pnl="-20")
    )

    found = report([TRADE, small])

    # 174 on 440 would be 31.636363 on 80; the two made 19.4 and -20.
    assert (found.expected, found.follower_net) == (Usdc.of("31.636363"), Usdc.of("-0.6"))
    assert found.parts == Parts(size=Usdc.of("-32.236363"))


def test_a_day_without_a_trade_is_nothing() -> None:
    assert report([]).parts.total == Usdc.zero()
    assert report([]).leader_return == Percent.zero()


amounts = some.integers(-(10**9), 10**9).map(Usdc.from_raw)
sizes = some.integers(1, 10**9).map(Usdc.from_raw)
prices = some.integers(1, 10**15).map(Price.from_raw)
positions = some.builds(Made, notional=sizes, entry=prices, price_pnl=amounts, fees=amounts, carrying=amounts)
trades = some.builds(
    Trade,
    direction=some.sampled_from(Direction),
    leader=positions,
    put_up=sizes,
    notional=sizes,
    wanted=some.integers(0, 10**9).map(Usdc.from_raw),
    copied=some.none() | positions,
    reason=some.sampled_from(["STALE", "CAP_DAY"]),
)


@given(some.lists(trades, max_size=6))
def test_the_parts_add_up_to_the_unit(day: list[Trade]) -> None:
    found = report(day)

    assert found.follower_net - found.expected == found.parts.total
