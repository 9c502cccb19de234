"""Periods are half-open ranges of days, and a day is what it is where the customer lives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import periods
from portal.domain.periods import OutOfRange, Period, UnknownTimezone

TODAY = date(2026, 11, 23)
DAYS = st.dates(date(1971, 1, 1), date(2105, 1, 1))
ZONES = st.sampled_from(
    [
        "UTC",
        "Etc/GMT+12",
        "Pacific/Kiritimati",
        "Pacific/Apia",
        "America/New_York",
        "America/Sao_Paulo",
        "Europe/Berlin",
        "America/Havana",
        "America/Nuuk",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Beirut",
    ]
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_period_holds_its_first_day_and_not_its_end():
    june = Period(date(2026, 6, 1), date(2026, 7, 1))

    assert june.length == len(june.days()) == 30
    assert date(2026, 6, 1) in june
    assert date(2026, 7, 1) not in june
    assert june.days()[-1] == date(2026, 6, 30)


def test_a_period_may_be_empty_but_not_backwards():
    assert Period(TODAY, TODAY).days() == []
    with pytest.raises(OutOfRange, match="cannot end"):
        Period(TODAY, TODAY - timedelta(days=1))


@pytest.mark.parametrize(("name", "start"), [("7d", "2026-11-17"), ("30d", "2026-10-25"), ("90d", "2026-08-26")])
def test_a_number_of_days_ends_with_today(name, start):
    assert periods.named(name, TODAY) == Period(date.fromisoformat(start), date(2026, 11, 24))
    assert periods.named(name, TODAY).length == int(name[:-1])


def test_this_and_last_are_calendar_months_where_nothing_is_billed():
    assert periods.named("this", TODAY) == Period(date(2026, 11, 1), date(2026, 12, 1))
    assert periods.named("last", TODAY) == Period(date(2026, 10, 1), date(2026, 11, 1))


@pytest.mark.parametrize(
    ("start", "end", "earlier"),
    [
        ("2026-11-15", "2026-12-15", "2026-10-15"),
        ("2026-02-28", "2026-03-31", "2026-01-31"),
        ("2026-01-31", "2026-02-28", "2025-12-31"),
        ("2026-03-30", "2026-04-30", "2026-02-28"),
        ("2024-03-31", "2024-04-30", "2024-02-29"),
        ("2026-01-01", "2026-04-01", "2025-10-01"),
        ("2024-02-29", "2025-02-28", "2023-02-28"),
        ("2026-11-10", "2026-11-24", "2026-10-27"),
        ("2026-11-10", "2026-12-01", "2026-10-20"),
    ],
)
def test_last_is_the_billing_period_of_the_same_kind_before_this_one(start, end, earlier):
    current = Period(date.fromisoformat(start), date.fromisoformat(end))

    assert periods.named("this", TODAY, current) == current
    assert periods.named("last", TODAY, current) == Period(date.fromisoformat(earlier), current.start)


@pytest.mark.parametrize("name", ["", "8d", "THIS", "next", "-7d", "9999999999d"])
def test_other_names_are_refused_with_the_ones_there_are(name):
    with pytest.raises(OutOfRange, match="this, last, 7d, 30d, 90d"):
        periods.named(name, TODAY)


@pytest.mark.parametrize(
    ("anchor", "today", "start", "end"),
    [
        (1, "2026-11-23", "2026-11-01", "2026-12-01"),
        (23, "2026-11-23", "2026-11-23", "2026-12-23"),
        (24, "2026-11-23", "2026-10-24", "2026-11-24"),
        (31, "2026-02-27", "2026-01-31", "2026-02-28"),
        (31, "2026-02-28", "2026-02-28", "2026-03-31"),
        (31, "2026-03-30", "2026-02-28", "2026-03-31"),
        (30, "2024-02-29", "2024-02-29", "2024-03-30"),
        (29, "2025-02-28", "2025-02-28", "2025-03-29"),
        (15, "2026-01-02", "2025-12-15", "2026-01-15"),
        (31, "2026-12-31", "2026-12-31", "2027-01-31"),
    ],
)
def test_a_billing_month_runs_from_anchor_to_anchor_and_bends_to_short_months(anchor, today, start, end):
    expected = Period(date.fromisoformat(start), date.fromisoformat(end))

    assert periods.month_period(anchor, date.fromisoformat(today)) == expected


@given(st.integers(1, 31), DAYS)
def test_billing_months_meet_without_gap_or_overlap(anchor, today):
    period = periods.month_period(anchor, today)
    earlier = periods.previous(period, anchor)

    assert today in period
    assert earlier.end == period.start
    assert 28 <= period.length <= 31
    assert periods.before(period) == earlier


@pytest.mark.parametrize("anchor", [0, 32, -1])
def test_a_month_has_no_such_billing_day(anchor):
    with pytest.raises(OutOfRange, match="between 1 and 31"):
        periods.month_period(anchor, TODAY)


@pytest.mark.parametrize(
    ("tz", "day", "first", "last"),
    [
        ("UTC", "2026-11-23", "2026-11-23T00:00:00", "2026-11-23T23:59:59"),
        ("Etc/GMT+12", "2026-11-23", "2026-11-23T12:00:00", "2026-11-24T11:59:59"),
        ("Pacific/Kiritimati", "2026-11-23", "2026-11-22T10:00:00", "2026-11-23T09:59:59"),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00", "2026-03-09T03:59:59"),  # 23 hours
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00", "2026-11-02T04:59:59"),  # 25 hours
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00", "2026-03-09T03:59:59"),  # midnight is jumped over
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00", "2026-11-02T04:59:59"),  # midnight comes twice
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00", "2018-02-18T02:59:59"),  # 23:59:59 comes twice
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00", "2018-11-05T01:59:59"),  # midnight is jumped over
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00", "2026-04-05T13:29:59"),  # half an hour
        ("Asia/Kathmandu", "2026-11-23", "2026-11-22T18:15:00", "2026-11-23T18:14:59"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00", "2011-12-31T09:59:59"),  # the 30th was left out
    ],
)
def test_a_day_begins_and_ends_at_local_midnight(tz, day, first, last):
    assert periods.midnight(date.fromisoformat(day), tz) == utc(first)
    assert periods.last_second(date.fromisoformat(day), tz) == utc(last)


@given(DAYS, ZONES)
def test_days_meet_without_gap_or_overlap(day, tz):
    if tz == "Pacific/Apia" and day == date(2011, 12, 30):
        return  # that day was left out there
    start, end = periods.midnight(day, tz), periods.last_second(day, tz)

    assert periods.local_day(start, tz) == periods.local_day(end, tz) == day
    assert periods.local_day(start - timedelta(seconds=1), tz) < day
    assert end + timedelta(seconds=1) == periods.midnight(day + timedelta(days=1), tz)


def test_the_same_instant_is_another_day_elsewhere():
    instant = utc("2026-11-23T11:30:00")

    assert periods.local_day(instant, "Etc/GMT+12") == date(2026, 11, 22)
    assert periods.local_day(instant, "Pacific/Kiritimati") == date(2026, 11, 24)


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        periods.local_day(datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None), "UTC")


@pytest.mark.parametrize(
    "tz", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "America", "Europe/Berlin\0", "é", None, 5]
)
def test_an_unknown_time_zone_is_refused_whatever_it_is(tz):
    with pytest.raises(UnknownTimezone, match="IANA"):
        periods.midnight(TODAY, tz)
