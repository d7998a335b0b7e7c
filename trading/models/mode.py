"""What is kept of the execution mode besides the switch in Redis."""

from django.db import models

from trading.domain.mode import Mode
from trading.models.lifecycle import choices, known_words


class ModeState(models.Model):
    """The one row: the configured mode, the latched emergency stop, and the desk's other switches."""

    # What people want; whether it holds is `trading.domain.mode.effective`'s to say.
    configured = models.CharField(max_length=8, choices=choices(Mode))
    # False until a person chose: then EXEC_MODE decides at each start.
    is_chosen = models.BooleanField(default=False)
    emergency_stop = models.BooleanField(default=False)
    # Who raised the stop (api, admin, telegram, switch); empty when none is up.
    stopped_by = models.CharField(max_length=32, blank=True, default="")
    signals_enabled = models.BooleanField(default=True)
    maintenance = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "mode_state"
        constraints = [
            models.CheckConstraint(name="there_is_one_mode_state", condition=models.Q(pk=1)),
            known_words("mode_configured_is_known", Mode, field="configured"),
        ]

    def __str__(self) -> str:
        return f"{self.configured}{' stopped' if self.emergency_stop else ''}"
