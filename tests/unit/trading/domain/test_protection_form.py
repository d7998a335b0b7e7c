"""A protection as people write it: what a row says of it is read again, and the first thing wrong is named."""

import json
from datetime import timedelta
from typing import Any

import pytest

from trading.domain import protection_form, strict_json
from trading.domain.form import FormError
from trading.domain.protection import AtMove, AtPrice, AtReward, Protection, Target, Trail, as_json
from trading.domain.units import Multiple, Percent, Price

WHOLE = Protection(
    stop=AtMove(share=Percent.of(1)),
    targets=(
        Target(level=AtReward(multiple=Multiple.of(2)), close_share=Percent.of(50)),
        Target(level=AtPrice(price=Price.of(105)), close_share=Percent.of(25)),
        Target(level=AtMove(share=Percent.of(200)), close_share=Percent.of(25)),
    ),
    breakeven_after=1,
    trail=Trail(activate=Percent.of("1.5"), distance=Percent.of("0.5")),
    time_stop=timedelta(hours=2),
)


def read(said: dict[str, Any]) -> Protection:
    return protection_form.read(strict_json.parse(json.dumps(said).encode()))


@pytest.mark.parametrize("protection", [Protection(), WHOLE, Protection(stop=AtPrice(price=Price.of("0.5")))])
def test_what_a_row_says_is_read_again(protection: Protection) -> None:
    assert read(as_json(protection)) == protection


def test_a_target_that_says_no_share_closes_everything() -> None:
    assert read({"targets": [{"price": 105}]}) == Protection(targets=(Target(level=AtPrice(price=Price.of(105))),))


TARGET = {"price": "1"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"sl": 1}, ""),
        ({"stop": 5}, "stop"),
        ({"stop": {}}, "stop"),
        ({"stop": {"price": 1, "move_pct": 1}}, "stop"),
        ({"stop": {"reward": 1}}, "stop"),
        ({"stop": {"price": 0}}, "price"),
        ({"stop": {"move_pct": 101}}, "move_pct"),
        ({"targets": TARGET}, "targets"),
        ({"targets": [5]}, "targets"),
        ({"targets": [TARGET] * 6}, "targets"),
        ({"targets": [{"close_pct": 5}]}, "targets"),
        ({"targets": [TARGET | {"close_pct": 101}]}, "close_pct"),
        ({"targets": [TARGET, TARGET]}, "targets"),
        ({"targets": [{"reward": 1}]}, "stop"),
        ({"breakeven_after": 1}, "breakeven_after"),
        ({"targets": [TARGET], "breakeven_after": 0}, "breakeven_after"),
        ({"trail": {"activate_pct": 1}}, "trail"),
        ({"trail": {"activate_pct": 1, "distance_pct": 101}}, "distance_pct"),
        ({"time_stop_minutes": 1.5}, "time_stop_minutes"),
        ({"time_stop_minutes": 43_201}, "time_stop_minutes"),
    ],
)
def test_the_first_thing_wrong_is_named(said: dict[str, Any], field: str) -> None:
    with pytest.raises(FormError) as refusal:
        read(said)

    assert refusal.value.field == field
