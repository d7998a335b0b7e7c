"""What accounts are worth and what they lost today, as last measured."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from trading.domain.mode import Book
from trading.models import Trader
from trading.models.fields import UsdcField
from trading.models.lifecycle import choices, known_words, never_deleted


class Equity(models.Model):
    """One book of an account as last measured, and the peak from which its drawdown counts."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="equities")
    book = models.CharField(max_length=8, choices=choices(Book))
    # What trading has earned in all, realised and unrealised; money that came or went isn't in it.
    earned_usdc = UsdcField()
    # Null: the wallet's balance isn't known.
    equity_usdc = UsdcField(null=True)
    # Where a valuation stood on no agreed price; empty when all did.
    doubts = models.TextField(blank=True, default="")
    peak_earned_usdc = UsdcField()
    # The account's worth at the peak; null while it isn't known.
    peak_equity_usdc = UsdcField(null=True)
    peak_at = models.DateTimeField()
    # The newest fill that the guards have seen; null: none.
    newest_fill = models.BigIntegerField(null=True)
    measured_at = models.DateTimeField()
    # When the curve got its last point; null: it has none.
    sampled_at = models.DateTimeField(null=True)
    # Null while nothing is open: the next fill rings.
    next_action_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "equities"
        verbose_name_plural = "equities"
        constraints = [
            models.UniqueConstraint(name="one_equity_for_each_book", fields=["trader", "book"]),
            known_words("equity_book_is_known", Book, field="book"),
            models.CheckConstraint(name="equity_never_exceeds_its_peak", condition=Q(peak_earned_usdc__gte=F("earned_usdc"))),
        ]
        indexes = [
            models.Index(name="equities_due", fields=["next_action_at"], condition=Q(next_action_at__isnull=False)),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.book} {self.trader_id}"

    def is_due(self, *, at: datetime) -> bool:
        """Whether it is time to measure it again."""
        return self.next_action_at is not None and self.next_action_at <= at


class EquitySample(models.Model):
    """One point of the curve of a book of an account, as it was measured then."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="equity_samples", db_index=False)
    book = models.CharField(max_length=8, choices=choices(Book))
    at = models.DateTimeField()
    # What trading had earned in all, realised and unrealised.
    earned_usdc = UsdcField()
    # Null: the wallet's balance wasn't known.
    equity_usdc = UsdcField(null=True)

    class Meta:
        db_table = "equity_samples"
        constraints = [
            models.UniqueConstraint(name="one_equity_sample_for_each_instant", fields=["trader", "book", "at"]),
            known_words("equity_sample_book_is_known", Book, field="book"),
        ]

    def __str__(self) -> str:
        return f"{self.book} {self.trader_id} {self.at:%Y-%m-%d %H:%M}"


class LossDayQuerySet(models.QuerySet["LossDay"]):
    """Days, asked for in our words."""

    def running(self, *, at: datetime) -> Self:
        """Those that haven't ended."""
        return self.filter(ends_at__gt=at)


class LossDay(models.Model):
    """One day of one book of an account: where it began, and what it lost since. Its end is the next reset."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="loss_days")
    book = models.CharField(max_length=8, choices=choices(Book))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField(max_length=64)
    # What trading had earned at the reset, as the first look after it found.
    baseline_earned_usdc = UsdcField()
    # The account's worth at the reset; null while it isn't known.
    baseline_equity_usdc = UsdcField(null=True)
    # Below zero: won.
    loss_usdc = UsdcField()
    # Null: no limit, or one of an unknown equity.
    limit_usdc = UsdcField(null=True)
    measured_at = models.DateTimeField()
    # Null: not warned that day.
    warned_at = models.DateTimeField(null=True)
    # Null: the limit held all day.
    breached_at = models.DateTimeField(null=True)

    objects = LossDayQuerySet.as_manager()

    class Meta:
        db_table = "loss_days"
        constraints = [
            models.UniqueConstraint(name="one_loss_day_for_each_reset", fields=["trader", "book", "starts_at"]),
            known_words("loss_day_book_is_known", Book, field="book"),
            models.CheckConstraint(name="loss_day_ends_after_it_began", condition=Q(ends_at__gt=F("starts_at"))),
        ]
        indexes = [models.Index(name="loss_days_by_end", fields=["ends_at"])]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.book} {self.trader_id} {self.starts_at:%Y-%m-%d}"
