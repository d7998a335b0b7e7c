"""Who may send signals."""

from django.db import models


class Source(models.Model):
    """A door's user. `default` answers for every sender that has no row of its own."""

    DEFAULT = "default"

    name = models.CharField(max_length=64, unique=True)
    is_enabled = models.BooleanField(default=True)
    # Internal sources (protection, copy, telegram, console) have no door outside.
    is_internal = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sources"

    def __str__(self) -> str:
        return self.name
