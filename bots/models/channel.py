"""Channels: who outside is told of events."""

from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast

from bots.domain.channel import LIFECYCLE, ChannelKind, ChannelStatus, wants
from trading.models.event import CurrentTransaction
from trading.models.lane import Lane
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted
from trading.models.sealed import SealedField


class ChannelQuerySet(models.QuerySet["Channel"]):
    """Channels, asked for in our words."""

    def kept_for(self) -> Self:
        """Those for which what happens is kept."""
        return self.exclude(status=ChannelStatus.DISABLED)

    def open(self, *, at: datetime) -> Self:
        """Those that may be told something now."""
        return self.filter(Q(resting_until=None) | Q(resting_until__lte=at), status=ChannelStatus.ACTIVE)


class Channel(Lane):
    """Somebody outside who is told of events; its deliveries are worked one drain at a time."""

    kind = models.CharField(max_length=8, choices=choices(ChannelKind), default=ChannelKind.WEBHOOK)
    name = models.CharField(max_length=64, unique=True)
    # It may carry a token of the target's: lists and logs show its host only.
    url = models.CharField(max_length=500)
    secret = SealedField(purpose="channel secret", of=["name"])
    # The secret before it; signs too until `previous_until`.
    previous_secret = SealedField(purpose="channel secret before", of=["name"])
    # Null: the secret was never rotated.
    previous_until = models.DateTimeField(null=True)
    # Patterns of event kinds: `order.*`.
    events = ArrayField(models.CharField(max_length=48))
    # Telegram ids; empty: every account, and the desk.
    accounts = ArrayField(models.BigIntegerField(), default=list)
    status = models.CharField(max_length=8, choices=choices(ChannelStatus), default=ChannelStatus.ACTIVE)
    status_reason = models.CharField(max_length=500, blank=True)
    # It is told of what was written by later transactions than this one.
    after_transaction = models.BigIntegerField(db_default=Cast(CurrentTransaction(), models.BigIntegerField()))
    # Rounds in a row in which nothing came through, and since when; null while the last one did.
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    # Null: it may be told something at once.
    resting_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = ChannelQuerySet.as_manager()

    class Meta:
        db_table = "channels"
        constraints = [
            known_states(LIFECYCLE),
            known_words("channel_kind_is_known", ChannelKind, field="kind"),
            models.CheckConstraint(name="channel_has_a_secret", condition=~Q(secret="")),
            models.CheckConstraint(name="channel_wants_something", condition=Q(events__len__gt=0)),
            models.CheckConstraint(
                name="channel_secret_before_ends",
                condition=Q(previous_secret="", previous_until=None) | (~Q(previous_secret="") & Q(previous_until__isnull=False)),
            ),
            models.CheckConstraint(
                name="channel_fails_since_an_instant",
                condition=Q(failures=0, failing_since=None) | Q(failures__gt=0, failing_since__isnull=False),
            ),
            models.CheckConstraint(
                name="channel_says_why_it_is_not_told",
                condition=Q(status=ChannelStatus.ACTIVE, status_reason="")
                | (~Q(status=ChannelStatus.ACTIVE) & ~Q(status_reason="")),
            ),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """Where it is told, without what may be secret in the address."""
        return urlsplit(self.url).hostname or ""

    def move(self, target: ChannelStatus, *, reason: str) -> None:
        """Be told or not from now on; the caller saves it."""
        LIFECYCLE.check(source=ChannelStatus(self.status), target=target)
        self.status, self.status_reason = target, reason

    def is_for(self, kind: str, *, account: int | None, transaction_number: int) -> bool:
        """Whether it is told of an event."""
        is_its_account = not self.accounts or account in self.accounts
        return transaction_number > self.after_transaction and is_its_account and wants(self.events, kind)
