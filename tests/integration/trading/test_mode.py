"""The execution mode: switched by people, watched for what comes from outside, stopped by anybody."""

from typing import Any

import pytest

from tests.factories import NOW
from tests.fakes.switch import Switch
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode
from trading.models import AuditRow, ModeState
from trading.services import mode

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _live_ceiling(settings: Any) -> None:
    settings.EXEC_MODE = "LIVE"
    settings.DEFAULT_EXECUTION_MODE = "LIVE"
    settings.COPY_IS_SET = False
    settings.EMERGENCY_STOP = False
    settings.ALLOW_LIVE_AFTER_STREAK = 3


def keep(**changes: object) -> None:
    ModeState.objects.filter(pk=1).update(**changes)


def state() -> tuple[str, bool, bool, str]:
    row = ModeState.objects.get(pk=1)
    return row.configured, row.is_chosen, row.emergency_stop, row.stopped_by


def audited() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    return [(row.actor, row.before, row.after) for row in AuditRow.objects.order_by("pk")]


@pytest.mark.parametrize(
    ("exec_mode", "copy", "copy_is_set", "ceiling"),
    [
        ("LIVE", "DRY", False, Mode.LIVE),
        ("LIVE", "DRY", True, Mode.DRY),
        ("LIVE", "LIVE", True, Mode.LIVE),
        ("DRY", "LIVE", True, Mode.DRY),
        ("DRY", "LIVE", False, Mode.DRY),
    ],
)
def test_the_more_cautious_of_two_words_is_the_ceiling(
    settings: Any, exec_mode: str, copy: str, copy_is_set: bool, ceiling: Mode
) -> None:
    settings.EXEC_MODE, settings.COPY_EXECUTION_MODE, settings.COPY_IS_SET = exec_mode, copy, copy_is_set
    assert mode.ceiling() is ceiling


def test_what_people_want_is_never_above_the_ceiling(settings: Any) -> None:
    keep(configured=Mode.LIVE)
    assert mode.configured() is Mode.LIVE
    settings.EXEC_MODE = "DRY"
    assert mode.configured() is Mode.DRY


def test_live_holds_when_every_voice_agrees() -> None:
    assert mode.current(switch=Switch()).may_sign
    assert mode.current(switch=Switch()).reasons == ()


def test_redis_gone_is_dry_at_once() -> None:
    switch = Switch()
    switch.is_down = True
    found = mode.current(switch=switch)
    assert (found.mode, found.emergency_stop, found.may_sign) == (Mode.DRY, False, False)
    assert found.reasons == ("the switch can't be read: down",)


def test_after_trouble_live_waits_for_its_streak() -> None:
    switch = Switch()
    switch.is_down = True
    mode.current(switch=switch)
    switch.is_down = False
    assert [mode.current(switch=switch).may_sign for _ in range(4)] == [False, False, True, True]


@pytest.mark.parametrize("by", ["environment", "database", "switch"])
def test_any_place_can_stop(settings: Any, by: str) -> None:
    settings.EMERGENCY_STOP = by == "environment"
    keep(emergency_stop=by == "database")
    found = mode.current(switch=Switch(stop=by == "switch"))
    assert (found.emergency_stop, found.may_sign) == (True, False)


def test_a_start_follows_the_environment_until_somebody_chooses() -> None:
    switch = Switch()
    switch.empty()
    mode.sync(switch=switch, at=NOW)
    assert state() == ("LIVE", False, False, "")
    assert (switch.mode, switch.stop) == (Mode.LIVE, False)
    assert audited() == [("environment", {"configured": "DRY"}, {"configured": "LIVE"})]
    mode.sync(switch=switch, at=NOW)
    assert len(audited()) == 1


def test_a_start_leaves_a_chosen_mode_alone_and_fills_an_empty_switch_with_dry() -> None:
    keep(configured=Mode.LIVE, is_chosen=True)
    switch = Switch()
    switch.empty()
    mode.sync(switch=switch, at=NOW)
    assert state() == ("LIVE", True, False, "")
    assert switch.mode is Mode.DRY
    assert audited() == []


def test_a_start_tells_an_empty_switch_of_the_stop() -> None:
    keep(emergency_stop=True, stopped_by="api")
    switch = Switch()
    switch.empty()
    mode.sync(switch=switch, at=NOW)
    assert switch.stop is True


