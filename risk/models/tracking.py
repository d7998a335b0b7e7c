"""What a day of a following made beside its leader's, and why it differs."""

from django.db import models
from django.db.models import F

from risk.models.following import Following
from trading.domain.mode import Book
from trading.models.fields import PercentField, UsdcField
from trading.models.lifecycle import append_only, choices, known_words


class Tracking(models.Model):
    """The leader's trades that ended on one UTC day, and what one book of the follower made of them.

    As `risk.domain.tracking.Report` says it: what the follower made less what was expected is the sum of the parts.
    """

    following = models.ForeignKey(Following, on_delete=models.PROTECT, related_name="trackings")
    book = models.CharField(max_length=8, choices=choices(Book))
    day = models.DateField()
    trades = models.PositiveIntegerField()
    leader_net_usdc = UsdcField()
    leader_basis_usdc = UsdcField()
    leader_return_pct = PercentField()
    follower_net_usdc = UsdcField()
    follower_basis_usdc = UsdcField()
    follower_return_pct = PercentField()
    # The leader's return on the follower's basis.
    expected_usdc = UsdcField()
    # Dollars by reason: what was not copied; their sum beside them.
    not_copied = models.JSONField(default=dict)
    not_copied_usdc = UsdcField()
    size_usdc = UsdcField()
    entry_usdc = UsdcField()
    exit_usdc = UsdcField()
    fees_usdc = UsdcField()
    carrying_usdc = UsdcField()
    measured_at = models.DateTimeField()

    class Meta:
        db_table = "trackings"
        constraints = [
            models.UniqueConstraint(name="one_tracking_for_each_day_and_book", fields=["following", "day", "book"]),
            known_words("tracking_book_is_known", Book, field="book"),
            models.CheckConstraint(
                name="tracking_adds_up",
                condition=models.Q(
                    follower_net_usdc=F("expected_usdc")
                    + F("not_copied_usdc")
                    + F("size_usdc")
                    + F("entry_usdc")
                    + F("exit_usdc")
                    + F("fees_usdc")
                    + F("carrying_usdc")
                ),
            ),
        ]
        triggers = [append_only("trackings_are_append_only")]

    def __str__(self) -> str:
        return f"{self.book} {self.day} of {self.following_id}"
