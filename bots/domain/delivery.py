"""A delivery: one event that is owed to one channel, told at least once, under one id for ever."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from trading.domain.lifecycle import Lifecycle


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"  # owed: not told yet, or not surely
    DELIVERED = "DELIVERED"  # the target said yes
    FAILED = "FAILED"  # given up after the last attempt


_S = DeliveryStatus

LIFECYCLE = Lifecycle(
    name="delivery",
    initial=(_S.PENDING,),
    moves={
        _S.PENDING: (_S.DELIVERED, _S.FAILED),
        # Back to PENDING: a person has it told again.
        _S.DELIVERED: (_S.PENDING,),
        _S.FAILED: (_S.PENDING,),
    },
)


class Trouble(StrEnum):
    """Why an attempt didn't come through."""

    NONE = ""
    TARGET = "target not allowed"  # by the allow-list, its scheme, its port, or where its name leads
    NAME = "name unknown"  # no address for the target's name
    CONNECTION = "no connection"  # refused, reset, or no trust in its certificate
    TOO_SLOW = "too slow"  # no answer within the patience
    NONSENSE = "no HTTP"  # an answer that isn't one
    STATUS = "refused"  # any status but 2xx; a redirect is none
    GONE = "gone"  # 410: it wants nothing anymore
    SILENCE = "nobody knows"  # whoever tried didn't live to say
    SECRET = "secret unreadable"  # noqa: S105 - nothing can be signed with it


# The waits after the first, second, ... attempt that failed: three days and a bit, the specification's own.
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
MOST_ATTEMPTS = len(RETRIES) + 1
# No target makes us wait longer by its Retry-After.
LONGEST_WAIT = RETRIES[-1]
_IMPLIES_A_WAIT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_JITTER_PER_MILLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one attempt. `status` is None when there was no HTTP answer; `trouble` is NONE exactly for 2xx."""

    trouble: Trouble
    status: int | None = None
    # The header as it came; empty without one.
    retry_after: str = ""

    @property
    def is_yes(self) -> bool:
        """Whether the target took the message."""
        return self.trouble is Trouble.NONE


def trouble_of(status: int) -> Trouble:
    """What an HTTP status means."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Trouble.NONE
    return Trouble.GONE if status == HTTPStatus.GONE else Trouble.STATUS


def after(answer: Answer, *, attempts: int) -> DeliveryStatus:
    """Where a delivery goes with the answer to its latest attempt."""
    if answer.is_yes:
        return DeliveryStatus.DELIVERED
    return DeliveryStatus.FAILED if attempts >= MOST_ATTEMPTS else DeliveryStatus.PENDING


def wait(answer: Answer, *, attempts: int, message_id: str, now: datetime) -> timedelta:
    """How long to wait after an attempt that failed: the schedule's step, or longer if the target asks for it."""
    step = RETRIES[attempts - 1]
    # Only ever later, so that the whole schedule outlasts three days; by the id, so that a crowd spreads.
    spread = step * _share(f"{message_id}:{attempts}") * _JITTER_PER_MILLE // 1_000_000
    return max(step + spread, asked_wait(answer, now=now))


def asked_wait(answer: Answer, *, now: datetime) -> timedelta:
    """What a target's Retry-After asks for, in seconds or as a date; never longer than LONGEST_WAIT."""
    if answer.status not in _IMPLIES_A_WAIT:
        return timedelta(0)
    return max(timedelta(0), min(_said(answer.retry_after.strip(), now=now), LONGEST_WAIT))


def _said(text: str, *, now: datetime) -> timedelta:
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), int(LONGEST_WAIT.total_seconds())))
    try:
        return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) - now
    except ValueError:
        return timedelta(0)


def _share(text: str) -> int:
    """A number from 0 to 1000 that a text always has."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % 1_001
