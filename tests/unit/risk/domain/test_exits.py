"""What a close takes, and from which positions."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from risk.domain.decision import Action, Closable, LegPlan, Verdict, evaluate, exits
from risk.domain.rules import RULES
from tests.factories import NOW
from tests.unit.risk.domain.situations import CLOSE, close, held, situation
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Usdc

amounts = st.integers(min_value=0, max_value=10**12)
several = st.lists(amounts, max_size=5).map(
    lambda raws: tuple(held(Usdc.from_raw(raw), position_id=number, age_minutes=100 - number) for number, raw in enumerate(raws))
)


def taken(legs: tuple[LegPlan, ...]) -> dict[int | None, str]:
    return {leg.position_id: str(leg.collateral) for leg in legs}


def test_a_close_without_a_measure_takes_everything() -> None:
    closable = (held(30, position_id=1), held(20, position_id=2))
    assert taken(exits(close(closable=closable))) == {1: "30", 2: "20"}


def test_a_close_carries_the_position_it_closes() -> None:
    (leg,) = exits(close())
    assert leg == LegPlan(
        action=Action.CLOSE, direction=Direction.LONG, collateral=Usdc.of(50), leverage=Leverage.of(3), position_id=1
    )


def test_an_amount_is_taken_from_the_oldest_first() -> None:
    closable = (held(30, position_id=1), held(20, position_id=2), held(10, position_id=3))
    assert taken(exits(close(usdc="35.5", closable=closable))) == {1: "30", 2: "5.5"}


def test_a_share_is_taken_from_each() -> None:
    closable = (held(30, position_id=1), held("0.000003", position_id=2))
    assert taken(exits(close(pct=50, closable=closable))) == {1: "15", 2: "0.000001"}


def test_a_close_of_one_side_spares_the_other() -> None:
    closable = (held(30, position_id=1), replace(held(20, position_id=2), direction=Direction.SHORT))
    shorts = situation(replace(CLOSE, closes=Direction.SHORT), closable=closable)
    assert taken(exits(shorts)) == {2: "20"}


def test_two_percent_above_the_position_is_clamped_to_it() -> None:
    for above in (close(usdc=51), close(pct=102)):
        decision = evaluate(above, rules=RULES)
        assert decision.verdict is Verdict.APPROVED
        assert taken(decision.legs) == {1: "50"}


def test_a_late_close_spares_what_was_opened_after_it_was_meant() -> None:
    late = situation(
        replace(CLOSE, signaled_at=NOW - timedelta(minutes=30)),
        closable=(held(30, position_id=1, age_minutes=30), held(20, position_id=2, age_minutes=29)),
    )
    assert taken(exits(late)) == {1: "30"}


@given(closable=several, amount=st.integers(min_value=1, max_value=10**12))
def test_an_amount_never_takes_more_than_is_held(closable: tuple[Closable, ...], amount: int) -> None:
    legs = exits(close(usdc=Usdc.from_raw(amount), closable=closable))
    held_raws = {each.position_id: each.collateral.raw for each in closable}
    assert all(0 < leg.collateral.raw <= held_raws[leg.position_id or 0] for leg in legs)
    assert sum(leg.collateral.raw for leg in legs) == min(amount, sum(held_raws.values()))
    ids = [leg.position_id for leg in legs]
    full = [leg.position_id for leg in legs[:-1] if leg.collateral.raw == held_raws[leg.position_id or 0]]
    # The oldest first, and each emptied before the next is touched.
    assert ids == sorted(ids, key=lambda position_id: position_id or 0)
    assert full == ids[:-1]


@given(closable=several, share=st.integers(min_value=1, max_value=102 * 10**10))
def test_a_share_is_never_more_than_itself_or_than_is_held(closable: tuple[Closable, ...], share: int) -> None:
    legs = exits(close(pct=Percent.from_raw(share), closable=closable))
    wanted = {each.position_id: min(Fraction(1), Fraction(share, Percent.HUNDRED)) * each.collateral.raw for each in closable}
    assert {leg.position_id: leg.collateral.raw for leg in legs} == {key: int(raw) for key, raw in wanted.items() if raw >= 1}


@given(closable=several, share=st.integers(min_value=1, max_value=102 * 10**10))
def test_an_approved_close_closes_something(closable: tuple[Closable, ...], share: int) -> None:
    decision = evaluate(close(pct=Percent.from_raw(share), closable=closable), rules=RULES)
    assert (decision.verdict is Verdict.APPROVED) == bool(decision.legs)
