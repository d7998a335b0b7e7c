"""What lies under a stand: the database, and the rows that every signal needs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from psycopg.conninfo import make_conninfo

from risk.domain.policy import Scope
from risk.models import Policy
from tests import migrated
from tests.fakes.switch import UNTROUBLED
from trading.domain.price import Quote
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import Market, ModeState
from trading.services import prices

# Longer than any run.
FAR_AWAY = timedelta(days=3650)
_MARKET: dict[str, Any] = {
    "pair_index": 1,
    "min_notional_usdc": Usdc.of(10),
    "min_leverage_x": Leverage.of(1),
    "max_leverage_x": Leverage.of(75),
    "open_fee_pct": Percent.of("0.045"),
    "close_fee_pct": Percent.of("0.045"),
    "spread_pct": Percent.of("0.01"),
}


@contextmanager
def database() -> Iterator[None]:
    """The tests' database, and what it held when all is over; made here if nobody has made it.

    pytest-django makes it only when a test of the session is marked as wanting one.
    """
    made = [] if migrated.is_made() else setup_databases(verbosity=0, interactive=False, aliases={"default"})
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)
        if not made:
            migrated.put_back()


def conninfo() -> str:
    """Where somebody else than Django finds that database."""
    said = connection.get_connection_params()
    wanted = {name: said[name] for name in ("host", "port", "dbname", "user", "password") if said.get(name)}
    return make_conninfo(**wanted)


class SteadyPrices:
    """One price, for ever."""

    name = "steady"
    weight = Decimal(1)
    rhythm = timedelta(0)

    def __init__(self, at: datetime) -> None:
        self._at = at

    def covers(self, _symbol: str, /) -> bool:
        """Every market."""
        return True

    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        """The same for every market."""
        return [
            Quote(
                symbol=symbol,
                source=self.name,
                price=Price.of(50_000),
                confidence=Price.of(1),
                weight=self.weight,
                published_at=self._at,
                limit=FAR_AWAY,
            )
            for symbol in markets
        ]


def furnish(at: datetime) -> None:
    """The rows that every signal needs: sources, the mode, a market, a policy without caps, a price."""
    import_module("trading.migrations.0002_first_rows").create(apps, None)
    ModeState.objects.update_or_create(pk=1, defaults=UNTROUBLED | {"configured": "LIVE", "updated_at": at})
    Market.objects.update_or_create(symbol="BTC-USD", defaults=_MARKET | {"synced_at": at})
    Policy.objects.update_or_create(scope=Scope.GLOBAL, tg_user_id=None, symbol=None, defaults={"updated_at": at})
    prices.refresh(sources=[SteadyPrices(at)], at=at)
