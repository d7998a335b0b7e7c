"""What processes tell of themselves."""

from django.db import models


class Heartbeat(models.Model):
    """The last sign of life of one process."""

    process = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "heartbeats"

    def __str__(self) -> str:
        return self.process
