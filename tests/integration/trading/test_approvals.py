"""A source that asks first: its entries wait for a person, who has the last word once and in time."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW
from tests.factories.trading import MarketFactory, SignalFactory, SourceFactory, TraderFactory
from tests.fakes import doorbell
from trading.domain.errors import VantaError
from trading.domain.people import NotAllowed, Person, Role
from trading.domain.signal import ENTRY_LIFETIME, Side, SignalRequest, SignalStatus
from trading.domain.source import SourceMode
from trading.domain.units import Leverage, Usdc
from trading.models import AuditRow, Event, Signal
from trading.services import approvals, signals
from trading.services.approvals import NotAwaiting, UnknownSignal

pytestmark = pytest.mark.django_db

RISK = Person(name="ada", roles=frozenset({Role.RISK}))
OWNER = Person(name="tg:123", roles=frozenset({Role.TRADER}), tg_user_id=123)
STRANGERS = (
    Person(name="bob", roles=frozenset({Role.VIEWER})),
    Person(name="tg:7", roles=frozenset({Role.TRADER}), tg_user_id=7),
    Person(name="nobody", roles=frozenset()),
)


def accepted(side: Side = Side.LONG, *, mode: SourceMode = SourceMode.APPROVE) -> Signal:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    amounts: dict[str, Any] = {} if side is Side.CLOSE else {"collateral": Usdc.of(50), "leverage": Leverage.of(3)}
    request = SignalRequest(source="chart", signal_id="1", tg_user_id=123, symbol="BTC-USD", side=side, **amounts)
    source = SourceFactory(name="chart", mode=mode)
    return signals.accept(request=request, raw=b"{}", source=source, at=NOW).signal


def fresh(signal: Signal) -> Signal:
    return Signal.objects.get(pk=signal.pk)


def test_an_entry_waits_for_a_person_and_wakes_nobody(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.APPROVAL_SECONDS = 120
    with django_capture_on_commit_callbacks(execute=True):
        signal = accepted()

    assert (signal.status, signal.expires_at) == (SignalStatus.AWAITING, NOW + timedelta(minutes=2))
    assert signal.next_action_at == NOW + timedelta(minutes=2, milliseconds=1)
    assert [event.kind for event in Event.objects.all()] == ["signal.awaiting"]
    assert doorbell.heard() == []


def test_an_exit_waits_for_nobody() -> None:
    signal = accepted(Side.CLOSE)

    assert (signal.status, signal.expires_at, signal.next_action_at) == (SignalStatus.RECEIVED, None, NOW)


@pytest.mark.parametrize("mode", [SourceMode.AUTO, SourceMode.OBSERVE])
def test_only_a_source_that_asks_first_waits(mode: SourceMode) -> None:
    assert accepted(mode=mode).status == SignalStatus.RECEIVED


@pytest.mark.parametrize("person", [RISK, OWNER])
def test_a_yes_makes_it_as_fresh_as_the_yes(person: Person, django_capture_on_commit_callbacks: Any) -> None:
    signal, later = accepted(), NOW + timedelta(minutes=2)

    with django_capture_on_commit_callbacks(execute=True):
        approvals.grant(signal_id=signal.pk, person=person, reason="looked at the chart", at=later)

    granted = fresh(signal)
    assert (granted.status, granted.next_action_at) == (SignalStatus.RECEIVED, later)
    assert (granted.granted_at, granted.granted_by, granted.expires_at) == (later, person.name, later + ENTRY_LIFETIME)
    row = AuditRow.objects.get(action="signal.granted")
    assert (row.actor, row.reason, row.before, row.after) == (
        person.name,
        "looked at the chart",
        {"status": "AWAITING"},
        {"status": "RECEIVED"},
    )
    assert doorbell.heard() == [("signal.accepted", signal.trader_id)]


def test_a_no_ends_it(django_capture_on_commit_callbacks: Any) -> None:
    signal = accepted()

    with django_capture_on_commit_callbacks(execute=True):
        approvals.decline(signal_id=signal.pk, person=OWNER, reason="not now", at=NOW)

    ended = fresh(signal)
    assert (ended.status, ended.decided_at, ended.next_action_at) == (SignalStatus.DECLINED, NOW, None)
    assert AuditRow.objects.get(action="signal.declined").after == {"status": "DECLINED"}
    assert doorbell.heard() == []


@pytest.mark.parametrize("word", [approvals.grant, approvals.decline])
@pytest.mark.parametrize("person", STRANGERS, ids=lambda person: person.name)
def test_who_may_not_trade_for_the_account_has_no_word(word: Any, person: Person) -> None:
    signal = accepted()

    with pytest.raises(NotAllowed):
        word(signal_id=signal.pk, person=person, reason="", at=NOW)

    assert fresh(signal).status == SignalStatus.AWAITING


@pytest.mark.parametrize("first", [approvals.grant, approvals.decline])
@pytest.mark.parametrize("second", [approvals.grant, approvals.decline])
def test_the_first_word_holds(first: Any, second: Any) -> None:
    signal = accepted()
    first(signal_id=signal.pk, person=RISK, reason="", at=NOW)
    before = fresh(signal).status

    with pytest.raises(NotAwaiting):
        second(signal_id=signal.pk, person=OWNER, reason="", at=NOW)

    assert fresh(signal).status == before


def test_a_yes_in_time_counts_and_one_too_late_does_not() -> None:
    signal = accepted()
    assert signal.expires_at is not None

    with pytest.raises(NotAwaiting):
        approvals.grant(signal_id=signal.pk, person=RISK, reason="", at=signal.expires_at + timedelta(microseconds=1))
    approvals.grant(signal_id=signal.pk, person=RISK, reason="", at=signal.expires_at)

    assert fresh(signal).status == SignalStatus.RECEIVED


def test_what_needs_no_word_takes_none() -> None:
    for refused in (SignalFactory(), SignalFactory(decided=SignalStatus.APPROVED)):
        with pytest.raises(NotAwaiting):
            approvals.grant(signal_id=refused.pk, person=RISK, reason="", at=NOW)
    with pytest.raises(UnknownSignal) as unknown:
        approvals.grant(signal_id=0, person=RISK, reason="", at=NOW)
    assert isinstance(unknown.value, VantaError)
