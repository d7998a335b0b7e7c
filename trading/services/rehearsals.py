"""Rehearsals: a signal in a source's name that goes all the way, on paper, so that its setup can be seen to work."""

import json
import secrets
from datetime import datetime

from trading.domain.errors import Invalid
from trading.domain.people import Act, Person, check
from trading.domain.signal import Side, SignalRequest
from trading.domain.units import Leverage
from trading.kinds import step, write
from trading.models import Market, Signal, Source
from trading.services import audit, signals

# Twice the venue's smallest position.
_LEVERAGE = Leverage.of(2)


class UnknownMarket(Invalid):
    """No such market is listed."""

    code = "SYMBOL_UNKNOWN"


@step
def send(*, source: Source, tg_user_id: int, symbol: str, by: Person, reason: str, at: datetime) -> Signal:
    """Send a small long of a market in a source's name, marked as a test: it trades on paper whatever the mode.

    Raises:
        NotAllowed: if the person may not manage sources.
        UnknownMarket: if no such market is listed.
        UnknownTrader: if there is no such account.
    """
    check(by, Act.MANAGE_SOURCES)
    market = Market.objects.filter(symbol=symbol, is_listed=True).first()
    if market is None:
        raise UnknownMarket("no such market is listed", field="symbol")
    wanted = SignalRequest(
        source=source.name,
        signal_id=f"test-{secrets.token_hex(8)}",
        tg_user_id=tg_user_id,
        symbol=symbol,
        side=Side.LONG,
        collateral=market.min_notional_usdc,
        leverage=_LEVERAGE,
        is_test=True,
    )
    said = {"test": True, "signal_id": wanted.signal_id, "symbol": symbol, "tg_user_id": tg_user_id, "by": by.name}
    accepted = signals.accept(request=wanted, raw=json.dumps(said).encode(), source=source, at=at)
    _note(accepted.signal, source=source, by=by, reason=reason, at=at)
    return accepted.signal


@write
def _note(signal: Signal, *, source: Source, by: Person, reason: str, at: datetime) -> None:
    audit.record(
        actor=by.name,
        action="source.rehearse",
        subject=f"source:{source.name}",
        before={},
        after={"signal": signal.intent_key[:200]},
        reason=reason,
        at=at,
        trace_id=signal.trace_id,
    )
