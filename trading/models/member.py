"""Whom the bot and the API know."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from trading.domain.people import Role
from trading.models.lifecycle import choices, never_deleted


class Member(models.Model):
    """A person by Telegram id, and the roles that he has there. The row stays when they are taken: the audit log names it."""

    tg_user_id = models.BigIntegerField(unique=True)
    name = models.CharField(max_length=64, blank=True)
    # Empty: nobody, like one who was never admitted.
    roles = ArrayField(models.CharField(max_length=16, choices=choices(Role)), default=list, blank=True)
    # The same person's login to the console, so that he is one person there and here. Null: he has none.
    user = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="member")
    admitted_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "members"
        constraints = [
            models.CheckConstraint(
                name="member_roles_are_known", condition=models.Q(roles__contained_by=[str(role) for role in Role])
            ),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.name or 'tg'} ({self.tg_user_id})"
