"""Signals: stored once, word for word, before anything else happens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from trading import doorbell
from trading.domain.errors import Invalid
from trading.domain.mode import Book, Mode, book_for
from trading.domain.protection import as_json
from trading.domain.signal import ENTRY_LIFETIME, SignalRequest, SignalStatus, fingerprint, intent_key
from trading.domain.source import SourceMode
from trading.kinds import piece, write
from trading.models import Market, Position, Signal, Source, Trader
from trading.services import audit, journal, mode


class UnknownTrader(Invalid):
    """The source may not trade for this user, or there is no such user."""

    code = "TRADER_UNKNOWN"


class UnknownSymbol(Invalid):
    """No such market is listed."""

    code = "SYMBOL_UNKNOWN"


class UnknownPosition(Invalid):
    """No such position was ever open."""

    code = "POSITION_UNKNOWN"


class Outcome(StrEnum):
    """What became of a signal at the door."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The stored signal, and whether this call stored it."""

    outcome: Outcome
    signal: Signal


@write
def accept(*, request: SignalRequest, raw: bytes, source: Source, at: datetime, kept: str | None = None) -> Acceptance:
    """Store a signal once: the first call inserts, every later one finds what is there.

    The same id with another body is a conflict: kept in the audit log, not executed. `kept` is what is stored of
    a body that holds more than may be kept; the identity is always that of the raw bytes.

    Raises:
        UnknownTrader: if the source may not trade for the user.
        UnknownSymbol: if no such market is listed.
        UnknownPosition: if the position that it names doesn't exist.
    """
    wanted = _row(request, raw=raw, kept=raw.decode() if kept is None else kept, source=source, at=at)
    if Signal.objects.add(wanted):
        _announce(wanted, at=at)
        return Acceptance(outcome=Outcome.ACCEPTED, signal=wanted)
    stored = Signal.objects.select_related("trader", "market").get(source_name=request.source, signal_id=request.signal_id)
    if stored.fingerprint == wanted.fingerprint:
        return Acceptance(outcome=Outcome.DUPLICATE, signal=stored)
    _note_conflict(stored, wanted=wanted, at=at)
    return Acceptance(outcome=Outcome.CONFLICT, signal=stored)


@piece
def move(signal: Signal, target: SignalStatus, *, at: datetime) -> None:
    """Decide a signal's fate: it leaves RECEIVED and is due no more. The caller saves it."""
    signal.move(target)
    signal.decided_at = at
    signal.next_action_at = None


@write
def note_refusal(*, code: str, raw: bytes, source: Source, at: datetime) -> None:
    """Keep that an authentic body was refused: its fingerprint and the reason, nothing of what it said."""
    audit.record(
        actor=f"source:{source.name}",
        action="signal.refused",
        subject=f"body:{fingerprint(raw)}",
        before={},
        after={"code": code},
        reason="refused at the door",
        at=at,
    )


def _announce(signal: Signal, *, at: datetime) -> None:
    is_waiting = signal.status == SignalStatus.AWAITING
    journal.record(
        "signal.awaiting" if is_waiting else "signal.received",
        signal,
        at=at,
        trace_id=signal.trace_id,
        intent_key=signal.intent_key,
        side=signal.side,
        symbol=signal.market.symbol,
        book=signal.book,
    )
    if not is_waiting:
        doorbell.ring("signal.accepted", key=signal.trader_id)


def _note_conflict(stored: Signal, *, wanted: Signal, at: datetime) -> None:
    audit.record(
        actor=f"source:{stored.source_name}",
        action="signal.conflict",
        # A key of percent-encoded characters is longer than a subject may be; the trace id finds the whole of it.
        subject=stored.intent_key[:200],
        before={"fingerprint": stored.fingerprint},
        after={"fingerprint": wanted.fingerprint, "body": wanted.body},
        reason="the same id with another body",
        at=at,
        trace_id=stored.trace_id,
    )


def _row(request: SignalRequest, *, raw: bytes, kept: str, source: Source, at: datetime) -> Signal:
    aim = _aim(request)
    wait = _wait(request, source=source, at=at)
    return Signal(
        source=source,
        source_name=request.source,
        signal_id=request.signal_id,
        intent_key=intent_key(source=request.source, signal_id=request.signal_id),
        fingerprint=fingerprint(raw),
        trace_id=secrets.token_hex(16),
        trader=aim.trader,
        market=aim.market,
        position=aim.position,
        side=request.side,
        stance=request.stance,
        closes=request.closes or "",
        book=Book.PAPER if request.is_test else aim.book,
        collateral_usdc=request.collateral,
        size_kind=request.size.kind if request.size else "",
        size_pct=request.size.share if request.size else None,
        leverage_x=request.leverage,
        reduce_usdc=request.reduce,
        reduce_pct=request.reduce_share,
        slippage_pct=request.slippage,
        price=request.price,
        take_profit=request.take_profit,
        stop_loss=request.stop_loss,
        protection=None if request.protection is None else as_json(request.protection),
        is_test=request.is_test,
        signaled_at=request.signaled_at,
        body=kept,
        status=wait.status,
        received_at=at,
        next_action_at=wait.until,
        expires_at=wait.expires_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """What a new signal waits for, and how long it may."""

    status: SignalStatus
    until: datetime
    expires_at: datetime | None


# Just past its end: at the end itself it has not expired yet.
_PAST = timedelta(milliseconds=1)


def _wait(request: SignalRequest, *, source: Source, at: datetime) -> _Wait:
    if not request.is_entry:
        # No person's delay may trap a position.
        return _Wait(status=SignalStatus.RECEIVED, until=at, expires_at=None)
    if source.mode != SourceMode.APPROVE:
        return _Wait(status=SignalStatus.RECEIVED, until=at, expires_at=at + ENTRY_LIFETIME)
    ends_at = at + timedelta(seconds=settings.APPROVAL_SECONDS)
    return _Wait(status=SignalStatus.AWAITING, until=ends_at + _PAST, expires_at=ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    """What a signal is about."""

    trader: Trader
    market: Market
    book: Book
    position: Position | None = None


def _aim(request: SignalRequest) -> _Aim:
    if request.position_id is None:
        trader, market = _trader(request), _market(request)
        return _Aim(trader=trader, market=market, book=_book(request, trader=trader, market=market))
    position = Position.objects.select_related("trader", "market").filter(pk=request.position_id).first()
    if position is None:
        raise UnknownPosition("there is no such position", field="position")
    # Whatever has become of its account and its market since: what was opened can be closed.
    return _Aim(trader=position.trader, market=position.market, book=Book(position.book), position=position)


def _trader(request: SignalRequest) -> Trader:
    trader = Trader.objects.filter(tg_user_id=request.tg_user_id, is_enabled=True).first()
    if trader is None:
        raise UnknownTrader("this source can't trade for that user", field="tg_user_id")
    return trader


def _market(request: SignalRequest) -> Market:
    market = Market.objects.filter(symbol=request.symbol, is_listed=True).first()
    if market is None:
        raise UnknownSymbol("no such market is listed", field="symbol")
    return market


def _book(request: SignalRequest, *, trader: Trader, market: Market) -> Book:
    """Entries follow the configured mode; an exit belongs to the book in which there is something to close."""
    configured = mode.configured()
    if request.is_entry:
        return book_for(configured=configured)
    held = set(Position.objects.open().filter(trader=trader, market=market).values_list("book", flat=True))
    preferred = [Book.LIVE, Book.PAPER] if configured is Mode.LIVE else [Book.PAPER, Book.LIVE]
    return next((book for book in preferred if book in held), book_for(configured=configured))
