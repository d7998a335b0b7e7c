"""Statements that PostgreSQL has read and planned before.

Most of what the door costs would be the ORM writing the same SQL for each signal, and PostgreSQL planning it anew. So
the door alone says its statements itself, and has each connection keep them.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model
from psycopg import Cursor

from trading.domain.units import Quantity

Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)


def rows(statement: str, given: Mapping[str, str | list[str] | None]) -> list[Row]:
    """What a statement answers. Each parameter is text, or a list of text: the statement casts it.

    Otherwise PostgreSQL would keep one plan for each width of an integer, and for each choice of nulls.
    """
    db = connections[DEFAULT_DB_ALIAS]
    db.ensure_connection()
    # Django's own writes the parameters into the text, so that no two are the same. psycopg's has PostgreSQL keep what
    # it executes (`prepare_threshold`), and all that Django does around a cursor stays around it.
    own: Any = Cursor(db.connection)  # which Django's types take for a wrapper already
    with db.make_debug_cursor(own) if db.queries_logged else db.make_cursor(own) as cursor:
        cursor.execute(statement, given)
        found: list[Row] = cursor.fetchall()
    return found


@cache
def columns(model: type[Model]) -> tuple[str, ...]:
    """A table's columns, in the order in which `row` takes their values."""
    return tuple(field.column or "" for field in model._meta.concrete_fields)


def row(model: type[M], values: Row) -> M:
    """A model's row from the values of its columns, as a query of Django's would give it."""
    fields = model._meta.concrete_fields
    typed = [
        value if convert is None else convert(value, None, connection)
        for value, convert in zip(values, _converters(model), strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], typed)


@cache
def _converters(model: type[Model]) -> tuple[Callable[..., Any] | None, ...]:
    return tuple(getattr(field, "from_db_value", None) for field in model._meta.concrete_fields)


def text(value: object) -> str | None:
    """A value of ours as PostgreSQL reads it; a mapping as JSON."""
    if value is None:
        return None
    return _word(value) if isinstance(value, str | Quantity | datetime) else _json(value)


def _word(value: object) -> str:
    if isinstance(value, Quantity):
        return str(value.decimal)
    return value.isoformat() if isinstance(value, datetime) else str(value)


_json = json.JSONEncoder(default=_word).encode
