"""What a customer used between two instants: whole days as they are kept, parts of days and rare groups from events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from portal.domain import periods
from portal.domain.metrics import Measure, named
from portal.domain.periods import Period
from portal.domain.usage import Series, Tally, merged, together
from portal.models.base import micros, tuples
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.event import Event
from portal.models.usage import UsageDay

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A quantity, and between which instants it was used; the end is exclusive."""

    start: datetime
    end: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """What is asked for: from `start` to `end`, as seen in the time zone of the customer."""

    start: datetime
    end: datetime
    timezone: str

    @property
    def days(self) -> Period:
        """Every calendar day of which some is asked for."""
        first = periods.local_day(self.start, self.timezone)
        return Period(first, max(first, periods.local_day(self.end - timedelta(microseconds=1), self.timezone) + _DAY))

    @property
    def whole(self) -> bool:
        """Does it begin and end at midnight?"""
        days = self.days
        return (self.start, self.end) == (self._midnight(days.start), self._midnight(days.end))

    def parts(self) -> list[Span]:
        """What it has of days that it has not whole: none, one or two spans of one day each."""
        found = []
        for day in dict.fromkeys((self.days.start, self.days.end - _DAY)):
            whole = (self._midnight(day), self._midnight(day + _DAY))
            own = (max(self.start, whole[0]), min(self.end, whole[1]))
            if own != whole:
                found.append(Span(*own, self.timezone))
        return found

    def windows(self, series: Series, *, daily: bool, cumulative: bool) -> list[Window]:
        """The windows of `series`, which has the days of this span: one, or one a day."""
        if not daily:
            return [Window(self.start, self.end, series.total)]
        found = series.running() if cumulative else series.own()
        return [
            Window(
                self.start if cumulative else max(self.start, self._midnight(day)),
                min(self.end, self._midnight(day + _DAY)),
                quantity,
            )
            for day, quantity in found
        ]

    def _midnight(self, day: date) -> datetime:
        return periods.midnight(day, self.timezone)


def used(customer: Customer, metrics: Sequence[Metric], span: Span) -> dict[str, Series]:
    """What was used of each metric, by its id. Reads events only of days of which a part is asked for.

    Of different values it reads them all then: a day's share of them cannot be told.
    """
    found = UsageDay.by_day(customer.id, metrics, span.days)
    if span.whole:
        return found
    return {metric.id: _cut(customer, metric, span, found[metric.id]) for metric in metrics}


def _cut(customer: Customer, metric: Metric, span: Span, whole: Series) -> Series:
    """`whole`, with the days at the ends of the span counted as far as they lie in it."""
    if whole.kind == "distinct":
        return _ungrouped(customer, metric, span)
    cut = {day: tally for part in span.parts() for day, tally in _ungrouped(customer, metric, part).days}
    return Series(whole.kind, tuple((day, cut.get(day, tally)) for day, tally in whole.days))


def _ungrouped(customer: Customer, metric: Metric, span: Span) -> Series:
    found = _counted(customer, metric, span, lambda _: "")
    return found.get("") or _series(metric.measure, {}, span, {})


def grouped(customer: Customer, metric: Metric, name: str, span: Span) -> dict[str, Series]:
    """What was used of a metric for each value of the property `name`; of events without it, nothing is said.

    Reads events unless the metric keeps its usage apart by the property, and the span begins and ends at midnight.
    """
    if span.whole and name in (metric.dimensions or ()) and metric.measure.kind != "distinct":
        return _kept(customer, metric, name, span)

    found = _counted(customer, metric, span, lambda properties: _as_text(properties.get(name)))
    return dict(sorted(found.items()))


def narrowed(customer: Customer, metric: Metric, values: Mapping[str, str], span: Span) -> Series:
    """What was used of a metric by events that have these values of these properties. Reads events."""

    def group(properties: Mapping[str, object]) -> str | None:
        return "" if all(_as_text(properties.get(name)) == value for name, value in values.items()) else None

    return _counted(customer, metric, span, group).get("") or _series(metric.measure, {}, span, {})


def _kept(customer: Customer, metric: Metric, name: str, span: Span) -> dict[str, Series]:
    place = (metric.dimensions or []).index(name)
    apart: dict[str, list[Series]] = {}
    usage = UsageDay.series(customer.id, [(metric, span.days)])[metric.id, span.days]
    for cell, series in usage.cells.items():
        value = cell[place] if place < len(cell) else None
        if value is not None:
            apart.setdefault(value, []).append(series)
    return {value: together(apart[value]) for value in sorted(apart)}


def _counted(
    customer: Customer, metric: Metric, span: Span, group: Callable[[Mapping[str, object]], str | None]
) -> dict[str, Series]:
    """The days of each group, counted from the events themselves."""
    measure = metric.measure
    rows = (
        Event.select(Event.name, Event.at, Event.properties)
        .where(Event.customer == customer, Event.at >= span.start, Event.at < span.end, Event.counts)
        .order_by(Event.at, Event.key)
    )
    days: dict[str, dict[date, Tally]] = {}
    fresh: dict[str, dict[date, int]] = {}
    seen: set[tuple[str, str]] = set()
    on_day: set[tuple[str, date, str]] = set()
    for name, at, properties in tuples(rows):
        value = measure.value(properties) if measure.takes(name, properties) else None
        key = group(properties)
        if value is None or key is None:
            continue
        day, count = periods.local_day(at, span.timezone), Decimal(1)
        if measure.kind == "distinct":
            count = Decimal((key, day, str(value)) not in on_day)
            on_day.add((key, day, str(value)))
            if (key, str(value)) not in seen:
                seen.add((key, str(value)))
                fresh.setdefault(key, {}).setdefault(day, 0)
                fresh[key][day] += 1
        tally = Tally(count if measure.kind == "distinct" else Decimal(value), 1, micros(at))
        there = days.setdefault(key, {})
        there[day] = _both(measure, there[day], tally) if day in there else tally
    return {key: _series(measure, found, span, fresh.get(key, {})) for key, found in days.items()}


def _both(measure: Measure, a: Tally, b: Tally) -> Tally:
    return merged(measure.kind, a, b)


def _series(measure: Measure, found: Mapping[date, Tally], span: Span, fresh: Mapping[date, int]) -> Series:
    days = tuple((day, found.get(day)) for day in span.days.days())
    return Series(measure.kind, days, fresh if measure.kind == "distinct" else None)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    text = named(value)
    return json.loads(text) if text.startswith('"') else text
