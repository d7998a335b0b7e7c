"""The Approvals page: what waits for a word, and who may give it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.factories.logins import operator
from tests.factories.trading import QuoteFactory, SignalFactory
from trading import clock
from trading.domain.people import Role
from trading.domain.protection import AtMove, AtReward, Protection, Target, as_json
from trading.domain.signal import SignalStatus, SizeKind
from trading.domain.units import Multiple, Percent
from trading.models import AuditRow, Signal

pytestmark = pytest.mark.usefixtures("switch", "desk")

PAGE = "/admin/approvals/"


def waiting(**changes: Any) -> Signal:
    now = clock.now()
    said = {"received_at": now, "expires_at": now + timedelta(minutes=5), "next_action_at": now + timedelta(minutes=5)}
    return SignalFactory(status=SignalStatus.AWAITING, **said | changes)


def status(signal: Signal) -> str:
    return str(Signal.objects.get(pk=signal.pk).status)


def test_each_waiting_signal_is_shown_with_what_it_asks(console: Client) -> None:
    QuoteFactory(published_at=clock.now())
    fixed = waiting()
    guard = Protection(stop=AtMove(share=Percent.of(1)), targets=(Target(level=AtReward(multiple=Multiple.of(2))),))
    size = {"collateral_usdc": None, "size_kind": SizeKind.RISK_PCT, "size_pct": Percent.of("0.5")}
    share = waiting(**size, protection=as_json(guard))
    late = waiting(expires_at=clock.now() - timedelta(seconds=1))
    SignalFactory()

    text = " ".join(console.get(PAGE).content.decode().split())

    assert fixed.intent_key in text
    assert "<td>50 USDC<br>at 3x</td> <td>–</td>" in text
    assert share.intent_key in text
    assert "<td>0.5% of the equity at risk<br>at 3x</td> <td>stop 1%, target 2R</td>" in text
    assert late.intent_key not in text
    assert text.count(">Approve</button>") == 2


@pytest.mark.parametrize(("word", "becomes"), [("grant", SignalStatus.RECEIVED), ("decline", SignalStatus.DECLINED)])
def test_a_word_is_given_once_with_its_reason(console: Client, word: str, becomes: SignalStatus) -> None:
    signal = waiting()
    said = {"signal": signal.pk, "word": word, "reason": "looked at it"}

    first = console.post(PAGE, said, follow=True).content.decode()
    again = console.post(PAGE, said, follow=True).content.decode()

    assert status(signal) == becomes
    assert f"Answered: {signal.intent_key} is {becomes}." in first
    assert "SIGNAL_NOT_AWAITING" in again
    assert AuditRow.objects.filter(reason="looked at it").count() == 1


@pytest.mark.parametrize("said", [{}, {"reason": ""}, {"word": "perhaps"}, {"signal": "x"}, {"signal": "0"}])
def test_half_a_word_is_none(console: Client, said: dict[str, str]) -> None:
    signal = waiting()
    whole = {"signal": str(signal.pk), "word": "grant", "reason": "why"}

    console.post(PAGE, {**whole, **said} if said else {})

    assert status(signal) == SignalStatus.AWAITING


def test_a_viewer_sees_and_has_no_word(db: None) -> None:
    signal, client = waiting(), Client()
    client.force_login(operator(Role.VIEWER))

    page = client.get(PAGE).content.decode()
    answer = client.post(PAGE, {"signal": signal.pk, "word": "grant", "reason": "me"}, follow=True).content.decode()

    assert "not yours" in page
    assert "Approve</button>" not in page
    assert "NOT_ALLOWED" in answer
    assert status(signal) == SignalStatus.AWAITING


def test_nobody_waits(console: Client) -> None:
    assert "Nothing waits." in console.get(PAGE).content.decode()


def test_a_stranger_is_sent_to_log_in(db: None) -> None:
    assert Client().get(PAGE).status_code == 302
