"""Signals: stored once, word for word, before anything else happens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from trading import doorbell
from trading.domain.errors import Invalid
from trading.domain.mode import Mode
from trading.domain.protection import as_json
from trading.domain.signal import ENTRY_LIFETIME, SignalRequest, SignalStatus, fingerprint, intent_key
from trading.domain.source import SourceMode
from trading.kinds import piece, statement, step, write
from trading.models import Signal, Source
from trading.models.acceptance import Added, Missing, Wish
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


@step
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
    if _accept(wanted, request):
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


@statement
def _accept(wanted: Signal, request: SignalRequest) -> bool:
    """Store a signal where it belongs, with its event; whether it is new."""
    wish = _wish(wanted, request)
    found = _checked(Signal.objects.add(wanted, wish))
    if found.pk is None:
        return False
    wanted.pk, wanted.trader_id, wanted.market_id, wanted.book = found.pk, found.trader_id, found.market_id, found.book
    wanted._state.adding = False
    facts = {"intent_key": wanted.intent_key, "side": wanted.side, "symbol": found.symbol, "book": found.book}
    journal.tell(wish.kind, subject=f"signal:{found.pk}", trace_id=wanted.trace_id, **facts)
    if wanted.status != SignalStatus.AWAITING:
        doorbell.ring("signal.accepted", key=found.trader_id)
    return True


def _wish(wanted: Signal, request: SignalRequest) -> Wish:
    is_waiting = wanted.status == SignalStatus.AWAITING
    return Wish(
        tg_user_id=request.tg_user_id,
        symbol=request.symbol,
        may_be_live=mode.ceiling_for(wanted.source.name).mode is Mode.LIVE,
        needs_two=settings.LIVE_REQUIRES_TWO,
        is_entry=request.is_entry,
        kind="signal.awaiting" if is_waiting else "signal.received",
    )


def _checked(found: Added | Missing) -> Added:
    if found is Missing.POSITION:
        raise UnknownPosition("there is no such position", field="position")
    if found is Missing.TRADER:
        raise UnknownTrader("this source can't trade for that user", field="tg_user_id")
    if found is Missing.MARKET:
        raise UnknownSymbol("no such market is listed", field="symbol")
    return found


@write
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
    wait = _wait(request, source=source, at=at)
    return Signal(
        source=source,
        source_name=request.source,
        signal_id=request.signal_id,
        intent_key=intent_key(source=request.source, signal_id=request.signal_id),
        fingerprint=fingerprint(raw),
        trace_id=secrets.token_hex(16),
        position_id=request.position_id,
        side=request.side,
        stance=request.stance,
        closes=request.closes or "",
        collateral_usdc=request.collateral,
        size_kind=request.size.kind if request.size else "",
        size_pct=request.size.share if request.size else None,
        at_most_usdc=request.at_most,
        leverage_x=request.leverage,
        reduce_usdc=request.reduce,
        reduce_pct=request.reduce_share,
        slippage_pct=request.slippage,
        max_deviation_pct=request.max_deviation,
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
