"""Temporary blocks of entries."""

from typing import Self

from django.db import models
from django.db.models import Q

from risk.domain.lock import ActiveLock, LockKind
from risk.models.bounded import Bounded, BoundedQuerySet, bounds
from trading.domain.mode import Book
from trading.models import Market, Trader
from trading.models.lifecycle import choices, known_words, never_deleted


class LockQuerySet(BoundedQuerySet["Lock"]):
    """Locks, asked for in our words."""

    def of(self, *, trader_id: int, book: str) -> Self:
        """Those of one account and book."""
        return self.filter(trader_id=trader_id, book=book)


class Lock(Bounded):
    """A block of an account's entries in one market or in all, with what was measured and against what."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="locks")
    book = models.CharField(max_length=8, choices=choices(Book))
    # Null: every market.
    market = models.ForeignKey(Market, on_delete=models.PROTECT, null=True, related_name="locks")
    kind = models.CharField(max_length=16, choices=choices(LockKind))
    value = models.CharField(max_length=64)
    # Another name in the table: `limit` is a word of SQL.
    limit = models.CharField(max_length=64, db_column="limit_text")
    # The fact behind it: a lock that was lifted isn't placed again for the same one.
    caused_at = models.DateTimeField()

    objects = LockQuerySet.as_manager()

    class Meta:
        db_table = "locks"
        constraints = [
            models.UniqueConstraint(
                name="one_active_lock_of_each_kind",
                fields=["trader", "book", "market", "kind"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
            ),
            known_words("lock_kind_is_known", LockKind, field="kind"),
            known_words("lock_book_is_known", Book, field="book"),
            *bounds("lock"),
        ]
        indexes = [models.Index(name="locks_of_an_account", fields=["trader", "book", "caused_at"])]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind} {self.book} {self.market or 'every market'}"

    def as_active(self) -> ActiveLock:
        """The row in the domain's words."""
        return ActiveLock(
            lock_id=self.pk,
            kind=LockKind(self.kind),
            symbol=self.market.symbol if self.market else None,
            value=self.value,
            limit=self.limit,
            reason=self.reason,
            placed_by=self.placed_by,
            since=self.since,
            until=self.until,
        )
