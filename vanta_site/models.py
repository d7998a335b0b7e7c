"""What processes tell of themselves."""

from django.db import models

from trading.models.lifecycle import append_only


class Heartbeat(models.Model):
    """The last sign of life of one process."""

    process = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "heartbeats"

    def __str__(self) -> str:
        return self.process


class Violation(models.Model):
    """Something that must never happen, and did: written down once, answered once."""

    kind = models.CharField(max_length=32)
    # The row that shows it: `fill:12`, `event:7`, `intent:3`.
    subject = models.CharField(max_length=64)
    detail = models.CharField(max_length=200)
    found_at = models.DateTimeField()

    objects: models.Manager["Violation"] = models.Manager()

    class Meta:
        db_table = "violations"
        constraints = [models.UniqueConstraint(name="one_row_for_each_violation", fields=["kind", "subject"])]
        triggers = [append_only("violations_is_append_only")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
