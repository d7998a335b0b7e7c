"""Limits of several scopes become one: the strictest."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from risk.domain.decision import Verdict, evaluate
from risk.domain.policy import EffectivePolicy, Limits, PolicyRow, Scope, strictest
from risk.domain.rules import RULES
from tests.unit.risk.domain.situations import MARKET, entry
from trading.domain.units import Leverage, Usdc

CEILING = Leverage.of(500)
FREE = replace(MARKET, min_notional=Usdc.zero(), max_leverage=CEILING)


def row(
    scope: Scope, *, leverage: int | None = None, cap: int | None = None, breaker: bool = False, user: int | None = None,
    symbol: str | None = None,
) -> PolicyRow:  # fmt: skip
    limits = Limits(
        max_leverage=None if leverage is None else Leverage.of(leverage),
        max_position=None if cap is None else Usdc.of(cap),
        circuit_breaker=breaker,
    )
    return PolicyRow(scope=scope, limits=limits, tg_user_id=user, symbol=symbol)


def holding(*rows: PolicyRow) -> EffectivePolicy:
    return strictest(rows, ceiling=CEILING, tg_user_id=123, symbol="BTC-USD")


def test_without_policies_only_the_ceiling_holds() -> None:
    assert holding() == EffectivePolicy(
        max_leverage=CEILING, max_user_position=None, max_symbol_position=None, circuit_breaker=False
    )


def test_the_strictest_of_all_scopes_holds() -> None:
    found = holding(
        row(Scope.GLOBAL, leverage=50, cap=100_000),
        row(Scope.USER, leverage=20, cap=200_000, user=123),
        row(Scope.SYMBOL, leverage=30, cap=5_000, symbol="BTC-USD"),
    )
    assert found == EffectivePolicy(
        max_leverage=Leverage.of(20),
        max_user_position=Usdc.of(100_000),
        max_symbol_position=Usdc.of(5_000),
        circuit_breaker=False,
    )


def test_nobody_passes_the_ceiling() -> None:
    assert holding(row(Scope.GLOBAL, leverage=1_000)).max_leverage == CEILING


def test_a_policy_of_another_user_or_market_says_nothing() -> None:
    strangers = (row(Scope.USER, leverage=1, breaker=True, user=124), row(Scope.SYMBOL, cap=1, breaker=True, symbol="ETH-USD"))
    assert holding(*strangers) == holding()


def test_one_circuit_breaker_is_enough() -> None:
    for breaker in (
        row(Scope.GLOBAL, breaker=True),
        row(Scope.USER, breaker=True, user=123),
        row(Scope.SYMBOL, breaker=True, symbol="BTC-USD"),
    ):
        assert holding(row(Scope.GLOBAL), breaker).circuit_breaker is True


def test_a_limit_of_zero_is_a_limit() -> None:
    assert holding(row(Scope.GLOBAL, cap=0)).max_user_position == Usdc.zero()


limits = st.builds(
    row,
    st.sampled_from(Scope),
    leverage=st.none() | st.integers(1, 600),
    cap=st.none() | st.integers(0, 100_000),
    breaker=st.booleans(),
    user=st.sampled_from((None, 123, 124)),
    symbol=st.sampled_from((None, "BTC-USD", "ETH-USD")),
)


@given(
    rows=st.lists(limits, max_size=4),
    tighter=limits,
    collateral=st.integers(1, 10_000),
    leverage=st.integers(1, 600),
)
def test_another_limit_never_allows_more(rows: list[PolicyRow], tighter: PolicyRow, collateral: int, leverage: int) -> None:
    def verdict(*policies: PolicyRow) -> Verdict:
        wanted = entry(collateral=collateral, leverage=leverage, policy=holding(*policies), market=FREE)
        return evaluate(wanted, rules=RULES).verdict

    if verdict(*rows) is Verdict.DENIED:
        assert verdict(*rows, tighter) is Verdict.DENIED


@given(rows=st.lists(limits, max_size=4))
def test_the_order_of_policies_does_not_matter(rows: list[PolicyRow]) -> None:
    assert holding(*rows) == holding(*reversed(rows))
