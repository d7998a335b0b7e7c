"""Rows that are worked one at a time, and rows that are due."""

from django.db import models


class Lane(models.Model):
    """The owner of rows that must be worked one at a time; `trading.lanes` takes and frees it."""

    # Rises each time the lane is taken; a write that carries an older one touches nothing.
    epoch = models.BigIntegerField(default=0, editable=False)
    # Null: nobody holds the lane.
    leased_until = models.DateTimeField(null=True, editable=False)
    # Null: nobody rang while it was held.
    rung_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class Due(models.Model):
    """A row that somebody will work at `next_action_at`."""

    # Null: nothing is owed to this row anymore.
    next_action_at = models.DateTimeField(null=True)
    # Counted and committed before the row is worked, so that a row that kills its worker is known by its count.
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True
