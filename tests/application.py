"""The application's own login in the tests' database, as `manage.py migrate` would have made it."""

from typing import Any

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from vanta_site import roles

USER, PASSWORD = "vanta_app", "only-for-tests"


@pytest.fixture(scope="session")
def application(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, Any]:
    """How the application connects to the tests' database."""
    login = {**connection.settings_dict, "USER": USER, "PASSWORD": PASSWORD}
    with django_db_blocker.unblock():
        roles.settle(application=login)
    return login
