"""What the desk's processes are told, and the same as a file of shell exports for people and scripts."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from devnet import paths
from devnet.markets import MARKETS
from devnet.ports import LOOPBACK, Ports
from devnet.secret_store import SecretStore

SECRETS = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "WEBHOOK_HMAC_SECRET", "ADMIN_TOKEN", "SIGNER_PRIVATE_KEY", "FLOWER_BASIC_AUTH")
# Made by the desk itself, once its database is there.
MADE_LATER = ("OPERATOR_PASSWORD", "VANTA_TOKEN")
LOCAL_CHAIN_ID = 31337


def for_processes(
    *,
    given: Mapping[str, str],
    store: SecretStore,
    ports: Ports,
    servers: Mapping[str, str],
    venue: Mapping[str, str],
    chain_id: int,
) -> dict[str, str]:
    """Every variable of the running system. What the user's own environment says of secrets and modes wins."""
    defaults = {
        "ENVIRONMENT": "development",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        # Orders are signed and sent here, but never by a default on a chain where money is real.
        "EXEC_MODE": "LIVE" if chain_id == LOCAL_CHAIN_ID else "DRY",
        # The local chain calls a block finalized after 64: two minutes, for somebody who watches his first signal.
        "FINALITY_BLOCKS": "5" if chain_id == LOCAL_CHAIN_ID else "0",
        "DJANGO_SETTINGS_MODULE": "vanta_site.settings.all",
        **{name: store.get(name) for name in SECRETS},
    }
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    addresses = {"CHAIN_ID": str(chain_id), "WEB_URL": f"http://{LOOPBACK}:{ports.web}", "PORT_OFFSET": str(ports.offset)}
    return {**chosen, **servers, **venue, **addresses, **{name: store.get(name) for name in MADE_LATER}}


def of_venue(ports: Ports) -> dict[str, str]:
    """Where the local venue's HTTP services answer, Pyth's among them."""
    url = f"http://{LOOPBACK}:{ports.venue_api}"
    venue = {
        "VERANTA_DATA_API_URL": f"{url}/data",
        "VERANTA_CORE_API_URL": f"{url}/core",
        "VERANTA_TX_BUILDER_URL": url,
        "VERANTA_FEED_URL": f"{url}/feed",
    }
    feeds = ",".join(f"{market.symbol}={market.feed_id}" for market in MARKETS)
    return {**venue, "PYTH_HERMES_URL": f"{url}/hermes", "PYTH_FEEDS": feeds}


def of_process(*, environment: Mapping[str, str], given: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """A process's environment: the system's, and the ports to listen on. Who owns the database is nobody's to know."""
    listening = {"PORT": str(ports.web), "FLOWER_PORT": str(ports.flower)}
    path = f"{paths.BIN}:{paths.VENV_BIN}:{given.get('PATH', '/usr/bin:/bin')}"
    # Celery warns root at length, in every worker; on this machine there is nothing to protect from.
    quiet = {"PYTHONWARNINGS": "ignore:You're running the worker"} if os.geteuid() == 0 else {}
    return {**given, "DATABASE_OWNER_URL": "", **environment, **listening, **quiet, "PATH": path, "PYTHONUNBUFFERED": "1"}


def export(environment: Mapping[str, str]) -> str:
    """The environment as shell exports, with the project's commands first on the PATH."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    folders = f"{shlex.quote(str(paths.BIN))}:{shlex.quote(str(paths.VENV_BIN))}"
    return "\n".join([*lines, f'export PATH={folders}:"$PATH"', ""])


def read(path: Path) -> dict[str, str]:
    """The exports of such a file, without the PATH."""
    pairs = (shlex.split(line)[1].partition("=") for line in path.read_text().splitlines() if line)
    return {name: value for name, _, value in pairs if name != "PATH"}


def write(environment: Mapping[str, str]) -> None:
    """Write `.run/env` and the commands in `.run/bin`."""
    paths.write_private(paths.ENV_FILE, export(environment))


def write_wrappers(*, database_url: str, redis_url: str, psql: Path, redis_cli: Path | None) -> None:
    """Put psql and redis-cli into `.run/bin`, each knowing its server, and the desk's own command line."""
    paths.write_private(paths.BIN / "vanta", vanta_wrapper(), mode=0o700)
    paths.write_private(paths.BIN / "psql", psql_wrapper(psql, database_url), mode=0o700)
    if redis_cli is not None:
        paths.write_private(paths.BIN / "redis-cli", redis_cli_wrapper(redis_cli, redis_url), mode=0o700)


def vanta_wrapper() -> str:
    """A script that is the desk's command line; which desk, and with which token, the exports say."""
    return f'#!/bin/sh\nexec {shlex.quote(str(paths.VENV_BIN / "python"))} -m vanta "$@"\n'


def psql_wrapper(psql: Path, database_url: str) -> str:
    """A script that is psql with the database as its default; every argument still works."""
    url = urlsplit(database_url)
    values = {
        "PGHOST": url.hostname or LOOPBACK,
        "PGPORT": str(url.port or 5432),
        "PGUSER": unquote(url.username or ""),
        "PGPASSWORD": unquote(url.password or ""),
        "PGDATABASE": url.path.lstrip("/"),
    }
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items() if value)
    return f'#!/bin/sh\n{exports}exec {shlex.quote(str(psql))} "$@"\n'


def redis_cli_wrapper(redis_cli: Path, redis_url: str) -> str:
    """A script that is redis-cli with the server as its default; options given later win."""
    url = urlsplit(redis_url)
    password = f"export REDISCLI_AUTH={shlex.quote(unquote(url.password))}\n" if url.password else ""
    options = f"-h {shlex.quote(url.hostname or LOOPBACK)} -p {url.port or 6379} -n {url.path.lstrip('/') or '0'}"
    return f'#!/bin/sh\n{password}exec {shlex.quote(str(redis_cli))} {options} "$@"\n'
