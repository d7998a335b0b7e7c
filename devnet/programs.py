"""The processes of the local stack: those of the Procfile, the local venue's, and the servers."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from devnet import environment, paths, postgres, procfile
from devnet.chain import Anvil
from devnet.ports import Ports
from devnet.postgres import Postgres
from devnet.program import Program, Stage
from devnet.redis import Redis

# Who takes work in, and who hands it out by the clock: they end first.
DOOR = ("webhook", "bot", "beat", "flower")
# Who is looked at only by people: it starts once the others have had the processor.
LATE = ("flower",)
KEEPER_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every process of the desk shares."""

    system: Mapping[str, str]
    given: Mapping[str, str]
    ports: Ports
    is_shown: bool

    @property
    def variables(self) -> dict[str, str]:
        """Each process's environment."""
        return environment.of_process(environment=self.system, given=self.given, ports=self.ports)


def of_procfile(text: str, around: Surroundings) -> list[Program]:
    """The desk's own processes; the bot only when it has a token."""
    entries = procfile.parse(text)
    if not around.given.get("TELEGRAM_BOT_TOKEN"):
        entries.pop("bot", None)
    return [_of_desk(name, line, around) for name, line in entries.items()]


def _of_desk(name: str, line: str, around: Surroundings) -> Program:
    variables = around.variables
    return Program(
        name=name,
        command=procfile.command(line, variables),
        environment=variables,
        stage=Stage.DOOR if name in DOOR else Stage.WORKER,
        folder=paths.ROOT,
        is_shown=around.is_shown,
    )


def of_venue(rpc_url: str, around: Surroundings) -> list[Program]:
    """The local venue: who fills orders, and who answers HTTP."""
    commands = {
        "keeper": ("devnet.keeper", "--rpc-url", rpc_url, "--seed", str(KEEPER_SEED)),
        "venue_api": ("devnet.venue_server", "--port", str(around.ports.venue_api), "--rpc-url", rpc_url),
    }
    return [
        Program(
            name=name,
            command=(sys.executable, "-m", *command),
            environment=around.variables,
            stage=Stage.VENUE,
            folder=paths.ROOT,
            is_shown=around.is_shown,
        )
        for name, command in commands.items()
    ]


def of_postgres(server: Postgres, *, given: Mapping[str, str]) -> Program:
    """The embedded database."""
    return Program(
        name="postgres",
        command=server.command,
        environment=given,
        stage=Stage.SERVER,
        stop_signal=postgres.STOP_SIGNAL,
        last_signal=postgres.STOP_SIGNAL,
        prepare=server.prepare,
        is_shown=False,
    )


def of_redis(server: Redis, *, given: Mapping[str, str]) -> Program:
    """The embedded Redis."""
    return Program(
        name="redis",
        command=server.command,
        environment=given,
        stage=Stage.SERVER,
        last_signal=signal.SIGTERM,
        prepare=server.prepare,
        is_shown=False,
    )


def of_chain(anvil: Anvil) -> Program:
    """The local chain. It writes its state down when it is asked to end."""
    return Program(
        name="chain",
        # Quiet: it would write a line for every call.
        command=(*anvil.command, "--quiet"),
        environment=anvil.environment,
        stage=Stage.SERVER,
        last_signal=signal.SIGTERM,
        is_shown=False,
    )
