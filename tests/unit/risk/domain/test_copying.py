"""A leader's open at a follower's size: cut where a cap can cut, refused where nothing is left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from risk.domain.copying import LeadersTrade, Plan, Skip, Stand, closed_share, plan
from risk.domain.following import FollowMode, Sizing, Terms
from trading.domain.units import Leverage, Percent, Usdc

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TRADE = LeadersTrade(
    symbol="BTC-USD", collateral=Usdc.of(400), leverage=Leverage.of(5), traded_at=NOW, min_leverage=Leverage.of(2)
)
STAND = Stand(mode=FollowMode.ON, used=Usdc.zero(), is_paused=False, is_watched=True, may_enter=True, at=NOW)
FIXED = Terms(sizing=Sizing.FIXED, fixed=Usdc.of(50))
MIRROR = Terms(sizing=Sizing.MIRROR, share=Percent.of("12.5"))
EQUITY = Terms(sizing=Sizing.EQUITY_PCT, share=Percent.of(5))


def planned(terms: Terms, *, used: str = "0") -> Plan:
    found = plan(TRADE, terms=terms, stand=replace(STAND, used=Usdc.of(used)))
    assert isinstance(found, Plan)
    return found


def test_a_fixed_size_is_the_same_for_every_trade() -> None:
    assert planned(FIXED) == Plan(collateral=Usdc.of(50), share=None, at_most=None, leverage=Leverage.of(5), cuts=())


def test_a_mirror_is_a_share_of_what_the_leader_put_up() -> None:
    assert planned(MIRROR).collateral == Usdc.of(50)
    third = replace(MIRROR, share=Percent.of("33.3333333333"))
    assert planned(third).collateral == Usdc.of("133.333333")


def test_a_share_of_the_equity_is_left_to_the_decision_with_the_cap_beside_it() -> None:
    found = planned(replace(EQUITY, max_trade=Usdc.of(30), max_day=Usdc.of(100)), used="80")

    assert (found.collateral, found.share, found.at_most) == (None, Percent.of(5), Usdc.of(20))


def test_a_size_above_a_cap_is_cut_to_it_and_that_is_said() -> None:
    found = planned(replace(FIXED, max_trade=Usdc.of(30)))

    assert (found.collateral, found.cuts) == (Usdc.of(30), ("collateral $50 to $30",))


def test_the_day_leaves_what_is_left_of_it() -> None:
    assert planned(replace(FIXED, max_day=Usdc.of(100)), used="60").collateral == Usdc.of(40)
    assert planned(replace(FIXED, max_day=Usdc.of(100)), used="50").cuts == ()


def test_leverage_above_the_cap_is_copied_at_the_cap() -> None:
    found = planned(replace(FIXED, max_leverage=Leverage.of(3)))

    assert (found.leverage, found.cuts) == (Leverage.of(3), ("leverage 5x to 3x",))


@pytest.mark.parametrize(
    ("terms", "stand", "why"),
    [
        (FIXED, {"mode": FollowMode.OFF}, Skip.MODE_OFF),
        (FIXED, {"mode": FollowMode.CLOSES_ONLY}, Skip.MODE_OFF),
        (FIXED, {"is_paused": True}, Skip.AUTOMATION_PAUSED),
        (FIXED, {"is_watched": False}, Skip.LEADER),
        (FIXED, {"may_enter": False}, Skip.FOLLOWER),
        (FIXED, {"at": NOW + timedelta(seconds=60, microseconds=1)}, Skip.STALE),
        (replace(FIXED, symbols=frozenset({"ETH-USD"})), {}, Skip.SYMBOL),
        (replace(FIXED, max_leverage=Leverage.of("1.9")), {}, Skip.LEVERAGE),
        (replace(FIXED, max_day=Usdc.of(100)), {"used": Usdc.of(100)}, Skip.CAP_DAY),
        (replace(FIXED, max_trade=Usdc.zero()), {}, Skip.CAP_TRADE),
        (replace(MIRROR, share=Percent.from_raw(1)), {}, Skip.TOO_SMALL),
    ],
)
def test_what_nothing_is_left_of_is_refused_with_its_reason(terms: Terms, stand: dict[str, object], why: Skip) -> None:
    assert plan(TRADE, terms=terms, stand=replace(STAND, **stand)) is why


def test_a_trade_is_fresh_to_the_last_instant_of_an_entrys_life() -> None:
    assert isinstance(plan(TRADE, terms=FIXED, stand=replace(STAND, at=NOW + timedelta(seconds=60))), Plan)


def test_the_share_of_a_close_is_rounded_up_and_a_whole_close_has_none() -> None:
    assert closed_share(closed=Usdc.of(100), left=Usdc.of(100)) == Percent.of(50)
    assert closed_share(closed=Usdc.of(1), left=Usdc.of(2)) == Percent.of("33.3333333334")
    assert closed_share(closed=Usdc.of(1), left=Usdc.zero()) is None
