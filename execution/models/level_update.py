"""New levels that were asked of the venue."""

from django.db import models

from execution.domain.levels import UpdateStatus
from trading.domain.position import Levels
from trading.models import Position
from trading.models.fields import PriceField
from trading.models.lifecycle import choices, known_words, never_deleted


class LevelUpdate(models.Model):
    """One signed request for new levels: written down before the venue hears of it. Setting a level twice does no harm."""

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="level_updates", db_index=False)
    # Null: none.
    take_profit = PriceField(null=True)
    stop_loss = PriceField(null=True)
    # 256 bits of chance, in hexadecimal: the venue takes each once.
    nonce = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=choices(UpdateStatus), default=UpdateStatus.ASKED)
    # The block whose event said that it is done; empty before.
    set_in_block = models.CharField(max_length=66, blank=True, default="")

    class Meta:
        db_table = "level_updates"
        constraints = [
            known_words("level_update_status_is_known", UpdateStatus, field="status"),
            models.CheckConstraint(
                name="level_update_is_set_exactly_in_a_block",
                condition=models.Q(status=UpdateStatus.ASKED, set_in_block="")
                | (models.Q(status=UpdateStatus.SET) & ~models.Q(set_in_block="")),
            ),
        ]
        indexes = [models.Index(name="level_updates_of_a_position", fields=["position", "-id"])]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"levels of position {self.position_id}: {self.take_profit}, {self.stop_loss}"

    @property
    def levels(self) -> Levels:
        """What was asked for."""
        return Levels(take_profit=self.take_profit, stop_loss=self.stop_loss)
