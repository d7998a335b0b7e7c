"""The web as the Procfile starts it: gunicorn, on a free port, against the tests' own servers."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from devnet import paths, procfile
from devnet.ports import pick_free


@contextmanager
def served(*, log: Path, **changes: str) -> Iterator[int]:
    """A web that runs meanwhile; its port. `changes` go into its environment."""
    (port,) = pick_free(1)
    environment = {**os.environ, **_environment(port), **changes, "PATH": f"{paths.VENV_BIN}:{os.environ['PATH']}"}
    line = procfile.parse(paths.PROCFILE.read_text())["webhook"]
    with log.open("ab") as said:
        process = subprocess.Popen(procfile.command(line, environment), cwd=paths.ROOT, env=environment, stdout=said, stderr=said)
        try:
            _await(port, process, log)
            yield port
        finally:
            process.terminate()
            process.wait(40)


def _environment(port: int) -> Mapping[str, str]:
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    return {
        "PORT": str(port),
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "vanta_site.settings.all",
        "WEBHOOK_HMAC_SECRET": settings.WEBHOOK_HMAC_SECRET,
        "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
    }


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the web didn't come up: {log.read_text()[-2000:]}")
