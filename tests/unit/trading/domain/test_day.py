"""Days begin at local midnight and leave no gap and no overlap, whatever a zone's clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.domain.day import Day, day_of

# Of these each has its own trouble: half hours, midnight twice, no midnight, a date left out, clocks that change at 0:01.
ODD = [
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"),
    *("America/Sao_Paulo", "America/St_Johns", "Pacific/Apia", "Pacific/Kwajalein", "America/Asuncion", "Asia/Beirut"),
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 75 * 365 * 86_400).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
ZONES = st.sampled_from(ODD) | st.sampled_from(sorted(available_timezones()))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def named(at: str, zone: str) -> Day:
    return day_of(utc(at), zone=ZoneInfo(zone))


@given(at=INSTANTS, zone=ZONES)
@example(at=utc("2006-10-29T02:45"), zone="America/St_Johns")
@example(at=utc("2011-12-30T10:00"), zone="Pacific/Apia")
@example(at=utc("2023-11-05T04:30"), zone="America/Havana")
def test_every_instant_lies_in_its_day_and_in_no_other(at: datetime, zone: str) -> None:
    day = day_of(at, zone=ZoneInfo(zone))

    assert day.starts_at <= at < day.ends_at
    assert day_of(day.starts_at, zone=ZoneInfo(zone)) == day
    assert day_of(day.ends_at - timedelta(microseconds=1), zone=ZoneInfo(zone)) == day
    assert day_of(day.ends_at, zone=ZoneInfo(zone)).starts_at == day.ends_at


@given(at=INSTANTS, zone=ZONES)
def test_a_day_is_about_a_day_long(at: datetime, zone: str) -> None:
    day = day_of(at, zone=ZoneInfo(zone))

    assert timedelta(hours=0) < day.ends_at - day.starts_at <= timedelta(hours=48)


@given(at=INSTANTS, zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo"]))
def test_a_day_begins_at_local_midnight(at: datetime, zone: str) -> None:
    begin = day_of(at, zone=ZoneInfo(zone)).starts_at.astimezone(ZoneInfo(zone))

    assert (begin.hour, begin.minute, begin.second, begin.microsecond) == (0, 0, 0, 0)
    assert begin.date() == at.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize(
    ("at", "zone", "starts", "ends"),
    [
        ("2026-01-02T03:04:05", "UTC", "2026-01-02T00:00", "2026-01-03T00:00"),
        ("2026-01-02T00:00", "UTC", "2026-01-02T00:00", "2026-01-03T00:00"),
        ("2026-01-01T23:59:59.999999", "UTC", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("2026-03-29T12:00", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 hours
        ("2026-10-25T12:00", "Europe/Berlin", "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 hours
        ("2026-01-02T19:00", "Asia/Kolkata", "2026-01-02T18:30", "2026-01-03T18:30"),
        ("2024-04-26T12:00", "Africa/Cairo", "2024-04-25T22:00", "2024-04-26T21:00"),  # no midnight: 1:00 comes first
        ("2023-11-05T12:00", "America/Havana", "2023-11-05T04:00", "2023-11-06T05:00"),  # the first of two midnights
        ("2011-12-30T10:00", "Pacific/Apia", "2011-12-30T10:00", "2011-12-31T10:00"),  # the 30th didn't happen
        ("1919-03-31T04:45", "America/Toronto", "1919-03-30T05:00", "1919-03-31T05:00"),  # 23:30 became 0:30 of the next date
    ],
)
def test_days_of_known_clocks(at: str, zone: str, starts: str, ends: str) -> None:
    day = named(at, zone)

    assert (day.starts_at, day.ends_at) == (utc(starts), utc(ends))


@given(at=INSTANTS, zone=ZONES)
def test_days_in_a_row_have_dates_in_a_row(at: datetime, zone: str) -> None:
    day = day_of(at, zone=ZoneInfo(zone))

    assert timedelta(days=1) <= day_of(day.ends_at, zone=ZoneInfo(zone)).local - day.local <= timedelta(days=2)