def test_a_start_leaves_a_filled_switch_alone() -> None:
    switch = Switch(mode=Mode.DRY, stop=True)
    mode.sync(switch=switch, at=NOW)
    assert (switch.mode, switch.stop) == (Mode.DRY, True)


def test_a_start_without_redis_is_no_failure() -> None:
    switch = Switch()
    switch.is_down = True
    mode.sync(switch=switch, at=NOW)
    assert state()[0] == "LIVE"


def test_people_switch_the_database_first_and_then_the_switch() -> None:
    switch = Switch(mode=Mode.DRY)
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)
    assert state() == ("LIVE", True, False, "")
    assert (switch.mode, switch.stop) == (Mode.LIVE, False)
    assert audited() == [
        ("anna", {"configured": "DRY", "is_chosen": False}, {"configured": "LIVE", "is_chosen": True}),
    ]


def test_switching_does_not_lift_a_stop() -> None:
    keep(emergency_stop=True, stopped_by="api")
    switch = Switch(mode=Mode.DRY, stop=True)
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)
    assert switch.stop is True
    assert not mode.current(switch=switch).may_sign


def test_a_switch_out_of_reach_keeps_the_wish_and_says_so() -> None:
    switch = Switch(mode=Mode.DRY)
    switch.is_down = True
    with pytest.raises(Unavailable):
        mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)
    assert state() == ("LIVE", True, False, "")
    assert not mode.current(switch=switch).may_sign


def test_a_stop_is_latched_and_told_and_lifted_by_a_persons_act() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    mode.stop_everything(switch=switch, actor="anna", origin="api", reason="smoke", at=NOW)
    assert state() == ("LIVE", False, True, "api")
    assert (switch.mode, switch.stop) == (Mode.LIVE, True)
    mode.stop_everything(switch=switch, actor="ben", origin="admin", reason="again", at=NOW)
    assert state() == ("LIVE", False, True, "api")
    mode.lift_stop(switch=switch, actor="anna", reason="clear", at=NOW)
    assert state() == ("LIVE", False, False, "")
    assert switch.stop is False
    assert [actor for actor, _, _ in audited()] == ["anna", "anna"]


def test_a_stop_works_without_redis() -> None:
    switch = Switch()
    switch.is_down = True
    mode.stop_everything(switch=switch, actor="anna", origin="api", reason="smoke", at=NOW)
    switch.is_down = False
    # The switch never heard of it: the latch alone is enough.
    assert (switch.stop, mode.current(switch=switch).emergency_stop) == (False, True)


def test_what_was_set_from_outside_is_taken_over_and_audited() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.set_from_outside(mode=Mode.DRY)
    mode.watch(switch=switch, at=NOW)
    assert state() == ("DRY", True, False, "")
    assert audited() == [("out-of-band", {"configured": "LIVE", "is_chosen": False}, {"configured": "DRY", "is_chosen": True})]
    mode.watch(switch=switch, at=NOW)
    assert len(audited()) == 1


def test_a_stop_from_outside_is_latched_until_it_is_lifted_from_outside() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.set_from_outside(mode=Mode.LIVE, stop=True)
    mode.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", False, True, "switch")
    switch.empty()
    mode.watch(switch=switch, at=NOW)
    # Redis restarted empty: the latch is told to it, and the mode falls to DRY.
    assert (switch.mode, switch.stop) == (Mode.DRY, True)
    assert state() == ("LIVE", False, True, "switch")
    switch.set_from_outside(mode=Mode.LIVE, stop=False)
    mode.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", False, False, "")


@pytest.mark.parametrize("origin", ["api", "admin", "telegram"])
def test_a_stop_that_came_another_way_is_not_lifted_through_the_switch(origin: str) -> None:
    keep(configured=Mode.LIVE, emergency_stop=True, stopped_by=origin)
    switch = Switch()
    switch.set_from_outside(mode=Mode.LIVE, stop=False)
    mode.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", False, True, origin)
    assert mode.current(switch=switch).emergency_stop


def test_our_own_words_in_the_switch_are_no_news() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch(mode=Mode.DRY)
    mode.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", False, False, "")
    assert audited() == []


def test_watching_an_unreachable_switch_changes_nothing() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.is_down = True
    assert mode.watch(switch=switch, at=NOW).is_healthy is False
    assert state() == ("LIVE", False, False, "")
