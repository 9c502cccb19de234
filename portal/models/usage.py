"""Usage is one quantity a customer, metric and day, side by side in the key: a page reads days, never events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

from peewee import SQL, BigIntegerField, CompositeKey, ForeignKeyField, TextField, fn

from portal.domain.periods import Period
from portal.domain.usage import Cell, Series, Tally, merged, together
from portal.models.base import DayField, Row, tuples
from portal.models.catalog import Metric
from portal.models.customer import Customer

ROWS_A_STATEMENT = 200
WHOLE = None  # all cells together
OWN = "own"  # never a cell: those are nothing, or JSON lists

Counts = dict[date, int]


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used of a metric in a period, all together and in each cell of its dimensions."""

    whole: Series
    cells: Mapping[Cell, Series]
    fresh: Callable[[frozenset[Cell]], Counts] | None = None  # for distinct: new values of some cells taken as one

    def until(self, day: date) -> Usage:
        """What there was before `day`."""
        cells = {cell: series.until(day) for cell, series in self.cells.items()}
        return Usage(self.whole.until(day), cells, self.fresh)

    def joined(self, cells: Sequence[Cell]) -> Series:
        """Some of its cells as one. For distinct values one query, asked once."""
        fresh = self.fresh(frozenset(cells)) if self.fresh and len(cells) > 1 else None
        return together([self.cells[cell] for cell in cells], fresh)


Measured = dict[tuple[str, Period], Usage]  # by the metric's id and the period


class UsageDay(Row):
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    metric = ForeignKeyField(Metric, index=False)
    metric_id: str
    day = DayField()  # in the customer's time zone
    cell = TextField(default="")  # the values of the metric's dimensions, as a JSON list of text and null; or nothing
    quantity = TextField()  # decimal text; what it says of the day: domain.usage.Tally
    count = BigIntegerField(default=0, constraints=[SQL("DEFAULT 0")])  # events
    at = BigIntegerField(default=0, constraints=[SQL("DEFAULT 0")])  # microseconds: the newest event

    class Meta:
        primary_key = CompositeKey("customer", "metric", "day", "cell")
        without_rowid = True

    @classmethod
    def put(cls, customer: Customer, metric: Metric, days: Iterable[tuple[date, Decimal]]) -> None:
        """Says what the quantities of `days` are, whatever they were before."""
        rows = [{"customer": customer, "metric": metric, "day": day, "quantity": str(amount)} for day, amount in days]
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            (
                cls.insert_many(rows[start : start + ROWS_A_STATEMENT])
                .on_conflict(conflict_target=(cls.customer, cls.metric, cls.day, cls.cell), preserve=(cls.quantity,))
                .execute()
            )

    @classmethod
    def series(cls, customer_id: str, wanted: Iterable[tuple[Metric, Period]]) -> Measured:
        """What the customer used of each metric in each period. One query, and one a period with different values."""
        asked = list(dict.fromkeys(wanted))
        found: dict[str, dict[str, dict[date, Tally]]] = {metric.id: {} for metric, _ in asked}
        if asked:
            query = cls.select(cls.metric, cls.cell, cls.day, cls.quantity, cls.count, cls.at).where(
                cls.customer == customer_id,
                cls.metric.in_(list(found)),
                cls.day >= min(period.start for _, period in asked),
                cls.day < max(period.end for _, period in asked),
            )
            for metric, cell, day, quantity, count, at in tuples(query):
                found[metric].setdefault(cell, {})[date.fromisoformat(str(day))] = Tally(Decimal(quantity), count, at)
        fresh = UsageValue.fresh(customer_id, [one for one in asked if one[0].measure.kind == "distinct"])
        measured = {
            (metric.id, period): _usage(metric.measure.kind, found[metric.id], period, fresh.get((metric.id, period)))
            for metric, period in asked
        }
        for metric, period in asked:
            if metric.measure.kind == "distinct":
                one, names = measured[metric.id, period], {cell_of(name): name for name in found[metric.id]}
                ask = partial(UsageValue.fresh_in, customer_id, metric, period, names)
                measured[metric.id, period] = replace(one, fresh=cache(ask))
        return measured

    @classmethod
    def by_day(cls, customer_id: str, metrics: Iterable[Metric], period: Period) -> dict[str, Series]:
        """Each metric's days of `period`, by its id. Queries as for `series`."""
        measured = cls.series(customer_id, [(metric, period) for metric in metrics])
        return {metric: usage.whole for (metric, _), usage in measured.items()}

    @classmethod
    def metrics(cls, customer_id: str, account_id: str) -> list[Metric]:
        """The account's metrics that the customer has used, by name. One query that reads no days."""
        used = cls.select(SQL("1")).where(cls.customer == customer_id, cls.metric == Metric.id)
        return list(
            Metric.select().where(Metric.account == account_id, fn.EXISTS(used)).order_by(Metric.name, Metric.id)
        )


