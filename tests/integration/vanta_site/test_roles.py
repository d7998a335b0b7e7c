"""PostgreSQL itself refuses what would rewrite history; the start check finds a grant too many."""

import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from psycopg.errors import CheckViolation, InsufficientPrivilege

from devnet import paths
from tests.application import application
from trading.models import Signal
from vanta_site import roles
from vanta_site.checks import role_findings
from vanta_site.grants import EVERY, TABLES

__all__ = ["application"]

pytestmark = pytest.mark.django_db

RELATIONS = [table for table in TABLES if table.name != "trades"]
LEDGERS = [table.name for table in RELATIONS if not table.may_delete]
PRODUCTION = SimpleNamespace(ENVIRONMENT="production")
DEFINITIONS = (
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "ALTER TABLE {} ADD COLUMN more text",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "CREATE TRIGGER ours BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE ours AS ON INSERT TO {} DO INSTEAD NOTHING",
    "DROP TABLE {} CASCADE",
)


@pytest.fixture(scope="module")
def session(application: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    """A session of the application: one for hundreds of statements."""
    words = {"dbname": application["NAME"], "user": application["USER"], "password": application["PASSWORD"]}
    with psycopg.connect(host=application["HOST"], port=application["PORT"], **words) as opened:
        yield opened


@pytest.fixture
def outside(session: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the application, of which nothing is kept."""
    yield session
    session.rollback()


@pytest.fixture
def inside(application: dict[str, Any], transactional_db: None) -> Iterator[None]:
    """Django's own connection, as the application."""
    with roles.connected_as(application):
        yield


@pytest.fixture
def owner(application: dict[str, Any], transactional_db: None) -> Iterator[None]:
    """Django's own connection, as the owner. What is granted by it is taken back."""
    yield
    run(f"REVOKE CREATE ON SCHEMA public FROM {application['USER']}")
    run(f"REVOKE {connection.settings_dict['USER']} FROM {application['USER']}")
    roles.settle(application=application)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def is_refused(outside: psycopg.Connection[Any], statement: str) -> bool:
    try:
        with outside.transaction():
            outside.execute(statement)
            raise psycopg.Rollback
    except InsufficientPrivilege:
        return True
    except CheckViolation:
        # It may; a trigger has an opinion of its own.
        return False
    return False


def columns_of(outside: psycopg.Connection[Any], name: str) -> set[str]:
    found = outside.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", [name]
    )
    return {column for (column,) in found}


@pytest.mark.parametrize("name", LEDGERS)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_no_row_of_a_ledger_can_vanish(outside: psycopg.Connection[Any], name: str, statement: str) -> None:
    assert is_refused(outside, statement.format(name))


@pytest.mark.parametrize("table", RELATIONS, ids=lambda table: table.name)
def test_only_the_columns_that_change_can_be_changed(outside: psycopg.Connection[Any], table: Any) -> None:
    columns = columns_of(outside, table.name)

    changeable = {each for each in columns if not is_refused(outside, f"UPDATE {table.name} SET {each} = {each}")}

    assert changeable == (columns if table.changes == EVERY else table.changes)


@pytest.mark.parametrize("table", RELATIONS, ids=lambda table: table.name)
@pytest.mark.parametrize("statement", DEFINITIONS)
def test_no_table_and_no_trigger_can_be_redefined(outside: psycopg.Connection[Any], table: Any, statement: str) -> None:
    assert is_refused(outside, statement.format(table.name))


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = 'replica'",
        "CREATE TABLE ours ()",
        "CREATE FUNCTION ours() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE another",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "COPY signals TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT setval(pg_get_serial_sequence('signals', 'id'), 1)",
    ],
)
def test_the_role_can_not_raise_itself(outside: psycopg.Connection[Any], statement: str) -> None:
    assert is_refused(outside, statement)


def test_the_view_of_trades_is_only_read(outside: psycopg.Connection[Any]) -> None:
    assert outside.execute("SELECT count(*) FROM trades").fetchone() == (0,)
    assert privileges_on(outside, "trades") == {"SELECT"}


