"""A desk that is asked over HTTP, with one account's whole way in it, and a person's tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis

from tests.factories.flow import Flow, filled
from tests.factories.logins import operator
from tests.factories.tokens import Headers, bearer
from tests.factories.trading import SourceFactory
from trading.api import throttling
from trading.domain.people import Role
from trading.domain.token import Scope
from trading.models import ModeState
from vanta import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where the desk is, what it knows, and who may ask."""

    url: str
    flow: Flow
    token: str
    readers_token: str

    @property
    def account(self) -> int:
        return self.flow.signal.trader.tg_user_id

    @property
    def entry(self) -> dict[str, Any]:
        return {"symbol": "BTC-USD", "side": "LONG", "tg_user_id": self.account, "collateral_usdc": "50", "leverage_x": 3}


@pytest.fixture
def world(live_server: Any, switch: redis.Redis, desk: ModeState) -> World:
    throttling.forget()
    SourceFactory(name="api", is_internal=True)
    boss = operator("a boss", Role.SUPER_ADMIN)
    tokens = _shown(bearer(boss)), _shown(bearer(boss, Scope.READ))
    return World(url=live_server.url, flow=filled(), token=tokens[0], readers_token=tokens[1])


@pytest.fixture
def client(world: World) -> Iterator[Desk]:
    with Desk(url=world.url, token=world.token) as found:
        yield found


def _shown(headers: Headers) -> str:
    return headers["Authorization"].removeprefix("Bearer ")
