"""The outbox's way out: what is owed to a channel is told in order within a thread, at least once, under one id.

An attempt is counted and its repeat is due before the message goes out: if we die between the two, it goes
again under the same id, and the receiver can drop it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pgbulk
import structlog

from bots import locks
from bots.domain import channel as rules
from bots.domain import delivery as course
from bots.domain.channel import ChannelStatus
from bots.domain.delivery import Answer, DeliveryStatus, Trouble
from bots.models import Channel, Delivery
from bots.ports import Postman
from trading import lanes
from trading.domain import standard_webhooks
from trading.domain.errors import Unavailable
from trading.kinds import piece, step, write
from trading.lanes import Lease
from trading.services import asking, audit, journal, vault
from trading.services.vault import Unreadable

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

# Told side by side; one by one while nothing comes through.
WIDTH = 16
# A drain stops taking up new rounds after this: far below a task's limit.
_LONGEST_DRAIN = timedelta(seconds=20)
# Longer than a postman's patience, shorter than a lease.
PATIENCE_SECONDS = 6.0
# When a message goes again whose attempt nobody lived to record.
_GRACE = timedelta(seconds=15)
OUTBOX = "outbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What is told side by side: of each thread one."""

    channel: Channel
    owed: tuple[Delivery, ...]


@step
def drain(*, channel_id: int, postman: Postman, clock: Clock) -> bool:
    """Tell a channel what is due. False if somebody else is at it."""
    work = partial(_work, postman=postman, clock=clock, until=clock() + _LONGEST_DRAIN)
    return lanes.drain(Channel, channel_id, work)


def _work(lease: Lease, *, postman: Postman, clock: Clock, until: datetime) -> None:
    while clock() < until:
        round_ = _begin(lease, at=clock())
        if round_ is None:
            return
        lease.renew()
        answers = _tell(round_, postman=postman, at=clock())
        _record(lease, round_.owed, answers, at=clock())


@write
def _begin(lease: Lease, *, at: datetime) -> Round | None:
    """Count the next attempts; None if nothing can be told now."""
    channel = locks.channel(lease)
    if channel.status != ChannelStatus.ACTIVE or (channel.resting_until and channel.resting_until > at):
        return None
    width = 1 if channel.failures else WIDTH
    ready = list(Delivery.objects.ready(at=at).filter(channel=channel).order_by("pk")[:width])
    if not ready:
        return None
    owed = tuple(each for each in ready if each.attempts < course.MOST_ATTEMPTS)
    for each in owed:
        each.attempts, each.next_action_at = each.attempts + 1, at + _GRACE
    pgbulk.update(Delivery, owed, ["attempts", "next_action_at"])
    _save([_concluded(each, Answer(trouble=Trouble.SILENCE), at=at) for each in ready if each not in owed])
    return Round(channel=channel, owed=owed)


def _tell(round_: Round, *, postman: Postman, at: datetime) -> dict[int, Answer]:
    try:
        secrets = _secrets(round_.channel, at=at)
    except Unreadable as error:
        return _unsigned(round_, error)
    asks = {str(each.pk): _post(each, secrets, url=round_.channel.url, postman=postman, at=at) for each in round_.owed}
    said = asking.side_by_side(asks, patience_seconds=PATIENCE_SECONDS)
    return {int(pk): _heard(answer) for pk, answer in said.items()}


def _unsigned(round_: Round, error: Unreadable) -> dict[int, Answer]:
    """Nobody is told anything unsigned."""
    log.error("channel.secret_unreadable", channel=round_.channel.name, reason=error.message, advice="look at its keys")
    return {each.pk: Answer(trouble=Trouble.SECRET) for each in round_.owed}


def _post(owed: Delivery, secrets: list[str], *, url: str, postman: Postman, at: datetime) -> Callable[[], Answer]:
    body = owed.body.encode()
    timestamp = int(at.timestamp())
    headers = standard_webhooks.headers(secrets, message_id=owed.message_id, timestamp=timestamp, body=body)
    return partial(postman.post, url, headers=headers, body=body)


def _heard(answer: Answer | Unavailable) -> Answer:
    return answer if isinstance(answer, Answer) else Answer(trouble=Trouble.TOO_SLOW)


def _secrets(channel: Channel, *, at: datetime) -> list[str]:
    newest = vault.unseal(channel, "secret")
    is_rotating = channel.previous_until is not None and at < channel.previous_until
    return [newest, vault.unseal(channel, "previous_secret")] if is_rotating else [newest]


@write
def _record(lease: Lease, owed: tuple[Delivery, ...], answers: Mapping[int, Answer], *, at: datetime) -> None:
    """Write down what came of a round."""
    channel = locks.channel(lease)
    still = set(Delivery.objects.pending().filter(pk__in=answers).values_list("pk", flat=True))
    _save([_concluded(each, answers[each.pk], at=at) for each in owed if each.pk in still])
    if answers:
        _rate(channel, list(answers.values()), at=at)


def _concluded(owed: Delivery, answer: Answer, *, at: datetime) -> Delivery:
    owed.last_status_code, owed.last_trouble = answer.status, answer.trouble
    target = course.after(answer, attempts=owed.attempts)
    if target is DeliveryStatus.PENDING:
        owed.next_action_at = at + course.wait(answer, attempts=owed.attempts, message_id=owed.message_id, now=at)
        return owed
    owed.move(target, at=at)
    if answer.is_yes:
        owed.delivered_at = owed.delivered_at or at
    return owed


_CONCLUDED = ["status", "next_action_at", "last_status_code", "last_trouble", "delivered_at", "ended_at"]


@piece
def _save(concluded: list[Delivery]) -> None:
    pgbulk.update(Delivery, concluded, _CONCLUDED)
    for each in concluded:
        if each.status == DeliveryStatus.FAILED:
            log.warning("delivery.failed", delivery=each.pk, channel=each.channel_id, trouble=each.last_trouble)


@piece
def _rate(channel: Channel, answers: list[Answer], *, at: datetime) -> None:
    """Remember whether anything came through, and leave a target alone that takes nothing or asks for it."""
    is_well = any(answer.is_yes for answer in answers)
    channel.failures = 0 if is_well else channel.failures + 1
    channel.failing_since = None if is_well else channel.failing_since or at
    rest = max(course.asked_wait(answer, now=at) for answer in answers)
    if not is_well:
        rest = max(rest, rules.rest(channel.failures))
    channel.resting_until = at + rest if rest else None
    channel.save(update_fields=["failures", "failing_since", "resting_until"])
    if any(answer.trouble is Trouble.GONE for answer in answers):
        _disable(channel, reason="the target answered 410: it is gone", at=at)
    elif channel.failing_since and at - channel.failing_since >= rules.PATIENCE:
        _disable(channel, reason=f"nothing has come through since {channel.failing_since:%Y-%m-%d %H:%M} UTC", at=at)


@piece
def _disable(channel: Channel, *, reason: str, at: datetime) -> None:
    # A person may have paused it while its target was asked.
    before = channel.status
    channel.move(ChannelStatus.DISABLED, reason=reason)
    channel.save(update_fields=["status", "status_reason"])
    audit.record(
        actor=OUTBOX,
        action="channel.turn",
        subject=f"channel:{channel.name}",
        before={"status": before},
        after={"status": channel.status},
        reason=reason,
        at=at,
    )
    journal.record("channel.disabled", channel, at=at, name=channel.name, reason=reason)
    log.error("channel.disabled", channel=channel.name, reason=reason, advice="ask whoever runs the target, then resume it")
