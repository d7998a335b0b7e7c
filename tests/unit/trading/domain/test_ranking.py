"""The board: the best first by each measure, and who is unknown to it last."""

import pytest

from trading.domain.ranking import LEAST_TRADES, Measure, Standing, ranked
from trading.domain.result import Result
from trading.domain.units import Percent, Usdc


def standing(leader_id: int, *, good: int = 0, days: int = 4, trades: int = LEAST_TRADES, **sums: str) -> Standing:
    amounts = {name: Usdc.of(amount) for name, amount in sums.items()}
    return Standing(leader_id=leader_id, result=Result(trades=trades, **amounts), days=days, good_days=good)


# By profit: 3, 1, 2; by volume: 2, 1, 3.
THREE = (
    standing(1, good=2, price_pnl="10", fees="1", volume="500", gains="20", losses="10"),
    standing(2, good=2, price_pnl="9", fees="1", volume="900", gains="30", losses="10"),
    standing(3, good=3, price_pnl="11", volume="100", gains="11"),
)


@pytest.mark.parametrize(
    ("by", "order"), [(Measure.PNL, [3, 1, 2]), (Measure.VOLUME, [2, 1, 3]), (Measure.CONSISTENCY, [3, 2, 1])]
)
def test_the_best_comes_first(by: Measure, order: list[int]) -> None:
    assert [each.leader_id for each in ranked(THREE, by=by)] == order


def test_equals_come_in_their_own_order() -> None:
    assert [each.leader_id for each in ranked([standing(2), standing(1)], by=Measure.PNL)] == [1, 2]


def test_consistency_is_the_share_of_days_that_earned_rounded_down() -> None:
    assert standing(1, good=2, days=3).consistency == Percent.of("66.6666666666")


def test_with_too_few_trades_nobody_is_steady_and_he_comes_last() -> None:
    lucky = standing(1, good=4, trades=LEAST_TRADES - 1)

    assert lucky.consistency is None
    assert [each.leader_id for each in ranked([lucky, standing(2, good=0)], by=Measure.CONSISTENCY)] == [2, 1]


def test_who_never_lost_is_ahead_of_who_did_with_as_many_good_days() -> None:
    lost, never = standing(1, good=2, gains="99", losses="1"), standing(2, good=2, gains="1")

    assert [each.leader_id for each in ranked([lost, never], by=Measure.CONSISTENCY)] == [2, 1]
