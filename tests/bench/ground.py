"""Servers of the bench's own: a PostgreSQL that syncs its commits, as in production, and a chain that mines when told."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devnet.chain import Anvil, install
from devnet.ports import pick_free
from devnet.postgres import Postgres
from devnet.redis import Redis

PASSWORD = "only-for-the-bench"
# Enough in flight that the window is not what limits a burst.
WINDOW = 1_000


@contextmanager
def servers() -> Iterator[str]:
    """Start them and put their addresses into the environment, before Django reads it; the database's address."""
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as place, ExitStack() as running:
        folder = Path(place)
        of_postgres, of_redis, of_chain = pick_free(3)
        postgres = Postgres(folder=folder / "postgres", port=of_postgres, password=PASSWORD)
        redis = Redis(folder=folder / "redis", port=of_redis, password=PASSWORD)
        anvil = Anvil(port=of_chain, home=folder / "chain")
        install()
        for server in (postgres, redis):
            running.callback(server.stop)
            server.start(log_path=folder / f"{type(server).__name__.lower()}.log")
        running.enter_context(anvil)
        given = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "BASE_RPC_URL": anvil.url}
        fixed = {"DJANGO_SETTINGS_MODULE": "vanta_site.settings.testing", "DB_POOL": "0", "DATABASE_OWNER_URL": ""}
        os.environ.update({**given, **fixed, "CHAIN_ID": str(anvil.chain_id), "MAX_IN_FLIGHT": str(WINDOW), "LOG_LEVEL": "ERROR"})
        yield postgres.url
