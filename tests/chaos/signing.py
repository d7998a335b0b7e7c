"""Processes that sign without a pause, on a real switch of their own, and every signature with its instant.

with signing.drill(stand) as drill:
    with drill.crew(team, workers=3) as toiling:
        toiling.begin()
        ...
        toiling.finish()
    drill.signatures()
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from django.test import override_settings

from devnet.ports import pick_free
from devnet.redis import Redis
from execution.desk import Desk
from execution.ports import SignedCall, UnsignedCall
from execution.services import senders
from tests.chaos import crew
from tests.chaos.crew import Crew, Round
from tests.chaos.stand import Stand
from tests.chaos.team import Team
from tests.fakes.signer import OpenSigner
from trading import conf
from trading.adapters.redis_switch import KEY, RedisSwitch
from trading.kinds import ask
from trading.services import mode, switching

FIRST_PORT, LAST_PORT = 21_100, 21_199
LIVE = '{"mode":"LIVE","emergency_stop":false,"updated_at":1696176000}'
# Between two rounds of a lane: the machine has two cores, and others want to sign too.
_BREATH_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One call that was signed: when, in which process, and its hash."""

    at: float
    pid: int
    tx_hash: str


class ClockedSigner:
    """Signs like the signer behind it, and writes down when each call was signed."""

    reference = "test:0"

    def __init__(self, signer: OpenSigner, *, log: Path) -> None:
        self._signer, self._log = signer, log
        self.address = signer.address

    def check(self, call: UnsignedCall) -> None:
        """Pass: there is no policy."""

    @ask
    def sign(self, call: UnsignedCall) -> SignedCall:
        """The signed bytes of a call."""
        signed = self._signer.sign(call)
        # A cancellation has no data, and may be signed at any time.
        if call.data != "0x":
            # Appends as short as this are whole, whoever else appends.
            with self._log.open("a") as log:
                log.write(f"{time.time()} {os.getpid()} {signed.tx_hash}\n")
        return signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Toiler:
    """Drains its senders again and again until it is enough; the clock goes on meanwhile."""

    desk: Desk
    enough: Path

    def __call__(self, told: Round) -> list[str]:
        """Work until somebody says so."""
        begun = time.monotonic()

        def clock() -> datetime:
            return told.now + timedelta(seconds=time.monotonic() - begun)

        while not self.enough.exists():
            # As a process with other lanes would: its streak goes on when these have nothing to sign.
            mode.current(switch=self.desk.switch, at=clock())
            for sender_id in told.lanes.senders:
                senders.drain(sender_id=sender_id, desk=self.desk, clock=clock)
                time.sleep(_BREATH_SECONDS)
        return []


@dataclass(kw_only=True)
class Toiling:
    """A crew at work, seen from outside. The stand's clock is moved along with theirs."""

    stand: Stand
    team: Team
    crew: Crew
    enough: Path
    _begun: float = 0.0
    _told_at: datetime | None = None
    _mined_at: float = 0.0

    def begin(self) -> None:
        """Have everybody begin, and come back at once."""
        self._begun, self._told_at = time.monotonic(), self.stand.now
        for number, worker in enumerate(self.crew.alive):
            worker.begin(Round(now=self.stand.now, lanes=self.team.lanes.turned(number)))

    def go_on(self, *, seconds: float, owing: int = 0, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass: a block and a watch each second, and so many new signals in each tenth. False if it ran out."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._keep_time()
            if owing:
                self.stand.owe(self.team, owing)
            self._mine_and_watch()
            if until():
                return True
            time.sleep(0.1)
        return False

    def finish(self) -> None:
        """It is enough: wait for everybody; what went wrong is raised."""
        self.enough.touch()
        for worker in self.crew.alive:
            self.crew.troubles += worker.finish()
        if self.crew.troubles:
            raise RuntimeError("\n".join(self.crew.troubles))

    def _keep_time(self) -> None:
        if self._told_at is not None:
            self.stand.now = self._told_at + timedelta(seconds=time.monotonic() - self._begun)

    def _mine_and_watch(self) -> None:
        if time.monotonic() - self._mined_at < 1:
            return
        self._mined_at = time.monotonic()
        head = int(self.stand.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        self.stand.rpc.call("evm_mine", hex(max(int(self.stand.now.timestamp()), head + 1)))
        self.stand.node.tend()
        switching.watch(switch=conf.mode_switch(), at=self.stand.now)


@dataclass(kw_only=True)
class Drill:
    """A Redis of our own, a log of signatures, and crews that sign."""

    stand: Stand
    server: Redis
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count, init=False)

    @property
    def log(self) -> Path:
        """Where every signature is written down."""
        return self.folder / "signatures"

    @property
    def client(self) -> redis.Redis:
        """An operator's redis-cli."""
        return redis.Redis.from_url(self.server.url)

    def set(self, value: str | bytes) -> None:
        """What an operator types."""
        with self.client as client:
            client.delete(KEY)
            client.set(KEY, value)

    def start(self) -> None:
        """Start the server, empty."""
        self.server.start(log_path=self.folder / "redis.log")

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal; SIGKILL ends it."""
        assert self.server.pid is not None
        os.kill(self.server.pid, number)
        if number == signal.SIGKILL:
            self.server.stop()

    @contextmanager
    def crew(self, team: Team, *, workers: int) -> Iterator[Toiling]:
        """Forked workers of a team, each with a switch of its own, until it is enough."""
        enough = self.folder / f"enough-{next(self._numbers)}"
        with crew.crew(workers, lambda: self._toiler(team, enough=enough)) as running:
            yield Toiling(stand=self.stand, team=team, crew=running, enough=enough)

    def signatures(self, *, since: float = 0.0) -> list[Signature]:
        """Those after an instant, oldest first."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        every = (Signature(at=float(at), pid=int(pid), tx_hash=tx_hash) for at, pid, tx_hash in map(str.split, lines))
        return sorted((each for each in every if each.at > since), key=lambda each: each.at)

    def _toiler(self, team: Team, *, enough: Path) -> Toiler:
        first, *others = (ClockedSigner(each, log=self.log) for each in team.signers)
        desk = replace(self.stand.desk(team), switch=RedisSwitch(self.server.url), signer=first, others=tuple(others))
        return Toiler(desk=desk, enough=enough)


@contextmanager
def drill(stand: Stand, *, streak: int) -> Iterator[Drill]:
    """A drill whose switch says LIVE; this process's own switch and broker are that Redis too."""
    (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
    with TemporaryDirectory(prefix="vanta-drill-") as folder:
        server = Redis(folder=Path(folder) / "redis", port=port, password="drill", is_durable=False)
        ready = Drill(stand=stand, server=server, folder=Path(folder))
        ready.start()
        changed = {"REDIS_URL": server.url, "CELERY_BROKER_URL": server.url, "ALLOW_LIVE_AFTER_STREAK": streak}
        with override_settings(**changed):
            conf.mode_switch.cache_clear()
            ready.set(LIVE)
            switching.watch(switch=conf.mode_switch(), at=stand.now)
            try:
                yield ready
            finally:
                conf.mode_switch.cache_clear()
                server.stop()
