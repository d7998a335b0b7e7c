"""Limits of several scopes become one: the strictest."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain.decision import Verdict, evaluate
from risk.domain.policy import EffectivePolicy, Limits, PolicyRow, Scope, in_effect, loosened, strictest
from risk.domain.rules import RULES
from risk.domain.situation import Pace
from tests.unit.risk.domain.situations import MARKET, OPEN, close, exposed, situation
from trading.domain.units import Leverage, Percent, Price, Usdc

CEILING = Leverage.of(500)
FREE = replace(MARKET, min_notional=Usdc.zero(), max_leverage=CEILING)


def row(scope: Scope, *, user: int | None = None, symbol: str | None = None, **limits: Any) -> PolicyRow:
    return PolicyRow(scope=scope, limits=Limits(**limits), tg_user_id=user, symbol=symbol)


def holding(*rows: PolicyRow, source: Limits | None = None) -> EffectivePolicy:
    return in_effect(rows, source=source or Limits(), ceiling=CEILING, tg_user_id=123, symbol="BTC-USD")


def test_without_policies_only_the_ceiling_holds() -> None:
    nothing = Limits()
    assert holding() == EffectivePolicy(overall=Limits(max_leverage=CEILING), desk=nothing, symbol=nothing, account=nothing)


def test_a_policy_in_effect_has_a_ceiling_of_leverage() -> None:
    with pytest.raises(ValueError, match=r"^a policy in effect has a ceiling of leverage$"):
        _ = replace(holding(), overall=Limits()).max_leverage


def test_the_strictest_of_all_scopes_holds() -> None:
    found = holding(
        row(Scope.GLOBAL, max_leverage=Leverage.of(50), max_position=Usdc.of(100_000)),
        row(Scope.USER, max_leverage=Leverage.of(20), max_position=Usdc.of(200_000), user=123),
        row(Scope.SYMBOL, max_leverage=Leverage.of(30), max_position=Usdc.of(5_000), symbol="BTC-USD"),
    )
    assert found.max_leverage == Leverage.of(20)
    assert found.max_user_position == Usdc.of(100_000)
    assert found.symbol.max_position == Usdc.of(5_000)


def test_a_source_lowers_and_never_raises() -> None:
    of_desk = row(Scope.GLOBAL, max_leverage=Leverage.of(50), max_position=Usdc.of(100))
    lower = holding(of_desk, source=Limits(max_leverage=Leverage.of(5), max_position=Usdc.of(50)))
    assert (lower.max_leverage, lower.max_user_position) == (Leverage.of(5), Usdc.of(50))
    higher = holding(of_desk, source=Limits(max_leverage=Leverage.of(500), max_position=Usdc.of(500)))
    assert (higher.max_leverage, higher.max_user_position) == (Leverage.of(50), Usdc.of(100))


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
def test_each_limit_has_its_stricter_side(name: str) -> None:
    larger = {
        "liquidation_buffer",
        "cooldown_minutes",
        "stop_loss_minutes",
        "min_profit",
        "min_profit_minutes",
        "circuit_breaker",
    }
    low, high = (False, True) if name == "circuit_breaker" else (1, 2)
    both = strictest([Limits(**{name: low}), Limits(**{name: high}), Limits()])
    assert getattr(both, name) == (high if name in larger else low)


def test_nobody_passes_the_ceiling() -> None:
    assert holding(row(Scope.GLOBAL, max_leverage=Leverage.of(1_000))).max_leverage == CEILING


def test_a_policy_of_another_user_or_market_says_nothing() -> None:
    one = Leverage.of(1)
    strangers = (
        row(Scope.USER, max_leverage=one, circuit_breaker=True, user=124),
        row(Scope.SYMBOL, max_leverage=one, circuit_breaker=True, symbol="ETH-USD"),
    )
    assert holding(*strangers) == holding()


@pytest.mark.parametrize(
    "breaker",
    [
        row(Scope.GLOBAL, circuit_breaker=True),
        row(Scope.USER, circuit_breaker=True, user=123),
        row(Scope.SYMBOL, circuit_breaker=True, symbol="BTC-USD"),
    ],
    ids=lambda each: str(each.scope),
)
def test_one_circuit_breaker_is_enough(breaker: PolicyRow) -> None:
    assert holding(row(Scope.GLOBAL), breaker).overall.circuit_breaker is True


def test_a_limit_of_zero_is_a_limit() -> None:
    assert holding(row(Scope.GLOBAL, max_position=Usdc.zero())).max_user_position == Usdc.zero()


def test_what_is_loosened_is_named() -> None:
    before = Limits(max_position=Usdc.of(5), liquidation_buffer=Percent.of(5), max_open_positions=3, circuit_breaker=True)
    after = Limits(max_position=Usdc.of(6), liquidation_buffer=Percent.of(4), max_open_positions=2)
    assert loosened(before, after) == ["max_position", "liquidation_buffer", "circuit_breaker"]
    # Taking a limit away allows everything.
    assert loosened(Limits(max_drawdown=Percent.of(1)), Limits()) == ["max_drawdown"]
    assert loosened(Limits(), before) == []


AMOUNTS: dict[str, st.SearchStrategy[Any]] = {
    "Leverage": st.integers(1, 600).map(Leverage.of),
    "Usdc": st.integers(0, 20_000).map(Usdc.of),
    "Percent": st.integers(0, 100).map(Percent.of),
    "int": st.integers(0, 10),
}


def _values(kind: str) -> st.SearchStrategy[Any]:
    if "bool" in kind:
        return st.booleans()
    name = kind.partition(" ")[0].rpartition(".")[2]
    return st.none() | AMOUNTS[name]


some_limits = st.fixed_dictionaries({}, optional={each.name: _values(str(each.type)) for each in fields(Limits)}).map(
    lambda said: Limits(**said)
)
rows = st.builds(
    lambda scope, limits, user, symbol: PolicyRow(scope=scope, limits=limits, tg_user_id=user, symbol=symbol),
    st.sampled_from(Scope),
    some_limits,
    st.sampled_from((None, 123, 124)),
    st.sampled_from((None, "BTC-USD", "ETH-USD")),
)


@given(
    several=st.lists(rows, max_size=4),
    tighter=rows,
    collateral=st.integers(1, 10_000),
    leverage=st.integers(1, 600),
    stop=st.none() | st.integers(50_000, 60_000),
    price=st.none() | st.integers(59_000, 61_000),
    opened=st.integers(0, 10_000),
    count=st.integers(0, 8),
)
def test_another_limit_never_allows_more(
    several: list[PolicyRow], tighter: PolicyRow, collateral: int, leverage: int, stop: int | None, price: int | None,
    opened: int, count: int,
) -> None:  # fmt: skip
    wanted = replace(
        OPEN,
        collateral=Usdc.of(collateral),
        leverage=Leverage.of(leverage),
        stop_loss=None if stop is None else Price.of(stop),
        price=None if price is None else Price.of(price),
    )
    pace = Pace(opens_in_minute=count, trades_in_day=count, collateral_in_hour=Usdc.of(opened), volume_in_day=Usdc.of(opened))

    def verdict(*policies: PolicyRow) -> Verdict:
        given_these = situation(
            wanted, policy=holding(*policies), market=FREE, exposed=(exposed(opened, positions=count),), pace=pace
        )
        return evaluate(given_these, rules=RULES).verdict

    if verdict(*several) is Verdict.DENIED:
        assert verdict(*several, tighter) is Verdict.DENIED


@given(several=st.lists(rows, max_size=4))
def test_no_policy_stands_in_the_way_of_an_exit(several: list[PolicyRow]) -> None:
    assert evaluate(close(policy=holding(*several)), rules=RULES).verdict is Verdict.APPROVED


@given(several=st.lists(rows, max_size=4))
def test_the_order_of_policies_does_not_matter(several: list[PolicyRow]) -> None:
    assert holding(*several) == holding(*reversed(several))


@given(one=some_limits, other=some_limits)
def test_the_strictest_loosens_nothing(one: Limits, other: Limits) -> None:
    both = strictest([one, other])
    assert loosened(one, both) == loosened(other, both) == []
