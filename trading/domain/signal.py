"""A signal: what a source may ask, and how long it lives."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, unquote

from trading.domain.lifecycle import Lifecycle
from trading.domain.protection import Protection
from trading.domain.units import Leverage, Percent, Price, Usdc

# An entry waits at most this long for its decision and its nonce; an exit has no limit.
ENTRY_LIFETIME = timedelta(seconds=60)
DEFAULT_SLIPPAGE = Percent.of("0.5")
# Names a webhook can't use: these sources are our own.
INTERNAL_SOURCES = ("copy", "protection", "telegram", "console", "api")

_SYMBOL = re.compile(r"([A-Z0-9]{2,10})[-/]?(USD)", re.ASCII)


class Side(StrEnum):
    """What a signal wants."""

    LONG = "LONG"
    SHORT = "SHORT"
    SAME = "SAME"  # more of what is held in the market
    OPPOSITE = "OPPOSITE"  # the other side of what is held there
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"  # what its source asked for before, and nobody has decided yet


# What `POST /signals` takes; the others come from strategies, which know only how they stand.
PLAIN_SIDES = (Side.LONG, Side.SHORT, Side.CLOSE)
ENTRIES = (Side.LONG, Side.SHORT, Side.SAME, Side.OPPOSITE)


class Stance(StrEnum):
    """How an entry goes with what is held in its market already."""

    ANOTHER = ""  # one position more, whatever is held
    REACH = "REACH"  # to be on its side and on no other: nothing to do for what is there already
    GROW = "GROW"  # to be on its side and on no other, with one position more


class SignalStatus(StrEnum):
    """How far a signal came on its own; what follows is told by its orders."""

    AWAITING = "AWAITING"  # stored; a person must say yes
    RECEIVED = "RECEIVED"  # stored, not yet decided
    APPROVED = "APPROVED"  # its decision owes at least one order
    DENIED = "DENIED"  # its decision says no, with every check
    EXPIRED = "EXPIRED"  # waited longer than its lifetime
    SET_ASIDE = "SET_ASIDE"  # raised again and again while being decided: a person must look
    OBSERVED = "OBSERVED"  # would have been approved; its source only watches
    DECLINED = "DECLINED"  # a person said no
    WITHDRAWN = "WITHDRAWN"  # its own source took it back


class SizeKind(StrEnum):
    """What a size is a share of."""

    BALANCE_PCT = "BALANCE_PCT"  # of the free balance
    RISK_PCT = "RISK_PCT"  # of the equity, to be lost at the stop
    EQUITY_PCT = "EQUITY_PCT"  # of the equity


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How big an entry shall be, when it doesn't name its collateral."""

    kind: SizeKind
    share: Percent


LIFECYCLE = Lifecycle(
    name="signal",
    initial=(SignalStatus.RECEIVED, SignalStatus.AWAITING),
    moves={
        SignalStatus.AWAITING: (
            SignalStatus.RECEIVED,
            SignalStatus.DECLINED,
            SignalStatus.EXPIRED,
            SignalStatus.WITHDRAWN,
        ),
        SignalStatus.RECEIVED: (
            SignalStatus.APPROVED,
            SignalStatus.DENIED,
            SignalStatus.EXPIRED,
            SignalStatus.OBSERVED,
            SignalStatus.WITHDRAWN,
            SignalStatus.SET_ASIDE,
        ),
        SignalStatus.APPROVED: (),
        SignalStatus.DENIED: (),
        SignalStatus.EXPIRED: (),
        SignalStatus.SET_ASIDE: (SignalStatus.RECEIVED,),
        SignalStatus.OBSERVED: (),
        SignalStatus.DECLINED: (),
        SignalStatus.WITHDRAWN: (),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRequest:
    """A well-formed instruction. Opens carry leverage and either collateral or a size; closes may carry a reduction."""

    source: str
    signal_id: str
    tg_user_id: int
    symbol: str
    side: Side
    collateral: Usdc | None = None
    size: Size | None = None
    leverage: Leverage | None = None
    reduce: Usdc | None = None
    reduce_share: Percent | None = None
    slippage: Percent = DEFAULT_SLIPPAGE
    price: Price | None = None
    take_profit: Price | None = None
    stop_loss: Price | None = None
    # Levels that depend on the entry's price, or more than one of them. None: `take_profit` and `stop_loss` say all.
    protection: Protection | None = None
    stance: Stance = Stance.ANOTHER
    # Only the positions of one side; None: all.
    closes: Side | None = None
    # On paper, whatever the mode.
    is_test: bool = False
    signaled_at: datetime | None = None
    # The one position that an exit of our own closes; no webhook can name one.
    position_id: int | None = None
    # Caps that a signal of our own brings along: they lower the desk's, and never raise them.
    at_most: Usdc | None = None
    max_deviation: Percent | None = None

    @property
    def is_entry(self) -> bool:
        """Whether it asks for more exposure."""
        return self.side in ENTRIES


def intent_key(*, source: str, signal_id: str) -> str:
    """The readable identity of a signal's effect: `sig:SOURCE:ID`.

    Both parts are percent-encoded outside `[A-Za-z0-9._-]`: otherwise `a:b`+`c` and `a`+`b:c` were one key.
    """
    return f"sig:{_encoded(source)}:{_encoded(signal_id)}"


def source_of(key: str) -> str:
    """The source that an intent key names; empty where the text is no such key."""
    parts = key.split(":")
    return unquote(parts[1]) if len(parts) == 3 and parts[0] == "sig" else ""


def _encoded(part: str) -> str:
    # `quote` keeps the tilde whatever it is told.
    return quote(part, safe="").replace("~", "%7E")


def fingerprint(raw: bytes) -> str:
    """The identity of a body: sha256 of its bytes, never of what was parsed from them."""
    return hashlib.sha256(raw).hexdigest()


def normalized_symbol(written: str) -> str | None:
    """`BTC-USD` for `BTC/USD`, `BTCUSD` and `btc-usd`; None if it isn't a symbol. ASCII only."""
    match = _SYMBOL.fullmatch(written.upper()) if written.isascii() else None
    return f"{match[1]}-{match[2]}" if match else None
