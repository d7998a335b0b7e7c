"""The one clock that every process shares: the database's.

A worker whose own clock is minutes off would otherwise find rows due too early, or never.
"""

from datetime import datetime
from typing import cast

from django.db import connection


def now() -> datetime:
    """The database's clock at this moment, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (instant,) = cursor.fetchone()
    return cast(datetime, instant)
