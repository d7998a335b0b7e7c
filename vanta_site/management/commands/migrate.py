"""`manage.py migrate`: Django's own, made by the tables' owner, and then what the application and people may do with them."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags
from django.core.management.commands import migrate

from vanta_site import groups, roles


class Command(migrate.Command):
    """Django's migrate as `DATABASE_OWNER_URL`; afterwards the application's role and people's groups are settled."""

    def check(self, **kwargs: Any) -> list[CheckMessage] | None:  # type: ignore[override]  # typeshed names each argument
        """The models' checks. What the site refuses, it refuses to processes that serve: this one is the owner's."""
        return super().check(**kwargs | {"tags": [Tags.models, Tags.database]})

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Around the checks too: the application's role may not be there yet.
        with roles.as_owner():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if not options["plan"]:
            roles.settle(application=settings.DATABASES["default"])
            groups.settle()
