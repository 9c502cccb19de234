"""A cycle repeats from one day on, every so many months or days: where its periods begin and end, for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from portal.domain.periods import OutOfRange, Period, shifted

CADENCES = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "annual": 12}  # months


@dataclass(frozen=True, slots=True)
class Cycle:
    """Periods of `months` or of `days` that begin on `anchor`, and go on before and after it without a gap.

    An anchor on the 31st means the last day of shorter months; `day` says so where the anchor's own month is shorter.
    Boundaries are counted from the anchor, never from one another, so the 31st comes back after February. Raises
    OutOfRange unless one of months and days is positive.
    """

    anchor: date
    months: int = 0
    days: int = 0
    day: int = 0  # of the month; 0: the anchor's

    def __post_init__(self) -> None:
        if min(self.months, self.days) < 0 or bool(self.months) == bool(self.days):
            raise OutOfRange("a cycle lasts a positive number of months, or of days.")

    def period(self, day: date) -> Period:
        """The period that holds `day`. Raises OutOfRange where the calendar ends."""
        count = self._count(day)
        return Period(self._boundary(count), self._boundary(count + 1))

    def next(self, day: date) -> date:
        """The first boundary after `day`. Raises OutOfRange where the calendar ends."""
        return self._boundary(self._count(day) + 1)

    def _count(self, day: date) -> int:
        """How many whole periods after the anchor the one that holds `day` begins; negative before the anchor."""
        if self.days:
            return (day - self.anchor).days // self.days
        months = 12 * (day.year - self.anchor.year) + day.month - self.anchor.month
        count = months // self.months
        return count if self._boundary(count) <= day else count - 1

    def _boundary(self, count: int) -> date:
        try:
            if self.days:
                return self.anchor + timedelta(days=count * self.days)
            return shifted(self.anchor, count * self.months, self.day or self.anchor.day)
        except (ValueError, OverflowError):  # before the year 1, or after 9999
            raise OutOfRange("the billing period passes the end of the calendar.") from None
