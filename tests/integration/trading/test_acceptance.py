"""A signal's one statement says what the models and the services would say, column by column and rule by rule."""

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DataError, connection
from django.forms.models import model_to_dict

from tests.factories import NOW
from tests.factories.trading import MarketFactory, SourceFactory, TraderFactory
from trading.domain.mode import Mode, book_for
from trading.domain.protection import AtPrice, Protection
from trading.domain.signal import Side, SignalRequest, Size, SizeKind, Stance
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import Event, ModeState, Signal, Source, SourceSecret, Trader
from trading.services import journal, mode, signals

pytestmark = pytest.mark.django_db


@pytest.fixture
def trader() -> Trader:
    MarketFactory()
    return TraderFactory(tg_user_id=123)


def entry(signal_id: str = "1", **changes: Any) -> SignalRequest:
    said: dict[str, Any] = {"collateral": Usdc.of(50), "leverage": Leverage.of(3)} | changes
    return SignalRequest(source="desk", signal_id=signal_id, tg_user_id=123, symbol="BTC-USD", side=Side.LONG, **said)


def accepted(request: SignalRequest) -> Signal:
    return signals.accept(request=request, raw=b'{"a": "\\u00e9 %s {}"}', source=SourceFactory(), at=NOW).signal


FULL = {
    "slippage": Percent.of("0.0000000001"),
    "price": Price.of("60000.1234567891"),
    "take_profit": Price.of(66_000),
    "stop_loss": Price.of(54_000),
    "protection": Protection(stop=AtPrice(price=Price.of(54_000)), breakeven_after=1),
    "stance": Stance.GROW,
    "is_test": True,
    "signaled_at": NOW - timedelta(microseconds=1),
}


@pytest.mark.parametrize(
    "request_", [entry(), entry(**FULL), entry(collateral=None, size=Size(kind=SizeKind.RISK_PCT, share=Percent.of("0.5")))]
)
def test_every_column_is_what_the_model_would_have_stored(trader: Trader, request_: SignalRequest) -> None:
    told = accepted(request_)
    stored = Signal.objects.get()

    told.pk, told.signal_id, told.intent_key = None, "2", "sig:desk:2"
    told.save(force_insert=True)

    by_django = Signal.objects.get(signal_id="2")
    changed = {"id", "signal_id", "intent_key"}
    assert {name for name, value in model_to_dict(by_django).items() if value != model_to_dict(stored)[name]} <= changed
    assert stored.signaled_at == request_.signaled_at


def test_the_event_is_what_the_journal_would_have_written(trader: Trader) -> None:
    signal = accepted(entry())

    written = Event.objects.get()

    facts = {"intent_key": signal.intent_key, "side": signal.side, "symbol": "BTC-USD", "book": signal.book}
    wanted = journal.event("signal.received", signal, at=NOW, trace_id=signal.trace_id, **facts)
    for name in ("kind", "subject", "trace_id", "facts", "at"):
        assert getattr(written, name) == getattr(wanted, name)


@pytest.mark.parametrize(("wanted", "ceiling", "agreed", "needs_two"), list(product(Mode, Mode, ["", "bob"], [True, False])))
def test_the_book_follows_the_mode_as_the_service_knows_it(
    trader: Trader, settings: Any, wanted: Mode, ceiling: Mode, agreed: str, needs_two: bool
) -> None:
    settings.EXEC_MODE, settings.EXEC_IS_SET, settings.LIVE_REQUIRES_TWO = ceiling, True, needs_two
    ModeState.objects.update(configured=wanted, wished_by="ada", confirmed_by=agreed)

    assert accepted(entry()).book == book_for(configured=mode.configured())


def test_what_is_too_long_is_refused_and_not_cut_off(trader: Trader) -> None:
    with pytest.raises(DataError, match="too long"):
        accepted(entry(signal_id="x" * 129))


def test_a_source_and_its_secrets_are_read_as_django_reads_them() -> None:
    source = SourceFactory(max_leverage_x=Leverage.of("2.5"), allowed_symbols=["BTC-USD"], allowed_accounts=[1, 2])

    (found,) = SourceSecret.objects.of([source.name, "nobody"], at=NOW)

    assert (found.secret, found.at) == (None, NOW)
    assert model_to_dict(found.source) == model_to_dict(Source.objects.get(pk=source.pk))


def kept() -> int:
    """How many statements PostgreSQL keeps for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%INTO signals%%'")
        return int(cursor.fetchone()[0])


def test_postgresql_plans_it_once_whatever_a_signal_says(committed: None, trader: Trader) -> None:
    connection.close()
    for number, changes in enumerate([{}, FULL, {"price": Price.of(1)}, {"signaled_at": NOW}]):
        accepted(entry(str(number), **changes))
    assert kept() == 1


def test_without_the_setting_it_would_be_planned_each_time(committed: None, trader: Trader) -> None:
    """So that the test above can fail."""
    connection.close()
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)
    connection.connection.prepare_threshold = None
    accepted(entry())
    assert kept() == 0


def test_a_new_signal_is_stored_in_one_round_trip(committed: None, trader: Trader, tmp_path: Path) -> None:
    source, log = SourceFactory(), tmp_path / "wire"
    accepted(entry("first"))

    with log.open("w") as wire:
        connection.connection.pgconn.trace(wire.fileno())
        signals.accept(request=entry("second"), raw=b"{}", source=source, at=NOW)
        connection.connection.pgconn.untrace()

    # Whoever sends a Sync or a Query waits for its answer.
    sent = [line.split("\t") for line in log.read_text().splitlines()]
    assert [parts[3] for parts in sent if parts[1] == "F" and parts[3] in ("Sync", "Query")] == ["Sync"]
