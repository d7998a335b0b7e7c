"""The journal."""

from django.db import models
from django.db.models import Func
from django.db.models.functions import Cast

from trading.models.lifecycle import append_only


class CurrentTransaction(Func):
    """The number of the running transaction, of which the journal's readers follow the commit order."""

    template = "pg_current_xact_id()::text"
    output_field = models.TextField()


class Event(models.Model):
    """Something that happened, written in the transaction in which it happened."""

    kind = models.CharField(max_length=48)
    # `signal:12`, `intent:7`: the row it happened to.
    subject = models.CharField(max_length=64, db_index=True)
    # The signal's trace; empty for what no signal caused.
    trace_id = models.CharField(max_length=32, blank=True, db_index=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    transaction_number = models.BigIntegerField(
        db_default=Cast(CurrentTransaction(), models.BigIntegerField()), editable=False, db_index=True
    )

    class Meta:
        db_table = "journal"
        triggers = [append_only("journal_is_append_only")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
