"""What programs outside are told: one table of public events, and what of each event's facts goes out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

Fact = str | int | bool | list[str] | None


class Stage(StrEnum):
    """Where on the one path an event happened."""

    SIGNAL = "signal"  # what was received
    DECISION = "decision"  # the verdict on it
    ORDER = "order"  # what is asked of the venue
    INTENT = "intent"  # the on-chain effect that is owed for it
    SEND = "send"  # a signed offer for that
    POSITION = "position"  # what the venue made of it
    RISK = "risk"  # beside the path: limits, locks, trading states
    DESK = "desk"  # beside the path: senders, channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A public event: when it is told, and the facts that go with it beside `WITH_EVERY`."""

    kind: str
    stage: Stage
    means: str
    facts: tuple[str, ...] = ()


# Each message's data carries these; null where there is none.
WITH_EVERY: Mapping[str, str] = {
    "event": "the event's number in the journal",
    "stage": "where on the path it happened",
    "subject": "the row that it happened to: `intent:7`",
    "trace_id": "the same for all that one signal caused",
    "intent_key": "the signal's readable key",
    "account": "whose account: a Telegram id",
    "book": "PAPER or LIVE",
}

_ORDER = ("action", "symbol", "direction", "collateral_usdc")
_S = Stage


def _told(kind: str, stage: Stage, means: str, *facts: str) -> Announcement:
    return Announcement(kind=kind, stage=stage, means=means, facts=facts)


