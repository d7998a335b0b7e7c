import os
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devnet import belonging, environment, single, stack
from devnet.assembly import Stack, StackFailed
from devnet.belonging import Head, Mismatch
from devnet.ports import Ports, holder, is_free, pick_free
from devnet.readiness import missing_components
from devnet.secret_store import SecretStore
from devnet.supervisor import Supervisor

ONE = "0x" + "11" * 32
OTHER = "0x" + "22" * 32


def test_a_new_database_belongs_to_any_chain() -> None:
    belonging.judge(chain=ONE, database=None)


def test_a_database_belongs_to_the_chain_that_filled_it() -> None:
    belonging.judge(chain=ONE, database=ONE)


def test_a_database_of_another_chain_is_refused_with_advice() -> None:
    with pytest.raises(Mismatch) as refusal:
        belonging.judge(chain=ONE, database=OTHER)
    assert str(refusal.value) == (
        "the database belongs to the chain 0x222222222222…, but the chain is 0x111111111111…: "
        "`make reset` empties both (nothing was changed)"
    )


@pytest.mark.parametrize(
    ("recorded", "found", "lost"),
    [
        (None, Head(first_block=ONE, height=5), 0),
        (Head(first_block=ONE, height=5), Head(first_block=ONE, height=5), 0),
        (Head(first_block=ONE, height=8), Head(first_block=ONE, height=5), 3),
        (Head(first_block=ONE, height=5), Head(first_block=ONE, height=8), 0),
        (Head(first_block=OTHER, height=8), Head(first_block=ONE, height=5), 0),
    ],
)
def test_a_chain_that_was_killed_is_missed_its_last_blocks(recorded: Head | None, found: Head, lost: int) -> None:
    assert belonging.lost_blocks(recorded=recorded, found=found) == lost


