"""Rows that hold from one instant until another, and stay as history."""

from datetime import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q

Row = TypeVar("Row", bound="Bounded", covariant=True)


class BoundedQuerySet(models.QuerySet[Row]):
    """Bounded rows, asked for in our words."""

    def holding(self, *, at: datetime) -> Self:
        """Those in force: at its `until` a row holds no longer, whether or not it was closed."""
        return self.filter(Q(until=None) | Q(until__gt=at), ended_at=None)


class Bounded(models.Model):
    """Something in force for a while. Nothing but its end ever changes."""

    # Whose name a row ends by that nobody ended before its time.
    BY_TIME = "time"

    reason = models.CharField(max_length=500)
    # A person's name, or the rule's.
    placed_by = models.CharField(max_length=150)
    since = models.DateTimeField()
    # Null: until somebody ends it.
    until = models.DateTimeField(null=True)
    # Null while nobody closed it: a row that ran out is closed only when another takes its place.
    ended_at = models.DateTimeField(null=True)
    # Empty while nobody closed it.
    ended_by = models.CharField(max_length=150, blank=True, default="")
    end_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        abstract = True

    def holds(self, *, at: datetime) -> bool:
        """Whether it is in force."""
        return self.ended_at is None and (self.until is None or self.until > at)

    def end(self, *, by: str, reason: str, at: datetime) -> None:
        """Close it, by the clock's name if its time was over; the caller saves it."""
        if self.until is not None and self.until <= at:
            self.ended_at, self.ended_by = self.until, self.BY_TIME
        else:
            self.ended_at, self.ended_by, self.end_reason = at, by, reason


# What `Bounded.end` sets.
ENDING = ["ended_at", "ended_by", "end_reason"]


def bounds(name: str) -> list[models.CheckConstraint]:
    """The rules of a bounded table: it ends after it began, and by somebody's name."""
    return [
        models.CheckConstraint(name=f"{name}_ends_after_it_began", condition=Q(until=None) | Q(until__gt=F("since"))),
        models.CheckConstraint(
            name=f"{name}_ends_by_a_name",
            condition=Q(ended_at=None, ended_by="") | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
        ),
    ]
