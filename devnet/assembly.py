"""Brings the stack up, phase by phase: servers, chain, contracts, database, processes."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devnet import belonging, chain, environment, paths, programs, redis, screen
from devnet.deploy import DeploymentMismatch, deploy
from devnet.ports import Ports, holder, is_free
from devnet.postgres import Postgres, last_line
from devnet.program import Program
from devnet.readiness import Readiness, answers
from devnet.redis import Redis
from devnet.rpc import Rpc, RpcUnavailable
from devnet.secret_store import SecretStore
from devnet.supervisor import Supervisor

FREE_BYTES_TO_RUN = 500 * 1024**2
SERVER_SECONDS = 30.0
READY_SECONDS = 180.0


class StackFailed(Exception):
    """The stack can't come up; the message is one line and says what to do."""


# What the preparation of the database says that it made, and the name under which it is kept.
_MADE = {"password": "OPERATOR_PASSWORD", "token": "VANTA_TOKEN"}


@dataclass(kw_only=True)
class Stack:
    """One checkout's servers and processes."""

    given: Mapping[str, str]
    ports: Ports
    store: SecretStore
    supervisor: Supervisor
    is_shown: bool
    system: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        of_postgres, of_redis = self.store.get("POSTGRES_PASSWORD"), self.store.get("REDIS_PASSWORD")
        self.postgres = Postgres(folder=paths.RUN / "postgres", port=self.ports.postgres, password=of_postgres)
        self.redis = Redis(folder=paths.RUN / "redis", port=self.ports.redis, password=of_redis)
        home = paths.RUN / "chain"
        self.anvil = chain.Anvil(port=self.ports.chain, home=home, block_time=2, state_path=paths.CHAIN_STATE)

    def bring_up(self) -> None:
        """Every phase, in order; returns when the system answers that it is ready."""
        self._check_machine()
        self._start_servers()
        chain_id = self._start_chain()
        venue = self._deploy() if chain_id == environment.LOCAL_CHAIN_ID else {}
        head = self._check_belonging()
        self._configure(venue=venue, chain_id=chain_id)
        if venue:
            self._start_venue()
        self._seed()
        desk = programs.of_procfile(paths.PROCFILE.read_text(), self._around)
        self._start([program for program in desk if program.name not in programs.LATE])
        self._await_ready()
        self._start([program for program in desk if program.name in programs.LATE])
        # Only now: before its first dump a killed chain is gone altogether, and the database still fits any.
        belonging.mark_database(self.owner_url, chain=head.first_block)
        belonging.record(paths.DEPLOYMENT_FILE, head=head, contracts=venue)

    def remember_chain(self) -> None:
        """Write down how far the chain came: the next start compares."""
        if not paths.DEPLOYMENT_FILE.exists():
            return
        try:
            with Rpc(self.rpc_url, timeout_seconds=1.0) as rpc:
                head = belonging.head_of(rpc)
        except RpcUnavailable:
            return
        belonging.record(paths.DEPLOYMENT_FILE, head=head, contracts=belonging.addresses(paths.DEPLOYMENT_FILE))

    @property
    def servers(self) -> dict[str, str]:
        """Where the servers answer: ours, or those that the environment names."""
        return {name: self.given[name] if self._is_given(name) else url for name, url in self._embedded.items()}

    @property
    def owner_url(self) -> str:
        """How the owner of the tables connects; an owner of somebody's server may be its only login."""
        if not self._is_given("DATABASE_URL"):
            return self.postgres.url
        return self.given.get("DATABASE_OWNER_URL") or self.given["DATABASE_URL"]

    @property
    def rpc_url(self) -> str:
        """The chain's first endpoint."""
        return self.servers["BASE_RPC_URL"].split(",")[0].strip()

    @property
    def _embedded(self) -> dict[str, str]:
        database_url = self.postgres.application_url(self.store.get("POSTGRES_APP_PASSWORD"))
        return {"DATABASE_URL": database_url, "REDIS_URL": self.redis.url, "BASE_RPC_URL": self.anvil.url}

    def _is_given(self, name: str) -> bool:
        # A shell that has read `.run/env` names our own servers: they are still ours to start.
        # One that read it when the desk still worked as the owner names him.
        return self.given.get(name, "") not in ("", self._embedded[name], self.postgres.url)

    def _check_machine(self) -> None:
        free_bytes = shutil.disk_usage(paths.RUN).free
        if free_bytes < FREE_BYTES_TO_RUN:
            raise StackFailed(f"the disk is nearly full: {free_bytes // 1024**2} MiB free, running needs 500 MiB")
        for port in self._needed_ports():
            if not is_free(port):
                by = holder(port) or "another process"
                raise StackFailed(f"port {port} is in use by {by}: end that, or move every port: PORT_OFFSET=100 make run")

    def _needed_ports(self) -> list[int]:
        own = {"DATABASE_URL": self.ports.postgres, "REDIS_URL": self.ports.redis, "BASE_RPC_URL": self.ports.chain}
        return [*self.ports.always, *(port for name, port in own.items() if not self._is_given(name))]

    def _start_servers(self) -> None:
        if not self._is_given("DATABASE_URL"):
            with screen.phase(f"PostgreSQL on port {self.ports.postgres}"):
                self.supervisor.start(programs.of_postgres(self.postgres, given=self.given))
                self._await_server("postgres", self.postgres.is_ready)
        if not self._is_given("REDIS_URL"):
            with screen.phase(f"Redis on port {self.ports.redis}"):
                self.supervisor.start(programs.of_redis(self.redis, given=self.given))
                self._await_server("redis", self.redis.is_ready)

    def _start_chain(self) -> int:
        if self._is_given("BASE_RPC_URL"):
            return self._given_chain_id()
        with screen.phase(f"chain on port {self.ports.chain}"):
            chain.install()
            self.anvil.home.mkdir(parents=True, exist_ok=True)
            self.supervisor.start(programs.of_chain(self.anvil))
            self._await_server("chain", lambda: self._chain_id() is not None)
        return self.anvil.chain_id

    def _given_chain_id(self) -> int:
        chain_id = self._chain_id()
        if chain_id is None:
            raise StackFailed(f"the chain that BASE_RPC_URL names does not answer: {self.rpc_url}")
        return chain_id

    def _await_server(self, name: str, is_ready: Callable[[], bool]) -> None:
        def is_settled() -> bool:
            return self.supervisor.restarts(name) > 1 or is_ready()

        self.supervisor.wait_for(is_settled, timeout_seconds=SERVER_SECONDS)
        if not is_ready():
            raise StackFailed(f"{name} did not start: {last_line(paths.LOGS / f'{name}.log')}")

    def _chain_id(self) -> int | None:
        try:
            with Rpc(self.rpc_url, timeout_seconds=5.0) as rpc:
                return int(rpc.call("eth_chainId"), 16)
        except RpcUnavailable:
            return None

    def _check_belonging(self) -> belonging.Head:
        """Chain and database must be of one world; a chain that merely lost its end is one."""
        with Rpc(self.rpc_url) as rpc:
            head = belonging.head_of(rpc)
        database = belonging.chain_of_database(self.owner_url)
        belonging.judge(chain=head.first_block, database=database)
        lost = belonging.lost_blocks(recorded=belonging.recorded(paths.DEPLOYMENT_FILE), found=head)
        if lost:
            print(f"  the chain lost its last {lost} blocks (it was killed): the desk treats that as a reorganization")
        return head

    def _deploy(self) -> dict[str, str]:
        with screen.phase("the local venue's contracts"):
            try:
                addresses = deploy(self.rpc_url).as_environment()
            except DeploymentMismatch as problem:
                raise StackFailed(f"{problem} (`make reset` empties the local one)") from problem
        return {**addresses, **environment.of_venue(self.ports)}

    def _configure(self, *, venue: Mapping[str, str], chain_id: int) -> None:
        """Write `.run/env` and `.run/bin`, from which people and scripts reach the system."""
        self.system = environment.for_processes(
            given=self.given, store=self.store, ports=self.ports, servers=self.servers, venue=venue, chain_id=chain_id
        )
        environment.write(self.system)
        environment.write_wrappers(
            database_url=self.system["DATABASE_URL"],
            redis_url=self.system["REDIS_URL"],
            psql=self.postgres.binary("psql"),
            redis_cli=redis.client_binary(),
        )

    def _seed(self) -> None:
        """Migrations and demo data; each command shows as a phase."""
        # Only here: `migrate` works as the owner, everything else as the application.
        system = {**self.system, "DATABASE_OWNER_URL": self.owner_url}
        variables = environment.of_process(environment=system, given=self.given, ports=self.ports)
        command = (sys.executable, "-m", "devnet.seeding")
        with (paths.LOGS / "seeding.log").open("w") as log:
            process = subprocess.Popen(
                command, env=variables, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=log, text=True, process_group=0
            )
            said = [self._note(line.strip()) for line in process.stdout or ()]
        if process.wait() != 0:
            problem = said[-1] if said and not said[-1].startswith("done ") else last_line(paths.LOGS / "seeding.log")
            raise StackFailed(f"the database could not be prepared: {problem}")
        self.supervisor.pump(0)

    def _note(self, line: str) -> str:
        word, _, rest = line.partition(" ")
        if word == "done":
            seconds, _, command = rest.partition(" ")
            screen.done(f"manage.py {command}"[: screen.PHASE_WIDTH - 1], float(seconds))
        elif word in _MADE:
            self.store.put(_MADE[word], rest)
            self.system[_MADE[word]] = rest
            environment.write(self.system)
        return line

    def _start_venue(self) -> None:
        """The keeper and the venue's services: the catalogue is read from them while the database is prepared."""
        with screen.phase("the venue's keeper and services"):
            self._start(programs.of_venue(self.rpc_url, self._around))
            url = f"http://127.0.0.1:{self.ports.venue_api}/health"
            if not self.supervisor.wait_for(lambda: answers(url), timeout_seconds=SERVER_SECONDS, pause_seconds=0.1):
                raise StackFailed("the venue's services don't answer; see .run/logs/venue_api.log")

    def _start(self, chosen: list[Program]) -> None:
        for program in chosen:
            self.supervisor.start(program)

    @property
    def _around(self) -> programs.Surroundings:
        return programs.Surroundings(system=self.system, given=self.given, ports=self.ports, is_shown=self.is_shown)

    def _await_ready(self) -> None:
        begun = time.monotonic()
        readiness = Readiness(f"{self.system['WEB_URL']}/readyz", on_change=screen.still_missing)
        if not self.supervisor.wait_for(readiness.is_ready, timeout_seconds=READY_SECONDS, pause_seconds=0.2):
            raise StackFailed(f"not ready after {READY_SECONDS:.0f} s, missing: {readiness.missing}; the logs are in .run/logs")
        screen.done("all processes, until /readyz said yes", time.monotonic() - begun)