def test_what_is_recorded_of_a_chain_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    belonging.record(path, head=Head(first_block=ONE, height=7), contracts={"ROUTER": "0x1"})

    assert belonging.recorded(path) == Head(first_block=ONE, height=7)
    assert belonging.addresses(path) == {"ROUTER": "0x1"}


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    SecretStore(path).fill()
    first = path.read_text()
    SecretStore(path).fill()

    assert path.read_text() == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_of_the_users_environment_wins(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets.json")
    store.fill()
    system = system_of(store, given={"ADMIN_TOKEN": "mine", "EXEC_MODE": ""}, chain_id=31337)

    assert system["ADMIN_TOKEN"] == "mine"
    assert system["EXEC_MODE"] == "LIVE"


def test_nothing_is_live_by_default_where_money_is_real(tmp_path: Path) -> None:
    assert system_of(SecretStore(tmp_path / "none"), given={}, chain_id=8453)["EXEC_MODE"] == "DRY"


def system_of(store: SecretStore, *, given: dict[str, str], chain_id: int) -> dict[str, str]:
    ports = Ports(offset=0)
    return environment.for_processes(given=given, store=store, ports=ports, servers={}, venue={}, chain_id=chain_id)


def stack_of(folder: Path, **given: str) -> Stack:
    store = SecretStore(folder / "secrets.json")
    store.fill()
    supervisor = Supervisor(logs=folder, screen=print)
    return Stack(given=given, ports=Ports(offset=0), store=store, supervisor=supervisor, is_shown=False)


def test_the_desk_and_the_owner_log_in_with_passwords_of_their_own(tmp_path: Path) -> None:
    own = stack_of(tmp_path)

    desk, owner = urlsplit(own.servers["DATABASE_URL"]), urlsplit(own.owner_url)
    assert (desk.username, owner.username) == ("vanta_app", "vanta")
    assert desk.password != owner.password
    assert (desk.hostname, desk.port, desk.path) == (owner.hostname, owner.port, owner.path)


def test_a_shell_that_knows_one_of_our_logins_means_our_server(tmp_path: Path) -> None:
    own = stack_of(tmp_path)

    for url in (own.servers["DATABASE_URL"], own.owner_url):
        told = stack_of(tmp_path, DATABASE_URL=url)
        assert (told.servers, told.owner_url) == (own.servers, own.owner_url)


def test_somebodys_server_is_owned_by_whom_he_names(tmp_path: Path) -> None:
    theirs = "postgresql://desk:a@db/vanta"

    assert stack_of(tmp_path, DATABASE_URL=theirs, DATABASE_OWNER_URL="postgresql://own:b@db/vanta").owner_url == (
        "postgresql://own:b@db/vanta"
    )
    assert stack_of(tmp_path, DATABASE_URL=theirs).owner_url == theirs


def test_no_process_is_told_who_owns_the_database() -> None:
    given = {"DATABASE_OWNER_URL": "postgresql://own:b@db/vanta"}
    desk = environment.of_process(environment={}, given=given, ports=Ports(offset=0))
    seeding = environment.of_process(environment=given, given={}, ports=Ports(offset=0))

    assert desk["DATABASE_OWNER_URL"] == ""
    assert seeding["DATABASE_OWNER_URL"] == given["DATABASE_OWNER_URL"]


def test_the_exports_survive_a_shell() -> None:
    values = {"A": "plain", "B": "with 'quotes' and $signs", "C": ""}
    script = environment.export(values) + 'printf "%s|%s|%s" "$A" "$B" "$C"'

    assert subprocess.run(("sh", "-c", script), capture_output=True, text=True, check=True).stdout == (
        "plain|with 'quotes' and $signs|"
    )


def test_the_exports_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(environment.export({"A": "a=b c", "B": "'"}))

    assert environment.read(path) == {"A": "a=b c", "B": "'"}


def test_psql_knows_its_server() -> None:
    script = environment.psql_wrapper(Path("/opt/my psql"), "postgresql://me:p%40ss@db:5444/desk")

    assert script == (
        "#!/bin/sh\nexport PGHOST=db\nexport PGPORT=5444\nexport PGUSER=me\nexport PGPASSWORD=p@ss\nexport PGDATABASE=desk\n"
        "exec '/opt/my psql' \"$@\"\n"
    )


def test_redis_cli_knows_its_server() -> None:
    script = environment.redis_cli_wrapper(Path("/opt/redis-cli"), "redis://:word@there:6390/2")

    assert script == '#!/bin/sh\nexport REDISCLI_AUTH=word\nexec /opt/redis-cli -h there -p 6390 -n 2 "$@"\n'


def test_the_offset_moves_every_port() -> None:
    here, there = Ports(offset=0), Ports(offset=100)

    assert (here.web, here.flower, here.postgres, here.redis, here.chain) == (8090, 5555, 5442, 6389, 8545)
    assert (there.web, there.flower, there.postgres, there.redis, there.chain) == (8190, 5655, 5542, 6489, 8645)
    assert [port + 100 for port in here.always] == list(there.always)


def test_a_port_in_use_is_seen_and_its_holder_named() -> None:
    (port,) = pick_free(1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()

        assert not is_free(port)
        assert f"(pid {os.getpid()})" in holder(port)
    assert is_free(port)


def test_one_stack_a_checkout(tmp_path: Path) -> None:
    lock = tmp_path / "stack.pid"
    with single.held(lock):
        with pytest.raises(single.AlreadyRunning, match=r"already running here \(pid \d+\)"), single.held(lock):
            pass
        assert single.holder(lock) is not None

    assert single.holder(lock) is None


def test_a_pid_file_without_its_holder_is_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "stack.pid"
    lock.write_text("1")

    assert single.holder(lock) is None


@pytest.mark.parametrize("offset", ["-1", "ten", "99999"])
def test_an_odd_offset_gets_one_line(offset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT_OFFSET", offset)

    with pytest.raises(StackFailed, match="PORT_OFFSET must be a number from 0 to 20000"):
        stack.chosen_ports()


def test_what_is_not_ready_is_named() -> None:
    document = {"components": {"database": {"status": "healthy"}, "redis": {"status": "unhealthy"}, "broker": "down"}}

    assert missing_components(document) == "broker, redis"
