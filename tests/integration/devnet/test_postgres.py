import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devnet import footing, processes
from devnet.ports import pick_free
from devnet.postgres import Postgres, PostgresFailed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    running = Postgres(folder=tmp_path / "pg", port=pick_free(1)[0], password="word", is_durable=False)
    running.start(log_path=tmp_path / "pg.log")
    yield running
    running.stop()


def value(server: Postgres, query: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_it_is_what_the_desk_expects_of_a_server(server: Postgres) -> None:
    assert value(server, "SHOW max_connections") == "200"
    assert value(server, "SHOW server_encoding") == "UTF8"
    assert value(server, "SHOW listen_addresses") == "127.0.0.1"
    assert value(server, "SELECT datlocale FROM pg_database WHERE datname = 'vanta'") == "C.UTF-8"


def test_a_wrong_password_is_refused(server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url.replace(":word@", ":other@"))


def test_data_outlives_the_server(server: Postgres, tmp_path: Path) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    server.stop()
    server.start(log_path=tmp_path / "pg.log")

    assert value(server, "SELECT value FROM kept") == 7


def test_a_killed_server_starts_again_also_when_a_stranger_has_its_pid(server: Postgres, tmp_path: Path) -> None:
    assert server.pid is not None
    os.killpg(server.pid, signal.SIGKILL)
    server.stop()
    pid_file = server.data_path / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    # Ours is alive and no PostgreSQL.
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    server.start(log_path=tmp_path / "pg.log")

    assert value(server, "SELECT 1") == 1


def test_data_of_another_password_is_told_with_advice(server: Postgres, tmp_path: Path) -> None:
    server.stop()
    other = Postgres(folder=tmp_path / "pg", port=server.port, password="another", is_durable=False)
    with pytest.raises(PostgresFailed, match="`make reset` starts afresh"):
        other.start(log_path=tmp_path / "pg.log")
    other.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="the fallback is root's")
def test_root_without_namespaces_runs_it_as_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footing, "NAMESPACE", ("false",))
    folder = tmp_path / "pg"
    server = Postgres(folder=folder, port=pick_free(1)[0], password="word", is_durable=False)
    try:
        server.start(log_path=tmp_path / "pg.log")
        assert server.pid is not None
        assert os.stat(f"/proc/{server.pid}").st_uid == footing.NOBODY
        assert value(server, "SELECT 1") == 1
    finally:
        server.stop()
        subprocess.run(("rm", "-rf", str(footing.copy_of(folder))), check=True)


def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from devnet.postgres import Postgres\n"
        "folder, port = Path(sys.argv[1]), int(sys.argv[2])\n"
        "server = Postgres(folder=folder, port=port, password='word', is_durable=False)\n"
        "server.start(log_path=folder.parent / 'pg.log')\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = (sys.executable, "-c", program, str(tmp_path / "pg"), str(pick_free(1)[0]))
    pid = int(subprocess.run(command, capture_output=True, text=True, check=False).stdout)

    assert until_gone(pid)


def until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while processes.command_line(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
