"""Requests made up from the OpenAPI document, sent to a real gunicorn: every answer is one that the document names.

Short in the suite; `API_FUZZ_SECONDS=1800` makes it long.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.db import connection

from devnet.ports import pick_free
from tests.factories.flow import filled
from tests.factories.logins import operator
from tests.factories.risk import FlattenFactory, HaltFactory, LockFactory, PolicyFactory
from tests.factories.tokens import bearer
from trading.domain.people import Role

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("API_FUZZ_SECONDS", "45"))


@pytest.fixture
def web(committed: None, tmp_path: Path) -> Iterator[str]:
    """A gunicorn of its own over the tests' database; where it listens."""
    (port,) = pick_free(1)
    database = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    environment = {**os.environ, "DATABASE_URL": database, "API_CALLS_PER_MINUTE": "1000000", "LOG_LEVEL": "ERROR"}
    listen = ("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4", "--no-control-socket")
    command = (sys.executable, "-m", "gunicorn", "vanta_site.wsgi:application", *listen)
    with (
        (tmp_path / "gunicorn.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        yield _up(f"http://127.0.0.1:{port}", log=Path(log.name))
        process.terminate()


def _up(url: str, *, log: Path) -> str:
    with httpx.Client(trust_env=False) as client:
        for _ in range(300):
            try:
                client.get(f"{url}/healthz")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return url
    raise AssertionError(log.read_text())


@pytest.mark.slow
def test_no_made_up_request_is_answered_by_what_the_document_does_not_name(web: str, tmp_path: Path) -> None:
    filled()
    for factory in (HaltFactory, LockFactory, FlattenFactory, PolicyFactory):
        factory()
    token = bearer(operator("ada", Role.SUPER_ADMIN))["Authorization"]

    tried = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "--no-color"),
            *("run", f"{web}/api/schema/?format=json", "--header", f"Authorization: {token}"),
            *("--max-time", str(SECONDS), "--seed", "7", "--continue-on-failure", "--suppress-health-check", "all"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert tried.returncode == 0, tried.stdout[-12000:] + tried.stderr[-2000:]
