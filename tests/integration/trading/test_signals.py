"""A signal is stored once, word for word."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.factories import NOW
from tests.factories.trading import EtherMarketFactory, MarketFactory, PositionFactory, SourceFactory, TraderFactory
from tests.fakes import doorbell
from trading.domain.mode import Book, Mode
from trading.domain.signal import Side, SignalRequest, SignalStatus
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.kinds import write
from trading.models import AuditRow, Event, Market, ModeState, Signal, Trader
from trading.services import signals
from trading.services.signals import Acceptance, Outcome, UnknownPosition, UnknownSymbol, UnknownTrader

pytestmark = pytest.mark.django_db

BODY = {"source": "desk", "signal_id": "1"}
RAW = b'{"source": "desk", "signal_id": "1"}'


@pytest.fixture
def trader() -> Trader:
    MarketFactory()
    EtherMarketFactory()
    ModeState.objects.filter(pk=1).update(configured=Mode.LIVE)
    return TraderFactory(tg_user_id=123)


def entry(**changes: Any) -> SignalRequest:
    request = SignalRequest(
        source="desk",
        signal_id="1",
        tg_user_id=123,
        symbol="BTC-USD",
        side=Side.LONG,
        collateral=Usdc.of(50),
        leverage=Leverage.of(3),
    )
    return replace(request, **changes)


def close(**changes: Any) -> SignalRequest:
    return entry(side=Side.CLOSE, collateral=None, leverage=None, **changes)


def accept(request: SignalRequest, *, raw: bytes = RAW) -> Acceptance:
    return signals.accept(request=request, raw=raw, source=SourceFactory(), at=NOW)


def test_an_entry_is_stored_with_everything_it_said(trader: Trader) -> None:
    request = entry(
        slippage=Percent.of(1),
        price=Price.of(60_000),
        take_profit=Price.of(66_000),
        stop_loss=Price.of(54_000),
        signaled_at=NOW - timedelta(seconds=3),
    )
    accepted = accept(request)
    signal = Signal.objects.get()
    assert accepted == Acceptance(outcome=Outcome.ACCEPTED, signal=signal)
    assert (signal.intent_key, signal.source_name, signal.signal_id, signal.body) == ("sig:desk:1", "desk", "1", RAW.decode())
    assert signal.fingerprint == hashlib.sha256(RAW).hexdigest()
    assert (signal.trader, signal.market.symbol, signal.side, signal.book) == (trader, "BTC-USD", "LONG", "LIVE")
    assert (signal.collateral_usdc, signal.leverage_x, signal.slippage_pct) == (Usdc.of(50), Leverage.of(3), Percent.of(1))
    assert (signal.price, signal.take_profit, signal.stop_loss) == (Price.of(60_000), Price.of(66_000), Price.of(54_000))
    assert (signal.signaled_at, signal.received_at, signal.next_action_at) == (NOW - timedelta(seconds=3), NOW, NOW)
    assert (signal.status, signal.decided_at, signal.expires_at) == ("RECEIVED", None, NOW + timedelta(seconds=60))


def test_an_exit_never_expires(trader: Trader) -> None:
    accept(close(reduce=Usdc.of(10)))
    signal = Signal.objects.get()
    assert (signal.expires_at, signal.reduce_usdc, signal.reduce_pct, signal.collateral_usdc) == (None, Usdc.of(10), None, None)


def test_a_signal_is_written_down_and_rung_once(trader: Trader, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = accept(entry())
        again = accept(entry())
    assert (first.outcome, again.outcome, again.signal) == (Outcome.ACCEPTED, Outcome.DUPLICATE, first.signal)
    assert Signal.objects.count() == 1
    assert [event.kind for event in Event.objects.all()] == ["signal.received"]
    assert doorbell.heard() == [("signal.accepted", trader.pk)]


def test_a_duplicate_tells_how_far_the_first_came(trader: Trader) -> None:
    first = accept(entry()).signal
    first.move(SignalStatus.DENIED)
    first.decided_at, first.next_action_at = NOW, None
    first.save()
    assert accept(entry()).signal.status == SignalStatus.DENIED


def test_a_conflict_about_a_long_encoded_id_is_kept_too(trader: Trader) -> None:
    accept(entry(signal_id="/" * 128))

    other = accept(entry(signal_id="/" * 128, side=Side.SHORT), raw=RAW + b" ")

    assert other.outcome is Outcome.CONFLICT
    assert AuditRow.objects.get().subject == ("sig:desk:" + "%2F" * 128)[:200]


def test_the_same_id_with_another_body_is_kept_for_the_audit_only(
    trader: Trader, django_capture_on_commit_callbacks: Any
) -> None:
    first = accept(entry()).signal
    with django_capture_on_commit_callbacks(execute=True):
        other = accept(entry(side=Side.SHORT), raw=RAW + b" ")
    assert other == Acceptance(outcome=Outcome.CONFLICT, signal=first)
    assert Signal.objects.get().side == "LONG"
    row = AuditRow.objects.get()
    assert (row.actor, row.action, row.subject) == ("source:desk", "signal.conflict", "sig:desk:1")
    assert row.before == {"fingerprint": first.fingerprint}
    assert row.after["body"] == RAW.decode() + " "
    assert doorbell.heard() == []


def test_a_space_makes_another_body(trader: Trader) -> None:
    accept(entry())
    assert accept(entry(), raw=RAW + b" ").outcome is Outcome.CONFLICT


def test_one_id_of_two_sources_is_two_signals(trader: Trader) -> None:
    assert accept(entry(source="a:b", signal_id="c")).outcome is Outcome.ACCEPTED
    assert accept(entry(source="a", signal_id="b:c")).outcome is Outcome.ACCEPTED
    assert Signal.objects.count() == 2


@pytest.mark.parametrize("disabled", [True, False])
def test_a_user_that_may_not_trade_is_unknown(trader: Trader, disabled: bool) -> None:
    if disabled:
        Trader.objects.update(is_enabled=False)
    with pytest.raises(UnknownTrader) as refusal:
        accept(entry(tg_user_id=123 if disabled else 124))
    assert (refusal.value.code, refusal.value.facts) == ("TRADER_UNKNOWN", {"field": "tg_user_id"})
    assert Signal.objects.count() == Event.objects.count() == 0


def test_a_market_that_is_not_listed_is_unknown(trader: Trader) -> None:
    MarketFactory(symbol="SOL-USD", pair_index=9, is_listed=False)
    for symbol in ("SOL-USD", "DOGE-USD"):
        with pytest.raises(UnknownSymbol) as refusal:
            accept(entry(symbol=symbol))
        assert (refusal.value.code, refusal.value.facts) == ("SYMBOL_UNKNOWN", {"field": "symbol"})
    assert Signal.objects.count() == 0


@pytest.mark.parametrize(("configured", "book"), [(Mode.LIVE, Book.LIVE), (Mode.DRY, Book.PAPER)])
def test_an_entry_is_booked_as_people_configured(trader: Trader, configured: Mode, book: Book) -> None:
    ModeState.objects.update(configured=configured)
    assert accept(entry()).signal.book == book


@pytest.mark.parametrize(
    ("configured", "held", "book"),
    [
        (Mode.LIVE, (), Book.LIVE),
        (Mode.DRY, (), Book.PAPER),
        (Mode.LIVE, (Book.PAPER,), Book.PAPER),
        (Mode.DRY, (Book.LIVE,), Book.LIVE),
        (Mode.LIVE, (Book.PAPER, Book.LIVE), Book.LIVE),
        (Mode.DRY, (Book.PAPER, Book.LIVE), Book.PAPER),
    ],
)
def test_an_exit_belongs_to_the_book_that_holds_something(
    trader: Trader, configured: Mode, held: tuple[Book, ...], book: Book
) -> None:
    ModeState.objects.update(configured=configured)
    for each in held:
        PositionFactory(trader=trader, book=each)
    assert accept(close()).signal.book == book


def test_positions_of_others_say_nothing_about_an_exit(trader: Trader) -> None:
    PositionFactory(book=Book.PAPER)
    PositionFactory(trader=trader, book=Book.PAPER, market=EtherMarketFactory())
    assert accept(close()).signal.book == Book.LIVE


@write
def move(signal: Signal, target: SignalStatus) -> None:
    signals.move(signal, target, at=NOW)
    signal.save()


def test_a_decided_signal_is_due_no_more(trader: Trader) -> None:
    signal = accept(entry()).signal
    move(signal, SignalStatus.APPROVED)
    signal.refresh_from_db()
    assert (signal.status, signal.decided_at, signal.next_action_at) == ("APPROVED", NOW, None)


@pytest.mark.parametrize("book", Book)
def test_an_exit_of_our_own_may_name_its_position_and_takes_its_book(trader: Trader, book: Book) -> None:
    other = PositionFactory(trader=trader, book=Book.LIVE)
    position = PositionFactory(trader=trader, book=book)

    signal = accept(close(position_id=position.pk)).signal

    assert (signal.position, signal.book, signal.trader, signal.market) == (position, book, trader, other.market)
    assert accept(close(position_id=position.pk)).outcome is Outcome.DUPLICATE


def test_what_is_open_can_be_closed_though_its_account_and_its_market_are_gone(trader: Trader) -> None:
    position = PositionFactory(trader=trader)
    Trader.objects.update(is_enabled=False)
    Market.objects.update(is_listed=False)

    with pytest.raises(UnknownTrader):
        accept(close())

    assert accept(close(position_id=position.pk)).signal.position == position


def test_a_position_that_never_was_is_refused(trader: Trader) -> None:
    with pytest.raises(UnknownPosition):
        accept(close(position_id=1))
    assert not Signal.objects.exists()


def test_sixteen_at_once_store_one_row(committed: None) -> None:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    source = SourceFactory()

    def send(_: int) -> Outcome:
        try:
            return signals.accept(request=entry(), raw=RAW, source=source, at=NOW).outcome
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(send, range(16)))
    assert sorted(outcomes) == [Outcome.ACCEPTED] + [Outcome.DUPLICATE] * 15
    assert Signal.objects.count() == 1
    assert Event.objects.count() == 1
    assert len(doorbell.heard()) == 1
