"""The execution mode: asked by whoever signs, switched by people, stopped by anybody."""

from typing import Any

import pytest

from tests.factories import NOW
from tests.fakes.switch import Switch
from tests.integration.trading.modes import SECOND, audited, keep, live_ceiling, state
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode
from trading.domain.people import Person, Role
from trading.models import ModeState
from trading.services import mode, switching
from trading.services.mode import DeskSwitch, NotAllowed, NothingToConfirm, StoppedMeanwhile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("live_ceiling")]

__all__ = ["live_ceiling"]

ADA = Person(name="ada", roles=frozenset({Role.SUPER_ADMIN}))
BOB = Person(name="bob", roles=frozenset({Role.SUPER_ADMIN}))


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
    assert mode.ceiling().mode is ceiling


def test_what_people_want_is_never_above_the_ceiling(settings: Any) -> None:
    keep(configured=Mode.LIVE)
    assert mode.configured() is Mode.LIVE
    settings.EXEC_MODE = "DRY"
    assert mode.configured() is Mode.DRY


def test_live_holds_when_every_voice_agrees() -> None:
    assert mode.current(switch=Switch(), at=NOW).may_sign
    assert mode.current(switch=Switch(), at=NOW).reasons == ()


def test_redis_gone_is_dry_at_once() -> None:
    switch = Switch()
    switch.is_down = True
    found = mode.current(switch=switch, at=NOW)
    assert (found.mode, found.emergency_stop, found.may_sign) == (Mode.DRY, False, False)
    assert found.reasons == ("the switch can't be read: down",)


def test_after_trouble_live_waits_for_its_streak() -> None:
    switch = Switch()
    switch.is_down = True
    mode.current(switch=switch, at=NOW)
    switch.is_down = False
    later = NOW + 2 * SECOND
    assert [mode.current(switch=switch, at=later).may_sign for _ in range(4)] == [False, False, True, True]


@pytest.mark.parametrize("by", ["environment", "database", "switch"])
def test_any_place_can_stop(settings: Any, by: str) -> None:
    settings.EMERGENCY_STOP = by == "environment"
    keep(emergency_stop=by == "database")
    found = mode.current(switch=Switch(stop=by == "switch"), at=NOW)
    assert (found.emergency_stop, found.may_sign) == (True, False)


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
    assert not mode.current(switch=switch, at=NOW).may_sign


def test_a_switch_out_of_reach_keeps_the_wish_and_says_so() -> None:
    switch = Switch(mode=Mode.DRY)
    switch.is_down = True
    with pytest.raises(Unavailable):
        mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)
    assert state() == ("LIVE", True, False, "")
    assert not mode.current(switch=switch, at=NOW).may_sign


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
    assert (switch.stop, mode.current(switch=switch, at=NOW).emergency_stop) == (False, True)


def test_trouble_that_another_process_had_ends_this_ones_streak() -> None:
    here, elsewhere = Switch(), Switch()
    assert mode.current(switch=here, at=NOW).may_sign
    elsewhere.is_down = True
    mode.current(switch=elsewhere, at=NOW)

    within = mode.current(switch=here, at=NOW + SECOND / 2).reasons
    after = [mode.current(switch=here, at=NOW + each * SECOND).reasons for each in (2, 3, 4)]

    assert within == ("health streak 1 of 3",)
    assert after == [("health streak 1 of 3",), ("health streak 2 of 3",), ()]


