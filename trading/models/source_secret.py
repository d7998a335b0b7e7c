"""What a source proves itself with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Self

import pgtrigger
from django.db import models

from trading.domain.source import Auth
from trading.models import prepared
from trading.models.lifecycle import choices, known_words, never_deleted
from trading.models.sealed import SealedField
from trading.models.source import Source


class SourceSecretQuerySet(models.QuerySet["SourceSecret"]):
    """Secrets, asked for in our words."""

    def active(self, *, at: datetime) -> Self:
        """Those that prove something."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=at), revoked_at=None)

    def of(self, names: Collection[str], *, at: datetime | None) -> "list[Candidate]":
        """The sources of some names, each once for each of its active secrets, or once without one. One statement.

        None: now, by the database's clock.
        """
        found = prepared.rows(_of(), {"names": list(names), "at": prepared.text(at)})
        return [_candidate(*each) for each in found]


class SourceSecret(models.Model):
    """One secret of a source; two at most at a time, so that a sender can change from one to the other."""

    SLOTS = (1, 2)

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="secrets")
    # Its public name.
    key_id = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=16, choices=choices(Auth))
    # What signs must be read again; empty for a token, and once it is revoked.
    sealed = SealedField(purpose="source secret", of=["source_id", "key_id"])
    # sha256 of a token, which is only compared; empty for what signs.
    digest = models.CharField(max_length=64, blank=True, default="")
    # Its place among the source's active ones. Null: revoked.
    slot = models.SmallIntegerField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    # Null: never; noted at most once a minute.
    last_used_at = models.DateTimeField(null=True)
    # Null: it isn't.
    revoked_at = models.DateTimeField(null=True)
    # Null: it stays good until it is revoked.
    expires_at = models.DateTimeField(null=True)

    objects = SourceSecretQuerySet.as_manager()

    class Meta:
        db_table = "source_secrets"
        constraints = [
            known_words("source_secret_kind_is_known", Auth, field="kind"),
            models.UniqueConstraint(name="a_source_has_one_secret_in_a_slot", fields=["source", "slot"]),
            models.UniqueConstraint(name="one_secret_for_each_token", fields=["digest"], condition=~models.Q(digest="")),
            models.CheckConstraint(
                name="source_secret_has_a_slot_of_two_until_revoked",
                condition=models.Q(slot__isnull=False, slot__in=[1, 2], revoked_at=None)
                | models.Q(slot=None, revoked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="source_secret_is_sealed_or_a_digest",
                condition=models.Q(kind=Auth.TOKEN, sealed="") & ~models.Q(digest="")
                | ~models.Q(kind=Auth.TOKEN) & models.Q(digest="") & (~models.Q(sealed="") | models.Q(revoked_at__isnull=False)),
            ),
        ]
        triggers = [
            never_deleted(),
            pgtrigger.Protect(
                name="source_secret_stays_revoked",
                operation=pgtrigger.UpdateOf("revoked_at"),
                condition=pgtrigger.Q(old__revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A source and one of its active secrets, as they stood at a moment; None: it has no active one."""

    source: Source
    secret: SourceSecret | None
    at: datetime


def _candidate(at: datetime, *values: Any) -> Candidate:
    width = len(prepared.columns(Source))
    secret = None if values[width] is None else prepared.row(SourceSecret, values[width:])
    return Candidate(source=prepared.row(Source, values[:width]), secret=secret, at=at)


@cache
def _of() -> str:
    columns = (f"{model._meta.db_table}.{column}" for model in (Source, SourceSecret) for column in prepared.columns(model))
    return f"""
        SELECT now.at, {", ".join(columns)}
        FROM (SELECT coalesce(%(at)s::timestamptz, clock_timestamp()) AS at) AS now CROSS JOIN sources LEFT JOIN source_secrets
            ON source_id = sources.id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now.at)
        WHERE name = ANY(%(names)s::text[])
    """  # noqa: S608 - ours
