"""What people do with channels; each act on a person's word, with its reason, and audited."""

import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import F
from django.db.models.functions import Cast

from bots import locks
from bots.domain.announcement import BY_KIND, PING
from bots.domain.channel import ROTATION, ChannelStatus, wants
from bots.domain.delivery import DeliveryStatus
from bots.models import Channel, Delivery
from bots.ports import Postman
from execution.services import warrants
from execution.services.warrants import Warrant
from trading import doorbell
from trading.domain import proof, standard_webhooks
from trading.domain.errors import Conflict, Invalid
from trading.kinds import piece, write
from trading.models.event import CurrentTransaction
from trading.services import journal, vault

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


class UnknownChannel(Invalid):
    """There is no such channel."""

    code = "CHANNEL_UNKNOWN"


class ChannelMisnamed(Invalid):
    """A channel's name is made of small letters, digits and hyphens."""

    code = "CHANNEL_MISNAMED"


class ChannelExists(Conflict):
    """There is a channel of that name."""

    code = "CHANNEL_EXISTS"


class NoSuchEvent(Invalid):
    """A pattern names none of the public events."""

    code = "EVENT_UNKNOWN"


class WrongStatus(Conflict):
    """The channel's status doesn't allow that."""

    code = "CHANNEL_WRONG_STATUS"


class NothingNamed(Invalid):
    """A replay says since when, or which deliveries."""

    code = "REPLAY_OF_NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A channel and its newest secret, which is shown once and never again."""

    channel: Channel
    secret: str


def find(name: str) -> Channel:
    """A channel by its name.

    Raises:
        UnknownChannel: if there is none.
    """
    found = Channel.objects.filter(name=name).first()
    if found is None:
        raise UnknownChannel("there is no channel of that name", name=name)
    return found


@write
def create(
    *, name: str, url: str, by: Warrant, postman: Postman, events: Collection[str] = ("*",), accounts: Iterable[int] = ()
) -> Opened:
    """Tell somebody outside of what happens from now on.

    Raises:
        TargetRefused: if webhooks may not go to the URL.
        ChannelMisnamed: if the name has other characters than small letters, digits and hyphens.
        NoSuchEvent: if a pattern names no public event.
        ChannelExists: if the name is taken.
    """
    postman.check(url)
    _check(name, events)
    channel = Channel(name=name, url=url, events=sorted(set(events)), accounts=sorted(set(accounts)), created_at=by.at)
    secret = _new_secret()
    vault.seal(channel, "secret", secret)
    _insert(channel)
    after = {"host": channel.host, "events": ", ".join(channel.events), "accounts": ", ".join(map(str, channel.accounts))}
    warrants.use(by, action="channel.create", subject=f"channel:{name}", before={}, after=after)
    return Opened(channel=channel, secret=secret)


@write
def rotate(*, channel_id: int, by: Warrant) -> Opened:
    """Sign with another secret from now on; the one before signs too for a day, so that the receiver has time to change.

    Raises:
        UnknownChannel: if there is none.
    """
    channel, secret = _locked(channel_id), _new_secret()
    vault.seal(channel, "previous_secret", vault.unseal(channel, "secret"))
    channel.previous_until = by.at + ROTATION
    vault.seal(channel, "secret", secret)
    channel.save(update_fields=["secret", "previous_secret", "previous_until"])
    after = {"previous_until": channel.previous_until}
    warrants.use(by, action="channel.rotate", subject=f"channel:{channel.name}", before={}, after=after)
    return Opened(channel=channel, secret=secret)


@write
def pause(*, channel_id: int, by: Warrant) -> None:
    """Tell a channel nothing for now; what happens meanwhile is kept for it.

    Raises:
        UnknownChannel: if there is none.
        WrongStatus: if it isn't ACTIVE.
    """
    channel = _locked(channel_id)
    if channel.status != ChannelStatus.ACTIVE:
        raise WrongStatus(f"the channel is {channel.status}", name=channel.name)
    _turn(channel, ChannelStatus.PAUSED, why=f"{by.actor}: {by.reason}"[:500], by=by)