def privileges_on(outside: psycopg.Connection[Any], name: str) -> set[str]:
    words = "SELECT,INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER,REFERENCES"
    held = "SELECT word FROM string_to_table(%s, ',') AS word WHERE has_table_privilege(%s, word)"
    found = outside.execute(held, [words, name])
    return {word for (word,) in found}


def test_the_role_has_no_attribute_but_its_login(outside: psycopg.Connection[Any]) -> None:
    attributes = "rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
    row = outside.execute(f"SELECT {attributes} FROM pg_roles WHERE rolname = current_user").fetchone()

    assert row == (True, False, False, False, False, False)


def test_a_restored_or_promoted_database_can_be_told_by_the_application(outside: psycopg.Connection[Any]) -> None:
    identity = outside.execute(
        "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
    ).fetchone()

    assert identity is not None
    assert identity[0] > 0
    assert identity[1] == 1


def test_no_session_can_tell_a_trigger_to_look_away(outside: psycopg.Connection[Any]) -> None:
    outside.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [every_trigger(outside)])

    with pytest.raises(CheckViolation, match="a signal is not born APPROVED"):
        outside.execute("INSERT INTO signals (status) VALUES ('APPROVED')")


def test_the_function_that_pgtrigger_installs_would_let_it_look_away() -> None:
    for trigger in Signal._meta.triggers:
        trigger.install(Signal)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [every_trigger(cursor)])

        # Only the missing columns are left to refuse it.
        with pytest.raises(IntegrityError, match="null value"), transaction.atomic():
            cursor.execute("INSERT INTO signals (status) VALUES ('APPROVED')")


def every_trigger(cursor: Any) -> str:
    found = cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger%'") or cursor
    return "{" + ",".join(name for (name,) in found.fetchall()) + "}"


@pytest.mark.usefixtures("inside")
def test_the_role_as_it_is_made_is_not_too_much() -> None:
    assert roles.excess() == []
    assert list(role_findings(PRODUCTION)) == []


@pytest.mark.parametrize(
    ("grant", "found"),
    [
        ("DELETE ON tx_sends", ["may DELETE tx_sends"]),
        ("TRUNCATE ON journal", ["may TRUNCATE journal"]),
        ("TRIGGER ON audit_log", ["may TRIGGER audit_log"]),
        ("REFERENCES ON fills", ["may REFERENCES fills"]),
        ("UPDATE (raw) ON tx_sends", ["may UPDATE tx_sends.raw"]),
        ("UPDATE (body, id) ON signals", ["may UPDATE signals.body", "may UPDATE signals.id"]),
        ("INSERT ON django_migrations", ["may INSERT django_migrations"]),
        ("CREATE ON SCHEMA public", ["may CREATE in the schema public"]),
    ],
)
def test_one_grant_too_many_is_found_and_taken_back(
    owner: None, application: dict[str, Any], grant: str, found: list[str]
) -> None:
    run(f"GRANT {grant} TO {application['USER']}")

    with roles.connected_as(application):
        assert roles.excess() == found
        assert [finding.id for finding in role_findings(PRODUCTION)] == ["vanta.E010"]


@pytest.mark.usefixtures("owner")
def test_a_grant_that_was_given_by_hand_goes_with_the_next_migration(application: dict[str, Any]) -> None:
    run(f"GRANT DELETE, TRUNCATE, UPDATE ON signals TO {application['USER']}")

    roles.settle(application=application)

    with roles.connected_as(application):
        assert roles.excess() == []


def test_a_member_of_the_owner_is_the_owner(owner: None, application: dict[str, Any]) -> None:
    run(f"GRANT {connection.settings_dict['USER']} TO {application['USER']} WITH INHERIT FALSE")

    with roles.connected_as(application):
        assert roles.excess() == ["owns tables, or is a member of the role that does"]


@pytest.mark.usefixtures("owner")
def test_production_refuses_the_owner_itself() -> None:
    (finding,) = role_findings(PRODUCTION)

    assert finding.id == "vanta.E010"
    assert finding.msg.startswith("The database role of this process is a superuser; ")


