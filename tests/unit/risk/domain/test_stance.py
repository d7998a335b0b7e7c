"""A strategy says where it stands: what is opposite is closed first, and nothing that refuses the entry keeps it."""

from dataclasses import replace
from typing import Any

import pytest

from risk.domain import stance
from risk.domain.decision import Action, Decision, Denial, LegPlan, Verdict
from risk.domain.rules import RULES
from risk.domain.situation import Closable, Situation
from tests.unit.risk.domain.situations import FUNDS, OPEN, STOPPED, exposed, held, limited, situation
from trading.domain.position import Direction
from trading.domain.signal import Side, Stance
from trading.domain.units import Leverage, Usdc

LONG, SHORT = Direction.LONG, Direction.SHORT


def short(collateral: object = 40, **changes: Any) -> Closable:
    return replace(held(collateral), direction=SHORT, worth=Usdc.of("39"), source="default", **changes)


def wanted(kind: Stance, *closable: Closable, standing: set[Direction] | None = None, **changes: Any) -> Situation:
    """A long wanted with a stance beside what is held."""
    stands = {each.direction for each in closable} if standing is None else standing
    return situation(replace(OPEN, stance=kind), closable=closable, standing=frozenset(stands), **changes)


def judged(given: Situation) -> Decision:
    return stance.evaluate(given, rules=RULES)


OPENS = LegPlan(action=Action.OPEN, direction=LONG, collateral=Usdc.of(50), leverage=Leverage.of(3))
CLOSES = LegPlan(action=Action.CLOSE, direction=SHORT, collateral=Usdc.of(40), leverage=Leverage.of(3), position_id=1)


@pytest.mark.parametrize(
    ("given", "legs"),
    [
        (wanted(Stance.REACH), (OPENS,)),
        (wanted(Stance.GROW), (OPENS,)),
        (wanted(Stance.GROW, held()), (OPENS,)),
        (wanted(Stance.REACH, short()), (CLOSES, OPENS)),
        (wanted(Stance.GROW, short()), (CLOSES, OPENS)),
        (wanted(Stance.REACH, short(), held()), (CLOSES,)),
        (wanted(Stance.GROW, short(), held()), (CLOSES, OPENS)),
        # What is opposite is on its way out: only the entry is left to do.
        (wanted(Stance.REACH, short(0), standing=set()), (OPENS,)),
        (wanted(Stance.ANOTHER, short()), (OPENS,)),
    ],
)
def test_what_is_opposite_is_closed_before_its_own_side_is_opened(given: Situation, legs: tuple[LegPlan, ...]) -> None:
    decision = judged(given)

    assert (decision.verdict, decision.legs, decision.denial) == (Verdict.APPROVED, legs, None)


@pytest.mark.parametrize("given", [wanted(Stance.REACH, held()), wanted(Stance.REACH, standing={LONG})])
def test_who_stands_there_already_has_nothing_to_do(given: Situation) -> None:
    decision = judged(given)

    assert (decision.verdict, decision.legs) == (Verdict.DENIED, ())
    assert decision.denial is not None
    assert (decision.denial.code, decision.denial.message) == (
        Denial.TARGET_REACHED,
        f"The account is LONG in {given.market.symbol} already",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mode": STOPPED}, Denial.EMERGENCY_STOP),
        ({"takes_entries": False}, Denial.SIGNALS_DISABLED),
        ({"policy": limited(max_open_positions=0)}, Denial.TOO_MANY_POSITIONS),
        ({"funds": None}, Denial.ACCOUNT_UNSEEN),
        ({"price": None}, Denial.PRICE_STALE),
    ],
)
def test_whatever_refuses_the_entry_lets_the_exit_go(changes: dict[str, Any], code: Denial) -> None:
    decision = judged(wanted(Stance.REACH, short(), **changes))

    assert (decision.verdict, decision.legs) == (Verdict.APPROVED, (CLOSES,))
    assert decision.denial is not None
    assert decision.denial.code == code


