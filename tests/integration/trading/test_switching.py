"""The switch and the database, brought together: at a start, each second, and whenever a person acts."""

from typing import Any

import pytest

from tests.factories import NOW
from tests.fakes.switch import Switch
from tests.integration.trading.modes import SECOND, audited, keep, live_ceiling, state
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode, SwitchReading
from trading.models import ModeState
from trading.services import mode, switching

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("live_ceiling")]

__all__ = ["live_ceiling"]


def test_a_start_follows_the_environment_until_somebody_chooses() -> None:
    switch = Switch()
    switch.empty()
    switching.sync(switch=switch, at=NOW)
    assert state() == ("LIVE", False, False, "")
    assert (switch.mode, switch.stop) == (Mode.LIVE, False)
    assert audited() == [("environment", {"configured": "DRY"}, {"configured": "LIVE"})]
    switching.sync(switch=switch, at=NOW)
    assert len(audited()) == 1


def test_a_start_leaves_a_chosen_mode_alone_and_fills_an_empty_switch_with_dry() -> None:
    keep(configured=Mode.LIVE, is_chosen=True)
    switch = Switch()
    switch.empty()
    switching.sync(switch=switch, at=NOW)
    assert state() == ("LIVE", True, False, "")
    assert switch.mode is Mode.DRY
    assert audited() == []


def test_a_start_tells_an_empty_switch_of_the_stop() -> None:
    keep(emergency_stop=True, stopped_by="api")
    switch = Switch()
    switch.empty()
    switching.sync(switch=switch, at=NOW)
    assert switch.stop is True


def test_a_start_leaves_a_filled_switch_alone() -> None:
    switch = Switch()
    switch.set_from_outside(mode=Mode.DRY, stop=True)
    switching.sync(switch=switch, at=NOW)
    assert (switch.mode, switch.stop) == (Mode.DRY, True)


def test_a_start_without_redis_is_no_failure() -> None:
    switch = Switch()
    switch.is_down = True
    switching.sync(switch=switch, at=NOW)
    assert state()[0] == "LIVE"


def test_what_was_set_from_outside_is_taken_over_and_audited() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.set_from_outside(mode=Mode.DRY)
    switching.watch(switch=switch, at=NOW)
    assert state() == ("DRY", True, False, "")
    assert audited() == [("out-of-band", {"configured": "LIVE", "is_chosen": False}, {"configured": "DRY", "is_chosen": True})]
    switching.watch(switch=switch, at=NOW)
    assert len(audited()) == 1


def test_a_stop_from_outside_is_latched_until_it_is_lifted_from_outside() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.set_from_outside(mode=Mode.LIVE, stop=True)
    switching.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", True, True, "switch")
    switch.empty()
    switching.watch(switch=switch, at=NOW)
    # Redis restarted empty: the latch is told to it, and the mode falls to DRY.
    assert (switch.mode, switch.stop) == (Mode.DRY, True)
    assert state() == ("LIVE", True, True, "switch")
    switch.set_from_outside(mode=Mode.LIVE, stop=False)
    switching.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", True, False, "")


@pytest.mark.parametrize("origin", ["api", "admin", "telegram"])
def test_a_stop_that_came_another_way_is_not_lifted_through_the_switch(origin: str) -> None:
    keep(configured=Mode.LIVE, emergency_stop=True, stopped_by=origin)
    switch = Switch()
    switch.set_from_outside(mode=Mode.LIVE, stop=False)
    switching.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", True, True, origin)
    assert mode.current(switch=switch, at=NOW).emergency_stop


def test_our_own_words_in_the_switch_are_no_news() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch(mode=Mode.DRY)
    switching.watch(switch=switch, at=NOW)
    assert state() == ("LIVE", False, False, "")
    assert audited() == []


def test_watching_an_unreachable_switch_changes_nothing() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.is_down = True
    assert switching.watch(switch=switch, at=NOW).is_healthy is False
    assert state() == ("LIVE", False, False, "")


class Contested(Switch):
    """Somebody sets it from outside between each look and the write after it, so many times."""

    def __init__(self, *, times: int, **said: Any) -> None:
        super().__init__()
        self.left, self.said = times, said

    def replace(self, seen: SwitchReading, *, mode: Mode, stop: bool) -> bool:
        if self.left:
            self.left -= 1
            self.set_from_outside(**{"mode": Mode.LIVE, "stop": self.left % 2 == 0} | self.said)
        return super().replace(seen, mode=mode, stop=stop)


def test_an_emptied_switch_is_filled_as_dry_and_only_if_it_is_still_empty() -> None:
    keep(configured=Mode.LIVE, is_chosen=True)
    switch = Contested(times=1, mode=Mode.LIVE, stop=True)
    switch.empty()
    switching.watch(switch=switch, at=NOW)
    unfilled = (switch.mode, switch.stop, switch.is_own)
    switch.empty()
    switching.watch(switch=switch, at=NOW)

    assert unfilled == (Mode.LIVE, True, False)
    assert (switch.mode, switch.stop, switch.is_own) == (Mode.DRY, False, True)


@pytest.mark.parametrize("act", ["live", "dry", "lift", "watch"])
def test_a_stop_set_between_the_look_and_the_write_stays(act: str) -> None:
    keep(configured=Mode.DRY, is_chosen=True, emergency_stop=act == "lift", stopped_by="api" if act == "lift" else "")
    switch = Contested(times=1, mode=Mode.LIVE, stop=True)
    if act == "lift":
        mode.lift_stop(switch=switch, actor="anna", reason="clear", at=NOW)
    elif act == "watch":
        switching.watch(switch=switch, at=NOW)
    else:
        mode.switch_to(mode=Mode(act.upper()), switch=switch, actor="anna", reason="go", at=NOW)

    assert switch.stop is True
    assert (ModeState.objects.get(pk=1).emergency_stop, ModeState.objects.get(pk=1).stopped_by) == (True, "switch")
    assert mode.current(switch=switch, at=NOW).emergency_stop


