"""Senders: their lanes drained, their first use checked."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import window
from execution.domain.intent import Blocked
from execution.models import Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.ports import Signer
from execution.services import building, finalizing, gas, intents, papering, submission, watching
from trading import lanes
from trading.domain.errors import Unavailable
from trading.domain.units import Wei
from trading.kinds import step, write
from trading.lanes import Lease
from trading.services import audit

log = structlog.get_logger(__name__)

ENDPOINT_PAUSE = timedelta(seconds=1)
GWEI = 10**9
IN_USE = "its account had transactions under way at its first use"


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
    intents.block(locks.intents(due.values_list("pk", flat=True)), Blocked.ENDPOINT, at=at, pause=ENDPOINT_PAUSE)


def _work(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    # A purse that was filled lets the sender go on in this very drain.
    gas.tend(lease, desk=desk, clock=clock)
    # Looking comes before building: what was mined makes room for what is built.
    watching.look(lease, desk=desk, clock=clock)
    finalizing.conclude_due(lease, desk=desk, clock=clock)
    building.build_due(lease, desk=desk, clock=clock)
    _carry_out(lease, desk=desk, clock=clock)
    # What failed before comes last: should it end us, nothing waits behind it.
    while building.build_suspect(lease, desk=desk, clock=clock):
        _carry_out(lease, desk=desk, clock=clock)


def _carry_out(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    submission.submit_due(lease, desk=desk, clock=clock)
    papering.fill_due(lease, clock=clock)


@step
def enlist(*, desk: Desk, at: datetime) -> Sender:
    """Register every signer's account, or find it; the first one's sender.

    The first use is checked: nobody else may have transactions under way.
    """
    first, *_ = [_enlist(signer, desk=desk, at=at) for signer in desk.signers]
    return first


def _enlist(signer: Signer, *, desk: Desk, at: datetime) -> Sender:
    address, chain_id = signer.address, desk.chain.chain_id
    known = Sender.objects.filter(chain_id=chain_id, address=address).first()
    if known is not None:
        return known
    mined, pooled = desk.chain.nonce(address)
    wide = window.first(desk.chain.code(address), limit=settings.MAX_IN_FLIGHT)
    sender = Sender(
        chain_id=chain_id,
        address=address,
        signer=signer.reference,
        next_nonce=mined,
        max_in_flight=settings.MAX_IN_FLIGHT,
        window_size=wide.size,
        window_threshold=wide.threshold,
        fee_ceiling_wei=Wei(settings.FEE_CEILING_GWEI * GWEI),
        gas_floor_wei=Wei(settings.GAS_FLOOR_WEI),
    )
    if mined != pooled:
        sender.status, sender.status_reason = SenderStatus.QUARANTINED, IN_USE
    return _create(sender, at=at)


@write
def _create(sender: Sender, *, at: datetime) -> Sender:
    sender.save(force_insert=True)
    after = {"address": sender.address, "next_nonce": sender.next_nonce, "status": sender.status}
    audit.record(
        actor="environment",
        action="sender.enlist",
        subject=f"sender:{sender.address}",
        before={},
        after=after,
        reason="first use",
        at=at,
    )
    return sender
