"""The local chain: one anvil, installed beside the project and ended with its parent."""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from devnet import paths, ports, processes

VERSION = "1.7.1"
CHAIN_ID = 31337
# Anvil keeps every block's state on disk unless told otherwise: 15 GB a day at one block a second.
# 128 states are enough for every reorganization that we rehearse.
PRUNED_HISTORY_BLOCKS = 128
# Base's own order of size. Anvil's default of 30 million would make a burst wait for blocks.
BLOCK_GAS_LIMIT = 400_000_000
START_TIMEOUT_SECONDS = 20.0
STOP_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.02


class ChainError(Exception):
    """The chain can't be installed or started; the message is one line for a person."""


def install(*, folder: Path = paths.TOOLS / "anvil") -> Path:
    """Install anvil's binary with npm and return its path. This will do nothing if it is there.

    The platform's package is taken directly: the wrapper package puts a node process between
    us and the chain, which swallows signals.
    """
    found = _binary_in(folder)
    if found.exists():
        return found
    _npm_install(f"@foundry-rs/anvil-{_platform_name()}@{VERSION}", folder=folder)
    if not found.exists():
        raise ChainError(f"npm installed {found.parents[1].name}, but there is no binary in it")
    return found


def binary(*, folder: Path = paths.TOOLS / "anvil") -> Path:
    """The installed binary.

    Raises:
        ChainError: if it was never installed.
    """
    found = _binary_in(folder)
    if not found.exists():
        raise ChainError("the local chain is not installed: run `make run` once")
    return found


def _binary_in(folder: Path) -> Path:
    return folder / "node_modules" / "@foundry-rs" / f"anvil-{_platform_name()}" / "bin" / "anvil"


def _platform_name() -> str:
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    if system is None or machine is None:
        raise ChainError(f"anvil has no package for {sys.platform} on {platform.machine()}")
    return f"{system}-{machine}"


def _npm_install(package: str, *, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ChainError("npm is missing: the local chain needs Node.js 18 or newer with npm")
    folder.mkdir(parents=True, exist_ok=True)
    # Without a lock: a registry that carries one platform's package only would break `npm ci`.
    options = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
    command = (npm, "install", *options, "--prefix", str(folder), package)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChainError(f"npm could not install {package}: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


@dataclass(kw_only=True)
class Anvil:
    """One chain on one port. Without a block time it mines only when asked (`evm_mine`)."""

    port: int
    home: Path
    block_time: int | None = None
    state_path: Path | None = None
    log_path: Path | None = None
    chain_id: int = CHAIN_ID
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """Where it answers JSON-RPC."""
        return f"http://{ports.LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process; none while it doesn't run."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    @property
    def command(self) -> tuple[str, ...]:
        """What it is started as."""
        mining = ("--no-mining",) if self.block_time is None else ("--block-time", str(self.block_time))
        kept = () if self.state_path is None else ("--state", str(self.state_path), "--state-interval", "2")
        return (
            str(binary()),
            *("--host", ports.LOOPBACK, "--port", str(self.port), "--chain-id", str(self.chain_id)),
            *("--prune-history", str(PRUNED_HISTORY_BLOCKS), "--gas-limit", str(BLOCK_GAS_LIMIT)),
            *mining,
            *kept,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Its environment: a home of its own, for it writes caches there."""
        return {**os.environ, "HOME": str(self.home)}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return once it answers.

        Raises:
            ChainError: if the port is taken, if it ends at once, or if it doesn't listen in time.
        """
        # Else we would wait for an answer, and get it from the one who holds the port.
        if not ports.is_free(self.port):
            raise ChainError(f"port {self.port} is taken")
        for folder in (self.home, *(path.parent for path in (self.state_path, self.log_path) if path)):
            folder.mkdir(parents=True, exist_ok=True)
        with open(self.log_path or os.devnull, "ab") as log:
            self._process = processes.spawn(self.command, environment=self.environment, output=log)
        self._wait_until_it_listens(self._process)

    def stop(self) -> None:
        """End it. This will write the state down first, if there is a place for it."""
        if self._process is None:
            return
        processes.stop(self._process, by=signal.SIGTERM, patience_seconds=STOP_TIMEOUT_SECONDS)
        self._process = None

    def _wait_until_it_listens(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _listens(self.port):
            if process.poll() is not None:
                raise ChainError(f"anvil ended at once with status {process.returncode}; its log: {self.log_path}")
            if time.monotonic() > deadline:
                self.stop()
                raise ChainError(f"anvil didn't listen on port {self.port} within {START_TIMEOUT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
