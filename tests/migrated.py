"""The tests' database as its migrations left it: kept once, put back after every test whose commits are real.

Django empties every table there is, which takes ten times as long and leaves a database that no migration
makes: whoever comes next would depend on whoever came before.
"""

from django.db import connection, transaction
from django.db.backends.base.creation import TEST_DATABASE_PREFIX

_kept: dict[str, bytes] = {}


def is_made() -> bool:
    """Whether this process has a database for its tests."""
    return str(connection.settings_dict["NAME"]).startswith(TEST_DATABASE_PREFIX)


def keep() -> None:
    """Remember every row that is there."""
    _kept.update({table: _rows(table) for table in _filled()})


@transaction.atomic(durable=True)
def put_back() -> None:
    """Empty each table that says something else, and fill it with what was kept."""
    filled = _filled()
    changed = [table for table in filled if table not in _kept or _rows(table) != _kept[table]]
    if not changed and filled >= _kept.keys():
        return
    with connection.cursor() as cursor:
        # Neither triggers nor foreign keys look: the rows were right, and come back in any order.
        cursor.execute("SET LOCAL session_replication_role = replica")
        if changed:
            cursor.execute(f"TRUNCATE {', '.join(changed)} CASCADE")
    for table in _kept.keys() - _filled():
        _fill(table)


def _filled() -> set[str]:
    names = connection.introspection.table_names()
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names))
        return {name for (name,) in cursor.fetchall()}


def _rows(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as rows:
        return b"".join(bytes(row) for row in rows)


def _fill(table: str) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as rows:
        rows.write(_kept[table])
