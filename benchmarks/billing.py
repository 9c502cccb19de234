"""What a bill takes to work out: upcoming, costs and usage, for a customer of 1,000 events and one of 1,000,000."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from portal.domain.periods import Period
from portal.models import base, costs, drafting, ingestion, schema
from portal.models.account import Account
from portal.models.arrival import Arrival
from portal.models.base import db, micros
from portal.models.bill import Running
from portal.models.catalog import Item, Metric, Price
from portal.models.customer import Customer
from portal.models.subscription import Subscription
from portal.models.upcoming import Upcoming
from portal.models.usage import UsageDay
from tests import servers

ROUNDS = 31
REPEATS = 3
SIZES = (1_000, 1_000_000)
BATCH = 5_000
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
START = date(2026, 11, 1)
TODAY = NOW.date()
GOAL = 1.1
SQL = (
    "SELECT COUNT(*) FROM events",
    "SELECT SUM(bytes) FROM events WHERE region != 'ap'",
    "SELECT MAX(ms) FROM events",
)


@dataclass
class Company:
    account: Account
    metrics: list[Metric]
    prices: list[Price]

    @classmethod
    def made(cls, kind: str) -> Company:
        base.connect(servers.new_database(kind))
        schema.migrate()
        db.connect()
        account = Account.open("Acme", NOW, mode="live", by="bench")
        item = Item.create(account=account, created_at=NOW, name="Calls")
        metrics = [Metric.create(account=account, item=item, created_at=NOW, name=sql, sql=sql) for sql in SQL]
        wire = {"model_type": "unit", "unit_config": {"unit_amount": "0.0001", "prorated": False}}
        prices = [
            Price.add(item, NOW, name=metric.name, currency="USD", wire=wire, metric=metric) for metric in metrics
        ]
        return cls(account, metrics, prices)

    def customer(self, events: int) -> Subscription:
        """A customer with a subscription of three prices and so many events, spread over the month."""
        named = {"name": f"{events:,} events", "email": "ap@c.example", "timezone": "America/New_York"}
        customer = Customer.add(self.account, NOW, "bench", currency="USD", **named)
        dates = {"start_date": START, "anchor": START}
        subscription = Subscription.start(customer, NOW, name="Scale", currency="USD", prices=self.prices, **dates)
        drafting.schedule(subscription, customer.timezone, NOW)
        began, step = micros(datetime(2026, 11, 1, 5, tzinfo=UTC)), 29 * 24 * 3600 * 10**6 // events
        for first in range(0, events, BATCH):
            numbers = range(first, min(first + BATCH, events))
            arrivals = [
                Arrival(f"{customer.id}-{n}", customer.id, None, "call", began + n * step, told(n)) for n in numbers
            ]
            with db.atomic():
                ingestion.share(self.account.id)
                ingestion.ingest(self.account.id, arrivals, NOW)
        return subscription


def told(n: int) -> dict[str, Any]:
    return {"bytes": n % 997, "ms": n % 89, "region": "eu" if n % 3 else "ap"}


def upcoming(subscription: Subscription) -> Any:
    (found,) = Upcoming.of(Running.of(subscription.customer_id, TODAY), subscription.customer_id, TODAY)
    assert found.document
    return found.document["lines"][0]["quantity"]


def day_by_day(subscription: Subscription) -> Any:
    return costs.costs([subscription], subscription.customer_id, today=TODAY)[-1].total


def usage(subscription: Subscription) -> Any:
    (running,) = Running.of(subscription.customer_id, TODAY)
    days = Period(START, TODAY + timedelta(days=1))
    return [series.total for series in UsageDay.by_day(subscription.customer_id, running.metrics, days).values()]


WORKS: tuple[tuple[str, Callable[[Subscription], Any]], ...] = (
    ("the upcoming bill", upcoming),
    ("costs, a point for each of 30 days", day_by_day),
    ("30 days of usage of 3 metrics", usage),
)


def main(kinds: tuple[str, ...] = ("sqlite", "postgres"), sizes: tuple[int, ...] = SIZES) -> None:
    told_of = " and ".join(f"{size:,}" for size in sizes)
    print(f"Bills: medians of {ROUNDS} rounds, interleaved; customers with {told_of} events.")
    for kind in kinds:
        company = Company.made(kind)
        began = time.perf_counter()
        subscriptions = [company.customer(size) for size in sizes]
        print(f"\n{kind}: {sum(sizes):,} events kept and counted in {time.perf_counter() - began:.0f} s")
        for name, work in WORKS:
            report(name, work, subscriptions)
        db.close()


def report(name: str, work: Callable[[Subscription], Any], subscriptions: list[Subscription]) -> None:
    taken: list[list[float]] = [[] for _ in subscriptions]
    for number in range(ROUNDS + 1):  # the first warms up
        turn = list(zip(subscriptions, taken, strict=True))
        for subscription, times in turn if number % 2 else reversed(turn):
            began = time.perf_counter()
            for _ in range(REPEATS):
                work(subscription)
            if number:
                times.append((time.perf_counter() - began) / REPEATS)
    ratio = median(last / first for first, last in zip(taken[0], taken[-1], strict=True))
    cells = "".join(f"{median(times) * 1e3:>11.2f} ms" for times in taken)
    asked = " and ".join(str(queries(work, one)) for one in subscriptions)
    verdict = "within" if ratio <= GOAL else "above"
    print(f"  {name:<38}{cells}   ratio {ratio:.2f}, goal {GOAL} {verdict}; {asked} queries")


def queries(work: Callable[[Subscription], Any], subscription: Subscription) -> int:
    """How many questions the database was asked."""
    count, execute = 0, db.obj.execute_sql

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*args, **options)

    db.obj.execute_sql = counted
    try:
        work(subscription)
    finally:
        del db.obj.execute_sql
    return count
