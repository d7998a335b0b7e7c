"""What every test starts from."""

from collections.abc import Iterator

import hypothesis
import pytest
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from tests import migrated
from tests.fakes import doorbell
from trading.kinds import held_locks

# On a busy machine the first draw alone can take a second; what a test must not exceed, it measures itself.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize=True
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database, to which every test that commits gives back what the migrations made."""
    with django_db_blocker.unblock():
        if migrated.is_made():
            migrated.keep()
    with pytest.MonkeyPatch.context() as patch:
        # pytest-django has no setting for it.
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: migrated.put_back())
        yield


@pytest.fixture(autouse=True)
def _no_locks() -> Iterator[None]:
    """Pieces that a test calls in a transaction of its own leave no ranks behind."""
    token = held_locks.set(())
    yield
    held_locks.reset(token)


@pytest.fixture(autouse=True)
def _silent_doorbell() -> Iterator[None]:
    """No ring of another test is heard in this one."""
    doorbell.clear()
    yield
    doorbell.clear()
