"""The roles as Django's groups: which pages of the console each sees, and the few rows that it edits there.

Everybody with a role sees every ledger, and nobody edits history. What people do is asked of
`trading.domain.people.may`; these permissions only say which pages Django shows.
"""

from collections.abc import Iterable

from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, models

from bots.models import Channel
from risk.models import Policy
from trading.domain.people import Role
from trading.kinds import write
from trading.models import ApiToken, Leader, Member

Edits = tuple[tuple[type[models.Model], tuple[str, ...]], ...]

# What isn't for everybody's eyes.
PRIVATE: frozenset[type[models.Model]] = frozenset({User, Group, Member, ApiToken})
# Beyond seeing. Django's own pages ask this before ours ask `may`.
EDITS: dict[Role, Edits] = {
    Role.VIEWER: (),
    Role.TRADER: (),
    Role.RISK: ((Policy, ("add", "change")),),
    Role.SUPER_ADMIN: (
        (Policy, ("add", "change", "delete")),
        (User, ("add", "change")),
        (Member, ("add", "change")),
        (ApiToken, ("add", "change")),
        (Leader, ("add", "change")),
        (Channel, ("add",)),
    ),
}


@write
def settle() -> None:
    """Give each group exactly what its role sees and edits; for the owner of the tables, after each migration."""
    if Group._meta.db_table not in connection.introspection.table_names():
        # Only some apps were migrated, or all were taken back.
        return
    for role in Role:
        Group.objects.get_or_create(name=role)[0].permissions.set(_permissions(role))


def codes(role: Role) -> set[tuple[type[models.Model], str]]:
    """A role's permissions: a model, and what may be done with it."""
    seen = {(model, "view") for model in admin.site._registry if role is Role.SUPER_ADMIN or model not in PRIVATE}
    return seen | {(model, verb) for model, verbs in EDITS[role] for verb in verbs}


def _permissions(role: Role) -> Iterable[Permission]:
    wanted = {(model._meta.app_label, f"{verb}_{model._meta.model_name}") for model, verb in codes(role)}
    known = Permission.objects.select_related("content_type")
    return [each for each in known if (each.content_type.app_label, each.codename) in wanted]
