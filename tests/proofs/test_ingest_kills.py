"""Events arrive while the processes that take them are killed, again and again: each is kept once and counted once.

Clients send their batches until each was answered. Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.config import Settings
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.base import micros, new_id
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.event import Event, EventHour
from portal.models.usage import UsageDay, UsageValue
from portal.tokens import Key, Keyring, new_kid, new_secret
from tests import programs, servers
from tests.given import Given

pytestmark = pytest.mark.proof

KILLS = 60
WORKERS = 3
CLIENTS = 6
BATCH = 100
CUSTOMERS = 8
PAUSE_SECONDS = (0.05, 0.6)  # between two kills
PATIENCE_SECONDS = 20
SQL = {
    "count": "SELECT COUNT(*) FROM events",
    "sum": "SELECT SUM(bytes) FROM events WHERE region != 'ap'",
    "max": "SELECT MAX(bytes) FROM events",
    "latest": "SELECT LATEST(bytes) FROM events",
    "distinct": "SELECT COUNT(DISTINCT user) FROM events",
}


@dataclass
class Company:
    settings: Settings
    account: Account
    key: str
    customers: list[Customer]
    metrics: dict[str, Metric]
    log: Path
    port: int = 0

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[str]]:
        self.port = programs.free_port()
        named = {"data_dir": str(self.settings.data_dir), "database_url": self.settings.database_url, "api_rate": "0"}
        named |= {"base_url": "http://127.0.0.1", "log_level": "error"}
        if self.settings.link_keys and self.settings.secret_key:
            named["link_keys"] = self.settings.link_keys.get_secret_value()
            named["secret_key"] = self.settings.secret_key.get_secret_value()
        serving = ["serve", "--port", str(self.port), "--workers", str(WORKERS)]
        with programs.running(*serving, env=programs.environment(**named), log=self.log) as server:
            assert programs.wait_until(lambda: programs.answers(self.port)), self.log.read_text()
            yield server


@pytest.fixture(params=["sqlite", "postgres"])
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Company]:
    if request.param == "sqlite":
        settings = Settings(data_dir=tmp_path)
    else:
        ring = Keyring([Key(new_kid(()), new_secret())]).dump()
        url = servers.new_database("postgres")
        settings = Settings(data_dir=tmp_path, database_url=url, link_keys=ring, secret_key=secrets.token_hex(32))
    bound = base.db.obj
    base.connect(settings.database_url)
    schema.migrate()
    base.db.connect()
    now = datetime.now(UTC)
    account = Account.open("Acme", now, mode="live", by="proof")
    given = Given(lambda: now, "k1", Keyring([Key("k1", new_secret())]))
    named = [{"external_id": f"crm-{n}", "permanent_portal_link": False} for n in range(CUSTOMERS)]
    metrics = {}
    for kind, sql in SQL.items():
        metrics[kind] = given.metric(account, kind)
        Metric.update(sql=sql, dimensions=["region"] if kind == "sum" else None).where(
            Metric.id == metrics[kind].id
        ).execute()
    customers = [given.customer(account, **fields) for fields in named]
    yield Company(settings, account, ApiKey.mint(account, now, "proof")[1], customers, metrics, tmp_path / "server.log")
    base.db.close()
    if bound is not None:
        base.db.initialize(bound)


@dataclass
class Client:
    """Sends batch after batch, and each until it was answered with 200, as clients should."""

    company: Company
    chance: random.Random
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)  # by key: what was answered with 200
    seen: Counter[str] = field(default_factory=Counter)

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            batch = [self.event() for _ in range(BATCH)]
            # Some of what came before comes again, as from a queue that delivers at least once.
            batch += (
                self.chance.sample(sorted(self.sent.values(), key=lambda each: each["idempotency_key"]), 5)
                if self.sent
                else []
            )
            while (answer := self.post(batch)) != "200":
                self.seen[answer] += 1
                time.sleep(0.01)
            self.seen["200"] += 1
            self.sent.update({each["idempotency_key"]: each for each in batch})

    def event(self) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(seconds=self.chance.randrange(11 * 3600))
        return {
            "idempotency_key": secrets.token_hex(8),
            "event_name": "call",
            "timestamp": at.isoformat(),
            "external_customer_id": f"crm-{self.chance.randrange(CUSTOMERS)}",
            "properties": {
                "bytes": self.chance.randrange(10**6),
                "region": self.chance.choice(["eu", "us", "ap"]),
                "user": f"u{self.chance.randrange(200)}",
            },
        }

    def post(self, batch: list[dict[str, Any]]) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.company.port, timeout=PATIENCE_SECONDS)
        headers = {"Authorization": f"Bearer {self.company.key}", "Content-Type": "application/json"}
        if self.chance.random() < 0.5:
            headers["Idempotency-Key"] = new_id()
        try:
            connection.request("POST", "/v1/ingest", json.dumps({"events": batch}), headers)
            return str(connection.getresponse().status)
        except (http.client.HTTPException, OSError) as error:
            return "refused" if isinstance(error, ConnectionRefusedError) else "cut off"
        finally:
            connection.close()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_workers(server: subprocess.Popen[str], chance: random.Random) -> int:
    """kill -9 to one worker after the other, and now and then to all at once; how many were killed."""
    killed = 0
    while killed < KILLS:
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        found = children(server.pid)
        for pid in found if chance.random() < 0.1 else found[:1] and [chance.choice(found)]:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def test_nothing_is_lost_and_nothing_counts_twice_while_processes_are_killed(company: Company) -> None:
    clients = [Client(company, random.Random(n)) for n in range(CLIENTS)]
    over, began = threading.Event(), time.monotonic()
    threads = [threading.Thread(target=client.run, args=(over,)) for client in clients]
    with company.served() as server:
        for thread in threads:
            thread.start()
        killed = kill_workers(server, random.Random(1))
        over.set()
        for thread in threads:
            thread.join()

    told = {key: event for client in clients for key, event in client.sent.items()}
    seen = sum((client.seen for client in clients), Counter())
    kept = {row.key: row for row in Event.select().where(Event.account == company.account)}
    print(
        f"\n  {'SQLite' if company.settings.sqlite_path else 'PostgreSQL'}: {killed} workers killed in "
        f"{time.monotonic() - began:.0f} s, {dict(sorted(seen.items()))}; {len(told):,} events told, "
        f"{len(kept):,} kept, {len(days(company)):,} days kept, all equal to a recount",
        end="",
        flush=True,
    )
    assert seen["cut off"] > KILLS / 4, seen  # kills that met a request
    assert set(seen) <= {"200", "cut off", "refused", "503"}, seen
    assert kept.keys() == told.keys()
    assert days(company) == recounted(company, told)
    hours = EventHour.select().where(EventHour.account == company.account)
    assert sum(row.count for row in hours) == len(told)


def days(company: Company) -> dict[tuple[str, ...], tuple[Decimal, int, int]]:
    kinds = {metric.id: kind for kind, metric in company.metrics.items()}
    rows = UsageDay.select().where(UsageDay.metric.in_(list(kinds)))
    return {
        (kinds[row.metric_id], row.customer_id, row.day.isoformat(), row.cell): (
            Decimal(row.quantity),
            row.count,
            row.at,
        )
        for row in rows
    }


def recounted(company: Company, told: dict[str, dict[str, Any]]) -> dict[tuple[str, ...], tuple[Decimal, int, int]]:
    """What was told, counted anew and by itself."""
    ids = {customer.external_id: customer.id for customer in company.customers}
    found: dict[tuple[str, ...], list[tuple[int, Any]]] = defaultdict(list)
    for event in told.values():
        at = datetime.fromisoformat(event["timestamp"])
        of = event["properties"]
        whose = (ids[event["external_customer_id"]], at.date().isoformat())
        for kind in SQL:
            if kind == "sum":
                if of["region"] != "ap":
                    found[(kind, *whose, json.dumps([of["region"]]))].append((micros(at), of["bytes"]))
            else:
                found[(kind, *whose, "")].append((micros(at), of["user"] if kind == "distinct" else of["bytes"]))
    return {key: (worked_out(key[0], values), len(values), max(values)[0]) for key, values in found.items()}


def worked_out(kind: str, values: list[tuple[int, Any]]) -> Decimal:
    only = [value for _, value in values]
    by_kind = {"count": len, "sum": sum, "max": max, "distinct": lambda found: len(set(found))}
    return Decimal(max(values)[1] if kind == "latest" else by_kind[kind](only))


def test_a_recount_of_values_is_what_is_kept_of_them(company: Company) -> None:
    """The values that distinct counts rest on, after a short run of the same."""
    client = Client(company, random.Random(5))
    with company.served():
        for _ in range(5):
            batch = [client.event() for _ in range(BATCH)]
            assert client.post(batch) == "200"
            client.sent.update({each["idempotency_key"]: each for each in batch})

    values = {(row.customer_id, row.day.isoformat(), row.value) for row in UsageValue.select()}
    ids = {customer.external_id: customer.id for customer in company.customers}
    assert values == {
        (ids[event["external_customer_id"]], event["timestamp"][:10], json.dumps(event["properties"]["user"]))
        for event in client.sent.values()
    }
