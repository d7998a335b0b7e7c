"""Real servers for the tests: PostgreSQL, Redis and a chain, on free ports of the loopback address.

Loaded as a plugin (`-p tests.servers`). The addresses go into the environment when this module is
imported, before pytest-django reads the settings; the servers start when the session does, and end
with it. Each worker of a shared run has servers of its own; who only hands out tests has none.
`TEST_DATABASE_URL`, `TEST_REDIS_URL` and `TEST_BASE_RPC_URL` replace them.
"""

import base64
import fcntl
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from devnet import paths
from devnet.chain import Anvil, install
from devnet.deploy import expected
from devnet.ports import LANE, pick_free
from devnet.postgres import Postgres
from devnet.redis import Redis

PASSWORD = "only-for-tests"
# Fixed and public: a test may compute with them.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "vanta_site.settings.testing",
    "DB_POOL": "0",
    # The tests' own server has one login; nobody else's may be met by a migration.
    "DATABASE_OWNER_URL": "",
    "CHAIN_ID": "31337",
    "SECRET_KEY": "only for tests, and long enough to please every check of Django",
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"only for tests: 32 bytes of key.").decode(),
    "WEBHOOK_HMAC_SECRET": "secret-of-the-default-source",
    "ADMIN_TOKEN": "token-of-the-emergency-endpoint",
    "SIGNER_PRIVATE_KEY": "0x" + "11" * 32,
    "EXEC_MODE": "LIVE",
    "FINALITY_BLOCKS": "5",
    # Nobody outside is asked: the other sources have services of their own in the tests.
    "PRICE_SOURCES": "chainlink",
    # The venue lies at the same addresses on every local chain.
    **expected().as_environment(),
}
WORKER, WORKERS = "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"
NEEDED = {"DATABASE_URL": "TEST_DATABASE_URL", "REDIS_URL": "TEST_REDIS_URL", "BASE_RPC_URL": "TEST_BASE_RPC_URL"}


class Servers:
    """The session's servers. Only those are made whose address nobody gave."""

    def __init__(self) -> None:
        self._shelf = _Shelf(paths.RUN / "test" / os.environ.get(WORKER, "alone"))
        self._running = ExitStack()
        postgres, redis, chain = pick_free(3)
        folder = self._shelf.folder
        self.postgres = Postgres(folder=folder / "postgres", port=postgres, password=PASSWORD, is_durable=False)
        self.redis = Redis(folder=folder / "redis", port=redis, password=PASSWORD, is_durable=False)
        self.anvil = Anvil(port=chain, home=folder / "chain", log_path=folder / "chain.log")

    def addresses(self) -> dict[str, str]:
        """Where each server is, or will be."""
        own = {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url, "BASE_RPC_URL": self.anvil.url}
        return {name: os.environ.get(replacement) or own[name] for name, replacement in NEEDED.items()}

    def start(self) -> None:
        """Start what nobody replaced."""
        folder = self._shelf.folder
        if not os.environ.get("TEST_DATABASE_URL"):
            self._running.callback(self.postgres.stop)
            self.postgres.start(log_path=folder / "postgres.log")
        if not os.environ.get("TEST_REDIS_URL"):
            self._running.callback(self.redis.stop)
            self.redis.start(log_path=folder / "redis.log")
        if not os.environ.get("TEST_BASE_RPC_URL"):
            install()
            self._running.callback(self.anvil.stop)
            self.anvil.start()

    def stop(self) -> None:
        """End what was started."""
        self._running.close()
        self._shelf.give_back()


class _Shelf:
    """A folder for one session. The first takes the lasting one, where PostgreSQL starts in no time;
    sessions beside it get a folder that goes with them."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (root / "lock").open("w")
        self._is_lasting = _is_ours(self._lock)
        self.folder = root / ("lasting" if self._is_lasting else f"session-{os.getpid()}")
        self.folder.mkdir(exist_ok=True)

    def give_back(self) -> None:
        """Let the next session have it."""
        if not self._is_lasting:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def _is_ours(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prepare() -> Servers:
    """Tell the environment where the servers will be."""
    if WORKER in os.environ:
        os.environ[LANE] = f"{os.environ[WORKER].removeprefix('gw')}/{os.environ[WORKERS]}"
    servers = Servers()
    os.environ.update({**ENVIRONMENT, **servers.addresses()})
    return servers


servers = _prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers, unless tests are only listed or handed out."""
    options = session.config.option
    if not (options.collectonly or options.dist != "no"):
        servers.start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End the servers, also after Ctrl-C."""
    servers.stop()