def test_without_the_note_it_would_sign_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above: its control removed."""
    monkeypatch.setattr(switching, "_doubted_until", lambda state, *, at: None)
    here, elsewhere = Switch(), Switch()
    elsewhere.is_down = True
    mode.current(switch=elsewhere, at=NOW)

    assert mode.current(switch=here, at=NOW + SECOND / 2).may_sign


def test_trouble_is_written_down_once_a_second_with_its_witness() -> None:
    switch = Switch()
    switch.is_down = True
    for tenths in (0, 3, 9, 10, 15):
        mode.current(switch=switch, at=NOW + tenths * SECOND / 10)

    row = ModeState.objects.get(pk=1)
    assert row.switch_failed_at == NOW + SECOND
    assert row.switch_failed_by.endswith(" down")


def test_trouble_within_the_span_of_a_note_is_not_forgotten() -> None:
    """The second outage isn't written down; the first one's note keeps everybody in doubt until it is over."""
    here, elsewhere = Switch(), Switch()
    elsewhere.is_down = True
    mode.current(switch=elsewhere, at=NOW)
    for tenths in (2, 4, 6, 8):
        mode.current(switch=here, at=NOW + tenths * SECOND / 10)
    mode.current(switch=elsewhere, at=NOW + 9 * SECOND / 10)

    assert mode.current(switch=here, at=NOW + SECOND).reasons == ("health streak 1 of 3",)


def test_a_healthy_look_writes_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        mode.current(switch=Switch(), at=NOW)


def test_a_clock_that_went_back_keeps_the_doubt() -> None:
    switch = Switch()
    keep(switch_failed_at=NOW + 600 * SECOND, switch_failed_by="somebody")

    assert [mode.current(switch=switch, at=NOW + each * SECOND).may_sign for each in range(5)] == [False] * 5


def test_a_stop_of_the_switch_becomes_the_persons_who_stops_too() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    switch.set_from_outside(mode=Mode.LIVE, stop=True)
    switching.watch(switch=switch, at=NOW)
    mode.stop_everything(switch=switch, actor="anna", origin="api", reason="smoke", at=NOW)
    switch.set_from_outside(mode=Mode.LIVE, stop=False)
    switching.watch(switch=switch, at=NOW)

    assert state() == ("LIVE", True, True, "api")
    assert audited()[-1] == ("anna", {"stopped_by": "switch"}, {"stopped_by": "api"})


def test_switching_hears_a_stop_that_was_set_from_outside_a_moment_ago() -> None:
    switch = Switch(mode=Mode.DRY)
    switch.set_from_outside(mode=Mode.DRY, stop=True)
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)

    assert state() == ("LIVE", True, True, "switch")
    assert (switch.mode, switch.stop) == (Mode.LIVE, True)


def test_lifting_refuses_while_there_is_a_stop_that_nobody_has_heard_of() -> None:
    keep(configured=Mode.LIVE)
    switch = Switch()
    mode.stop_everything(switch=switch, actor="anna", origin="api", reason="smoke", at=NOW)
    switch.set_from_outside(mode=Mode.LIVE, stop=True)
    with pytest.raises(StoppedMeanwhile):
        mode.lift_stop(switch=switch, actor="anna", reason="clear", at=NOW)
    refused = (state(), switch.stop)
    mode.lift_stop(switch=switch, actor="anna", reason="clear, and I saw the other", at=NOW)

    assert refused == (("LIVE", True, True, "api"), True)
    assert (state(), switch.stop) == (("LIVE", True, False, ""), False)


def test_a_lift_that_the_switch_did_not_hear_is_repeated() -> None:
    switch = Switch()
    mode.stop_everything(switch=switch, actor="anna", origin="api", reason="smoke", at=NOW)
    switch.is_down = True
    mode.lift_stop(switch=switch, actor="anna", reason="clear", at=NOW)
    switch.is_down = False
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="anna", reason="go", at=NOW)
    still = switch.stop
    mode.lift_stop(switch=switch, actor="anna", reason="clear", at=NOW)

    assert (still, switch.stop) == (True, False)


def test_live_waits_for_a_second_person(settings: Any) -> None:
    settings.LIVE_REQUIRES_TWO = True
    switch = Switch(mode=Mode.DRY)
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="ada", reason="go", at=NOW)
    waiting = (mode.current(switch=switch, at=NOW).reasons, mode.configured(), switch.mode)
    mode.confirm_live(by=BOB, switch=switch, reason="I agree", at=NOW)

    assert waiting == (("the switch says DRY", "LIVE waits for a second person"), Mode.DRY, Mode.DRY)
    assert (mode.current(switch=switch, at=NOW).may_sign, mode.configured(), switch.mode) == (True, Mode.LIVE, Mode.LIVE)
    assert audited()[-1] == ("bob", {"confirmed_by": ""}, {"confirmed_by": "bob"})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.RISK])
def test_only_another_super_admin_confirms(settings: Any, role: Role) -> None:
    settings.LIVE_REQUIRES_TWO = True
    switch = Switch(mode=Mode.DRY)
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="ada", reason="go", at=NOW)
    for person in (ADA, Person(name="eve", roles=frozenset({role}))):
        with pytest.raises(NotAllowed):
            mode.confirm_live(by=person, switch=switch, reason="me", at=NOW)

    assert (ModeState.objects.get(pk=1).confirmed_by, switch.mode) == ("", Mode.DRY)


def test_a_changed_wish_starts_again(settings: Any) -> None:
    settings.LIVE_REQUIRES_TWO = True
    switch = Switch(mode=Mode.DRY)
    for actor in ("ada", "bob"):
        mode.switch_to(mode=Mode.LIVE, switch=switch, actor=actor, reason="go", at=NOW)
    with pytest.raises(NotAllowed):
        mode.confirm_live(by=BOB, switch=switch, reason="me", at=NOW)
    mode.confirm_live(by=ADA, switch=switch, reason="I agree", at=NOW)
    mode.switch_to(mode=Mode.DRY, switch=switch, actor="ada", reason="home", at=NOW)
    with pytest.raises(NothingToConfirm):
        mode.confirm_live(by=BOB, switch=switch, reason="I agree", at=NOW)
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="ada", reason="back", at=NOW)

    assert not mode.current(switch=switch, at=NOW).may_sign


def test_live_that_was_typed_into_the_switch_waits_for_a_person_too(settings: Any) -> None:
    settings.LIVE_REQUIRES_TWO = True
    keep(configured=Mode.LIVE, is_chosen=True, wished_by="ada", confirmed_by="bob")
    switch = Switch(mode=Mode.DRY)
    switch.set_from_outside(mode=Mode.LIVE)
    unheard = mode.current(switch=switch, at=NOW).may_sign
    switching.watch(switch=switch, at=NOW)
    heard = mode.current(switch=switch, at=NOW).may_sign
    mode.confirm_live(by=BOB, switch=switch, reason="I agree", at=NOW)

    assert (unheard, heard, mode.current(switch=switch, at=NOW).may_sign) == (False, False, True)


def test_without_the_rule_of_two_nothing_waits() -> None:
    with pytest.raises(NothingToConfirm):
        mode.confirm_live(by=BOB, switch=Switch(), reason="I agree", at=NOW)


@pytest.mark.parametrize("name", DeskSwitch)
def test_turning_a_switch_of_the_desk_is_audited_once(name: DeskSwitch) -> None:
    was = getattr(ModeState.objects.get(pk=1), name)
    for _ in range(2):
        mode.set_desk(name=name, is_on=not was, actor="anna", reason="work", at=NOW)

    assert audited() == [("anna", {str(name): was}, {str(name): not was})]


def test_automation_rests_when_it_is_paused() -> None:
    before = mode.is_automation_paused()
    mode.set_desk(name=DeskSwitch.AUTOMATION_PAUSED, is_on=True, actor="anna", reason="work", at=NOW)

    assert (before, mode.is_automation_paused()) == (False, True)
