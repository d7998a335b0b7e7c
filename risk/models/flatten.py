"""Jobs that close everything in a scope."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from risk.domain.flatten import LIFECYCLE, FlattenStatus, Progress
from risk.domain.halt import HaltScope
from trading.domain.mode import Book
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted


class Flatten(models.Model):
    """One job: the scope is on exits only, and each position in it gets one close."""

    scope = models.CharField(max_length=8, choices=choices(HaltScope))
    # The symbol, the source's name or the Telegram id; empty for GLOBAL.
    key = models.CharField(max_length=64, blank=True)
    book = models.CharField(max_length=8, choices=choices(Book))
    reason = models.CharField(max_length=500)
    started_by = models.CharField(max_length=150)
    started_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=choices(FlattenStatus), default=FlattenStatus.RUNNING)
    # As last counted.
    closed = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    opening = models.PositiveIntegerField(default=0)
    # Null while it runs.
    ended_at = models.DateTimeField(null=True)
    # Null once it has ended.
    next_action_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "flattens"
        constraints = [
            models.UniqueConstraint(
                name="one_running_flatten_for_each_scope",
                fields=["scope", "key", "book"],
                condition=Q(status=FlattenStatus.RUNNING),
            ),
            known_states(LIFECYCLE),
            known_words("flatten_book_is_known", Book, field="book"),
            known_words("flatten_scope_is_known", HaltScope, field="scope"),
            models.CheckConstraint(
                name="flatten_is_due_exactly_while_it_runs",
                condition=Q(status=FlattenStatus.RUNNING, next_action_at__isnull=False, ended_at=None)
                | (~Q(status=FlattenStatus.RUNNING) & Q(next_action_at=None, ended_at__isnull=False)),
            ),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return f"{self.book} {self.scope} {self.key}".strip()

    @property
    def progress(self) -> Progress:
        """The counts as last made."""
        return Progress(closed=self.closed, waiting=self.waiting, failed=self.failed, opening=self.opening)

    def count(self, progress: Progress, *, next_at: datetime, at: datetime) -> None:
        """Take over new counts, and end if nothing is left to wait for; the caller saves it."""
        is_over = progress.status is not FlattenStatus.RUNNING
        if is_over:
            LIFECYCLE.check(source=FlattenStatus(self.status), target=progress.status)
        self.closed, self.waiting = progress.closed, progress.waiting
        self.failed, self.opening = progress.failed, progress.opening
        self.status = progress.status
        self.ended_at, self.next_action_at = (at, None) if is_over else (None, next_at)
