"""When a link stops to open: the first one of an invoice, a refreshed one, a portal session's. All in whole seconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from portal.domain.periods import OutOfRange, last_second

DAYS_AFTER_DUE = 30
REFRESHED_DAYS = 60  # of 24 hours each
BORN_DEAD = timedelta(days=7)  # an invoice's first link opens at least this long
SESSION_MINUTES = (1, 180)  # the shortest and the longest

# Tokens carry their end as seconds in 32 bits without a sign; no link ends later than the last of them.
CEILING = datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)

_EARLIEST = date(1970, 1, 2)  # one day in, so that no time zone makes a negative second of it


def first(
    due: date | None,
    issued_on: date,
    tz: str,
    now: datetime,
    days_after_due: int = DAYS_AFTER_DUE,
    refreshed_days: int = REFRESHED_DAYS,
) -> datetime:
    """The end of an issued invoice's first link: `days_after_due` days after `due`, at 23:59:59 in `tz`.

    Without a due date the days count from `issued_on`. Where less than BORN_DEAD is left until then, it ends as a
    refreshed link would. Raises UnknownTimezone, and ValueError for a naive `now`.
    """
    end = _after(due or issued_on, days_after_due, tz)
    if end - _aware(now) < BORN_DEAD:
        return refreshed(due, issued_on, tz, now, days_after_due, refreshed_days)
    return end


def refreshed(
    due: date | None,
    issued_on: date,
    tz: str,
    now: datetime,
    days_after_due: int = DAYS_AFTER_DUE,
    refreshed_days: int = REFRESHED_DAYS,
) -> datetime:
    """The end of a refreshed link: `refreshed_days` × 24 hours from `now`, or when the first one would have ended.

    The later of the two. Raises UnknownTimezone, and ValueError for a naive `now`.
    """
    return max(_from(now, refreshed_days), _after(due or issued_on, days_after_due, tz))


def session(now: datetime, minutes: int) -> datetime:
    """The end of a portal session of `minutes` minutes. Raises OutOfRange, and ValueError for a naive `now`."""
    shortest, longest = SESSION_MINUTES
    if not shortest <= minutes <= longest:
        raise OutOfRange(f"expires_in_minutes must be between {shortest} and {longest}.")
    return min(_aware(now).replace(microsecond=0) + timedelta(minutes=minutes), CEILING)


def _after(day: date, days: int, tz: str) -> datetime:
    """The last second of the day that is `days` days after `day`, in `tz`; at most CEILING."""
    day = max(day, _EARLIEST)
    if days > (CEILING.date() - day).days:
        return CEILING
    return min(last_second(day + timedelta(days=max(days, 0)), tz), CEILING)


def _from(now: datetime, days: int) -> datetime:
    """`days` × 24 hours after `now`, in whole seconds; at most CEILING."""
    start = _aware(now).replace(microsecond=0)
    if days > (CEILING - start).days:
        return CEILING
    return start + timedelta(days=days)


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now needs its offset from UTC.")
    return now.astimezone(UTC)
