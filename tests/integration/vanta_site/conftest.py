"""The console's people, and a switch that starts empty."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from tests.factories.logins import operator
from tests.fakes.switch import UNTROUBLED
from trading import clock, conf
from trading.adapters.redis_switch import KEY
from trading.domain.mode import Mode
from trading.domain.people import Role
from trading.models import ModeState, Source
from vanta_site import components

CLOSED_PORT = "redis://127.0.0.1:1/0"


def _forget() -> None:
    """Let this process meet Redis anew."""
    conf.mode_switch.cache_clear()
    components._redis.cache_clear()
    components.prober.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    _forget()
    yield
    _forget()


@pytest.fixture
def desk(db: None) -> ModeState:
    """The mode's row as a first migration leaves it: DRY, chosen by nobody. Other tests empty tables."""
    Source.objects.get_or_create(name=Source.DEFAULT)
    defaults = UNTROUBLED | {"configured": Mode.DRY, "updated_at": clock.now()}
    state, _ = ModeState.objects.update_or_create(pk=1, defaults=defaults)
    return state


@pytest.fixture
def switch() -> Iterator[redis.Redis]:
    """The real Redis, without the switch's key."""
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        client.delete(KEY)
        yield client
        client.delete(KEY)


@pytest.fixture
def no_redis(settings: object) -> None:
    """A Redis that nobody answers for."""
    settings.REDIS_URL = CLOSED_PORT
    settings.CELERY_BROKER_URL = CLOSED_PORT


@pytest.fixture
def superuser(desk: ModeState) -> User:
    return User.objects.create_superuser("ada", password="not used")


@pytest.fixture
def watcher(desk: ModeState) -> User:
    """Somebody with the lowest role."""
    return operator("bob", Role.VIEWER)


@pytest.fixture
def console(superuser: User) -> Client:
    """A browser that the superuser is logged in with."""
    client = Client()
    client.force_login(superuser)
    return client
