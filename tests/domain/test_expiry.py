"""When links end, case by case. Worked out by hand from the rules, not by the code."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import expiry
from portal.domain.periods import OutOfRange, UnknownTimezone

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


FIRST = [
    # due, issued on, time zone, now, the end
    # Plain cases, and time zones from -12 to +14.
    ("2026-12-23", "2026-11-23", "UTC", "2026-11-23T09:20:00", "2027-01-22T23:59:59"),
    ("2026-12-23", "2026-11-23", "Etc/GMT+12", "2026-11-23T09:20:00", "2027-01-23T11:59:59"),
    ("2026-12-23", "2026-11-23", "Pacific/Pago_Pago", "2026-11-23T09:20:00", "2027-01-23T10:59:59"),
    ("2026-12-23", "2026-11-23", "Pacific/Honolulu", "2026-11-23T09:20:00", "2027-01-23T09:59:59"),
    ("2026-12-23", "2026-11-23", "America/Los_Angeles", "2026-11-23T09:20:00", "2027-01-23T07:59:59"),
    ("2026-12-23", "2026-11-23", "America/New_York", "2026-11-23T09:20:00", "2027-01-23T04:59:59"),
    ("2026-12-23", "2026-11-23", "America/St_Johns", "2026-11-23T09:20:00", "2027-01-23T03:29:59"),
    ("2026-12-23", "2026-11-23", "America/Sao_Paulo", "2026-11-23T09:20:00", "2027-01-23T02:59:59"),
    ("2026-12-23", "2026-11-23", "Europe/London", "2026-11-23T09:20:00", "2027-01-22T23:59:59"),
    ("2026-12-23", "2026-11-23", "Europe/Berlin", "2026-11-23T09:20:00", "2027-01-22T22:59:59"),
    ("2026-12-23", "2026-11-23", "Asia/Kolkata", "2026-11-23T09:20:00", "2027-01-22T18:29:59"),
    ("2026-12-23", "2026-11-23", "Asia/Kathmandu", "2026-11-23T09:20:00", "2027-01-22T18:14:59"),
    ("2026-12-23", "2026-11-23", "Asia/Tokyo", "2026-11-23T09:20:00", "2027-01-22T14:59:59"),
    ("2026-12-23", "2026-11-23", "Australia/Adelaide", "2026-11-23T09:20:00", "2027-01-22T13:29:59"),
    ("2026-12-23", "2026-11-23", "Pacific/Auckland", "2026-11-23T09:20:00", "2027-01-22T10:59:59"),
    ("2026-12-23", "2026-11-23", "Pacific/Chatham", "2026-11-23T09:20:00", "2027-01-22T10:14:59"),
    ("2026-12-23", "2026-11-23", "Pacific/Kiritimati", "2026-11-23T09:20:00", "2027-01-22T09:59:59"),
    # No due date: the days count from the day of issue.
    (None, "2026-11-23", "UTC", "2026-11-23T09:20:00", "2026-12-23T23:59:59"),
    (None, "2026-11-23", "America/New_York", "2026-11-23T09:20:00", "2026-12-24T04:59:59"),
    (None, "2024-01-30", "UTC", "2024-01-30T12:00:00", "2024-02-29T23:59:59"),
    # A due date before the day of issue is accepted; it is the due date that counts.
    ("2026-11-10", "2026-11-23", "UTC", "2026-11-23T09:20:00", "2026-12-10T23:59:59"),
    # The clock goes forward between the due date and the end (Berlin 2026-03-29, New York 2026-03-08).
    ("2026-03-15", "2026-03-01", "Europe/Berlin", "2026-03-01T12:00:00", "2026-04-14T21:59:59"),
    ("2026-02-15", "2026-02-01", "America/New_York", "2026-02-01T12:00:00", "2026-03-18T03:59:59"),
    # … on the very last day: 23 hours long.
    ("2026-02-27", "2026-02-01", "Europe/Berlin", "2026-02-01T12:00:00", "2026-03-29T21:59:59"),
    ("2026-02-06", "2026-02-01", "America/New_York", "2026-02-01T12:00:00", "2026-03-09T03:59:59"),
    # … the day before and the day after.
    ("2026-02-26", "2026-02-01", "Europe/Berlin", "2026-02-01T12:00:00", "2026-03-28T22:59:59"),
    ("2026-02-28", "2026-02-01", "Europe/Berlin", "2026-02-01T12:00:00", "2026-03-30T21:59:59"),
    # The clock goes back (Berlin 2026-10-25, New York 2026-11-01): the last day has 25 hours.
    ("2026-09-25", "2026-09-01", "Europe/Berlin", "2026-09-01T12:00:00", "2026-10-25T22:59:59"),
    ("2026-09-24", "2026-09-01", "Europe/Berlin", "2026-09-01T12:00:00", "2026-10-24T21:59:59"),
    ("2026-10-02", "2026-09-01", "America/New_York", "2026-09-01T12:00:00", "2026-11-02T04:59:59"),
    ("2026-10-01", "2026-09-01", "America/New_York", "2026-09-01T12:00:00", "2026-11-01T03:59:59"),
    # The southern half of the world (Sydney: forward 2026-10-04, back 2026-04-05).
    ("2026-09-04", "2026-09-01", "Australia/Sydney", "2026-09-01T12:00:00", "2026-10-04T12:59:59"),
    ("2026-03-06", "2026-03-01", "Australia/Sydney", "2026-03-01T12:00:00", "2026-04-05T13:59:59"),
    # Half an hour (Lord Howe), and midnights that are jumped over or come twice.
    ("2026-03-06", "2026-03-01", "Australia/Lord_Howe", "2026-03-01T12:00:00", "2026-04-05T13:29:59"),
    ("2026-02-05", "2026-02-01", "America/Havana", "2026-02-01T12:00:00", "2026-03-08T04:59:59"),
    ("2018-01-18", "2018-01-01", "America/Sao_Paulo", "2018-01-01T12:00:00", "2018-02-18T02:59:59"),
    ("2018-10-04", "2018-10-01", "America/Sao_Paulo", "2018-10-01T12:00:00", "2018-11-04T02:59:59"),
    # Leap days: due on one, ending on one, passing one, and the year without.
    ("2028-02-29", "2028-02-01", "UTC", "2028-02-01T12:00:00", "2028-03-30T23:59:59"),
    ("2028-01-30", "2028-01-01", "UTC", "2028-01-01T12:00:00", "2028-02-29T23:59:59"),
    ("2028-01-31", "2028-01-01", "UTC", "2028-01-01T12:00:00", "2028-03-01T23:59:59"),
    ("2027-01-30", "2027-01-01", "UTC", "2027-01-01T12:00:00", "2027-03-01T23:59:59"),
    ("2027-02-28", "2027-02-01", "UTC", "2027-02-01T12:00:00", "2027-03-30T23:59:59"),
    # Across the end of the year.
    ("2026-12-31", "2026-12-01", "Asia/Tokyo", "2026-12-01T12:00:00", "2027-01-30T14:59:59"),
    ("2026-12-01", "2026-11-30", "UTC", "2026-12-01T12:00:00", "2026-12-31T23:59:59"),
    # Never born dead: seven days to the second are enough …
    ("2026-10-31", "2026-10-01", "UTC", "2026-11-23T23:59:59", "2026-11-30T23:59:59"),
    # … a second less is not, nor a microsecond …
    ("2026-10-31", "2026-10-01", "UTC", "2026-11-24T00:00:00", "2027-01-23T00:00:00"),
    ("2026-10-31", "2026-10-01", "UTC", "2026-11-23T23:59:59.000001", "2027-01-22T23:59:59"),
    ("2026-10-31", "2026-10-01", "UTC", "2026-11-23T23:59:58.999999", "2026-11-30T23:59:59"),
    # … counted where the customer lives: the same day and moment, in three places.
    ("2026-10-31", "2026-10-01", "Etc/GMT+12", "2026-11-24T11:59:59", "2026-12-01T11:59:59"),
    ("2026-10-31", "2026-10-01", "Etc/GMT+12", "2026-11-24T12:00:00", "2027-01-23T12:00:00"),
    ("2026-10-31", "2026-10-01", "Pacific/Kiritimati", "2026-11-23T09:59:59", "2026-11-30T09:59:59"),
    ("2026-10-31", "2026-10-01", "Pacific/Kiritimati", "2026-11-23T10:00:00", "2027-01-22T10:00:00"),
    # … and in hours, not in days of the calendar: the clock goes forward within the seven days.
    ("2026-03-01", "2026-03-01", "Europe/Berlin", "2026-03-24T21:59:59", "2026-03-31T21:59:59"),
    ("2026-03-01", "2026-03-01", "Europe/Berlin", "2026-03-24T22:00:00", "2026-05-23T22:00:00"),
    ("2026-09-26", "2026-09-01", "Europe/Berlin", "2026-10-19T22:59:59", "2026-10-26T22:59:59"),
    ("2026-09-26", "2026-09-01", "Europe/Berlin", "2026-10-19T23:00:00", "2026-12-18T23:00:00"),
    # Past: by a second, by years, before there were seconds to count.
    ("2026-10-23", "2026-10-01", "UTC", "2026-11-23T00:00:00", "2027-01-22T00:00:00"),
    ("2019-01-01", "2019-01-01", "America/New_York", "2026-11-23T09:20:00", "2027-01-22T09:20:00"),
    ("0001-01-01", "0001-01-01", "Pacific/Kiritimati", "2026-11-23T09:20:00", "2027-01-22T09:20:00"),
    ("1969-12-31", "1969-12-31", "Etc/GMT+12", "2026-11-23T09:20:00", "2027-01-22T09:20:00"),
    # Now may come with a fraction of a second; the end has none.
    ("2019-01-01", "2019-01-01", "UTC", "2026-11-23T09:20:00.999999", "2027-01-22T09:20:00"),
    # No further than a token can say.
    ("2106-01-08", "2026-11-23", "UTC", "2026-11-23T09:20:00", "2106-02-07T06:28:15"),
    ("2106-01-07", "2026-11-23", "UTC", "2026-11-23T09:20:00", "2106-02-06T23:59:59"),
    ("9999-12-31", "2026-11-23", "Pacific/Kiritimati", "2026-11-23T09:20:00", "2106-02-07T06:28:15"),
]


@pytest.mark.parametrize(("due", "issued_on", "tz", "now", "end"), FIRST)
def test_the_first_link_of_an_invoice_ends(due, issued_on, tz, now, end):
    assert expiry.first(day(due), date.fromisoformat(issued_on), tz, utc(now)) == utc(end)


def test_there_are_enough_cases():
    assert len(FIRST) >= 60


@pytest.mark.parametrize(
    ("due", "tz", "now", "end"),
    [
        # 60 × 24 hours, where that is later.
        ("2026-11-23", "UTC", "2026-11-23T09:20:00", "2027-01-22T09:20:00"),
        ("2020-01-01", "UTC", "2026-11-23T09:20:00.5", "2027-01-22T09:20:00"),
        (None, "UTC", "2026-11-23T09:20:00", "2027-01-22T09:20:00"),
        # Hours, not days: the clock in Berlin goes back in between, and shows an hour less.
        ("2026-09-01", "Europe/Berlin", "2026-10-01T10:00:00", "2026-11-30T10:00:00"),
        # 30 days after the due date, where that is later: from the 23rd of December, by 14:39:59.
        ("2026-12-23", "UTC", "2026-11-23T09:20:00", "2027-01-22T23:59:59"),
        ("2026-12-22", "UTC", "2026-11-23T09:20:00", "2027-01-22T09:20:00"),
        ("2026-12-22", "Etc/GMT+12", "2026-11-23T09:20:00", "2027-01-22T11:59:59"),
        ("2027-06-30", "America/New_York", "2026-11-23T09:20:00", "2027-07-31T03:59:59"),
        # Equal.
        ("2026-12-22", "UTC", "2026-11-22T23:59:59", "2027-01-21T23:59:59"),
        ("2028-01-30", "UTC", "2027-01-01T00:00:00", "2028-02-29T23:59:59"),
        ("9999-12-31", "UTC", "2026-11-23T09:20:00", "2106-02-07T06:28:15"),
        ("2026-12-23", "UTC", "2106-01-01T00:00:00", "2106-02-07T06:28:15"),
    ],
)
def test_a_refreshed_link_ends(due, tz, now, end):
    assert expiry.refreshed(day(due), date(2026, 9, 1), tz, utc(now)) == utc(end)


def test_without_a_due_date_a_refreshed_link_counts_from_the_day_of_issue():
    assert expiry.refreshed(None, date(2027, 1, 1), "UTC", NOW) == utc("2027-01-31T23:59:59")


@pytest.mark.parametrize(
    ("after_due", "refreshed", "end"),
    [(0, 60, "2026-12-23T23:59:59"), (10, 60, "2027-01-02T23:59:59"), (10**12, 60, "2106-02-07T06:28:15")],
)
def test_an_account_sets_the_days_after_the_due_date(after_due, refreshed, end):
    assert expiry.first(date(2026, 12, 23), date(2026, 11, 23), "UTC", NOW, after_due, refreshed) == utc(end)


@pytest.mark.parametrize(
    ("refreshed", "end"), [(7, "2026-11-30T09:20:00"), (90, "2027-02-21T09:20:00"), (10**12, "2106-02-07T06:28:15")]
)
def test_an_account_sets_the_days_of_a_refreshed_link(refreshed, end):
    long_ago = date(2020, 1, 1)

    assert expiry.refreshed(long_ago, long_ago, "UTC", NOW, 30, refreshed) == utc(end)
    assert expiry.first(long_ago, long_ago, "UTC", NOW, 30, refreshed) == utc(end)


def test_a_short_setting_never_takes_days_away():
    due = date(2026, 10, 29)  # leaves five and a half days

    assert expiry.first(due, due, "UTC", NOW, 30, 1) == utc("2026-11-28T23:59:59")


@pytest.mark.parametrize(("minutes", "end"), [(1, "09:21:00"), (60, "10:20:00"), (180, "12:20:00")])
def test_a_session_ends_after_its_minutes(minutes, end):
    assert expiry.session(NOW, minutes) == utc(f"2026-11-23T{end}")
    assert expiry.session(NOW.replace(microsecond=999_999), minutes) == utc(f"2026-11-23T{end}")


@pytest.mark.parametrize("minutes", [0, -1, 181, 10**9])
def test_a_session_of_another_length_is_refused(minutes):
    with pytest.raises(OutOfRange, match="expires_in_minutes must be between 1 and 180"):
        expiry.session(NOW, minutes)


def test_the_ceiling_is_the_last_second_that_32_bits_hold():
    assert int(expiry.CEILING.timestamp()) == 2**32 - 1
    assert expiry.session(expiry.CEILING - timedelta(seconds=5), 60) == expiry.CEILING


def test_a_moment_without_an_offset_and_an_unknown_zone_are_refused():
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="offset"):
        expiry.first(None, NOW.date(), "UTC", naive)
    with pytest.raises(ValueError, match="offset"):
        expiry.session(naive, 60)
    with pytest.raises(UnknownTimezone):
        expiry.first(None, NOW.date(), "Mars/Olympus", NOW)


@given(
    st.none() | st.dates(),
    st.dates(),
    st.sampled_from(["UTC", "Etc/GMT+12", "Pacific/Kiritimati", "America/Havana", "Europe/Berlin"]),
    st.integers(0, 80 * 365 * 86_400_000_000).map(lambda later: utc("2020-01-01") + timedelta(microseconds=later)),
    st.integers(0, 10**6),
    st.integers(7, 10**6),
)
def test_no_link_is_born_dead_or_ends_between_seconds_or_past_the_ceiling(
    due, issued_on, tz, now, after_due, refreshed
):
    first = expiry.first(due, issued_on, tz, now, after_due, refreshed)
    fresh = expiry.refreshed(due, issued_on, tz, now, after_due, refreshed)

    assert first.microsecond == fresh.microsecond == 0
    assert now + timedelta(days=6, hours=23, minutes=59, seconds=59) < first <= fresh <= expiry.CEILING
