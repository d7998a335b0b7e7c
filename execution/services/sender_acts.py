"""What people do with a sender. Each act is one audited write under the sender's row lock, which no drain's write ignores."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from django.conf import settings

from execution import locks
from execution.desk import Clock, Desk
from execution.models import Delegation, Sender, TxIntent, TxSend
from execution.models.send import SendState
from execution.models.sender import SenderStatus
from execution.services import submission, warrants
from execution.services.warrants import Warrant
from trading import doorbell, lanes
from trading.domain.errors import Conflict, Invalid
from trading.domain.units import Wei
from trading.kinds import step, write
from trading.lanes import Lease
from trading.services import journal

GWEI = 10**9
BATCH = 100


class UnknownSender(Invalid):
    """There is no sender of this address."""

    code = "SENDER_UNKNOWN"


class WrongStatus(Conflict):
    """A sender that stands so can't go there."""

    code = "SENDER_STATUS"


class LimitOutOfRange(Invalid):
    """A limit outside of what settings allow."""

    code = "LIMIT_OUT_OF_RANGE"


class NothingSent(Conflict):
    """Nothing of this sender is on the wire."""

    code = "NOTHING_SENT"


class LaneBusy(Conflict):
    """A worker is at it right now."""

    code = "LANE_BUSY"


class NoTreasury(Conflict):
    """This sender can't be the treasury, or there is none."""

    code = "TREASURY"


def find(address: str) -> Sender:
    """The sender of an address, however its letters are written.

    Raises:
        UnknownSender: if there is none.
    """
    found = Sender.objects.filter(chain_id=settings.CHAIN_ID, address__iexact=address).first()
    if found is None:
        raise UnknownSender(f"no sender has the address {address}: manage.py sender list shows them", address=address)
    return found


# Where a person may take a sender, and from where. Out of quarantine only a release leads.
_WAYS = {
    SenderStatus.PAUSED: (SenderStatus.ACTIVE, SenderStatus.DRAINING),
    SenderStatus.DRAINING: (SenderStatus.ACTIVE, SenderStatus.PAUSED),
    SenderStatus.ACTIVE: (SenderStatus.DRAINING, SenderStatus.PAUSED),
}


