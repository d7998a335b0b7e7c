"""The stand as pytest hands it out: one for a module, on the session's servers."""

import os
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.chaos import ground
from tests.chaos import stand as stands
from tests.chaos.stand import Stand


@pytest.fixture(scope="module")
def stand(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stand]:
    """A stand whose cells follow one another, each with a team of its own."""
    with django_db_blocker.unblock(), ground.database(), stands.ready(os.environ["BASE_RPC_URL"]) as ready:
        yield ready
