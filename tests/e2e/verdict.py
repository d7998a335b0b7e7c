"""What became of a source's signals: asked of the database, and of the venue's own events on the chain."""

import math
from collections import Counter
from dataclasses import dataclass

import httpx

from execution.adapters.veranta.abi import EVENTS
from tests.e2e.desk import RunningDesk

# What a rule may say of an entry that was taken: denied with its code, or older than its lifetime.
RULED = ("DENIED", "EXPIRED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a source's signals ended. `unexplained` names those that neither were filled nor refused by a rule."""

    taken: int
    filled: int
    ruled: int
    unexplained: dict[str, int]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    # From the end of the fault to each order's end, of the signals received before; the 95th percentile.
    recovery_seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether each signal took effect exactly once, or was refused by a rule."""
        return not (self.unexplained or self.lost or self.doubled)


def of(desk: RunningDesk, *, source: str, taken: list[str], fault_ended_at: float) -> Verdict:
    """Judge a source's signals; the desk must be idle."""
    ends = dict(map(tuple, desk.rows(_ENDS.format(source=source))))
    counts = Counter(ends.values())
    kinds = {end: number for end, number in counts.items() if end != "FILLED" and not end.startswith(RULED)}
    return Verdict(
        taken=len(set(taken)),
        filled=counts["FILLED"],
        ruled=sum(number for end, number in counts.items() if end.startswith(RULED)),
        unexplained=kinds,
        lost=tuple(sorted(set(taken) - set(ends))),
        doubled=(*_doubled_in_database(desk, source=source), *_doubled_on_chain(desk)),
        recovery_seconds=_recovery_seconds(desk, source=source, since=fault_ended_at),
    )


# One row a signal: its order's end, else its decision's word with the code.
_ENDS = """
    SELECT s.signal_id, coalesce(o.status || CASE WHEN o.status = 'DENIED' THEN ' ' || o.reason ELSE '' END,
                                 s.status || ' ' || coalesce(d.code, ''))
    FROM signals s LEFT JOIN decisions d ON d.signal_id = s.id LEFT JOIN legs l ON l.decision_id = d.id
    LEFT JOIN orders o ON o.leg_id = l.id WHERE s.source_name = '{source}'"""

_DOUBLED = """
    SELECT 'position ' || position_id FROM fills WHERE kind = 'OPEN' AND is_canonical GROUP BY position_id HAVING count(*) > 1
    UNION ALL
    SELECT 'intent ' || i.intent_key FROM tx_receipts r JOIN tx_sends t ON t.id = r.send_id
        JOIN tx_intents i ON i.id = t.intent_id WHERE r.is_canonical GROUP BY i.intent_key HAVING count(*) > 1
    UNION ALL
    SELECT 'signal ' || s.signal_id FROM signals s JOIN decisions d ON d.signal_id = s.id JOIN legs l ON l.decision_id = d.id
        JOIN orders o ON o.leg_id = l.id WHERE s.source_name = '{source}' GROUP BY s.signal_id HAVING count(*) > 1"""


def _doubled_in_database(desk: RunningDesk, *, source: str) -> list[str]:
    return [what for (what,) in desk.rows(_DOUBLED.format(source=source))]


def _doubled_on_chain(desk: RunningDesk) -> list[str]:
    """Orders that the venue registered and no send of ours asked for, or twice for one intent."""
    intent_of = dict(desk.rows("SELECT t.tx_hash, i.intent_key FROM tx_sends t JOIN tx_intents i ON i.id = t.intent_id"))
    asked_for = Counter(intent_of.get(tx_hash, f"unknown {tx_hash}") for tx_hash in initiated(desk))
    return [key for key, number in asked_for.items() if number > 1 or key.startswith("unknown")]


def initiated(desk: RunningDesk) -> list[str]:
    """The transaction of every order that the venue registered, by its own events."""
    (topic,) = [form.topic for form in EVENTS.values() if form.name == "MarketOrderInitiated"]
    wanted = {"fromBlock": "0x0", "toBlock": "latest", "topics": [topic]}
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
    answer = httpx.post(desk.environment["BASE_RPC_URL"], json=question, timeout=30, trust_env=False)
    return [str(log["transactionHash"]) for log in answer.json()["result"]]


def _recovery_seconds(desk: RunningDesk, *, source: str, since: float) -> float:
    late = desk.rows(
        f"""SELECT greatest(0, extract(epoch FROM o.ended_at) - {since})
            FROM signals s JOIN decisions d ON d.signal_id = s.id JOIN legs l ON l.decision_id = d.id
            JOIN orders o ON o.leg_id = l.id
            WHERE s.source_name = '{source}' AND extract(epoch FROM s.received_at) < {since}"""
    )
    seconds = sorted(float(row[0]) for row in late)
    return seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else 0.0


def nonces(desk: RunningDesk) -> list[tuple[int, int]]:
    """Of each sender that has sent: how many of its transactions the chain has mined, and the next nonce by our book."""
    senders = desk.rows("SELECT address, next_nonce FROM senders ORDER BY id")
    return [(desk.chain_count(address), int(next_nonce)) for address, next_nonce in senders]
