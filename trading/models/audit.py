"""Who changed what, why and when."""

import pgtrigger
from django.db import models

from trading.models.lifecycle import append_only, never_deleted


class AuditRow(models.Model):
    """One change by a person or a rule. Each row's hash covers the row before it."""

    at = models.DateTimeField()
    # A login's name, `tg:123`, `command line: name`, `api`, `environment`, `out-of-band`.
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
        # What the console narrows its list by, newest first.
        indexes = [
            models.Index(name="audit_of_an_actor", fields=["actor", "-id"]),
            models.Index(name="audit_of_an_action", fields=["action", "-id"]),
            models.Index(name="audit_of_a_subject", fields=["subject", "-id"]),
        ]
        triggers = [
            append_only("audit_log_is_append_only"),
            # Here and not in Python, so that no row comes in beside it.
            pgtrigger.Trigger(
                name="audit_log_moves_its_head",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="UPDATE audit_heads SET number = number + 1, hash = NEW.hash; RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.subject}"


class AuditHead(models.Model):
    """The one row that knows the log's end: without it nobody would miss the newest rows.

    It moves with each new row, by one, and never back; whoever writes one locks it first.
    """

    # How many rows were ever written.
    number = models.BigIntegerField()
    # The newest row's.
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_heads"
        constraints = [models.CheckConstraint(name="there_is_one_audit_head", condition=models.Q(pk=1))]
        triggers = [
            never_deleted(),
            pgtrigger.Trigger(
                name="audit_head_moves_by_one",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF NEW.number <> OLD.number + 1 THEN
                        RAISE EXCEPTION 'the audit log grows by one row at a time' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


class AuditCheck(models.Model):
    """One stretch of the log, read and found whole or not. Stretches follow one another in rounds, each from the first row on."""

    at = models.DateTimeField()
    round_began_at = models.DateTimeField()
    # Up to here: so many rows of the log, the last of them with this key and hash.
    number = models.BigIntegerField()
    last_id = models.BigIntegerField()
    last_hash = models.CharField(max_length=64)
    # Whether that was the log's end.
    is_at_end = models.BooleanField()
    # What the round has found so far, a sentence each; empty: the log is the one that was written.
    findings = models.JSONField(default=list)

    class Meta:
        db_table = "audit_checks"
        triggers = [append_only("audit_checks_are_append_only")]

    def __str__(self) -> str:
        return f"{self.number} rows, {len(self.findings)} findings"