@write
def resume(*, channel_id: int, by: Warrant) -> None:
    """Tell a channel what is owed to it, at once; what happened while it was disabled stays untold.

    Raises:
        UnknownChannel: if there is none.
        WrongStatus: if it is ACTIVE.
    """
    channel = _locked(channel_id)
    if channel.status == ChannelStatus.ACTIVE:
        raise WrongStatus("the channel is ACTIVE", name=channel.name)
    if channel.status == ChannelStatus.DISABLED:
        channel.after_transaction = Cast(CurrentTransaction(), models.BigIntegerField())
    channel.failures, channel.failing_since, channel.resting_until = 0, None, None
    _turn(channel, ChannelStatus.ACTIVE, why="", by=by)
    doorbell.ring("delivery.owed", key=channel.pk)


@write
def ping(*, channel_id: int, by: Warrant) -> None:
    """Owe a channel a test message, which takes the same way as all others.

    Raises:
        UnknownChannel: if there is none.
        WrongStatus: if it is DISABLED.
    """
    channel = _locked(channel_id)
    if channel.status == ChannelStatus.DISABLED:
        raise WrongStatus("nothing is kept for a disabled channel: resume it first", name=channel.name)
    journal.record(PING, channel, at=by.at, name=channel.name)
    warrants.use(by, action="channel.ping", subject=f"channel:{channel.name}", before={}, after={})


@write
def replay(*, channel_id: int, by: Warrant, since: datetime | None = None, delivery_ids: Collection[int] = ()) -> int:
    """Have a channel told again, under the same ids: all that happened since an instant, or some deliveries; how many.

    Raises:
        UnknownChannel: if there is none.
        NothingNamed: if neither an instant nor a delivery is named.
    """
    channel = _locked(channel_id)
    if since is None and not delivery_ids:
        raise NothingNamed("say since when, or which deliveries")
    rows = Delivery.objects.filter(channel=channel)
    rows = rows.filter(event__at__gte=since) if since is not None else rows.filter(pk__in=delivery_ids)
    # Owed already: it goes at once, and counts its attempts anew.
    again = rows.pending().update(next_action_at=by.at, attempts=0)
    again += rows.exclude(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.PENDING, next_action_at=by.at, attempts=0, ended_at=None, replays=F("replays") + 1
    )
    after = {"deliveries": again, "since": since, "ids": ", ".join(map(str, sorted(delivery_ids)[:50]))}
    warrants.use(by, action="channel.replay", subject=f"channel:{channel.name}", before={}, after=after)
    doorbell.ring("delivery.owed", key=channel.pk)
    return again


@piece
def _turn(channel: Channel, target: ChannelStatus, *, why: str, by: Warrant) -> None:
    before = {"status": channel.status, "status_reason": channel.status_reason}
    channel.move(target, reason=why)
    channel.save(update_fields=["status", "status_reason", "after_transaction", "failures", "failing_since", "resting_until"])
    after = {"status": channel.status, "status_reason": channel.status_reason}
    warrants.use(by, action="channel.turn", subject=f"channel:{channel.name}", before=before, after=after)


@piece
def _insert(channel: Channel) -> None:
    if Channel.objects.filter(name=channel.name).exists():
        raise ChannelExists("there is a channel of that name", name=channel.name)
    channel.save(force_insert=True)


@piece
def _locked(channel_id: int) -> Channel:
    channel = locks.channel_of(channel_id)
    if channel is None:
        raise UnknownChannel("there is no such channel", channel=channel_id)
    return channel


def _check(name: str, events: Collection[str]) -> None:
    if not _NAME.fullmatch(name):
        raise ChannelMisnamed("a name has small letters, digits and hyphens", field="name")
    strange = [pattern for pattern in events if not any(wants([pattern], kind) for kind in BY_KIND)]
    if strange or not events:
        raise NoSuchEvent("no public event has such a name", field="events", patterns=strange)


def _new_secret() -> str:
    return proof.standard_secret(secrets.token_bytes(standard_webhooks.SECRET_BYTES))