def test_a_switch_that_never_stands_still_is_unavailable() -> None:
    switch = Contested(times=1_000)
    with pytest.raises(Unavailable):
        switching.tell(switch=switch, at=NOW)


def test_what_was_heard_once_is_no_news_again() -> None:
    """A person wanted LIVE since then, and the switch couldn't be told: the old DRY in it isn't a wish once more."""
    switch = Switch()
    switch.set_from_outside(mode=Mode.DRY)
    switching.watch(switch=switch, at=NOW)
    mode._choose(mode=Mode.LIVE, actor="anna", reason="go", at=NOW)
    switching.watch(switch=switch, at=NOW)

    assert state() == ("LIVE", True, False, "")
    assert [actor for actor, *_ in audited()] == ["out-of-band", "anna"]


def test_the_same_words_typed_again_after_ours_are_news() -> None:
    switch = Switch()
    for _ in range(2):
        switch.set_from_outside(mode=Mode.DRY)
        switching.watch(switch=switch, at=NOW)
        mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)

    assert [actor for actor, *_ in audited()] == ["out-of-band", "anna"] * 2


def test_caution_that_the_switch_missed_is_brought_to_it() -> None:
    keep(configured=Mode.LIVE, is_chosen=True)
    switch = Switch()
    switch.is_down = True
    with pytest.raises(Unavailable):
        mode.switch_to(mode=Mode.DRY, switch=switch, actor="anna", reason="home", at=NOW)
    mode.stop_everything(switch=switch, actor="anna", origin="admin", reason="smoke", at=NOW)
    switch.is_down = False
    missed = (switch.mode, switch.stop)
    switching.watch(switch=switch, at=NOW + SECOND)

    assert (missed, (switch.mode, switch.stop)) == ((Mode.LIVE, False), (Mode.DRY, True))


def test_a_wish_for_live_that_the_switch_missed_waits_for_a_person() -> None:
    switch = Switch(mode=Mode.DRY)
    switch.is_down = True
    with pytest.raises(Unavailable):
        mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)
    switch.is_down = False
    for second in range(1, 6):
        switching.watch(switch=switch, at=NOW + second * SECOND)

    assert switch.mode is Mode.DRY
    assert mode.current(switch=switch, at=NOW + 6 * SECOND).reasons == ("the switch says DRY until somebody confirms LIVE",)


def test_a_start_gives_live_back_to_a_switch_that_we_filled_and_nobody_chose() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch(mode=Mode.DRY)
    switching.sync(switch=switch, at=NOW)

    assert switch.mode is Mode.LIVE


@pytest.mark.parametrize("stop", [True, False])
def test_a_start_audits_the_environments_stop_and_lifts_only_that(settings: Any, stop: bool) -> None:
    keep(configured=Mode.LIVE, environment_stop=not stop)
    settings.EMERGENCY_STOP = stop
    switching.sync(switch=Switch(), at=NOW)

    assert audited() == [("environment", {"environment_stop": not stop}, {"environment_stop": stop})]
    assert state() == ("LIVE", False, False, "")


@pytest.mark.parametrize(
    ("setting", "value", "column"),
    [("SIGNALS_ENABLED", False, "signals_enabled"), ("MAINTENANCE_MODE", True, "maintenance"),
     ("AUTOMATION_PAUSED", True, "automation_paused")],
)  # fmt: skip
def test_the_environments_caution_counts_at_each_start_and_its_absence_lifts_nothing(
    settings: Any, setting: str, value: bool, column: str
) -> None:
    keep(configured=Mode.LIVE)
    setattr(settings, setting, value)
    switching.sync(switch=Switch(), at=NOW)
    setattr(settings, setting, not value)
    switching.sync(switch=Switch(), at=NOW)

    assert getattr(ModeState.objects.get(pk=1), column) is value


def test_a_stop_written_into_the_row_is_audited_and_is_an_operators_to_lift() -> None:
    keep(configured=Mode.LIVE, emergency_stop=True)
    switch = Switch()
    switching.watch(switch=switch, at=NOW)
    switch.set_from_outside(mode=Mode.LIVE, stop=False)
    switching.watch(switch=switch, at=NOW)

    assert state() == ("LIVE", True, True, "database")
    assert audited()[0] == (
        "out-of-band",
        {"emergency_stop": False, "stopped_by": ""},
        {"emergency_stop": True, "stopped_by": "database"},
    )


def test_the_watchs_streak_is_seen_by_all_until_anybody_has_trouble() -> None:
    keep(configured=Mode.LIVE)
    seen = []
    watched, elsewhere = Switch(streak=0), Switch()
    for second in range(5):
        switching.watch(switch=watched, at=NOW + second * SECOND)
        seen.append(ModeState.objects.get(pk=1).health_streak)
    elsewhere.is_down = True
    mode.current(switch=elsewhere, at=NOW + 5 * SECOND)
    seen.append(ModeState.objects.get(pk=1).health_streak)
    switching.watch(switch=watched, at=NOW + 7 * SECOND)
    seen.append(ModeState.objects.get(pk=1).health_streak)

    assert seen == [1, 2, 3, 3, 3, 0, 1]


def test_an_ordinary_watch_writes_nothing(django_assert_num_queries: Any) -> None:
    keep(configured=Mode.LIVE, health_streak=3)
    with django_assert_num_queries(1):
        switching.watch(switch=Switch(), at=NOW)
