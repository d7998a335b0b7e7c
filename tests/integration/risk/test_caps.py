"""One cap that several accounts share, and eight processes that decide at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import Cursor

from risk.services import decisions, exposures
from tests.chaos import campaigns_caps, ground
from tests.chaos.campaigns_caps import CAP, CROWD, SIGNALS, WIDTHS
from tests.factories import NOW
from tests.factories.risk import PolicyFactory
from tests.factories.trading import QuoteFactory, SignalFactory
from tests.fakes.accounts import Accounts
from tests.fakes.switch import UNTROUBLED, Switch
from trading import locks
from trading.models import ModeState, Signal


@pytest.fixture
def desk(committed: None, settings: Any) -> None:
    settings.EXEC_MODE, settings.COPY_IS_SET, settings.EMERGENCY_STOP = "LIVE", False, False
    ModeState.objects.update(configured="LIVE", **UNTROUBLED)
    QuoteFactory()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_cap_is_filled_and_never_passed(desk: None, width: str) -> None:
    for seed in range(2):
        found = campaigns_caps.decide_at_once(at=NOW, seed=seed, policy=dict(WIDTHS[width]))

        assert found.breaches(CAP) == []
        assert found.decided == CROWD * SIGNALS
        assert found.count + len(found.refused) == CROWD * SIGNALS
        assert found.refused


def test_without_the_lock_a_cap_is_passed(desk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "usage", lambda _: None)
    passed = [
        campaigns_caps.decide_at_once(at=NOW, seed=seed, policy=dict(WIDTHS["the desk"])).approved > CAP for seed in range(3)
    ]
    assert any(passed)


def test_without_the_open_and_promised_a_cap_is_passed(desk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposures, "of", lambda *_, **__: {book: [] for book in exposures.Book})
    assert campaigns_caps.decide_at_once(at=NOW, seed=1, policy=dict(WIDTHS["the desk"])).approved > CAP


def test_who_waits_too_long_for_a_shared_cap_comes_back_and_has_tried_nothing(desk: None) -> None:
    PolicyFactory(max_exposure_usdc=CAP)
    signal = SignalFactory()
    with _another_session() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('desk', 0))")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 50")
        decide(signal)
        assert (signal.status, signal.attempts) == ("RECEIVED", 0)
    decide(signal)
    assert signal.status == "APPROVED"


def decide(signal: Signal) -> None:
    decisions.drain(trader_id=signal.trader_id, switch=Switch(), accounts=Accounts(), clock=lambda: NOW)
    signal.refresh_from_db()


@contextmanager
def _another_session() -> Iterator[Cursor]:
    with psycopg.connect(ground.conninfo(), autocommit=True) as session, session.cursor() as cursor:
        yield cursor
    # What this session changed of itself ends with it.
    connection.close()
