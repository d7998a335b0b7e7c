"""An intent: one on-chain effect that we owe, once.

Rule one: an intent is bound to one nonce for life. Only the same nonce is ever offered again,
until a receipt of a known hash on that nonce is final, or a person gives it up on proof that something else used it.
"""

import hashlib
from enum import StrEnum

from trading.domain.lifecycle import Lifecycle


class IntentStatus(StrEnum):
    """Where an intent stands."""

    CREATED = "CREATED"  # accepted; nothing asked yet
    BUILDING = "BUILDING"  # being simulated and estimated
    BUILT = "BUILT"  # call, gas limit and policy are settled; no nonce yet
    SENDING = "SENDING"  # nonce reserved; bytes being signed, stored, or on the wire
    SENT = "SENT"  # some node has it, or may have it
    RETRYING = "RETRYING"  # the last broadcast was surely refused for a reason that passes; the same nonce goes again
    RBF_PENDING = "RBF_PENDING"  # a higher offer for the same nonce is being made
    MINED = "MINED"  # a receipt of one of its sends lies in a canonical block
    FINAL = "FINAL"  # deep enough, with status 1
    REVERTED = "REVERTED"  # deep enough, with status 0
    CANCELED = "CANCELED"  # withdrawn without a nonce; with one, proven so by a cancellation's receipt, or used by something else
    FAILED = "FAILED"  # refused in simulation or by policy; never had a nonce
    SIMULATED = "SIMULATED"  # a PAPER intent's end: no nonce, no send
    EXPIRED = "EXPIRED"  # its deadline passed before it had a nonce


_S = IntentStatus

LIFECYCLE = Lifecycle(
    name="intent",
    initial=(_S.CREATED,),
    moves={
        _S.CREATED: (_S.BUILDING, _S.EXPIRED, _S.CANCELED),
        _S.BUILDING: (_S.BUILT, _S.FAILED, _S.EXPIRED, _S.CANCELED),
        # Back to BUILDING: its quote grew too old.
        _S.BUILT: (_S.SENDING, _S.BUILDING, _S.FAILED, _S.EXPIRED, _S.CANCELED, _S.SIMULATED),
        # Straight to MINED: found after a crash between the wire and the answer.
        _S.SENDING: (_S.SENT, _S.RETRYING, _S.MINED),
        _S.RETRYING: (_S.SENDING, _S.SENT, _S.MINED),
        # Back to RETRYING: dropped by every node. Straight to CANCELED: a person gives up what can't be mined anymore.
        _S.SENT: (_S.MINED, _S.RBF_PENDING, _S.RETRYING, _S.CANCELED),
        _S.RBF_PENDING: (_S.SENT, _S.MINED),
        # Back to SENT: reorganized out.
        _S.MINED: (_S.FINAL, _S.REVERTED, _S.CANCELED, _S.SENT),
        _S.FINAL: (),
        _S.REVERTED: (),
        _S.CANCELED: (),
        _S.FAILED: (),
        _S.SIMULATED: (),
        _S.EXPIRED: (),
    },
)

# States in which a nonce is held; an intent with one never fails, it is canceled by proof.
WITH_NONCE = frozenset((_S.SENDING, _S.SENT, _S.RETRYING, _S.RBF_PENDING, _S.MINED, _S.FINAL, _S.REVERTED))
# Reserved, and its nonce not yet used up on the chain.
UNMINED = frozenset((_S.SENDING, _S.SENT, _S.RETRYING, _S.RBF_PENDING))
WITHOUT_NONCE = frozenset((_S.CREATED, _S.BUILDING, _S.BUILT, _S.FAILED, _S.SIMULATED, _S.EXPIRED))


class IntentKind(StrEnum):
    """What the effect is."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    TOP_UP = "TOP_UP"  # gas money from the treasury to another sender


class Blocked(StrEnum):
    """Why an intent waits."""

    NONE = ""
    MODE = "mode"  # the execution mode isn't LIVE, or the desk is stopped
    IN_FLIGHT = "in-flight cap"  # its sender has as many unmined as it may
    ENDPOINT = "endpoint"  # no node answered
    FUNDS = "funds"  # its sender can't pay the gas
    LOWER_NONCE = "lower nonce"  # a lower one isn't on the wire yet
    FEES = "fees"  # its offer is below the market
    CEILING = "fee ceiling"  # the market asks more than the ceiling allows
    BACKPRESSURE = "backpressure"  # the node takes no more from this sender for now
    CONTENT = "content refused"  # the node refuses what the bytes say
    VENUE = "venue's limit of pending orders"  # its trader has as many orders with the keeper as the venue takes
    SENDER = "sender"  # paused, draining, quarantined, or another key is at hand than its own
    PRICE = "price"  # no fresh price to bound its slippage with
    NONCE = "nonce used by something else"  # a foreign transaction stands on its nonce


def idempotency_key(*, intent_key: str, tg_user_id: int, leg: int, kind: IntentKind) -> str:
    """The identity of an effect: never a clock bucket, never a price."""
    return hashlib.sha256(f"{intent_key}|{tg_user_id}|{leg}|{kind}".encode()).hexdigest()


def leg_key(*, intent_key: str, leg: int) -> str:
    """The readable key of a leg: the signal's own for the first, `#2` and on after it."""
    return intent_key if leg == 1 else f"{intent_key}#{leg}"