def test_alone_the_same_entry_is_denied() -> None:
    decision = judged(wanted(Stance.REACH, takes_entries=False))

    assert (decision.verdict, decision.legs) == (Verdict.DENIED, ())


def test_an_exit_that_is_refused_keeps_the_entry_too() -> None:
    closed = replace(wanted(Stance.REACH).market, is_open=False)

    decision = judged(wanted(Stance.REACH, short(), market=closed))

    assert (decision.verdict, decision.legs) == (Verdict.DENIED, ())
    assert [check.code for check in decision.checks if not check.passed] == [Denial.MARKET_NOT_OPEN]


def test_money_that_the_close_will_surely_bring_is_there_for_the_entry() -> None:
    poor = replace(FUNDS, free=Usdc.of(11))

    assert judged(wanted(Stance.REACH, short(), funds=poor)).legs == (CLOSES, OPENS)
    poorer = judged(wanted(Stance.REACH, short(), funds=replace(FUNDS, free=Usdc.of("10.999999"))))
    assert poorer.legs == (CLOSES,)
    assert poorer.denial is not None
    assert poorer.denial.code == Denial.INSUFFICIENT_COLLATERAL


def test_what_is_closed_takes_no_room_from_the_entry() -> None:
    mine = replace(exposed(120), direction=SHORT)
    full = limited(max_exposure=Usdc.of(150), scope="account")

    assert judged(wanted(Stance.REACH, short(), exposed=(mine,), policy=full)).legs == (CLOSES, OPENS)
    # A dollar more of another source's stays, and is in its way.
    others = replace(exposed(1), source="another")
    assert judged(wanted(Stance.REACH, short(), exposed=(mine, others), policy=full)).legs == (CLOSES,)


def test_what_is_closed_is_no_position_beside_the_entry() -> None:
    mine = replace(exposed(120), direction=SHORT, positions=1)

    assert judged(wanted(Stance.REACH, short(), exposed=(mine,), policy=limited(max_open_positions=1))).legs == (CLOSES, OPENS)
    two = replace(mine, positions=2)
    assert judged(wanted(Stance.REACH, short(), exposed=(two,), policy=limited(max_open_positions=1))).legs == (CLOSES,)


@pytest.mark.parametrize(
    ("side", "standing", "meaning"),
    [
        (Side.LONG, set(), Side.LONG),
        (Side.CLOSE, {LONG, SHORT}, Side.CLOSE),
        (Side.SAME, {LONG}, Side.LONG),
        (Side.SAME, {SHORT}, Side.SHORT),
        (Side.OPPOSITE, {LONG}, Side.SHORT),
        (Side.OPPOSITE, {SHORT}, Side.LONG),
        (Side.SAME, set(), None),
        (Side.OPPOSITE, {LONG, SHORT}, None),
    ],
)
def test_more_and_the_other_side_are_of_what_is_held(side: Side, standing: set[Direction], meaning: Side | None) -> None:
    assert stance.resolved(side, standing=frozenset(standing)) is meaning


def test_a_side_that_can_not_be_told_is_denied_with_what_is_held() -> None:
    decision = stance.nothing_held(Side.SAME, standing=frozenset(Direction), symbol="BTC-USD")

    (check,) = decision.checks
    assert (decision.verdict, check.passed, check.code, check.value, check.message) == (
        Verdict.DENIED,
        False,
        Denial.NOTHING_HELD,
        "LONG and SHORT",
        "SAME of what is held in BTC-USD: LONG and SHORT",
    )


def test_too_late_to_enter_it_still_leaves() -> None:
    late = stance.exit_only(wanted(Stance.REACH, short()), rules=RULES)

    assert late is not None
    assert late.legs == (CLOSES,)
    assert stance.exit_only(wanted(Stance.REACH, held()), rules=RULES) is None
    assert stance.exit_only(wanted(Stance.ANOTHER, short()), rules=RULES) is None


def test_an_entry_judged_as_a_whole_would_trap_the_position() -> None:
    """So that the tests above can fail."""
    assert judged(wanted(Stance.ANOTHER, short(), takes_entries=False)).legs == ()