ANNOUNCEMENTS: tuple[Announcement, ...] = (
    _told("signal.received", _S.SIGNAL, "a signal was taken in", "side", "symbol"),
    _told("signal.awaiting", _S.SIGNAL, "it waits for a person's word", "side", "symbol"),
    _told("signal.granted", _S.SIGNAL, "a person let it go on"),
    _told("signal.declined", _S.SIGNAL, "a person said no"),
    _told("signal.withdrawn", _S.SIGNAL, "a later signal took it back before it was decided", "by"),
    _told("signal.expired", _S.SIGNAL, "its time passed before it was decided", "reason"),
    _told("signal.set_aside", _S.SIGNAL, "deciding it failed again and again; a person must look", "attempts"),
    _told("decision.approved", _S.DECISION, "every check passed"),
    _told("decision.denied", _S.DECISION, "a check failed: the first one's code, and the codes of all", "code", "reasons"),
    _told("decision.observed", _S.DECISION, "decided as if, for a source that is only watched"),
    _told("order.initialized", _S.ORDER, "an order is owed to the venue", *_ORDER),
    _told("order.denied", _S.ORDER, "it was refused before it went out", "reason"),
    _told("order.submitted", _S.ORDER, "its transaction is on the wire"),
    _told("order.accepted", _S.ORDER, "the venue has it"),
    _told("order.filled", _S.ORDER, "the venue's keeper filled it"),
    _told("order.canceled", _S.ORDER, "it was withdrawn, or the venue gave it back", "reason"),
    _told("order.rejected", _S.ORDER, "the venue refused it", "reason"),
    _told("order.expired", _S.ORDER, "its time passed before it went out", "reason"),
    _told("intent.blocked", _S.INTENT, "it waits", "reason"),
    _told("intent.sent", _S.INTENT, "a node has its transaction, or may have it"),
    _told("intent.mined", _S.INTENT, "its transaction is in a block"),
    _told("intent.final", _S.INTENT, "the block is deep enough to stay"),
    _told("intent.reverted", _S.INTENT, "it is in the chain for good, without an effect"),
    _told("intent.canceled", _S.INTENT, "it was withdrawn", "failure"),
    _told("intent.failed", _S.INTENT, "simulation or policy refused it; it never had a nonce", "failure"),
    _told("intent.expired", _S.INTENT, "its deadline passed before it had a nonce", "failure"),
    _told("intent.simulated", _S.INTENT, "a PAPER intent's end"),
    _told("intent.final_reorganized", _S.INTENT, "what was final is no more: a person must look", "status"),
    _told("send.recorded", _S.SEND, "an offer was signed and stored, just before the wire", "tx_hash", "seq", "purpose"),
    _told(
        "position.filled",
        _S.POSITION,
        "a fill changed a position: opened, closed, liquidated",
        *("kind", "price", "collateral_usdc", "realised_pnl_usdc", "tx_hash"),
    ),
    _told("protection.placed", _S.POSITION, "something guards a position from now on", "protection", "stop"),
    _told("protection.moved", _S.POSITION, "its stop is at breakeven, or follows the price", "protection", "stop", "why"),
    _told(
        "protection.fired",
        _S.POSITION,
        "a level was reached: its close is being sent",
        *("protection", "level", "attempt", "level_price", "price", "reduce_usdc"),
    ),
    _told(
        "protection.unfilled",
        _S.POSITION,
        "that close came to nothing; it is tried again, not before",
        *("protection", "level", "attempt", "retry_at"),
    ),
    _told("protection.ended", _S.POSITION, "another guard took its place, or nothing", "protection"),
    _told("position.adopted", _S.POSITION, "the venue held one that we didn't know: it is ours to close now", "collateral_usdc"),
    _told("risk.state_changed", _S.RISK, "a scope's trading state is another", "scope", "key", "state", "until"),
    _told("risk.daily_loss_warning", _S.RISK, "most of the day's limit is lost", "lost_usdc", "limit_usdc", "resets_at"),
    _told("risk.locked", _S.RISK, "entries are blocked for a while", "kind", "symbol", "value", "limit"),
    _told("risk.lock_lifted", _S.RISK, "a lock was lifted before its time", "kind"),
    _told("flatten.started", _S.RISK, "everything in a scope is being closed", "scope", "key", "extent"),
    _told("flatten.ended", _S.RISK, "that job is over", "status", "progress"),
    _told("copy.skipped", _S.SIGNAL, "a leader's trade was not copied", "leader", "symbol", "reason"),
    _told("copy.orphaned", _S.SIGNAL, "what was copied is gone from the chain for good; a person decides", "leader", "symbol"),
    _told(
        "following.stopped", _S.RISK, "it lost as much as it may: only closes are copied", "leader", "limit", "value", "allowed"
    ),
    _told("source.silent", _S.DESK, "a source wasn't heard for longer than it should be", "source", "last_heard_at"),
    _told("source.heard", _S.DESK, "it is heard again", "source", "silent_since"),
    _told("sender.quarantined", _S.DESK, "a sender signs nothing until a person looks", "reason"),
    _told("sender.gas_low", _S.DESK, "a sender has less gas money than its floor", "balance_wei", "floor_wei"),
    _told("sender.gas_enough", _S.DESK, "it has enough again", "balance_wei", "floor_wei"),
    _told("venue.event_unsettled", _S.DESK, "an event of the venue could not be settled, and was left out", "what", "tx_hash"),
    _told("venue.position_unknown", _S.DESK, "the venue reports a position that the desk doesn't know", "tx_hash"),
    _told("reconciliation.differs", _S.DESK, "books and venue differ: two looks saw it", "kind", "what", "ours", "theirs"),
    _told("reconciliation.agrees", _S.DESK, "they don't anymore", "kind", "what", "resolution"),
    _told("wallet.flowed", _S.DESK, "money came to an account, or went, by itself", "amount_usdc", "transferred_usdc"),
    _told("channel.disabled", _S.DESK, "a channel is told nothing anymore", "name", "reason"),
    _told("channel.ping", _S.DESK, "a test, told to the channel that was asked for alone", "name"),
)
PING = "channel.ping"
BY_KIND: Mapping[str, Announcement] = {each.kind: each for each in ANNOUNCEMENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event with what our tables know of it."""

    kind: str
    number: int
    subject: str
    trace_id: str
    at: datetime
    facts: Mapping[str, Fact]
    intent_key: str | None = None
    account: int | None = None
    book: str | None = None

    @property
    def thread(self) -> str:
        """What is told in order: all that one signal caused, or else all that happened to one row."""
        return self.trace_id or self.subject


def body(happening: Happening) -> str:
    """The message, the same for ever: `{"type", "timestamp", "data"}`. Only the table's facts go out; decimals are strings."""
    told = BY_KIND[happening.kind]
    always: dict[str, Fact] = {
        "event": happening.number,
        "stage": str(told.stage),
        "subject": happening.subject,
        "trace_id": happening.trace_id or None,
        "intent_key": happening.intent_key,
        "account": happening.account,
        "book": happening.book,
    }
    own = {name: happening.facts.get(name) for name in told.facts}
    said = {"type": happening.kind, "timestamp": _instant(happening.at), "data": always | own}
    return json.dumps(said, separators=(",", ":"), ensure_ascii=True)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
