"""A test signal in a source's name: on paper whatever the mode, by who may manage sources, and written down."""

from typing import Any

import pytest

from tests.factories import NOW
from tests.factories.people import SUPER_ADMIN
from tests.factories.trading import MarketFactory, SourceFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.people import NotAllowed, Person, Role
from trading.domain.signal import SignalStatus
from trading.domain.source import SourceMode
from trading.models import AuditRow, Signal
from trading.services import rehearsals
from trading.services.rehearsals import UnknownMarket
from trading.services.signals import UnknownTrader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _account() -> None:
    MarketFactory()
    TraderFactory(tg_user_id=123)


def rehearse(
    by: Person = SUPER_ADMIN, *, symbol: str = "BTC-USD", account: int = 123, mode: SourceMode = SourceMode.AUTO
) -> Signal:
    source = SourceFactory(name="chart", mode=mode)
    return rehearsals.send(source=source, tg_user_id=account, symbol=symbol, by=by, reason="set up", at=NOW)


def test_a_test_is_a_small_entry_on_paper(settings: Any) -> None:
    settings.EXEC_MODE, settings.COPY_IS_SET = "LIVE", False

    signal = rehearse()

    assert (signal.is_test, signal.book, signal.side, str(signal.collateral_usdc), str(signal.leverage_x)) == (
        True,
        Book.PAPER,
        "LONG",
        "100",
        "2",
    )
    row = AuditRow.objects.get(action="source.rehearse")
    assert (row.subject, row.reason, row.after) == ("source:chart", "set up", {"signal": signal.intent_key})


def test_each_test_is_one_of_its_own() -> None:
    assert rehearse().intent_key != rehearse().intent_key


def test_a_source_that_asks_first_asks_for_its_test_too() -> None:
    assert rehearse(mode=SourceMode.APPROVE).status == SignalStatus.AWAITING


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"symbol": "NO-USD"}, UnknownMarket),
        ({"account": 7}, UnknownTrader),
        ({"by": Person(name="bob", roles=frozenset({Role.RISK}))}, NotAllowed),
    ],
)
def test_what_can_not_be_tested_leaves_nothing(said: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        rehearse(**said)

    assert not Signal.objects.exists()
    assert not AuditRow.objects.filter(action="source.rehearse").exists()
