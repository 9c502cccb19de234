"""What taking events in costs: batches of 500 as JSON, kept once and counted, beside a bare executemany of the same."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import orjson

from portal.api import arrivals, strict_json
from portal.models import base, ingestion, schema
from portal.models.account import Account
from portal.models.base import db, is_postgresql, micros
from portal.models.catalog import Item, Metric
from portal.models.customer import Customer
from tests import servers

ROUNDS = 15
BATCHES = 8  # of each kind, a round
BATCH = 500
CUSTOMERS = 50
GOALS = {"sqlite": 0.15, "postgres": 0.7}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SQL = (
    ("SELECT COUNT(*) FROM events WHERE event_name = 'api_call'", None),
    ("SELECT SUM(bytes) FROM events", None),
    ("SELECT MAX(ms) FROM events WHERE region != 'ap'", None),
)
MORE = (
    *SQL,
    ("SELECT SUM(ms) FROM events WHERE NOT cached", ["region"]),
    ("SELECT COUNT(DISTINCT cached) FROM events", None),
)
BARE = """
INSERT INTO event (account_id, key, customer_id, external_id, name, at, properties, received_at, counts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class Batch:
    """The same events three times: as JSON, and as the tuples that they become."""

    body: bytes
    tuples: list[tuple[Any, ...]]


@dataclass
class Company:
    account: Account
    customers: list[Customer]
    chance: random.Random

    @classmethod
    def made(cls, metrics: Iterable[tuple[str, list[str] | None]]) -> Company:
        account = Account.open("Acme", NOW, mode="live", by="bench")
        named = [{"name": f"C {n}", "email": "ap@c.example", "external_id": f"crm-{n}"} for n in range(CUSTOMERS)]
        customers = [Customer.add(account, NOW, "bench", **fields) for fields in named]
        item = Item.create(account=account, created_at=NOW, name="Calls")
        for sql, dimensions in metrics:
            Metric.create(account=account, item=item, created_at=NOW, name=sql, sql=sql, dimensions=dimensions)
        return cls(account, customers, random.Random(7))

    def batch(self) -> Batch:
        events, tuples = [], []
        for _ in range(BATCH):
            customer, key = self.chance.choice(self.customers), secrets.token_hex(16)
            at = NOW - timedelta(milliseconds=self.chance.randrange(8 * 3600 * 1000))
            properties = {
                "bytes": self.chance.randrange(10**6),
                "ms": self.chance.randrange(10**5) / 1000,
                "region": self.chance.choice(["eu", "us", "ap"]),
                "cached": self.chance.random() < 0.5,
            }
            told = {"event_name": "api_call", "idempotency_key": key, "timestamp": at.isoformat()}
            events.append({**told, "external_customer_id": customer.external_id, "properties": properties})
            row = (customer.id, customer.external_id, "api_call", micros(at), orjson.dumps(properties).decode())
            tuples.append((self.account.id, key, *row, micros(NOW), True))
        return Batch(orjson.dumps({"events": events}), tuples)

    def bare(self, batch: Batch) -> None:
        sql = BARE.replace("?", "%s") if is_postgresql() else BARE
        with db.atomic():
            db.connection().cursor().executemany(sql, batch.tuples)

    def ingested(self, batch: Batch) -> None:
        """What POST /v1/ingest does between the request and the answer."""
        given = strict_json.loads(batch.body)
        with db.atomic():
            ingestion.share(self.account.id)
            read = arrivals.Read(given["events"], arrivals.Bounds(NOW, 12))
            outcome = ingestion.ingest(self.account.id, read.arrivals, NOW, failed=read.failed)
        assert len(outcome.ingested) == BATCH

    def again(self, batch: Batch) -> None:
        """The same batch once more: nothing of it is new."""
        given = strict_json.loads(batch.body)
        with db.atomic():
            ingestion.share(self.account.id)
            read = arrivals.Read(given["events"], arrivals.Bounds(NOW, 12))
            assert not ingestion.ingest(self.account.id, read.arrivals, NOW).ingested


@dataclass(frozen=True)
class Work:
    company: Company
    do: Callable[[Batch], None]
    fresh: bool = True  # or the batches of the work before it


def main() -> None:
    print(f"Ingest: batches of {BATCH} events as JSON, medians of {ROUNDS} rounds, interleaved.\n")
    for kind, goal in GOALS.items():
        base.connect(servers.new_database(kind))
        schema.migrate()
        db.connect()
        few, more = Company.made(SQL), Company.made(MORE)
        works: dict[str, Work] = {
            "bare executemany of ready tuples": Work(few, few.bare),
            f"kept once, and counted by {len(SQL)} metrics": Work(few, few.ingested),
            "the same batches once more": Work(few, few.again, fresh=False),
            f"by {len(MORE)}: cells, different values": Work(more, more.ingested),
        }
        report(kind, measured(works), goal)
        db.close()


def measured(works: dict[str, Work]) -> dict[str, list[float]]:
    """Events a second of each work, a round."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(ROUNDS + 1):  # the first warms up
        batches: list[Batch] = []
        for name, work in works.items():
            batches = [work.company.batch() for _ in range(BATCHES)] if work.fresh else batches
            began = time.perf_counter()
            for batch in batches:
                work.do(batch)
            if number:
                found[name].append(BATCH * BATCHES / (time.perf_counter() - began))
    return found


def report(kind: str, found: dict[str, list[float]], goal: float) -> None:
    print(f"{kind:<40}{'events/s':>12}{'of bare':>10}{'goal':>8}")
    bare = next(iter(found.values()))
    for number, (name, rates) in enumerate(found.items()):
        # Each round's own ratio: whatever else the machine did at that moment, it did to both.
        ratio = median(rate / beside for rate, beside in zip(rates, bare, strict=True))
        verdict = f"{goal:>8}  {'within' if ratio >= goal else 'below'}" if number == 1 else ""
        print(f"  {name:<38}{median(rates):>12,.0f}{ratio:>10.2f}{verdict}")
    print()
