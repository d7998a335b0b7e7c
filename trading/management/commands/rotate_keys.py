"""`manage.py rotate_keys`: after a new key was put in front of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from trading.services import vault


class Command(BaseCommand):
    """Sealed secrets under the newest key."""

    help = "Seal every stored secret with the first of FIELD_ENCRYPTION_KEYS; afterwards the others can be removed."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"{vault.rotate()} secrets were sealed with an older key, none is now")
