"""The two logins of the database: the owner, who makes tables, and the application, which can't rewrite history.

`manage.py migrate` works as the owner and settles the application's role afterwards; every other process
is the application (`docs/decisions/the-application-cannot-rewrite-history.md`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection
from psycopg import sql

from trading.kinds import step, write
from vanta_site.grants import EVERY, TABLES, Table

Statement = sql.SQL | sql.Composed

_LOGIN = ("HOST", "PORT", "USER", "PASSWORD")

# pgtrigger asks this function whether a session wants a trigger to look away, and any session may want that.
_NEVER_IGNORED = sql.SQL(
    "CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean"
    " LANGUAGE sql IMMUTABLE AS 'SELECT false'"
)
_COLUMNS = """
    SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped
"""
# A membership counts also where it must be asked for: SET ROLE is open to everybody who has it.
_POWERS = """
    SELECT 'is a superuser' FROM pg_roles WHERE rolname = session_user AND rolsuper
    UNION ALL
    SELECT 'may make roles or databases, replicate, or pass row security'
    FROM pg_roles WHERE rolname = session_user AND (rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
    UNION ALL
    SELECT 'owns tables, or is a member of the role that does'
    WHERE EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND pg_has_role(session_user, relowner, 'MEMBER')
    )
    UNION ALL
    SELECT 'may CREATE in the schema public' WHERE has_schema_privilege(session_user, 'public', 'CREATE')
"""
_HELD = """
    SELECT relname, NULL, privilege
    FROM pg_class CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS privilege
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
        AND has_table_privilege(session_user, pg_class.oid, privilege)
    UNION ALL
    SELECT relname, attname, 'UPDATE' FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped
        AND has_column_privilege(session_user, attrelid, attnum, 'UPDATE')
    ORDER BY 1, 3, 2
"""


class Unplaced(RuntimeError):
    """A column of which nobody has said whether it changes: the desk would be refused when it first writes it."""


@contextmanager
def connected_as(login: Mapping[str, Any]) -> Iterator[None]:
    """Give this thread's connection another login for a while; the database stays the same."""
    own = connection.settings_dict
    # A pool would hand out connections of whoever filled it.
    options = {name: value for name, value in own["OPTIONS"].items() if name != "pool"}
    connection.close()
    connection.settings_dict = {**own, **{name: login[name] for name in _LOGIN}, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = own


@contextmanager
def as_owner() -> Iterator[None]:
    """Work as the tables' owner; where one login is used for both, nothing changes."""
    with connected_as(settings.DATABASE_OWNER) if settings.DATABASE_OWNER else nullcontext():
        yield


@step
def settle(*, application: Mapping[str, Any]) -> None:
    """Make the application's login if it can't log in, and give it exactly what `grants` says.

    For the owner. Nothing happens where one login is used for both.

    Raises:
        Unplaced: if a model has a column that `grants` doesn't know.
    """
    if application["USER"] == connection.settings_dict["USER"]:
        return
    forgotten = unplaced()
    if forgotten:
        raise Unplaced(f"say in vanta_site/grants.py whether it changes: {', '.join(forgotten)}")
    if not _can_log_in(application):
        _make_login(role=application["USER"], password=application["PASSWORD"])
    _grant(application["USER"])


def unplaced() -> list[str]:
    """The models' columns that `grants` doesn't know."""
    return [
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if not field.primary_key and not _is_placed(model._meta.db_table, str(field.column))
    ]


def excess() -> list[str]:
    """What this process's login is or may do, and must not; empty when all is well."""
    with connection.cursor() as cursor:
        cursor.execute(_POWERS)
        powers = [power for (power,) in cursor.fetchall()]
        # Whoever has these has every privilege besides: the list would name each table.
        if powers:
            return powers
        cursor.execute(_HELD)
        return [_said(*held) for held in cursor.fetchall() if not _is_allowed(*held)]


def statements(*, role: str, columns: Mapping[str, set[str]]) -> Iterator[Statement]:
    """The grants as SQL: everything is taken away, then what `grants` says is given, as far as the tables are there."""
    name = sql.Identifier(role)
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name)
    for table in TABLES:
        if table.name in columns:
            privileges = _privileges(table, columns[table.name])
            yield sql.SQL("GRANT {} ON {} TO {}").format(privileges, sql.Identifier(table.name), name)


def _privileges(table: Table, columns: set[str]) -> Statement:
    whole: list[Statement] = [sql.SQL(privilege) for privilege in table.privileges]
    changing = sorted(table.changes & columns)
    if table.changes == EVERY:
        whole.append(sql.SQL("UPDATE"))
    elif changing:
        whole.append(sql.SQL("UPDATE ({})").format(sql.SQL(", ").join(map(sql.Identifier, changing))))
    return sql.SQL(", ").join(whole)


@write
def _grant(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_NEVER_IGNORED)
        for statement in statements(role=role, columns=_columns()):
            cursor.execute(statement)


def _columns() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column in cursor.fetchall():
            found.setdefault(table, set()).add(column)
    return found


def _can_log_in(login: Mapping[str, Any]) -> bool:
    with connected_as(login):
        try:
            connection.ensure_connection()
        except OperationalError:
            return False
        return True


@write
def _make_login(*, role: str, password: str) -> None:
    """A new role has no power by itself; an existing one keeps what it has, and the start check judges that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        make = "ALTER ROLE {} LOGIN PASSWORD {}" if cursor.rowcount else "CREATE ROLE {} LOGIN PASSWORD {}"
        cursor.execute(sql.SQL(make).format(sql.Identifier(role), sql.Literal(_verifier(role, password))))


def _verifier(role: str, password: str) -> str:
    """What PostgreSQL keeps of a password: the password itself would stand in its log."""
    server: psycopg.Connection[Any] = connection.connection
    return server.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


_BY_NAME = {table.name: table for table in TABLES}


def _is_placed(table: str, column: str) -> bool:
    return table in _BY_NAME and _BY_NAME[table].places(column)


def _is_allowed(table: str, column: str | None, privilege: str) -> bool:
    return table in _BY_NAME and _BY_NAME[table].allows(privilege, column)


def _said(table: str, column: str | None, privilege: str) -> str:
    return f"may {privilege} {table}.{column}" if column else f"may {privilege} {table}"
