"""Columns that hold a secret, sealed for the row it stands in."""

from collections.abc import Sequence
from typing import Any

from django.db import models


class SealedField(models.TextField):  # type: ignore[type-arg]  # text in, text out
    """Text that `trading.services.vault` sealed; empty where there is no secret.

    `of` names the columns that say whose secret it is: they never change, and go with the purpose
    into what the seal covers, so that a text moved to another row doesn't open there.
    """

    def __init__(self, *args: Any, purpose: str = "", of: Sequence[str] = (), **kwargs: Any) -> None:
        self.purpose, self.of = purpose, tuple(of)
        super().__init__(*args, **{"blank": True, "default": "", **kwargs})

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """What a migration writes down."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose, "of": self.of}

    def label(self, row: models.Model) -> str:
        """What the seal covers besides the secret: the purpose, and whose it is."""
        return "/".join([self.purpose, *(str(getattr(row, name)) for name in self.of)])
