"""Doubts: a node calls a nonce used and shows no receipt of ours, or has mined more of an account than we gave nonces.

Either a node lags or lies, or somebody else uses the key. Nothing is concluded from one node's word: the
others are heard, and only when enough of them agree the sender is set aside for a person. Never another
nonce, never FAILED.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pgbulk
import structlog

from execution.desk import Desk
from execution.domain import finality
from execution.domain.broadcast import Meaning, meaning_of
from execution.domain.chain import Heads, ReceiptFacts, Testimony
from execution.domain.intent import Blocked, IntentStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.sender import SenderStatus
from execution.services import intents
from trading.kinds import piece
from trading.services import journal

log = structlog.get_logger(__name__)

BLOCK_SPAN = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(seconds=60)
FOREIGN_USE = "a nonce was used by something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What was heard about doubtful sends: receipts that some node holds (by send), and the nonces that are surely foreign.

    `unused` are nonces that enough nodes haven't mined: the doubt was a lie or a mistake. `is_count_foreign`: the
    chain has mined more of the account than we gave nonces.
    """

    found: dict[int, ReceiptFacts] = field(default_factory=dict)
    foreign: frozenset[int] = frozenset()
    unused: frozenset[int] = frozenset()
    is_count_foreign: bool = False


def hear(sender: Sender, missing: list[TxSend], *, heads: Heads, mined: int, desk: Desk) -> Doubt:
    """Ask every node about the doubtful ones among some sends; nobody is asked where there is no doubt."""
    doubtful = [send for send in missing if send.intent.doubted_at_block is not None]
    if not doubtful and mined <= sender.next_nonce:
        return Doubt()
    said = desk.chain.testimonies([send.tx_hash for send in doubtful], address=sender.address)
    return Doubt(
        found=_found(doubtful, said),
        foreign=frozenset(_foreign(doubtful, said, heads=heads, endpoints=desk.chain.endpoints)),
        unused=frozenset(_unused(doubtful, said, endpoints=desk.chain.endpoints)),
        is_count_foreign=_is_proven(sum(each.mined > sender.next_nonce for each in said), desk=desk),
    )


def _found(doubtful: list[TxSend], said: list[Testimony]) -> dict[int, ReceiptFacts]:
    """MINED can be taken back: for that one node's receipt is enough."""
    held = {send.pk: [each.receipts[at] for each in said if each.receipts[at] is not None] for at, send in enumerate(doubtful)}
    return {pk: receipts[0] for pk, receipts in held.items() if receipts and receipts[0] is not None}


def _foreign(doubtful: list[TxSend], said: list[Testimony], *, heads: Heads, endpoints: int) -> set[int]:
    places: dict[int, list[int]] = {}
    for at, send in enumerate(doubtful):
        places.setdefault(send.intent.nonce or 0, []).append(at)
    doubted = {send.intent.nonce or 0: send.intent.doubted_at_block or 0 for send in doubtful}
    witnesses = {
        nonce: finality.foreign_use(said, places=at, nonce=nonce, since=doubted[nonce], endpoints=endpoints)
        for nonce, at in places.items()
    }
    return {
        nonce
        for nonce, count in witnesses.items()
        if finality.is_proven(count, endpoints=endpoints, said_at=doubted[nonce], head=heads.latest.number)
    }


def _unused(doubtful: list[TxSend], said: list[Testimony], *, endpoints: int) -> set[int]:
    if len(said) < min(endpoints, finality.WITNESSES):
        return set()
    return {nonce for send in doubtful if (nonce := send.intent.nonce or 0) >= max(each.mined for each in said)}


def _is_proven(witnesses: int, *, desk: Desk) -> bool:
    # A count above ours can't come from a lagging node: a single one's word is enough to stop, which can be taken back.
    return witnesses >= min(desk.chain.endpoints, finality.WITNESSES)


@piece
def note(
    sender: Sender,
    waiting: list[TxIntent],
    doubt: Doubt,
    *,
    by_intent: dict[int, list[TxSend]],
    heads: Heads,
    at: datetime,
) -> None:
    """Remember new doubts, and set the sender aside where one is certain."""
    fresh = [intent for intent in waiting if intent.doubted_at_block is None and _is_called_used(by_intent[intent.pk])]
    for intent in fresh:
        intent.doubted_at_block = heads.latest.number
    settled = [intent for intent in waiting if intent.doubted_at_block is not None and intent.nonce in doubt.unused]
    for intent in settled:
        intent.doubted_at_block = None
    pgbulk.update(TxIntent, [*fresh, *settled], ["doubted_at_block"])
    foreign = [intent for intent in waiting if intent.nonce in doubt.foreign and intent.status == IntentStatus.SENT]
    # A person who released the sender has seen those that wait for this already.
    news = [intent for intent in foreign if intent.blocked_reason != Blocked.NONCE]
    intents.block(foreign, Blocked.NONCE, at=at, pause=LONGEST_PAUSE)
    if news or doubt.is_count_foreign:
        quarantine(sender, reason=FOREIGN_USE, at=at)


def _is_called_used(sends: list[TxSend]) -> bool:
    return any(meaning_of(send.last_answer) is Meaning.CONSUMED for send in sends)


@piece
def quarantine(sender: Sender, *, reason: str, at: datetime) -> None:
    """Take a sender out of use until a person has looked; what it has on the wire is watched and sent again all the same."""
    if sender.status == SenderStatus.QUARANTINED:
        return
    sender.status, sender.status_reason = SenderStatus.QUARANTINED, reason
    sender.save(update_fields=["status", "status_reason"])
    journal.record("sender.quarantined", sender, at=at, reason=reason)
    log.error("sender.quarantined", sender=sender.pk, reason=reason, advice="run manage.py sender report, then release it")


def pause(intent: TxIntent, *, heads: Heads, otherwise: timedelta) -> timedelta:
    """When to look again: a doubt that lasts is looked at after 2, 4, 8 s and so on."""
    if intent.doubted_at_block is None:
        return otherwise
    doubted_for = (heads.latest.number - intent.doubted_at_block) * BLOCK_SPAN
    return min(max(doubted_for, BLOCK_SPAN), LONGEST_PAUSE)
