"""A period is a half-open range of calendar days; a day begins at midnight where the customer lives."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NAMES = ("this", "last", "7d", "30d", "90d")

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class OutOfRange(ValueError):
    """A value outside the ones that are allowed; the message says which are."""


class UnknownTimezone(ValueError):
    """A name that the IANA time zone database does not have."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, but not including, `end`. Raises OutOfRange where it ends before it starts."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise OutOfRange(f"a period that starts on {self.start} cannot end on {self.end}.")

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def length(self) -> int:
        """How many days."""
        return (self.end - self.start).days

    def days(self) -> list[date]:
        """Every day, in order."""
        return [self.start + timedelta(days=count) for count in range(self.length)]


def named(name: str, today: date, current: Period | None = None) -> Period:
    """The period that a reader means by `name`, one of NAMES, on `today`.

    "this" is `current`, the billing period, or the calendar month where there is none; "last" is the one before it;
    "7d" is the 7 days up to and including today. Raises OutOfRange for other names.
    """
    current = current or month_period(1, today)
    if name == "this":
        return current
    if name == "last":
        return before(current)
    if name not in NAMES:
        raise OutOfRange(f"period must be one of {', '.join(NAMES)}.")
    return Period(today - timedelta(days=int(name.removesuffix("d")) - 1), today + _DAY)


def month_period(anchor_day: int, today: date) -> Period:
    """The month that contains `today`, from one `anchor_day` to the next; 31 means the last day of shorter months.

    Raises OutOfRange where `anchor_day` is not between 1 and 31.
    """
    if not 1 <= anchor_day <= 31:
        raise OutOfRange("a billing day must be between 1 and 31.")
    start = shifted(today, 0, anchor_day)
    if start > today:
        start = shifted(today, -1, anchor_day)
    return Period(start, shifted(start, 1, anchor_day))


def previous(period: Period, anchor_day: int) -> Period:
    """The month before `period`, counted from `anchor_day` (1 to 31). Raises OutOfRange."""
    return month_period(anchor_day, period.start - _DAY)


def before(period: Period) -> Period:
    """The period of the same kind that ends where `period` starts: as many months, or else as many days, long."""
    # Of two neighbouring ends of months at most one is cut short, so the later day is the billing day.
    anchor_day = max(period.start.day, period.end.day)
    months = 12 * (period.end.year - period.start.year) + period.end.month - period.start.month
    if months and period == Period(shifted(period.start, 0, anchor_day), shifted(period.start, months, anchor_day)):
        return Period(shifted(period.start, -months, anchor_day), period.start)
    return Period(period.start - timedelta(days=period.length), period.start)


def midnight(day: date, tz: str) -> datetime:
    """The first instant of `day` in `tz`, in UTC. Raises UnknownTimezone."""
    # A midnight that the clock jumps over is read with the offset from before the jump, which gives the very
    # instant of the jump; one that comes twice is the first of the two (PEP 495, fold=0).
    return datetime.combine(day, time(0), _zone(tz)).astimezone(UTC)


def last_second(day: date, tz: str) -> datetime:
    """The last second of `day` in `tz`, in UTC: 23:59:59 there, the later one where it comes twice.

    Raises UnknownTimezone.
    """
    return midnight(day + _DAY, tz) - _SECOND


def local_day(instant: datetime, tz: str) -> date:
    """The calendar day that it is in `tz` at `instant` (aware). Raises UnknownTimezone, ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC.")
    return instant.astimezone(_zone(tz)).date()


def shifted(day: date, months: int, anchor_day: int) -> date:
    """The `anchor_day` of the month `months` after that of `day`, or that month's last day."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(anchor_day, monthrange(year, month + 1)[1]))


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, TypeError, OSError):  # OSError: a folder of the database, such as "America"
        raise UnknownTimezone(f'"{str(tz)[:40]}" is not an IANA time zone, such as Europe/Berlin.') from None
