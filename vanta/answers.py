"""What the desk answers, typed. Amounts are Decimal, instants are aware; a field that isn't named here is in `raw`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Self, TypeVar

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some rows, the newest first. `next` asks for those after them; None: there are no more."""

    results: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What became of a signal at the door: `accepted`, or `duplicate` if it was there before."""

    id: int
    status: str
    intent_key: str
    trace_id: str
    state: str

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        return cls(**{name: said[name] for name in ("id", "status", "intent_key", "trace_id", "state")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event on a signal's way, `ms` after it was received."""

    event: str
    ms: int
    detail: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Where a signal stands, and how it got there."""

    intent_key: str
    state: str
    has_ended: bool
    book: str
    timeline: tuple[Moment, ...]
    # The first check that failed, in words; empty if none did.
    reason: str
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        moments = tuple(Moment(event=each["event"], ms=each["ms"], detail=each["detail"]) for each in said["timeline"])
        plain = {name: said[name] for name in ("intent_key", "state", "has_ended", "book")}
        return cls(**plain, timeline=moments, reason=_reason(said), raw=said)


def _reason(said: Json) -> str:
    decision = said.get("decision") or {}
    reasons = [decision.get("message"), *(order.get("reason") for order in said.get("orders") or ())]
    return "; ".join(str(each) for each in reasons if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position. `entry_price` is None before it has a fill."""

    id: int
    tg_user_id: int
    symbol: str
    book: str
    direction: str
    status: str
    collateral_usdc: Decimal
    leverage_x: Decimal
    entry_price: Decimal | None
    realised_pnl_usdc: Decimal
    opened_at: datetime
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        return cls(
            id=said["id"],
            tg_user_id=said["tg_user_id"],
            symbol=said["symbol"],
            book=said["book"],
            direction=said["direction"],
            status=said["status"],
            collateral_usdc=Decimal(said["collateral_usdc"]),
            leverage_x=Decimal(said["leverage_x"]),
            realised_pnl_usdc=Decimal(said["realised_pnl_usdc"]),
            entry_price=None if said["entry_price"] is None else Decimal(said["entry_price"]),
            opened_at=datetime.fromisoformat(said["opened_at"]),
            raw=said,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What guards a position, and what it remembers. `stop_price` is None where nothing stops it."""

    id: int
    position: int
    stop_price: Decimal | None
    stop_reason: str
    targets_hit: int
    # As it was asked for.
    guard: Json
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        plain = {name: said[name] for name in ("id", "position", "stop_reason", "targets_hit", "guard")}
        stop = None if said["stop_price"] is None else Decimal(said["stop_price"])
        return cls(**plain, stop_price=stop, raw=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """An address that accounts can follow, and what it earned and traded in the days that were asked for."""

    id: int
    address: str
    name: str
    net_usdc: Decimal
    volume_usdc: Decimal
    trades: int
    # Percent of his days that earned; None: he traded too little to say.
    consistency_pct: Decimal | None
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        did, steady = said["standing"], said["standing"]["consistency_pct"]
        return cls(
            **{name: said[name] for name in ("id", "address", "name")},
            net_usdc=Decimal(did["net_usdc"]),
            volume_usdc=Decimal(did["volume_usdc"]),
            trades=did["trades"],
            consistency_pct=None if steady is None else Decimal(steady),
            raw=said,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """One account follows one leader."""

    id: int
    tg_user_id: int
    leader: int
    leader_address: str
    mode: str
    mode_reason: str
    sizing: str
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        plain = ("id", "tg_user_id", "leader", "leader_address", "mode", "mode_reason", "sizing")
        return cls(**{name: said[name] for name in plain}, raw=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What holds now, and why."""

    mode: str
    emergency_stop: bool
    reasons: tuple[str, ...]
    configured: str
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        plain = {name: said[name] for name in ("mode", "emergency_stop", "configured")}
        return cls(**plain, reasons=tuple(said["reasons"]), raw=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the journal. A reader goes on after its `place`."""

    place: str
    kind: str
    subject: str
    trace_id: str
    at: datetime
    facts: Json

    @classmethod
    def of(cls, said: Json) -> Self:
        """As the API writes it."""
        plain = {name: said[name] for name in ("place", "kind", "subject", "trace_id", "facts")}
        return cls(**plain, at=datetime.fromisoformat(said["at"]))
