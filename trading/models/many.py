"""Many rows in one statement of a constant text: with a placeholder for each value, their number would be paid for squared."""

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL

from trading.models import prepared


def among(ids: Collection[int]) -> RawSQL:
    """Some numbers, for `__in`."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


def update(rows: Sequence[Model], columns: Sequence[str]) -> None:
    """Write some columns of rows of one model, as they are now. One statement; none without rows."""
    if not rows:
        return
    table = rows[0]._meta.db_table
    said = [{"id": row.pk} | {name: getattr(row, name) for name in columns} for row in rows]
    changes = ", ".join(f"{name} = said.{name}" for name in columns)
    source = f"jsonb_populate_recordset(NULL::{table}, %s::jsonb) said"
    # Nothing but names of our own tables and columns.
    statement = f"UPDATE {table} SET {changes} FROM {source} WHERE {table}.id = said.id"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [prepared.text(said)])
