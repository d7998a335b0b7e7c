"""Who may send signals."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from trading.models.fields import LeverageField, UsdcField


class Source(models.Model):
    """A door's user. `default` answers for every sender that has no row of its own."""

    DEFAULT = "default"

    name = models.CharField(max_length=64, unique=True)
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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sources"

    def __str__(self) -> str:
        return self.name
