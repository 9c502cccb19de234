"""Days counted again from their events: after what was told has changed, or what is measured. Under `claim`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from portal.domain import periods
from portal.models.base import among, many, micros, rows, run
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.event import exactly
from portal.models.ingestion import claim
from portal.models.measured import Measured, measured, read
from portal.models.tallying import Tallies, day_of

AT_ONCE = 2000  # events read
DAY = timedelta(days=1)


def recount(account_id: str, days: Iterable[tuple[str, str]]) -> None:
    """Counts the days, (customer, day), again for every metric of the account."""
    mine: dict[str, set[str]] = {}
    for customer_id, day in days:
        mine.setdefault(customer_id, set()).add(day)
    if mine:
        claim(account_id)
        metrics = measured(account_id)
        for customer_id in sorted(mine):
            _recount(customer_id, metrics, sorted(mine[customer_id]))


def recount_metric(metric: Metric) -> None:
    """Counts every event of the account again for one metric: it is new, or its dimensions are."""
    claim(metric.account_id)
    metrics = read(metric.account_id, metric.id)
    if not metrics:
        return
    for table in ("usage_day", "usage_value"):
        run(f"DELETE FROM {table} WHERE metric_id = ?", metric.id)  # noqa: S608 - our own names
    for customer_id, timezone in rows(HAVE_EVENTS, metric.account_id):
        _tally(customer_id, timezone, metrics, None, None)


def attribute(customer: Customer) -> int:
    """Gives the customer the events that came under her external id before she did, and says how many."""
    if customer.external_id is None:
        return 0
    claim(customer.account_id)
    waiting = rows(WAITING, customer.account_id, customer.external_id)
    if waiting:
        run(GIVE, customer.id, customer.account_id, customer.external_id)
        days = {(customer.id, day_of(at, customer.timezone)) for (at,) in waiting}
        recount(customer.account_id, days)
    return len(waiting)


def _recount(customer_id: str, metrics: Sequence[Measured], days: Sequence[str]) -> None:
    for table in ("usage_day", "usage_value"):
        sql = f"DELETE FROM {table} WHERE customer_id = ? AND {among('metric_id')} AND {among('day')}"  # noqa: S608 - ours
        run(sql, customer_id, many(each.id for each in metrics), many(days))
    timezone = rows("SELECT timezone FROM customer WHERE id = ?", customer_id)[0][0]
    for start, end in _stretches(days):
        _tally(customer_id, timezone, metrics, start, end)


def _stretches(days: Sequence[str]) -> Iterator[tuple[date, date]]:
    """Days that follow each other as (first, day after the last)."""
    start = end = None
    for text in days:
        day = date.fromisoformat(text)
        if end == day:
            end = day + DAY
            continue
        if start is not None and end is not None:
            yield start, end
        start, end = day, day + DAY
    if start is not None and end is not None:
        yield start, end


def _tally(customer_id: str, timezone: str, metrics: Sequence[Measured], start: date | None, end: date | None) -> None:
    """Adds what the customer's events from `start` to before `end` come to, where nothing is kept of them."""
    tallies = Tallies(metrics)
    first = micros(periods.midnight(start, timezone)) if start else -(2**62)
    after = micros(periods.midnight(end, timezone)) if end else 2**62
    for name, at, properties in _events(customer_id, first, after):
        tallies.take(customer_id, day_of(at, timezone), name, at, properties)
    tallies.add()


def _events(customer_id: str, first: int, after: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The customer's events that count, some at a time, in the order of their instants and keys."""
    last = ""
    while True:
        found = rows(EVENTS, customer_id, first, last, after, AT_ONCE)
        for _, name, at, properties in found:
            yield name, at, exactly(properties)
        if len(found) < AT_ONCE:
            return
        last, first = found[-1][0], found[-1][2]


HAVE_EVENTS = """
SELECT id, timezone FROM customer WHERE account_id = ?
   AND EXISTS (SELECT 1 FROM event WHERE event.customer_id = customer.id) ORDER BY id
"""
WAITING = "SELECT at FROM event WHERE account_id = ? AND external_id = ? AND customer_id IS NULL"
GIVE = "UPDATE event SET customer_id = ? WHERE account_id = ? AND external_id = ? AND customer_id IS NULL"
EVENTS = """
SELECT key, name, at, properties FROM event
 WHERE customer_id = ? AND (at, key) > (?, ?) AND at < ? AND counts ORDER BY at, key LIMIT ?
"""
