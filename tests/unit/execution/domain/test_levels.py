"""Which new levels a signer may sign."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from execution.domain import levels
from execution.domain.levels import LONGEST_LIFE, LevelsIntent
from execution.domain.signing import SigningDenied
from tests.factories import NOW
from trading.domain.position import Levels
from trading.domain.units import Price

STOP = Levels(take_profit=None, stop_loss=Price.of(1))
INTENT = LevelsIntent(
    trader="0x" + "1" * 40, pair_index=1, venue_index=0, levels=STOP, asked_at=NOW, deadline=NOW + LONGEST_LIFE, nonce=0
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nonce": 2**256 - 1},
        {"levels": Levels(take_profit=Price.of(2), stop_loss=None)},
        {"deadline": NOW + timedelta(microseconds=1)},
    ],
)
def test_a_guard_may_be_moved(changes: dict[str, Any]) -> None:
    levels.permit(replace(INTENT, **changes))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"trader": "0x" + "0" * 40}, "trader"),
        ({"trader": ""}, "trader"),
        ({"deadline": NOW}, "lifetime"),
        ({"deadline": NOW + LONGEST_LIFE + timedelta(microseconds=1)}, "lifetime"),
        ({"levels": Levels(take_profit=None, stop_loss=None)}, "some_level"),
        ({"levels": Levels(take_profit=Price.zero(), stop_loss=Price.of(1))}, "some_level"),
        ({"levels": Levels(take_profit=None, stop_loss=-Price.of(1))}, "some_level"),
        ({"nonce": 2**256}, "nonce"),
        ({"nonce": -1}, "nonce"),
    ],
)
def test_nothing_else_is_signed(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(SigningDenied) as denied:
        levels.permit(replace(INTENT, **changes))

    assert denied.value.facts["rule"] == rule


def test_without_its_rules_anything_would_be_signed() -> None:
    """So that the tests above can fail."""
    levels.permit(replace(INTENT, nonce=-1), rules=())
