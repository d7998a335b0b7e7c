"""What an approval allows."""

from dataclasses import replace

import pytest

from risk.domain.decision import Action, LegPlan, evaluate, legs_for
from risk.domain.rules import RULES
from tests.unit.risk.domain.situations import OPEN, entry, situation
from trading.domain.position import Direction
from trading.domain.signal import Side
from trading.domain.units import Leverage, Usdc


@pytest.mark.parametrize(("side", "direction"), [(Side.LONG, Direction.LONG), (Side.SHORT, Direction.SHORT)])
def test_an_entry_is_one_leg_without_a_position(side: Side, direction: Direction) -> None:
    legs = legs_for(situation(replace(OPEN, side=side)))

    assert legs == (
        LegPlan(action=Action.OPEN, direction=direction, collateral=Usdc.of(50), leverage=Leverage.of(3), position_id=None),
    )


@pytest.mark.parametrize("missing", ["collateral", "leverage"])
def test_an_entry_without_its_size_has_no_legs_to_give(missing: str) -> None:
    with pytest.raises(ValueError, match=r"^an entry has collateral and leverage$"):
        legs_for(situation(replace(OPEN, **{missing: None})))


def test_what_passes_everything_has_no_denial() -> None:
    assert evaluate(entry(), rules=RULES).denial is None
