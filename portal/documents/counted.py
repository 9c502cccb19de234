"""A metric over a period as it lies before the customer: its days, what they come to together, and the period before.

What cannot be added up never is: each kind of metric comes together in its own way (domain.usage).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import floor
from typing import Self

from portal.domain import chart
from portal.domain.chart import Chart
from portal.domain.money import EXACT, plain
from portal.domain.periods import Period
from portal.domain.usage import Series

ADDS = ("count", "sum")  # kinds of which the days add up to the total
AMOUNTS = (*ADDS, "distinct")  # kinds of which a day without events has nothing; of others it has no value at all
CROWDED = 45  # days; an outline behind more thin bars than these cannot be read: the table has the numbers
IDLE = 7  # days without usage at the start of a period that are worth a word
AVERAGE_DIGITS = 4  # of an average, behind its point: whoever is charged for it sees all of them on the line

Value = Decimal | None  # None where there were no events that could say


@dataclass(frozen=True, slots=True)
class Counted:
    """One day: its own value, that of the period up to its end, and both of the same day of the period before."""

    day: date
    quantity: Value
    so_far: Value
    before: Value
    before_so_far: Value


@dataclass(frozen=True, slots=True)
class Before:
    """The period before, as far as the one that is shown has come."""

    period: Period  # of the days that are compared
    partly: bool  # does that period go on?
    total: Value
    nothing: bool  # was there none of it?
    difference: Decimal  # how much more it is now; negative for less
    since: date | None  # the first day on which anything was used, where that is not among the first

    @property
    def last(self) -> date:
        return self.period.end - timedelta(days=1)

    @property
    def change(self) -> int | None:
        """The difference in percent, rounded; None where there was nothing to compare with."""
        if self.total is None or self.total <= 0:
            return None
        return floor(100 * Fraction(self.difference) / Fraction(self.total) + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric over one period, up to today, and over the period before it."""

    kind: str
    period: Period
    days: list[Counted]
    total: Value
    before: Before
    chart: Chart

    @classmethod
    def of(cls, now: Series, then: Series, period: Period, before: Period, today: date, *, summed: bool) -> Self:
        """`now` has the days of `period` that have begun, `then` all those of `before`. `summed`: draws what is so far.

        A period that is over is compared whole; one that runs with as many days as it has.
        """
        days, total = _days(now, then), _total(now)
        so_many = before.start + timedelta(days=len(now.days))
        compared = before if len(now.days) == period.length else Period(before.start, min(before.end, so_many))
        was = _before(then.within(compared), total, compared, before)
        return cls(now.kind, period, days, total, was, _chart(days, then, period, today, summed))

    @property
    def last(self) -> date:
        """The last day that is counted."""
        return self.days[-1].day if self.days else self.period.start

    @property
    def most(self) -> Counted | None:
        """The day that stands out: of the most usage, or of a minimum's lowest value. None where there is not one."""
        known = [one for one in self.days if one.quantity is not None]
        if len(known) < 2 or self.kind == "latest":
            return None
        pick = min if self.kind == "min" else max
        extreme = pick(one.quantity for one in known if one.quantity is not None)
        found = [one for one in known if one.quantity == extreme]
        return found[0] if len(found) == 1 and (extreme > 0 or self.kind == "min") else None


def values(series: Series) -> tuple[list[Value], list[Value]]:
    """What each day says by itself, and what those up to its end say together."""
    own: list[Value] = [_shown(series.kind, quantity) for _, quantity in series.own()]
    so_far: list[Value] = [_shown(series.kind, quantity) for _, quantity in series.running()]
    if series.kind not in AMOUNTS:
        known = [tally is not None for _, tally in series.days]
        first = known.index(True) if True in known else len(known)
        own = [value if there else None for value, there in zip(own, known, strict=True)]
        so_far = [None if place < first else value for place, value in enumerate(so_far)]
    return own, so_far


def _total(series: Series) -> Value:
    return _shown(series.kind, series.total) if series.kind in AMOUNTS or _any(series) else None


def _any(series: Series) -> bool:
    return any(tally is not None for _, tally in series.days)


def _before(then: Series, total: Value, compared: Period, whole: Period) -> Before:
    """`then` has the days that are compared."""
    was = _total(then)
    return Before(
        period=compared,
        partly=compared.end < whole.end,
        total=was,
        nothing=not any(quantity for _, quantity in then.own()) if then.kind in AMOUNTS else was is None,
        difference=EXACT.subtract(total or Decimal(0), was or Decimal(0)),
        since=_since(then),
    )


def _shown(kind: str, quantity: Decimal) -> Decimal:
    """An average with as many digits as can be read."""
    if kind != "average" or not quantity:
        return quantity
    digits = max(quantity.adjusted() + 1, 0) + AVERAGE_DIGITS
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).plus(quantity)
    return Decimal(plain(rounded.normalize(EXACT)))


def _days(now: Series, then: Series) -> list[Counted]:
    none: list[Value] = [None] * len(now.days)
    before, before_so_far = ([*each, *none][: len(none)] for each in values(then))
    columns = zip(*values(now), before, before_so_far, strict=True)
    return [Counted(day, *each) for (day, _), each in zip(now.days, columns, strict=True)]


def _since(then: Series) -> date | None:
    """Where the days before it had nothing, and there are many of them."""
    found = [day for day, quantity in then.own() if quantity]
    idle = (found[0] - then.days[0][0]).days if found else 0
    return found[0] if idle >= IDLE and then.kind in AMOUNTS else None


def _chart(days: Sequence[Counted], then: Series, period: Period, today: date, summed: bool) -> Chart:
    """All days of the period have their place; those that are still to come are empty."""
    drawn = {one.day: one.so_far if summed else one.quantity for one in days}
    before = [value or Decimal(0) for value in values(then)[summed]]
    if period.length > CROWDED and not summed:
        before = []
    return chart.bars([(day, drawn.get(day)) for day in period.days()], today=today, before=before)
