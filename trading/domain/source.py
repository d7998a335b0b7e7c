"""A source: how it proves that a signal is its own, what its signals do by themselves, and what it may send."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from trading.domain.errors import Invalid
from trading.domain.signal import INTERNAL_SOURCES, normalized_symbol
from trading.domain.units import Leverage, Quantity, Usdc

# A source's last word is noted at most this often: its row is not written with each signal.
HEARD_RESOLUTION = timedelta(seconds=10)
# When a secret was last used is noted at most this often.
USED_RESOLUTION = timedelta(minutes=1)
# Printable, nothing that JSON would escape (the door looks for it in a body that it hasn't parsed yet), and no
# quote of a shell's: it stands in what people copy.
_ENDS, _BETWEEN = r"\x21\x23-\x26\x28-\x5b\x5d-\x7e", r"\x20\x21\x23-\x26\x28-\x5b\x5d-\x7e"
_NAME = re.compile(rf"[{_ENDS}]([{_BETWEEN}]{{0,62}}[{_ENDS}])?", re.ASCII)
_AMOUNTS = ("max_leverage_x", "max_position_usdc", "max_exposure_usdc")
_COUNTS = ("max_lag_seconds", "entries_per_minute", "heartbeat_seconds")


class Auth(StrEnum):
    """How a source proves that a body is its own."""

    SIGNATURE = "SIGNATURE"  # hex HMAC-SHA256 of the body in X-Signature
    STANDARD = "STANDARD"  # the three headers of Standard Webhooks
    TOKEN = "TOKEN"  # noqa: S105 - a random token in the path, for senders that can't sign


class SourceMode(StrEnum):
    """What becomes of a source's signals."""

    AUTO = "AUTO"  # decided at once
    APPROVE = "APPROVE"  # a person says yes first
    OBSERVE = "OBSERVE"  # decided and shown, never executed


class BadTerms(Invalid):
    """What a source may send can't be said so; `field` names what is wrong."""

    code = "SOURCE_TERMS_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a source may send, and what becomes of it. Empty and None: no limit of its own.

    Raises:
        BadTerms: if a symbol isn't one, or a number isn't positive.
    """

    description: str = ""
    mode: SourceMode = SourceMode.AUTO
    allowed_symbols: tuple[str, ...] = ()
    allowed_accounts: tuple[int, ...] = ()
    max_leverage_x: Leverage | None = None
    max_position_usdc: Usdc | None = None
    max_exposure_usdc: Usdc | None = None
    max_lag_seconds: int | None = None
    entries_per_minute: int | None = None
    heartbeat_seconds: int | None = None

    def __post_init__(self) -> None:
        for symbol in self.allowed_symbols:
            if normalized_symbol(symbol) != symbol:
                raise BadTerms("must be markets such as BTC-USD", field="allowed_symbols")
        if any(account <= 0 for account in self.allowed_accounts):
            raise BadTerms("must be Telegram ids", field="allowed_accounts")
        for name in (*_AMOUNTS, *_COUNTS):
            limit = getattr(self, name)
            if limit is not None and (limit.raw if isinstance(limit, Quantity) else limit) <= 0:
                raise BadTerms("must be greater than 0", field=name)


def is_free_name(name: str) -> bool:
    """Whether a source of people's own may have this name, as far as the name itself goes."""
    return bool(_NAME.fullmatch(name)) and name.split(":")[0] not in INTERNAL_SOURCES


def is_silent(*, heard_at: datetime, heartbeat_seconds: int, now: datetime) -> bool:
    """Whether a source has said nothing for longer than it may; a word that isn't noted yet is allowed for."""
    return now - heard_at > timedelta(seconds=heartbeat_seconds) + HEARD_RESOLUTION
