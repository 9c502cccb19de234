"""What the days of a metric come to: each by itself, and together from the first to the end of each. Exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce

from portal.domain import money
from portal.domain.periods import Period

Cell = tuple[str | None, ...]  # the values of the metric's dimensions, () where it has none
FINEST_AVERAGE = Decimal("1e-12")
_DIVIDING = Context(prec=100, rounding=ROUND_HALF_UP)
ZERO = Decimal(0)


class Unknown(ValueError):
    """Distinct values of several days, where nobody has said which of them were new."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one day of one metric, and one cell of it, comes to.

    `quantity` is the sum for count, sum and average; the extreme, the newest value, or how many different ones.
    `count` is of events, and `at` the microseconds since 1970 of the newest.
    """

    quantity: Decimal
    count: int
    at: int


def merged(kind: str, a: Tally, b: Tally) -> Tally:
    """Both together, in whatever order. Means nothing for distinct values of different days."""
    return Tally(_joined(kind, a, b), a.count + b.count, max(a.at, b.at))


def _joined(kind: str, a: Tally, b: Tally) -> Decimal:
    if kind == "max":
        return max(a.quantity, b.quantity)
    if kind == "min":
        return min(a.quantity, b.quantity)
    if kind == "latest":  # of two at the same instant the larger, so that order does not matter
        return max((a.at, a.quantity), (b.at, b.quantity))[1]
    return money.EXACT.add(a.quantity, b.quantity)


@dataclass(frozen=True)
class Series:
    """All days of a period, in order. `fresh`, for distinct: how many values each day saw first in this period."""

    kind: str
    days: tuple[tuple[date, Tally | None], ...]
    fresh: Mapping[date, int] | None = None

    def own(self) -> list[tuple[date, Decimal]]:
        """Each day by itself, nothing for one without events."""
        return [(day, _said(self.kind, tally)) for day, tally in self.days]

    def running(self) -> list[tuple[date, Decimal]]:
        """What the days from the first to the end of each come to together. Raises Unknown."""
        if self.kind == "distinct":
            return self._seen()
        found: list[tuple[date, Decimal]] = []
        sofar: Tally | None = None
        for day, tally in self.days:
            sofar = tally if sofar is None else sofar if tally is None else merged(self.kind, sofar, tally)
            found.append((day, _said(self.kind, sofar)))
        return found

    def added(self) -> list[tuple[date, Decimal]]:
        """What each day changed: the differences of `running`, which add up to the total. Raises Unknown."""
        before, found = ZERO, []
        for day, quantity in self.running():
            found.append((day, money.EXACT.subtract(quantity, before)))
            before = quantity
        return found

    @property
    def total(self) -> Decimal:
        """What the whole period comes to. Raises Unknown."""
        if self.kind == "distinct":
            return self._seen()[-1][1] if self.days else ZERO
        tallies = [tally for _, tally in self.days if tally is not None]
        return _said(self.kind, reduce(lambda a, b: merged(self.kind, a, b), tallies) if tallies else None)

    def within(self, period: Period) -> Series:
        """The days that lie in `period`. What is new among distinct values is kept only from the first day on."""
        days = tuple((day, tally) for day, tally in self.days if day in period)
        from_the_start = not self.days or period.start <= self.days[0][0]
        return Series(self.kind, days, self.fresh if from_the_start else None)

    def until(self, day: date) -> Series:
        """The days before `day`."""
        return Series(self.kind, tuple(one for one in self.days if one[0] < day), self.fresh)

    def _seen(self) -> list[tuple[date, Decimal]]:
        if self.fresh is None and len([day for day, tally in self.days if tally]) > 1:
            raise Unknown("distinct values cannot be added up: count those that are new on each day.")
        fresh = self.own() if self.fresh is None else [(day, Decimal(self.fresh.get(day, 0))) for day, _ in self.days]
        sofar, found = ZERO, []
        for day, new in fresh:
            sofar = money.EXACT.add(sofar, new)
            found.append((day, sofar))
        return found


def together(several: Sequence[Series], fresh: Mapping[date, int] | None = None) -> Series:
    """The same days of several cells as one.

    A distinct value may be in two cells: `fresh` says how many each day saw first in all of them, and what a day comes
    to by itself means nothing then. Without it Unknown is raised.
    """
    first, *others = several
    if others and first.kind == "distinct" and fresh is None:
        raise Unknown("distinct values of several cells cannot be added up.")
    days = dict(first.days)
    for series in others:
        for day, tally in series.days:
            there = days[day]
            days[day] = tally if there is None else there if tally is None else merged(first.kind, there, tally)
    return Series(first.kind, tuple(days.items()), fresh if others else first.fresh)


def _said(kind: str, tally: Tally | None) -> Decimal:
    if tally is None:
        return ZERO
    if kind != "average":
        return tally.quantity
    if not tally.count:
        return ZERO
    mean = _DIVIDING.divide(tally.quantity, Decimal(tally.count))
    return Decimal(money.plain(mean.quantize(FINEST_AVERAGE, context=_DIVIDING).normalize(_DIVIDING)))
