"""A desk started the way a newcomer starts it, in a copy of this checkout, on ports of its own."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from trading.domain.proof import signature_of

ROOT = Path(__file__).resolve().parents[2]
# Set E2E_PORT_OFFSET where something else listens there.
PORT_OFFSET = os.environ.get("E2E_PORT_OFFSET", "2400")
START_SECONDS = 400


@dataclass(kw_only=True)
class RunningDesk:
    """A started system and what a person can do with it from outside."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def make(self, target: str, *, seconds: float = START_SECONDS) -> str:
        """Type `make TARGET`; what it printed."""
        done = subprocess.run(
            ["make", target],
            cwd=self.folder,
            env={**_outside(), **_UNHURRIED, "PORT_OFFSET": PORT_OFFSET},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    @contextmanager
    def ended_with_us(self) -> Iterator[None]:
        """`make down` when the `with` ends, and as well if this process is killed within it."""
        # It waits until its line is cut. In a group of its own, for a Ctrl-C must not end it with the rest.
        ending = subprocess.Popen(
            ["sh", "-c", "cat && exec make down"],
            cwd=self.folder,
            env={**_outside(), "PORT_OFFSET": PORT_OFFSET},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )
        try:
            yield
        finally:
            ending.communicate(timeout=120)
            assert ending.returncode == 0

    def start(self) -> None:
        """`make up`, then `. .run/env`."""
        self.make("up")
        shell = subprocess.run(
            ["bash", "-c", ". .run/env && env -0"], cwd=self.folder, capture_output=True, text=True, check=True
        )
        self.environment = dict(pair.split("=", 1) for pair in shell.stdout.split("\0") if "=" in pair)

    def command(self, *words: str) -> str:
        """Run one of the desk's own commands in its environment; its output."""
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def rows(self, sql: str) -> list[list[str]]:
        """What operators' `psql` answers."""
        printed = self.command("psql", "-At", "-F", "|", "-c", sql)
        return [line.split("|") for line in printed.splitlines()]

    def number(self, sql: str) -> int:
        """The one number that a query answers."""
        return int(self.rows(sql)[0][0])

    def send(self, **body: Any) -> httpx.Response:
        """Post one signed signal."""
        with httpx.Client(timeout=10, trust_env=False) as client:
            return self.send_over(client, **body)

    def send_over(self, client: httpx.Client, **body: Any) -> httpx.Response:
        """Post one signed signal with somebody's client: making one costs more than an answer."""
        raw = json.dumps(body).encode()
        signature = signature_of(raw, secret=self.environment["WEBHOOK_HMAC_SECRET"])
        headers = {"Content-Type": "application/json", "X-Signature": signature}
        return client.post(f"{self.environment['WEB_URL']}/signals", content=raw, headers=headers)

    def health(self) -> Any:
        """What `/health` says."""
        return httpx.get(f"{self.environment['WEB_URL']}/health", timeout=5, trust_env=False).json()

    def send_at_once(self, bodies: Iterable[dict[str, Any]]) -> list[int]:
        """Post many signals over eight connections; their answers' codes."""
        with ThreadPoolExecutor(8) as senders:
            return [answer.status_code for answer in senders.map(lambda body: self.send(**body), bodies)]

    def tell(self, number: signal.Signals, *words: str) -> int:
        """An operating system's signal to every process of this desk whose command line has these words; how many there were."""
        pids = [pid for pid, command in _processes(self.folder) if all(word in command for word in words)]
        for pid in pids:
            os.kill(pid, number)
        return len(pids)

    def until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Wait for a condition; whether it came."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.25)
        return True

    def is_idle(self) -> bool:
        """Whether nothing is owed to anybody."""
        waiting = """SELECT (SELECT count(*) FROM signals WHERE next_action_at IS NOT NULL)
                          + (SELECT count(*) FROM legs WHERE next_action_at IS NOT NULL)
                          + (SELECT count(*) FROM tx_intents WHERE closed_at IS NULL)
                          + (SELECT count(*) FROM orders WHERE ended_at IS NULL)"""
        return self.number(waiting) == 0

    def chain_count(self, address: str) -> int:
        """How many transactions of an address the chain has mined."""
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionCount", "params": [address, "latest"]}
        answer = httpx.post(self.environment["BASE_RPC_URL"], json=question, timeout=5, trust_env=False)
        return int(answer.json()["result"], 16)


# The stories send as fast as they like.
_UNHURRIED = {"MAX_OPENS_PER_MINUTE": "0", "MAX_TRADES_PER_DAY": "0", "MAX_COLLATERAL_PER_HOUR_USD": "0"}
# What the tests' own servers put into the environment must not reach the desk.
_OURS = frozenset(
    (
        *("DATABASE_URL", "REDIS_URL", "BASE_RPC_URL", "CHAIN_ID", "DJANGO_SETTINGS_MODULE", "DB_POOL", "SECRET_KEY"),
        *("FIELD_ENCRYPTION_KEYS", "WEBHOOK_HMAC_SECRET", "ADMIN_TOKEN", "SIGNER_PRIVATE_KEY", "EXEC_MODE", "LOG_LEVEL"),
        *("VERANTA_ROUTER_ADDRESS", "VERANTA_STORAGE_ADDRESS", "VERANTA_CALLBACKS_ADDRESS", "VERANTA_USDC_ADDRESS"),
        *("VERANTA_PAIR_STORAGE_ADDRESS", "CHAINLINK_FEEDS", "CHAINLINK_SEQUENCER_FEED", "PRICE_SOURCES", "VIRTUAL_ENV"),
    )
)


def _outside() -> dict[str, str]:
    """The environment of somebody who has never seen this checkout: nothing of the tests' servers, no virtualenv on the PATH."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS and not name.startswith("MAKE")}
    folders = (folder for folder in kept["PATH"].split(os.pathsep) if not folder.startswith(str(ROOT)))
    return {**kept, "PATH": os.pathsep.join(folders)}


def copy_of_checkout(folder: Path) -> Path:
    """This checkout's files as they stand, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def _processes(folder: Path) -> list[tuple[int, str]]:
    """The processes that run in a folder or below, with their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_here = (process / "cwd").resolve().is_relative_to(folder.resolve())
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if is_here:
            found.append((int(process.name), command))
    return found
