"""Deliveries: events owed to channels; and how far the journal was read for them."""

from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Q

from bots.domain.delivery import LIFECYCLE, DeliveryStatus, Trouble
from bots.models.channel import Channel
from trading.models import Event
from trading.models.lane import Due
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries, asked for in our words."""

    def pending(self) -> Self:
        """Those that are owed: in the words of the indexes, or a crowd of them is read again for each."""
        return self.filter(ended_at=None)

    def ready(self, *, at: datetime) -> Self:
        """Those that are due, and before which nothing of the same thread is owed."""
        before = Delivery.objects.pending().filter(channel=OuterRef("channel"), thread=OuterRef("thread"), pk__lt=OuterRef("pk"))
        return self.pending().filter(~Exists(before), next_action_at__lte=at)


class Delivery(Due):
    """One event owed to one channel, once, under one id that its receiver can know a repeat by."""

    # Found by the unique key.
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries")
    # `webhook-id`. Made by chance: a restored database must not use a number twice.
    message_id = models.CharField(max_length=40, unique=True)
    # Told in order within it.
    thread = models.CharField(max_length=64)
    body = models.TextField()
    status = models.CharField(max_length=9, choices=choices(DeliveryStatus), default=DeliveryStatus.PENDING)
    # Of the latest attempt. Null: none yet, or no HTTP answer.
    last_status_code = models.PositiveSmallIntegerField(null=True)
    last_trouble = models.CharField(max_length=24, choices=choices(each for each in Trouble if each), blank=True)
    # How often a person had it told again.
    replays = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    # When it was told first; null: never.
    delivered_at = models.DateTimeField(null=True)
    # Null while it is owed.
    ended_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "deliveries"
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(name="one_delivery_for_each_event_and_channel", fields=["event", "channel"]),
            known_states(LIFECYCLE),
            known_words("delivery_trouble_is_known", Trouble, field="last_trouble"),
            models.CheckConstraint(
                name="delivery_is_due_exactly_while_it_is_owed",
                condition=Q(status=DeliveryStatus.PENDING, next_action_at__isnull=False, ended_at=None)
                | (~Q(status=DeliveryStatus.PENDING) & Q(next_action_at=None, ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="delivery_is_dated_when_it_was_told",
                condition=~Q(status=DeliveryStatus.DELIVERED) | Q(delivered_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="deliveries_owed", fields=["channel", "id"], condition=Q(ended_at=None)),
            models.Index(name="deliveries_in_order", fields=["channel", "thread", "id"], condition=Q(ended_at=None)),
            models.Index(name="deliveries_failed", fields=["channel", "id"], condition=Q(status=DeliveryStatus.FAILED)),
        ]
        triggers = [
            LifecycleTrigger(lifecycle=LIFECYCLE),
            never_deleted(),
            pgtrigger.ReadOnly(name="what_is_told_is_never_changed", fields=["event", "channel", "message_id", "thread", "body"]),
        ]

    def __str__(self) -> str:
        return self.message_id

    def move(self, target: DeliveryStatus, *, at: datetime) -> None:
        """Go on, and be dated; the caller saves it."""
        LIFECYCLE.check(source=DeliveryStatus(self.status), target=target)
        self.status = target
        is_owed = target is DeliveryStatus.PENDING
        self.next_action_at, self.ended_at = (at, None) if is_owed else (None, at)


class JournalPlace(models.Model):
    """How far a reader has read the journal, in commit order; moved with what he makes of it, in one transaction."""

    reader = models.CharField(max_length=16, unique=True)
    transaction_number = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)

    class Meta:
        db_table = "journal_places"
        triggers = [
            never_deleted(),
            pgtrigger.Trigger(
                name="nobody_reads_the_journal_backwards",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.transaction_number, NEW.event_id) < (OLD.transaction_number, OLD.event_id) THEN
                        RAISE EXCEPTION 'a reader of the journal never goes back' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} {self.transaction_number}:{self.event_id}"
