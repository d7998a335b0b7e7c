"""Who may send signals."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from trading.domain.source import Auth, SourceMode
from trading.models.fields import LeverageField, UsdcField
from trading.models.lifecycle import choices, known_words, never_deleted


class Source(models.Model):
    """A door's user. `default` answers for every sender that has no row of its own."""

    DEFAULT = "default"

    name = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=200, blank=True, default="")
    auth = models.CharField(max_length=16, choices=choices(Auth), default=Auth.SIGNATURE)
    mode = models.CharField(max_length=16, choices=choices(SourceMode), default=SourceMode.AUTO)
    is_enabled = models.BooleanField(default=True)
    # Internal sources (protection, copy, telegram, console) have no door outside.
    is_internal = models.BooleanField(default=False)
    # Empty: every market, every account.
    allowed_symbols = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    allowed_accounts = ArrayField(models.BigIntegerField(), default=list, blank=True)
    # Limits of its own, beside the policies; null: none.
    max_leverage_x = LeverageField(null=True, blank=True)
    max_position_usdc = UsdcField(null=True, blank=True)
    max_exposure_usdc = UsdcField(null=True, blank=True)
    # How old an entry may be by its own time, and how many entries it may send a minute; null: as everybody.
    max_lag_seconds = models.PositiveIntegerField(null=True, blank=True)
    entries_per_minute = models.PositiveIntegerField(null=True, blank=True)
    # Silent for longer: people are told; null: it may be silent.
    heartbeat_seconds = models.PositiveIntegerField(null=True, blank=True)
    # Null: never heard.
    last_heard_at = models.DateTimeField(null=True, blank=True)
    # Null while it isn't known to be silent.
    silent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sources"
        constraints = [
            known_words("source_auth_is_known", Auth, field="auth"),
            known_words("source_mode_is_known", SourceMode, field="mode"),
            models.CheckConstraint(
                name="source_is_silent_only_with_a_heartbeat",
                condition=models.Q(silent_at=None) | models.Q(heartbeat_seconds__isnull=False),
            ),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return self.name
