"""Whatever is ingested, amended, deprecated, filled in and taken back: days kept are what the events come to."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.domain import metrics
from portal.models import amending, backfill, ingestion, recounting
from portal.models.arrival import Arrival, Refused
from portal.models.base import db, micros
from portal.models.customer import Customer
from portal.models.event import Backfill, EventBefore, EventHour
from portal.models.event import Event as Row
from portal.models.usage import UsageDay
from tests.given import Given

D = Decimal
START = datetime(2026, 3, 7, tzinfo=UTC)  # the clocks of New York change on the 8th
SPAN = timedelta(days=4)
ZONES = ["Etc/UTC", "America/New_York", "Asia/Kathmandu"]
SQL = [
    "SELECT COUNT(*) FROM events",
    "SELECT COUNT(DISTINCT user) FROM events WHERE event_name = 'call'",
    "SELECT SUM(bytes) FROM events WHERE region IN ('eu', 'us') OR cached",
    "SELECT MAX(bytes) FROM events",
    "SELECT MIN(bytes) FROM events WHERE NOT cached",
    "SELECT AVG(bytes) FROM events",
    "SELECT LATEST(bytes) FROM events WHERE bytes < 3",
]
STEPS = 80
SEEDS = 6


@dataclass
class Told:
    """An event as the test remembers it."""

    customer: str | None
    external: str | None
    name: str
    at: datetime
    properties: dict[str, Any]
    since: int  # the step at which it came
    backfill: str | None
    deprecated: bool = False


@dataclass
class Filling:
    start: datetime
    end: datetime
    customer: str | None
    replaces: bool
    status: str = "pending"
    closed: int = 0


@dataclass
class World:
    given: Given
    clock: Any
    account: Any
    draw: random.Random
    step: int = 0
    events: dict[str, Told] = field(default_factory=dict)
    fillings: dict[str, Filling] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)  # by external id
    metrics: list[Any] = field(default_factory=list)

    def some_event(self) -> dict[str, Any]:
        draw = self.draw
        properties = {
            "bytes": draw.choice([1, 2, D("2.50"), D("-1.25"), 7, "7"]),
            "region": draw.choice(["eu", "us", "ap", 5]),
            "cached": draw.choice([True, False]),
            "user": draw.choice(["ann", "bob", "cy", 3, "3"]),
        }
        for name in draw.sample(sorted(properties), draw.choice([0, 0, 1, 2])):
            del properties[name]
        at = START + timedelta(minutes=draw.randrange(int(SPAN.total_seconds() // 60)))
        return {"name": draw.choice(["call", "sync"]), "at": at, "properties": properties}

    def ingest(self, filling: str | None = None) -> None:
        draw, batch = self.draw, []
        now = self.clock.now
        for _ in range(draw.choice([1, 3, 8])):
            told = self.some_event()
            key = draw.choice(sorted(self.events)) if self.events and draw.random() < 0.2 else f"k{draw.random()}"
            external = draw.choice(["c0", "c1", "c2", "later"])
            of = self.fillings.get(filling or "")
            if of:
                told["at"] = of.start + (of.end - of.start) * draw.random()
                external = next((name for name, c in self.customers.items() if c.id == of.customer), external)
            customer = self.customers.get(external)
            by_id = customer is not None and draw.random() < 0.5
            batch.append(
                Arrival(
                    key,
                    customer.id if by_id else None,
                    None if by_id else external,
                    told["name"],
                    micros(told["at"]),
                    told["properties"],
                )
            )
        batch = list({arrival.key: arrival for arrival in batch}.values())
        try:
            with db.atomic():
                ingestion.share(self.account.id)
                outcome = ingestion.ingest(
                    self.account.id, batch, now, backfill=Backfill.get_by_id(filling) if filling else None
                )
        except Refused:
            return  # nothing of it was kept, which is what the comparison says
        for arrival in batch:
            before = self.events.get(arrival.key)
            reverted = before and before.backfill and self.fillings[before.backfill].status == "reverted"
            assert (arrival.key in outcome.ingested) == bool(before is None or reverted)
            if arrival.key in outcome.ingested:
                owner = arrival.customer_id or getattr(self.customers.get(arrival.external_id or ""), "id", None)
                at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=arrival.at)
                self.events[arrival.key] = Told(
                    owner, arrival.external_id, arrival.name, at, arrival.properties, self.step, filling
                )

    def amend(self) -> None:
        key = self.draw.choice(sorted(self.events))
        told, changed = self.events[key], self.some_event()
        with db.atomic():
            event = amending.held(self.account, key)
            assert event
            if not told.deprecated:
                amending.amend(event, changed["name"], changed["properties"], self.clock.now, "test")
                told.name, told.properties = changed["name"], changed["properties"]

    def deprecate(self) -> None:
        key = self.draw.choice(sorted(self.events))
        with db.atomic():
            event = amending.held(self.account, key)
            assert event
            amending.deprecate(event, self.clock.now, "test")
        self.events[key].deprecated = True

    def begin(self) -> None:
        start = START + timedelta(hours=self.draw.randrange(60))
        end = start + timedelta(hours=self.draw.choice([5, 20, 40]))
        customer = self.draw.choice([None, *self.customers.values()])
        replaces = self.draw.random() < 0.6
        if any(filling.status == "pending" for filling in self.fillings.values()):
            return
        made = backfill.begin(
            self.account,
            self.clock.now,
            "test",
            start=start,
            end=end,
            customer=customer,
            close_at=None,
            replaces=replaces,
            deprecation_filter=None,
        )
        self.fillings[made.id] = Filling(start, end, customer.id if customer else None, replaces)
        for _ in range(2):
            self.ingest(made.id)

    def close(self) -> None:
        for id, filling in self.fillings.items():
            if filling.status == "pending":
                backfill.close(Backfill.get_by_id(id), self.clock.now, "test")
                filling.status, filling.closed = "reflected", self.step

    def revert(self) -> None:
        standing = [id for id, filling in self.fillings.items() if filling.status != "reverted"]
        if standing:
            id = self.draw.choice(sorted(standing))
            backfill.revert(Backfill.get_by_id(id), self.clock.now, "test")
            self.fillings[id].status = "reverted"

    def measure(self, *, new: bool = False) -> None:
        """Another metric, or other dimensions of one, when events are there already."""
        with db.atomic():
            missing = [sql for sql in SQL if sql not in {metric.sql for metric in self.metrics}]
            if new or (missing and self.draw.random() < 0.7):
                metric = self.given.metric(self.account)
                metric.sql = self.draw.choice(missing)
                self.metrics.append(metric)
            else:
                metric = self.draw.choice(self.metrics)
            metric.dimensions = self.draw.choice([None, ["region"], ["region", "cached"]])
            metric.save()
            recounting.recount_metric(metric)

    def arrive(self) -> None:
        """The customer whose events came before her."""
        if "later" not in self.customers:
            with db.atomic():
                customer = self.given.customer(self.account, external_id="later", timezone="Pacific/Auckland")
                recounting.attribute(customer)
            self.customers["later"] = customer
            for told in self.events.values():
                if told.external == "later":
                    told.customer = customer.id

    # What is true.

    def stands(self, told: Told) -> bool:
        own = self.fillings.get(told.backfill or "")
        if told.deprecated or told.customer is None or (own and own.status != "reflected"):
            return False
        since = own.closed if own else told.since
        return not any(
            filling.replaces
            and filling.status == "reflected"
            and id != told.backfill
            and filling.closed > since
            and filling.start <= told.at < filling.end
            and filling.customer in (None, told.customer)
            for id, filling in self.fillings.items()
        )

    def days(self) -> dict[tuple[str, ...], tuple[Decimal, int, int]]:
        zones = {customer.id: ZoneInfo(customer.timezone) for customer in self.customers.values()}
        found: dict[tuple[str, ...], list[tuple[datetime, Any]]] = defaultdict(list)
        for told in filter(self.stands, self.events.values()):
            for metric in self.metrics:
                measure = metrics.read(metric.sql)
                value = measure.value(told.properties)
                if measure.takes(told.name, told.properties) and value is not None:
                    day = told.at.astimezone(zones[told.customer or ""]).date().isoformat()
                    found[(told.customer or "", metric.id, day, cell(metric, told.properties))].append((told.at, value))
        kinds = {metric.id: metrics.read(metric.sql).kind for metric in self.metrics}
        return {
            key: (worked_out(kinds[key[1]], values), len(values), max(micros(at) for at, _ in values))
            for key, values in found.items()
        }


def cell(metric: Any, properties: dict[str, Any]) -> str:
    if not metric.dimensions:
        return ""
    values = [properties.get(name) for name in metric.dimensions]
    texts = [value if value is None or isinstance(value, str) else json.dumps(value, default=str) for value in values]
    return json.dumps(texts, separators=(",", ":"))


def worked_out(kind: str, values: list[tuple[datetime, Any]]) -> Decimal:
    if kind == "distinct":
        return D(len({value for _, value in values}))
    if kind == "latest":
        return max(values)[1]
    return {"max": max, "min": min}.get(kind, sum)([value for _, value in values])


def kept(world: World) -> dict[tuple[str, ...], tuple[Decimal, int, int]]:
    ids = [metric.id for metric in world.metrics]
    return {
        (row.customer_id, row.metric_id, row.day.isoformat(), row.cell): (D(row.quantity), row.count, row.at)
        for row in UsageDay.select().where(UsageDay.metric.in_(ids))
    }


@pytest.fixture
def world(acme, given, clock, request) -> World:
    world = World(given, clock, acme, random.Random(request.param))
    for number, zone in enumerate(ZONES):
        world.customers[f"c{number}"] = given.customer(acme, external_id=f"c{number}", timezone=zone)
    for _ in SQL[2:]:
        world.measure(new=True)
    return world


@pytest.mark.parametrize("world", range(SEEDS), indirect=True)
def test_what_is_kept_is_what_the_events_come_to(world: World) -> None:
    deeds = [world.ingest] * 6 + [world.amend, world.amend, world.deprecate, world.measure, world.arrive]
    deeds += [world.begin, world.close] * 3 + [world.revert] * 2
    world.ingest()

    for world.step in range(1, STEPS):
        world.clock.advance(seconds=1)
        deed = world.draw.choice(deeds)
        deed()

        assert kept(world) == world.days(), (world.step, deed.__name__)
    assert len(world.days()) > 20


@pytest.mark.parametrize("world", [99], indirect=True)
def test_an_event_that_is_amended_is_remembered_as_it_was(world: World) -> None:
    world.ingest()
    key, told = min(world.events.items())
    with db.atomic():
        event = amending.held(world.account, key)
        amending.amend(event, "sync", {"bytes": D("0.10")}, world.clock.now, "ann")
        amending.amend(event, "sync", {"bytes": D("0.10")}, world.clock.now, "ann")

    before = EventBefore.select().where(EventBefore.account == world.account)

    assert [(row.key, row.ended_by, row.body["properties"]) for row in before][:1] == [(key, "ann", told.properties)]
    assert Row.get(Row.account == world.account, Row.key == key).properties == {"bytes": D("0.10")}


@pytest.mark.parametrize("world", [7], indirect=True)
def test_hours_count_what_came_whatever_became_of_it(world: World) -> None:
    for _ in range(5):
        world.ingest()
        world.deprecate()

    hours = EventHour.select().where(EventHour.account == world.account)

    assert sum(row.count for row in hours) == len(world.events)
