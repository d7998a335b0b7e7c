"""Which port each part listens on, and who holds one that we need."""

import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

from devnet.processes import command_line

LOOPBACK = "127.0.0.1"
LISTEN = "0A"
LANE = "PORT_LANE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Every port of one stack; `PORT_OFFSET` moves them all, so that two checkouts run side by side."""

    offset: int

    @property
    def web(self) -> int:
        """The webhook, the API and the admin."""
        return 8090 + self.offset

    @property
    def venue_api(self) -> int:
        """The local venue's HTTP services."""
        return 8091 + self.offset

    @property
    def flower(self) -> int:
        """The queues, seen."""
        return 5555 + self.offset

    @property
    def postgres(self) -> int:
        """The embedded database."""
        return 5442 + self.offset

    @property
    def redis(self) -> int:
        """The embedded Redis."""
        return 6389 + self.offset

    @property
    def chain(self) -> int:
        """The local chain's JSON-RPC."""
        return 8545 + self.offset

    @property
    def always(self) -> tuple[int, ...]:
        """The ports that every stack needs, whichever servers it brings."""
        return (self.web, self.venue_api, self.flower)


def is_free(port: int) -> bool:
    """Whether we could listen on a port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def pick_free(count: int, *, first: int = 20_000, last: int = 31_999) -> list[int]:
    """Some free ports, all below those that the system hands to outgoing connections.

    `PORT_LANE=1/2` leaves every other port to somebody else: two who draw at once never draw the same.
    """
    lane, lanes = map(int, os.environ.get(LANE, "0/1").split("/"))
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.SystemRandom().randint(first, last)
        if port % lanes == lane and port not in chosen and is_free(port):
            chosen.append(port)
    return chosen


def holder(port: int) -> str:
    """Who listens on a port, as far as /proc lets us see; empty otherwise."""
    sockets = _listening_sockets(port)
    for folder in Path("/proc").glob("[0-9]*/fd"):
        if sockets & _open_sockets(folder):
            pid = int(folder.parent.name)
            return f"{command_line(pid)[:60]} (pid {pid})"
    return ""


def _listening_sockets(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            columns = line.split()
            if columns[3] == LISTEN and int(columns[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found


def _open_sockets(folder: Path) -> set[str]:
    found = set()
    try:
        for descriptor in folder.iterdir():
            found.add(os.readlink(descriptor))
    except OSError:
        return found
    return found
