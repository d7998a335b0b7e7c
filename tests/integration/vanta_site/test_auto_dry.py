"""Violations stop us by themselves: once each, audited, and whatever the switch does meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from execution.domain.intent import IntentStatus
from execution.models import TxIntent
from tests.factories import NOW
from tests.factories.execution import TxIntentFactory
from tests.factories.trading import FillFactory, PositionFactory
from tests.fakes.switch import Switch
from trading.domain.mode import Mode
from trading.domain.position import FillKind
from trading.models import AuditRow, ModeState
from trading.services import journal, mode, switching
from vanta_site import auto_dry
from vanta_site.models import Violation
from vanta_site.violations import ErrorRate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def live(desk: ModeState, settings: Any) -> Switch:
    settings.EXEC_MODE, settings.COPY_IS_SET, settings.LIVE_REQUIRES_TWO = "LIVE", False, False
    ModeState.objects.update(configured=Mode.LIVE, is_chosen=True)
    return Switch()


def _duplicate() -> None:
    position = PositionFactory()
    for _ in range(2):
        FillFactory(position=position, kind=FillKind.OPEN)


def _ended(status: IntentStatus, *, count: int, failure: str = "", at: Any = NOW) -> None:
    for _ in range(count):
        intent = TxIntentFactory()
        path = {
            IntentStatus.FINAL: ("BUILDING", "BUILT", "SENDING", "SENT", "MINED", "FINAL"),
            IntentStatus.REVERTED: ("BUILDING", "BUILT", "SENDING", "SENT", "MINED", "REVERTED"),
            IntentStatus.CANCELED: ("BUILDING", "BUILT", "SENDING", "SENT", "MINED", "CANCELED"),
        }[status]
        for word in path:
            changes: dict[str, Any] = {"status": word}
            if word == "SENDING":
                changes |= {"nonce": intent.pk, "reserved_at": at}
            if word == str(status):
                changes |= {"closed_at": at, "next_action_at": None, "failure_code": failure}
            TxIntent.objects.filter(pk=intent.pk).update(**changes)


def _stands(switch: Switch) -> tuple[str, Mode | None]:
    return ModeState.objects.get(pk=1).configured, switch.mode


def test_a_duplicate_sets_dry_once(live: Switch) -> None:
    _duplicate()
    found = auto_dry.act(switch=live, at=NOW)
    after = _stands(live)
    mode.switch_to(mode=Mode.LIVE, switch=live, actor="ada", reason="seen, reconciled", at=NOW)
    again = auto_dry.act(switch=live, at=NOW)

    assert (found, after) == (1, ("DRY", Mode.DRY))
    assert (again, _stands(live)) == (0, ("LIVE", Mode.LIVE))
    actions = list(AuditRow.objects.filter(actor="violation").order_by("pk").values_list("action", flat=True))
    assert actions == ["mode.change", "violation.found"]
    assert Violation.objects.get().kind == "duplicate"


def test_an_illegal_transition_sets_dry(live: Switch) -> None:
    intent = TxIntentFactory()
    with transaction.atomic():
        journal.record_all([journal.event(kind, intent, at=NOW) for kind in ("intent.created", "intent.final")])

    assert auto_dry.act(switch=live, at=NOW) == 1
    assert _stands(live) == ("DRY", Mode.DRY)
    assert Violation.objects.get().kind == "illegal transition"


@pytest.mark.parametrize(("fine", "wrong", "is_violation"), [(0, 2, False), (0, 3, True), (5, 3, True)])
def test_reverts_beyond_the_limit_set_dry(live: Switch, fine: int, wrong: int, is_violation: bool) -> None:
    _ended(IntentStatus.REVERTED, count=wrong)
    _ended(IntentStatus.FINAL, count=fine)

    assert auto_dry.act(switch=live, at=NOW + timedelta(seconds=10)) == int(is_violation)
    assert _stands(live)[0] == ("DRY" if is_violation else "LIVE")


@pytest.mark.parametrize(("ended", "errors", "is_too_high"), [(299, 3, True), (300, 3, False), (2, 2, False), (401, 4, False)])
def test_more_than_one_in_a_hundred_is_too_high_and_two_are_no_rate(ended: int, errors: int, is_too_high: bool) -> None:
    assert ErrorRate(ended=ended, errors=tuple(range(errors))).is_too_high is is_too_high


@pytest.mark.parametrize(
    ("failure", "is_violation"),
    [("CONTENT_REFUSED: intrinsic gas too low", True), ("SIGNING_ATTEMPTS_EXHAUSTED", True),
     ("DEADLINE_PASSED", False), ("NOT_LIVE", False)],
)  # fmt: skip
def test_a_cancellation_is_an_error_only_if_nobody_wished_it(live: Switch, failure: str, is_violation: bool) -> None:
    _ended(IntentStatus.CANCELED, count=3, failure=failure)

    assert auto_dry.act(switch=live, at=NOW + timedelta(seconds=10)) == int(is_violation)


def test_errors_that_were_answered_for_are_not_counted_again(live: Switch) -> None:
    _ended(IntentStatus.REVERTED, count=3)
    seconds = [timedelta(seconds=each) for each in (10, 20, 40)]
    found = [auto_dry.act(switch=live, at=NOW + each) for each in seconds[:2]]
    _ended(IntentStatus.REVERTED, count=3, at=NOW + timedelta(seconds=30))
    found.append(auto_dry.act(switch=live, at=NOW + seconds[2]))

    assert found == [1, 0, 1]


def test_errors_older_than_the_window_are_no_rate(live: Switch) -> None:
    _ended(IntentStatus.REVERTED, count=3)

    assert auto_dry.act(switch=live, at=NOW + timedelta(minutes=5, seconds=1)) == 0


def test_a_switch_that_is_down_is_told_by_the_next_watch(live: Switch) -> None:
    _duplicate()
    live.is_down = True
    auto_dry.act(switch=live, at=NOW)
    live.is_down = False
    missed = live.mode
    switching.watch(switch=live, at=NOW + timedelta(seconds=1))

    assert (missed, live.mode) == (Mode.LIVE, Mode.DRY)


def test_where_it_is_switched_off_a_violation_is_only_written_down(live: Switch, settings: Any) -> None:
    settings.AUTO_DRY_ON_VIOLATION = False
    _duplicate()

    assert auto_dry.act(switch=live, at=NOW) == 1
    assert _stands(live) == ("LIVE", Mode.LIVE)
    assert AuditRow.objects.get(actor="violation").action == "violation.found"


def test_a_clean_desk_is_left_alone(live: Switch) -> None:
    FillFactory(kind=FillKind.OPEN)

    assert auto_dry.act(switch=live, at=NOW) == 0
    assert (_stands(live), AuditRow.objects.count()) == (("LIVE", Mode.LIVE), 0)
