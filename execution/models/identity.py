"""Which database this is."""

from django.db import models


class DatabaseIdentity(models.Model):
    """The one row: the cluster and the timeline that were last confirmed to hold our latest rows.

    A restored or promoted database carries the row of the one it came from, and is another.
    """

    # PostgreSQL's own, of 64 bits without a sign: more than its integers hold.
    system_identifier = models.CharField(max_length=20)
    timeline = models.BigIntegerField()
    confirmed_at = models.DateTimeField()

    class Meta:
        db_table = "database_identities"
        verbose_name_plural = "database identities"
        constraints = [
            models.CheckConstraint(name="there_is_one_database_identity", condition=models.Q(pk=1)),
        ]

    def __str__(self) -> str:
        return f"{self.system_identifier} on timeline {self.timeline}"
