"""Where the venue itself closes a position, as its events said one after another."""

from typing import Self

from django.db import models

from trading.domain.position import LevelKind
from trading.models.fields import PriceField
from trading.models.lifecycle import choices, known_words, never_deleted
from trading.models.position import Position


class PositionLevelQuerySet(models.QuerySet["PositionLevel"]):
    """Levels, asked for in our words."""

    def canonical(self) -> Self:
        """Those told in a block that the chain still has."""
        return self.filter(is_canonical=True)

    def newest(self) -> Self:
        """The last word on each level of a position."""
        return self.order_by("position", "level", "-block_number", "-log_index").distinct("position", "level")


class PositionLevel(models.Model):
    """One level, from one event on. A position's own columns are the fold of these."""

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="levels")
    level = models.CharField(max_length=12, choices=choices(LevelKind))
    # Null: from now on there is none.
    price = PriceField(null=True)
    chain_id = models.BigIntegerField()
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    block_number = models.BigIntegerField()
    block_hash = models.CharField(max_length=66)
    is_canonical = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    objects = PositionLevelQuerySet.as_manager()

    class Meta:
        db_table = "position_levels"
        constraints = [
            models.UniqueConstraint(
                name="one_word_on_a_level_for_each_log", fields=["chain_id", "block_hash", "log_index", "level"]
            ),
            known_words("position_level_is_known", LevelKind, field="level"),
        ]
        indexes = [models.Index(name="position_levels_by_block", fields=["block_hash"])]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.level} {self.price}"
