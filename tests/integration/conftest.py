"""What the integration tests start from."""

from importlib import import_module

import pytest
from django.apps import apps


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A database in which commits are real. Emptying it took the migrations' rows away: they are put back."""
    import_module("trading.migrations.0002_first_rows").create(apps, None)
