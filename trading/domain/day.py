"""A trader's day: from one local midnight to the next, whatever his clocks do in between."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """From its start up to, and without, its end; `local` is what the calendar there calls it."""

    local: date
    starts_at: datetime
    ends_at: datetime


def day_of(at: datetime, *, zone: tzinfo) -> Day:
    """The day in which an instant lies.

    Its ends are two midnights in a row, so days have no gap and no overlap, also where a clock meets midnight twice,
    never, or leaves out a date: then the local date alone doesn't say which day it is.
    """
    local = at.astimezone(zone).date()
    first = max(day for day in (local - _ONE, local, local + _ONE) if midnight(day, zone=zone) <= at)
    return Day(local=first, starts_at=midnight(first, zone=zone), ends_at=midnight(first + _ONE, zone=zone))


def midnight(day: date, *, zone: tzinfo) -> datetime:
    """When a local date begins: the first of two; one that the clock skips is where it would have been."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
