"""What a signal asks, and what is assumed where nothing is said."""

from dataclasses import replace

import pytest

from risk.domain.situation import Pace, SourceFacts
from tests.unit.risk.domain.situations import CLOSE, OPEN, exposed, situation
from trading.domain.signal import Side
from trading.domain.units import Leverage, Usdc


def test_a_notional_needs_collateral_and_leverage() -> None:
    assert OPEN.notional == Usdc.of(150)
    for missing in ({"collateral": None}, {"leverage": None}, {"collateral": Usdc.zero()}, {"leverage": Leverage.zero()}):
        assert replace(OPEN, **missing).notional == Usdc.zero()


@pytest.mark.parametrize(("side", "is_entry"), [(Side.LONG, True), (Side.SHORT, True), (Side.CLOSE, False)])
def test_only_a_close_asks_for_no_more_exposure(side: Side, is_entry: bool) -> None:
    assert situation(replace(CLOSE, side=side)).is_entry is is_entry


def test_who_did_nothing_lately_has_used_nothing() -> None:
    assert Pace() == Pace(opens_in_minute=0, trades_in_day=0, collateral_in_hour=Usdc.zero(), volume_in_day=Usdc.zero())


def test_a_source_is_enabled_and_an_exposure_one_position_unless_it_is_said_otherwise() -> None:
    assert SourceFacts(name="tv").is_enabled is True
    assert exposed(1).positions == 1
