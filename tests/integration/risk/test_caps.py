"""One cap that several accounts share, and eight processes that decide at once."""

from typing import Any

import pytest

from risk.services import exposures
from tests.chaos import campaigns_caps
from tests.chaos.campaigns_caps import CAP, CROWD, SIGNALS, WIDTHS
from tests.factories import NOW
from tests.factories.trading import QuoteFactory
from tests.fakes.switch import UNTROUBLED
from trading import locks
from trading.models import ModeState


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
