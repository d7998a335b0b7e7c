"""Senders: their lanes drained, their first use checked."""

from datetime import datetime, timedelta
from functools import partial

import structlog

from execution.desk import Clock, Desk
from execution.domain.intent import Blocked
from execution.models import Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import building, papering, submission, watching
from trading import lanes
from trading.domain.errors import Unavailable
from trading.kinds import step, write
from trading.lanes import Lease
from trading.services import audit

log = structlog.get_logger(__name__)

ENDPOINT_PAUSE = timedelta(seconds=1)


@step
def drain(*, sender_id: int, desk: Desk, clock: Clock) -> bool:
    """Work everything that is due for a sender. False if somebody else is at it, or the chain doesn't answer."""
    try:
        return lanes.drain(Sender, sender_id, partial(_work, desk=desk, clock=clock))
    except Unavailable as error:
        _wait(sender_id=sender_id, at=clock())
        log.warning("sender.waits", sender=sender_id, reason=error.message, **error.facts)
        return False


@write
def _wait(*, sender_id: int, at: datetime) -> None:
    """Let a sender's due intents wait for the chain; nothing else about them changes."""
    due = TxIntent.objects.of_lane(sender_id).due(at=at)
    due.update(next_action_at=at + ENDPOINT_PAUSE, blocked_reason=Blocked.ENDPOINT)


def _work(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    # Looking comes first: what was mined makes room for what is built.
    watching.look(lease, desk=desk, clock=clock)
    building.build_due(lease, desk=desk, clock=clock)
    papering.fill_due(lease, clock=clock)
    submission.submit_due(lease, desk=desk, clock=clock)


@step
def enlist(*, desk: Desk, at: datetime) -> Sender:
    """Register the signer's account, or find it. The first use is checked: nobody else may have transactions under way."""
    address, chain_id = desk.signer.address, desk.chain.chain_id
    known = Sender.objects.filter(chain_id=chain_id, address=address).first()
    if known is not None:
        return known
    mined, pooled = desk.chain.nonce(address)
    status = SenderStatus.ACTIVE if mined == pooled else SenderStatus.QUARANTINED
    return _create(chain_id=chain_id, address=address, next_nonce=mined, status=status, at=at)


@write
def _create(*, chain_id: int, address: str, next_nonce: int, status: SenderStatus, at: datetime) -> Sender:
    sender = Sender.objects.create(chain_id=chain_id, address=address, signer="local:0", next_nonce=next_nonce, status=status)
    after = {"address": address, "next_nonce": next_nonce, "status": status}
    audit.record(
        actor="environment",
        action="sender.enlist",
        subject=f"sender:{address}",
        before={},
        after=after,
        reason="first use",
        at=at,
    )
    return sender