def _usage(
    kind: str, cells: Mapping[str, Mapping[date, Tally]], period: Period, fresh: Mapping[str | None, Counts] | None
) -> Usage:
    days = period.days()

    def series(name: str | None, tallies: Mapping[date, Tally]) -> Series:
        return Series(kind, tuple((day, tallies.get(day)) for day in days), fresh.get(name, {}) if fresh else None)

    apart = {name: series(name, tallies) for name, tallies in cells.items()}
    if len(apart) == 1 and "" in apart:
        return Usage(apart[""], {(): apart[""]})
    whole: dict[date, Tally] = {}
    for tallies in cells.values():
        for day, tally in tallies.items():
            whole[day] = merged(kind, whole[day], tally) if day in whole else tally
    if fresh is not None and len(cells) > 1:  # one value in two cells is one value
        whole = {day: replace(tally, quantity=Decimal(fresh[OWN].get(day, 0))) for day, tally in whole.items()}
    return Usage(series(WHOLE, whole), {cell_of(name): one for name, one in apart.items()})


def cell_of(text: str) -> Cell:
    """The values of a metric's dimensions, from what is kept in `UsageDay.cell`."""
    return tuple(json.loads(text)) if text else ()


class UsageValue(Row):
    """A value that a metric which counts different ones met on a day. The new ones of a period are found by it."""

    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    metric = ForeignKeyField(Metric, index=False)
    metric_id: str
    day = DayField()
    cell = TextField(default="")
    value = TextField()  # as JSON, so that 3 and "3" are two; long ones by their digest

    class Meta:
        primary_key = CompositeKey("customer", "metric", "day", "cell", "value")
        without_rowid = True

    @classmethod
    def fresh(
        cls, customer_id: str, wanted: Iterable[tuple[Metric, Period]]
    ) -> dict[tuple[str, Period], dict[str | None, Counts]]:
        """How many values each day of a period saw first in it: in each cell, and in all of them together (WHOLE).

        OWN has how many different ones each day had by itself. Two queries a metric and period.
        """
        return {(metric.id, period): cls._fresh(customer_id, metric, period) for metric, period in wanted}

    @classmethod
    def fresh_in(
        cls, customer_id: str, metric: Metric, period: Period, names: Mapping[Cell, str], cells: Iterable[Cell]
    ) -> Counts:
        """How many values each day of a period saw first in any of `cells`, which are kept by `names`. One query."""
        among = cls.cell.in_([names[cell] for cell in cells])
        first = cls.select(fn.MIN(cls.day).alias("day"))
        return cls._by_day(first.where(*cls._mine(customer_id, metric, period), among).group_by(cls.value))

    @classmethod
    def _mine(cls, customer_id: str, metric: Metric, period: Period) -> tuple[Any, ...]:
        return cls.customer == customer_id, cls.metric == metric, cls.day >= period.start, cls.day < period.end

    @staticmethod
    def _by_day(first: Any) -> Counts:
        return {date.fromisoformat(str(day)): count for day, count in tuples(_counted(first, "day"))}

    @classmethod
    def _fresh(cls, customer_id: str, metric: Metric, period: Period) -> dict[str | None, Counts]:
        mine = cls._mine(customer_id, metric, period)
        found: dict[str | None, Counts] = {WHOLE: {}, OWN: {}}
        first = cls.select(cls.cell, fn.MIN(cls.day).alias("day")).where(*mine).group_by(cls.cell, cls.value)
        for cell, day, count in tuples(_counted(first, "cell", "day")):
            found.setdefault(cell, {})[date.fromisoformat(str(day))] = count
        if set(found) <= {WHOLE, OWN, ""}:
            return {**found, WHOLE: found.get("", {})}
        found[WHOLE] = cls._by_day(cls.select(fn.MIN(cls.day).alias("day")).where(*mine).group_by(cls.value))
        each = cls.select(cls.day, fn.COUNT(cls.value.distinct())).where(*mine).group_by(cls.day)
        found[OWN] = {date.fromisoformat(str(day)): count for day, count in tuples(each)}
        return found


def _counted(first: Any, *columns: str) -> Any:
    """How many rows of the query `first` there are of each value of its `columns`."""
    named = [getattr(first.c, column) for column in columns]
    return UsageValue.select(*named, fn.COUNT(SQL("*"))).from_(first).group_by(*named)
