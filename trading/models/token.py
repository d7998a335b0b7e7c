"""What programs show to be let in."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from pgtrigger import ReadOnly

from trading.domain.token import Scope
from trading.models.lifecycle import choices, never_deleted
from trading.models.member import Member


class ApiToken(models.Model):
    """A program's key to the API, which acts as one person and never as more. Its secret is shown once and not kept."""

    # What a person calls it.
    name = models.CharField(max_length=64, unique=True)
    public_id = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    # Whose it is: exactly one of the two; the other is null.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="api_tokens")
    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="api_tokens")
    scopes = ArrayField(models.CharField(max_length=8, choices=choices(Scope)))
    # Telegram ids. Empty: every account that its person may touch, and the desk.
    accounts = ArrayField(models.BigIntegerField(), default=list, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    # Null: it lasts until it is revoked.
    expires_at = models.DateTimeField(null=True, blank=True)
    # To the minute; null: never used.
    last_used_at = models.DateTimeField(null=True)
    # Null while it is good; then with who revoked it.
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        db_table = "api_tokens"
        constraints = [
            models.CheckConstraint(
                name="token_is_one_persons",
                condition=Q(user=None, member__isnull=False) | Q(user__isnull=False, member=None),
            ),
            models.CheckConstraint(
                name="token_is_for_something_known",
                condition=Q(scopes__contained_by=[str(scope) for scope in Scope]) & ~Q(scopes=[]),
            ),
            models.CheckConstraint(
                name="token_is_revoked_by_a_name",
                condition=Q(revoked_at=None, revoked_by="") | Q(revoked_at__isnull=False) & ~Q(revoked_by=""),
            ),
        ]
        triggers = [
            never_deleted(),
            ReadOnly(name="issued_is_never_changed", exclude=["last_used_at", "revoked_at", "revoked_by"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
