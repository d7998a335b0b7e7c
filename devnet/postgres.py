"""An embedded PostgreSQL: the binaries of a wheel, run as a plain server on the loopback address."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from devnet import footing, processes
from devnet.paths import write_private
from devnet.ports import LOOPBACK

OWNER = "vanta"
APPLICATION = "vanta_app"
DATABASE = "vanta"
MAX_CONNECTIONS = 200
# Tests throw their data away: nothing is worth waiting for the disk.
CARELESS = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
# SIGINT is PostgreSQL's "fast shutdown": roll back, disconnect, leave clean files.
STOP_SIGNAL = signal.SIGINT


class PostgresFailed(Exception):
    """The server could not be made or started; the message is its own last words."""


class Postgres:
    """One server with the role that owns it; `manage.py migrate` makes the application's. Its data outlives it."""

    def __init__(self, *, folder: Path, port: int, password: str, is_durable: bool = True) -> None:
        self.port = port
        self.password = password
        self.is_durable = is_durable
        self._footing = footing.find(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data_path(self) -> Path:
        """PostgreSQL's data directory."""
        return self._footing.folder / "data"

    @property
    def url(self) -> str:
        """How the owner connects to the desk's database."""
        return self.url_of(DATABASE)

    @property
    def pid(self) -> int | None:
        """The server's process, while we run it."""
        return self._process.pid if self._process else None

    def url_of(self, database: str) -> str:
        """How the owner connects to any database of this server."""
        return f"postgresql://{OWNER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def application_url(self, password: str) -> str:
        """How the desk's processes connect to its database."""
        return f"postgresql://{APPLICATION}:{password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def binary(self, name: str) -> Path:
        """A program of the wheel: psql, pg_dump, ..."""
        return self._footing.binaries / name

    @property
    def command(self) -> tuple[str, ...]:
        """How to start the server in the foreground."""
        listening = ("-c", f"listen_addresses={LOOPBACK}", "-c", "unix_socket_directories=")
        settings = (*listening, "-c", f"max_connections={MAX_CONNECTIONS}")
        careless = () if self.is_durable else CARELESS
        server = (str(self.binary("postgres")), "-D", str(self.data_path), "-p", str(self.port))
        return (*self._footing.prefix, *server, *settings, *careless)

    def prepare(self) -> None:
        """Make the data directory if there is none, and remove what a killed server left behind."""
        if not self.data_path.exists():
            self._initialize()
        self._forget_stale_pid()

    def start(self, *, log_path: Path) -> None:
        """Run the server as our child until `stop`, and wait until it answers."""
        self.prepare()
        with log_path.open("ab") as log:
            self._process = processes.spawn(
                self.command, environment=os.environ, output=log, last_signal=STOP_SIGNAL, folder=self._footing.folder
            )
        deadline = time.monotonic() + 30
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL did not start: {last_line(log_path)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server cleanly."""
        if self._process is not None:
            processes.stop(self._process, by=STOP_SIGNAL, patience_seconds=20)
            self._process = None

    def is_ready(self) -> bool:
        """Whether the server answers; the desk's database is made with the first answer."""
        try:
            with psycopg.connect(self.url_of("postgres"), connect_timeout=2, autocommit=True) as connection:
                exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if exists is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError as problem:
            if "password authentication failed" in str(problem):
                raise PostgresFailed("the database was made with another password: `make reset` starts afresh") from problem
            return False
        return True

    def _initialize(self) -> None:
        """Make the data directory under another name first: a killed initdb must not look finished."""
        draft = self._footing.folder / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        password_path = self._footing.folder / "password"
        write_private(password_path, self.password)
        self._footing.hand_over(password_path)
        self._run_initdb(draft, password_path)
        draft.rename(self.data_path)

    def _run_initdb(self, target: Path, password_path: Path) -> None:
        place = ("-D", str(target), "--username", OWNER, "--pwfile", str(password_path), "--auth=scram-sha-256")
        # The wheel has no ICU, and the machine's locales are not ours to rely on.
        text = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        haste = () if self.is_durable else ("--no-sync",)
        command = (*self._footing.prefix, str(self.binary("initdb")), *place, *text, *haste)
        result = subprocess.run(command, capture_output=True, text=True, cwd=self._footing.folder)
        if result.returncode != 0:
            raise PostgresFailed(f"initdb failed: {result.stderr.strip()}")

    def _forget_stale_pid(self) -> None:
        """Remove a dead server's pid file, also when its number now belongs to a stranger.

        PostgreSQL asks only whether the number is alive, and would refuse to start.
        """
        pid_file = self.data_path / "postmaster.pid"
        if pid_file.exists():
            pid = int(pid_file.read_text().split("\n")[0])
            if str(self.data_path) not in processes.command_line(pid):
                pid_file.unlink()


def last_line(log_path: Path) -> str:
    """The last thing a log says."""
    lines = log_path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
