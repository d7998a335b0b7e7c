"""Terms: which change lets more through, and when losses stop a following."""

from dataclasses import replace

import pytest

from risk.domain.following import Sizing, Terms, raised, said, stopped
from trading.domain.units import Leverage, Percent, Usdc

TERMS = Terms(
    sizing=Sizing.FIXED,
    fixed=Usdc.of(50),
    max_trade=Usdc.of(100),
    max_day=Usdc.of(500),
    max_leverage=Leverage.of(5),
    max_slippage=Percent.of("0.5"),
    symbols=frozenset({"BTC-USD", "ETH-USD"}),
    max_losses=3,
    max_drawdown=Usdc.of(40),
)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, []),
        ({"fixed": Usdc.of(51)}, ["fixed"]),
        ({"fixed": Usdc.of(49)}, []),
        ({"max_trade": Usdc.of(101)}, ["max_trade"]),
        ({"max_trade": None}, ["max_trade"]),
        ({"max_day": Usdc.of(499)}, []),
        ({"max_day": None}, ["max_day"]),
        ({"max_leverage": Leverage.of(6)}, ["max_leverage"]),
        ({"max_slippage": Percent.of(1)}, ["max_slippage"]),
        ({"max_losses": 4}, ["max_losses"]),
        ({"max_losses": 2}, []),
        ({"max_drawdown": None}, ["max_drawdown"]),
        ({"symbols": frozenset({"BTC-USD"})}, []),
        ({"symbols": frozenset({"BTC-USD", "SOL-USD"})}, ["symbols"]),
        ({"symbols": frozenset()}, ["symbols"]),
        ({"sizing": Sizing.MIRROR, "fixed": None, "share": Percent.of(1)}, ["sizing", "fixed"]),
    ],
)
def test_what_lets_more_through_is_named(change: dict[str, object], names: list[str]) -> None:
    assert raised(TERMS, replace(TERMS, **change)) == names


def test_a_cap_where_there_was_none_raises_nothing() -> None:
    free = Terms(sizing=Sizing.FIXED, fixed=Usdc.of(50))

    assert raised(free, replace(free, max_trade=Usdc.of(10), symbols=frozenset({"BTC-USD"}))) == []


@pytest.mark.parametrize(
    ("profits", "why"),
    [
        ([], None),
        (["-1", "-1"], None),
        (["-1", "-1", "-1"], "losses in a row: 3, limit 3"),
        (["-1", "-1", "1", "-1", "-1"], None),
        (["-1", "-1", "0", "-1", "-1"], None),
        (["10", "-49.999999"], "drawdown: $49.999999, limit $40"),
        (["10", "-39.999999"], None),
        (["10", "-40"], "drawdown: $40, limit $40"),
        (["-40"], "drawdown: $40, limit $40"),
        (["30", "-20", "5", "-25"], "drawdown: $40, limit $40"),
    ],
)
def test_losses_in_a_row_and_a_fall_from_the_best_stop(profits: list[str], why: str | None) -> None:
    found = stopped([Usdc.of(each) for each in profits], TERMS)

    assert (None if found is None else str(found)) == why


def test_without_limits_nothing_stops() -> None:
    assert stopped([Usdc.of(-1_000)] * 100, Terms(sizing=Sizing.FIXED, fixed=Usdc.of(50))) is None


def test_terms_are_kept_without_what_they_don_t_say() -> None:
    assert said(replace(TERMS, max_day=None, max_drawdown=None)) == {
        "sizing": "FIXED",
        "fixed": "50",
        "max_trade": "100",
        "max_leverage": "5",
        "max_slippage": "0.5",
        "symbols": "BTC-USD ETH-USD",
        "max_losses": 3,
    }