@write
def turn(*, sender_id: int, target: SenderStatus, by: Warrant) -> None:
    """Pause a sender, let it finish what it has, or let it go on.

    Raises:
        WrongStatus: if it stands there already, or is quarantined.
    """
    (sender,) = locks.senders([sender_id])
    if sender.status not in _WAYS[target]:
        advice = "release it" if sender.status == SenderStatus.QUARANTINED else "it can't go there"
        raise WrongStatus(f"the sender is {sender.status}: {advice}", status=sender.status, target=target)
    before = {"status": sender.status, "status_reason": sender.status_reason}
    sender.status = target
    sender.status_reason = "" if target is SenderStatus.ACTIVE else f"{by.actor}: {by.reason}"[:200]
    sender.save(update_fields=["status", "status_reason"])
    journal.record(f"sender.{target.lower()}", sender, at=by.at, reason=by.reason)
    after = {"status": sender.status, "status_reason": sender.status_reason}
    warrants.use(by, action="sender.turn", subject=f"sender:{sender.address}", before=before, after=after)
    doorbell.ring("intent.created", key=sender.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A sender's limits as a person wants them; None leaves one as it is."""

    fee_ceiling_wei: Wei | None = None
    gas_floor_wei: Wei | None = None
    max_in_flight: int | None = None


@write
def limit(*, sender_id: int, limits: Limits, by: Warrant) -> None:
    """Set some of a sender's limits; a window wider than the new most is cut down with it.

    Raises:
        LimitOutOfRange: if settings forbid one of them, or none is given.
    """
    changes = _allowed(limits)
    (sender,) = locks.senders([sender_id])
    before = {name: getattr(sender, name) for name in changes}
    for name, value in changes.items():
        setattr(sender, name, value)
    sender.window_size = min(sender.window_size, sender.max_in_flight)
    sender.window_threshold = min(sender.window_threshold, sender.max_in_flight)
    sender.save(update_fields=[*changes, "window_size", "window_threshold"])
    warrants.use(by, action="sender.limit", subject=f"sender:{sender.address}", before=before, after=changes)
    doorbell.ring("intent.created", key=sender.pk)


def _allowed(limits: Limits) -> Mapping[str, Wei | int]:
    ceiling, floor, most = limits.fee_ceiling_wei, limits.gas_floor_wei, limits.max_in_flight
    if ceiling is not None:
        refuse_ceiling(ceiling)
    if floor is not None and floor < Wei.zero():
        raise LimitOutOfRange("a floor below zero is none", gas_floor_wei=str(floor))
    if most is not None and not 1 <= most <= settings.MAX_IN_FLIGHT:
        raise LimitOutOfRange(f"between 1 and MAX_IN_FLIGHT ({settings.MAX_IN_FLIGHT}) may be in flight", max_in_flight=most)
    wanted = {"fee_ceiling_wei": ceiling, "gas_floor_wei": floor, "max_in_flight": most}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        raise LimitOutOfRange("no limit was given")
    return changes


def refuse_ceiling(ceiling: Wei) -> None:
    """Pass if somebody may pay so much for a gas.

    Raises:
        LimitOutOfRange: if it is nothing, or more than the signer would sign.
    """
    most = Wei(settings.FEE_CEILING_GWEI * GWEI)
    if not Wei.zero() < ceiling <= most:
        said = f"a fee ceiling lies above 0 and at most at FEE_CEILING_GWEI ({settings.FEE_CEILING_GWEI} gwei)"
        raise LimitOutOfRange(said, fee_ceiling_wei=str(ceiling), limit=str(most))


@write
def appoint(*, sender_id: int, by: Warrant) -> None:
    """Make a sender the treasury: it pays for the others' gas and trades for nobody.

    Raises:
        NoTreasury: if there is another one, or somebody trades through this one.
    """
    (sender,) = locks.senders([sender_id])
    if Sender.objects.filter(chain_id=sender.chain_id, is_treasury=True).exists():
        raise NoTreasury("there is a treasury already")
    if Delegation.objects.filter(sender=sender).exists() or TxIntent.objects.of_lane(sender.pk).filter(closed_at=None).exists():
        raise NoTreasury("somebody trades through this sender: the treasury trades for nobody", sender=sender.address)
    sender.is_treasury = True
    sender.save(update_fields=["is_treasury"])
    before, after = {"is_treasury": False}, {"is_treasury": True}
    warrants.use(by, action="sender.appoint", subject=f"sender:{sender.address}", before=before, after=after)


@step
def rebroadcast(*, sender_id: int, desk: Desk, clock: Clock, by: Warrant) -> Counter[str]:
    """Offer the newest bytes of everything that a sender has on the wire to every node again; how often each answer came.

    Raises:
        NothingSent: if there is nothing on the wire.
        LaneBusy: if a worker holds the lane.
    """
    newest = _newest(sender_id)
    if not newest:
        raise NothingSent("nothing of this sender is on the wire")
    answers: Counter[str] = Counter()
    if not lanes.drain(Sender, sender_id, partial(_send_again, newest, answers, desk=desk, clock=clock)):
        raise LaneBusy("a worker is at this sender right now: try again in a moment")
    _note_rebroadcast(sender_id=sender_id, answers=answers, by=by)
    return answers


def _newest(sender_id: int) -> list[TxSend]:
    """The newest bytes on the wire of each unmined intent, in nonce order."""
    unmined = TxIntent.objects.of_lane(sender_id).unmined()
    sent = TxSend.objects.filter(intent__in=unmined, state=SendState.SENT).order_by("intent", "-seq").distinct("intent")
    return sorted(sent.select_related("intent"), key=lambda send: send.intent.nonce or 0)


def _send_again(sends: list[TxSend], answers: Counter[str], lease: Lease, *, desk: Desk, clock: Clock) -> None:
    # A ring that came meanwhile makes the lane do its work again: once is enough.
    if answers:
        return
    for start in range(0, len(sends), BATCH):
        batch = sends[start : start + BATCH]
        lease.renew()
        said = desk.chain.broadcast([send.raw for send in batch])
        answers.update(str(answer.meaning) for answer in said)
        submission.note_resent(lease, dict(zip((send.pk for send in batch), said, strict=True)), at=clock())


@write
def _note_rebroadcast(*, sender_id: int, answers: Mapping[str, int], by: Warrant) -> None:
    (sender,) = locks.senders([sender_id])
    warrants.use(by, action="sender.rebroadcast", subject=f"sender:{sender.address}", before={}, after=answers)
    journal.record("sender.rebroadcast", sender, at=by.at, sends=sum(answers.values()), answers=dict(answers))
    doorbell.ring("intent.created", key=sender.pk)
