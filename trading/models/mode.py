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
    # Whose wish that is, and who else agreed to LIVE; a changed wish has nobody's agreement.
    wished_by = models.CharField(max_length=150, blank=True, default="")
    confirmed_by = models.CharField(max_length=150, blank=True, default="")
    emergency_stop = models.BooleanField(default=False)
    # Who raised the stop (api, admin, telegram, switch, database); empty when none is up.
    stopped_by = models.CharField(max_length=32, blank=True, default="")
    # Whether the environment stopped the desk at its last start; only the environment lifts that.
    environment_stop = models.BooleanField(default=False)
    signals_enabled = models.BooleanField(default=True)
    maintenance = models.BooleanField(default=False)
    automation_paused = models.BooleanField(default=False)
    # When a process last had trouble with the switch, and which; null while none ever had.
    switch_failed_at = models.DateTimeField(null=True)
    switch_failed_by = models.CharField(max_length=200, blank=True, default="")
    # Healthy looks in a row of the process that watches, since then; it counts no further than LIVE needs.
    health_streak = models.PositiveIntegerField(default=0)
    # The version of the last value from outside that was taken over; empty once we wrote our own.
    switch_heard = models.CharField(max_length=64, blank=True, default="")
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "mode_state"
        constraints = [
            models.CheckConstraint(name="there_is_one_mode_state", condition=models.Q(pk=1)),
            known_words("mode_configured_is_known", Mode, field="configured"),
            models.CheckConstraint(
                name="trouble_with_the_switch_has_a_witness",
                condition=models.Q(switch_failed_at__isnull=True, switch_failed_by="")
                | models.Q(switch_failed_at__isnull=False) & ~models.Q(switch_failed_by=""),
            ),
            models.CheckConstraint(
                name="nobody_confirms_his_own_wish",
                condition=models.Q(confirmed_by="") | ~models.Q(confirmed_by=models.F("wished_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.configured}{' stopped' if self.emergency_stop else ''}"
