"""How one line comes about: each of its days, a picture of them, and every sum of it worked out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from portal.documents.line import Line
from portal.domain import chart, reconciling
from portal.domain.chart import Chart
from portal.domain.money import total
from portal.domain.reconciling import Check

LONGEST = 366  # days of a period that are shown one by one, used or not


@dataclass(frozen=True, slots=True)
class Spent:
    """What one day added to a line."""

    day: date
    quantity: Decimal
    amount: Decimal  # major units, not rounded


@dataclass(frozen=True, slots=True)
class Most:
    """The most that was used on one day: the first such day, and how many others were like it."""

    day: date
    quantity: Decimal
    others: int


@dataclass(frozen=True, slots=True)
class Working:
    line: Line
    currency: str
    days: list[Spent]
    checks: list[Check]
    drawn: Chart | None  # of the quantities; None where fewer than two days have one
    goes_on: bool  # is there more to come of it?

    @classmethod
    def of(
        cls,
        line: Mapping[str, Any],
        days: Sequence[Mapping[str, Any]],
        currency: str,
        today: date | None = None,
    ) -> Self:
        """From a domain.document.Line and its DayAmounts. `today`: of a bill that goes on, the day that is not over."""
        spent = _every_day(line, days)
        drawn = None
        if sum(bool(one.quantity) for one in spent) > 1:
            drawn = chart.bars([(one.day, one.quantity) for one in spent], today=today)
        goes_on = today is not None and bool(days)
        return cls(Line.of(line), currency, spent, reconciling.line(line, days, currency), drawn, goes_on)

    @property
    def most(self) -> Most | None:
        """None where no day stands out: all are equal, or only one has usage."""
        quantities = [one.quantity for one in self.days]
        if sum(map(bool, quantities)) < 2 or len(set(quantities)) < 2:
            return None
        most = max(quantities)
        return Most(self.days[quantities.index(most)].day, most, quantities.count(most) - 1)

    @property
    def in_all(self) -> dict[str, Decimal]:
        """What the days themselves come to, rounded once: `days` in major units and `quantities`."""
        used = total(one.quantity for one in self.days)
        return {"quantities": used} | {check.kind: check.found for check in self.checks}

    @property
    def is_of_one_year(self) -> bool:
        """Is the year of every day that of the line's own period, which is named above them?"""
        return {one.day.year for one in self.days} == {self.line.start.year}


def _every_day(line: Mapping[str, Any], days: Sequence[Mapping[str, Any]]) -> list[Spent]:
    """The days that are known; of a period up to LONGEST also those on which nothing was used."""
    spent = [Spent(date.fromisoformat(one["day"]), Decimal(one["quantity"]), Decimal(one["amount"])) for one in days]
    known = {one.day: one for one in spent}
    if not spent or len(known) < len(spent):  # what is there twice is shown twice
        return spent
    first = min(*known, date.fromisoformat(line["start"]))
    count = (max(known) - first).days + 1
    if count > LONGEST:
        return spent
    every = (first + timedelta(days=n) for n in range(count))
    return [known.get(day) or Spent(day, Decimal(0), Decimal(0)) for day in every]
