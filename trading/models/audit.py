"""Who changed what, why and when."""

from django.db import models

from trading.models.lifecycle import append_only


class AuditRow(models.Model):
    """One change by a person or a rule. Each row's hash covers the row before it."""

    at = models.DateTimeField()
    # A user's name, `tg:123`, `environment`, `out-of-band`.
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    before = models.JSONField()
    after = models.JSONField()
    reason = models.TextField(blank=True)
    trace_id = models.CharField(max_length=32, blank=True)
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        db_table = "audit_log"
        triggers = [append_only("audit_log_is_append_only")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.subject}"