@pytest.mark.usefixtures("owner")
def test_development_takes_what_it_gets() -> None:
    assert list(role_findings(SimpleNamespace(ENVIRONMENT="development"))) == []


@pytest.mark.usefixtures("owner")
def test_a_database_that_is_away_is_a_doubt_and_no_refusal(application: dict[str, Any]) -> None:
    with roles.connected_as({**application, "PORT": 1}):
        (finding,) = role_findings(PRODUCTION)

    assert (finding.id, finding.is_serious()) == ("vanta.W001", False)


@pytest.mark.usefixtures("owner")
def test_a_new_password_is_set_with_the_next_migration(application: dict[str, Any]) -> None:
    roles.settle(application={**application, "PASSWORD": "it's another"})

    with roles.connected_as({**application, "PASSWORD": "it's another"}):
        assert roles.excess() == []


class Site:
    """A database of its own, with processes that are told of it."""

    role = "vanta_of_roles_test"

    def __init__(self, name: str) -> None:
        self.name = name
        self.owner_url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        host = self.owner_url.partition("@")[2]
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"postgresql://{self.role}:secret@{host}",
            "PYTHONPATH": str(paths.ROOT),
        }

    def manage(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """One command of the site."""
        command = (sys.executable, "manage.py", *words)
        return subprocess.run(command, env=self.environment | changes, cwd=paths.ROOT, capture_output=True, text=True)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site(f"of_roles_{os.getpid()}")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {site.name}")
        yield site
        server.execute(f"DROP DATABASE {site.name} WITH (FORCE)")
        server.execute(f"DROP ROLE IF EXISTS {site.role}")


def test_migrate_works_as_the_owner_and_everything_else_as_the_application(site: Site) -> None:
    first = site.manage("migrate", "--verbosity=0", DATABASE_OWNER_URL=site.owner_url)
    again = site.manage("migrate", "--verbosity=0", DATABASE_OWNER_URL=site.owner_url)
    verified = site.manage("roles", "verify")
    operator = site.manage("operator", "add", "--username", "ada")
    flushed = site.manage("flush", "--noinput")

    assert (first.returncode, first.stderr, again.returncode, again.stderr) == (0, "", 0, "")
    assert verified.stdout == "the application's role may do what it needs, and nothing else\n"
    assert operator.stdout.startswith("ada created")
    assert flushed.returncode == 1
    assert flushed.stderr.startswith("CommandError: Database")


def test_a_process_that_is_told_of_the_owner_is_refused_in_production(site: Site) -> None:
    site.manage("migrate", "--verbosity=0", DATABASE_OWNER_URL=site.owner_url)
    safe = {"ENVIRONMENT": "production", "SECRET_KEY": "x" * 50, "FLOWER_BASIC_AUTH": "a:b", "PRICE_SOURCES": "pyth"}

    served = site.manage("check", **safe)
    told = site.manage("check", DATABASE_OWNER_URL=site.owner_url, **safe)
    owned = site.manage("check", DATABASE_URL=site.owner_url, **safe)
    migrated = site.manage("migrate", "--verbosity=0", DATABASE_OWNER_URL=site.owner_url, **safe)

    assert (served.returncode, migrated.returncode) == (0, 0)
    assert "vanta.E009" in told.stderr
    assert "vanta.E010" not in told.stderr
    assert "vanta.E010" in owned.stderr


def test_an_owner_of_another_database_is_refused(site: Site) -> None:
    answer = site.manage("migrate", DATABASE_OWNER_URL=f"{site.owner_url}_too")

    assert answer.returncode == 1
    assert answer.stderr.strip().endswith("DATABASE_OWNER_URL names another database than DATABASE_URL")


def test_one_login_for_both_still_migrates(site: Site) -> None:
    answer = site.manage("migrate", "--verbosity=0", DATABASE_URL=site.owner_url)

    assert (answer.returncode, answer.stderr) == (0, "")
