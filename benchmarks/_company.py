"""A company of any size, written into an empty database row by row: what years of business would leave behind.

Rows are copies of real ones, made by the portal itself, with other ids, days and amounts. They go in as fast as the
database takes them, triggers off and indexes away; then all triggers and indexes are put back, and what the triggers
would have kept is worked out once. Letters, records and published pages are left out: no read below asks for them.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import click
import psycopg

from portal.models import base, guards, schema
from portal.models.account import Account
from portal.models.base import ALPHABET, ID_LENGTH, micros
from portal.models.payment import Payment
from portal.tokens import Key, Keyring, new_secret
from tests import servers
from tests.given import Given

INVOICES_A_CUSTOMER = 50  # on average; but one customer owns a tenth of all
USAGE_DAYS_AN_INVOICE = 9
METRICS = 5
USAGE_DAYS = INVOICES_A_CUSTOMER * USAGE_DAYS_AN_INVOICE // METRICS  # a customer and metric
LONG_EVERY = 100  # invoices: one of them has LINES lines, the others have two
LINES = 60
SAMPLES = 10  # of what is measured: not always the same row
YEARS = timedelta(days=3 * 365)
BATCH = 5_000
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PAID_IN_PART = 0.1  # of the open ones
# Of a hundred invoices:
STATUSES = ["paid"] * 84 + ["issued"] * 11 + ["void"] * 3 + ["draft"] * 2

Values = tuple[Any, ...]


@dataclass
class Company:
    """Where one database has its things."""

    size: int
    database: Any
    large: str  # the customer who owns a tenth of all invoices
    ordinary: list[str]  # some customers
    metrics: list[str]
    tokens: list[bytes] = field(default_factory=list)  # ids of tokens that open invoices of LINES lines
    open_invoice: str = ""  # one of the large customer's

    def bind(self) -> None:
        base.db.initialize(self.database)
        base.db.connect(reuse_if_open=True)


@dataclass
class Loading:
    """The company while it is written."""

    size: int
    rows: dict[str, dict[str, Any]]  # a real row of each table
    long: str  # the document of an invoice of LINES lines
    metrics: list[str]
    customers: list[str]
    chance: random.Random
    tokens: list[bytes] = field(default_factory=list)
    open_invoices: list[str] = field(default_factory=list)

    def id(self) -> str:
        return "".join(self.chance.choices(ALPHABET, k=ID_LENGTH))

    def copy(self, table: str, **changes: Any) -> Values:
        return tuple({**self.rows[table], **changes}.values())


def made(kind: str, size: int) -> Company:
    """A company of `size` invoices in a database of its own, with progress shown."""
    url = servers.new_database(kind)
    base.connect(url)
    schema.migrate()
    base.db.connect(reuse_if_open=True)
    loading = _begun(size)
    with _bulk(kind, url) as load:
        for table, count, rows in _tables(loading):
            with click.progressbar(length=count, label=f"{kind}, {size:,} invoices: {table:<9}") as bar:
                load(table, list(loading.rows[table]), _counted(rows, bar))
    guards.install()
    base.db.execute_sql(SUMS)
    if kind == "postgres":  # as its autovacuum would, in time
        base.db.execute_sql("VACUUM ANALYZE")
    step = max(len(loading.tokens) // SAMPLES, 1)
    ordinary = loading.customers[1 :: max(len(loading.customers) // SAMPLES, 1)][:SAMPLES]
    return Company(
        size,
        base.db.obj,
        loading.customers[0],
        ordinary,
        loading.metrics,
        loading.tokens[::step][:SAMPLES],
        loading.open_invoices[len(loading.open_invoices) // 2],
    )


def _begun(size: int) -> Loading:
    """One of each thing, made by the portal itself."""
    given = Given(lambda: NOW, "k1", Keyring([Key("k1", new_secret())]))
    account = Account.open("Acme", NOW, mode="live", by="bench")
    metrics = [given.metric(account, f"Metric {n}") for n in range(METRICS)]
    customer = given.customer(account)
    long = given.invoice(customer, tuple((f"Line {n}", "3", "1.25") for n in range(LINES)))
    invoice = given.invoice(customer)
    Payment.record(invoice, NOW, "bench", received_on=NOW.date(), amount=1)
    given.usage(customer, metrics[0], {NOW.date(): "1"})
    rows = {
        "customer": _row("customer", "id", customer.id),
        "usage_day": _row("usage_day", "customer_id", customer.id),
        "invoice": _row("invoice", "id", invoice.id),
        "payment": _row("payment", "customer_id", customer.id),
        "allocation": _row("allocation", "invoice_id", invoice.id),
        "booking": _row("booking", "invoice_id", invoice.id),
        "link": _row("link", "invoice_id", invoice.id),
    }
    chance = random.Random(size)
    loading = Loading(size, rows, _row("invoice", "id", long.id)["document"], [one.id for one in metrics], [], chance)
    loading.customers = [loading.id() for _ in range(max(size // INVOICES_A_CUSTOMER, 2))]
    return loading


def _row(table: str, key: str, id: str) -> dict[str, Any]:
    mark = "%s" if base.is_postgresql() else "?"
    cursor = base.db.execute_sql(f"SELECT * FROM {table} WHERE {key} = {mark}", (id,))
    return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def _tables(loading: Loading) -> Iterator[tuple[str, int, Iterable[Values]]]:
    yield "customer", len(loading.customers), _customers(loading)
    yield "usage_day", len(loading.customers) * METRICS * USAGE_DAYS, _usage(loading)
    kept: list[tuple[str, str, int, int]] = []
    yield "invoice", loading.size, _invoices(loading, kept)
    paid = [one for one in kept if one[2]]
    ids = [loading.id() for _ in paid]
    yield "payment", len(paid), _payments(loading, paid, ids)
    yield "allocation", len(paid), _shares(loading, "allocation", paid, ids)
    yield "booking", len(paid), _shares(loading, "booking", paid, ids)
    yield "link", len(kept), _links(loading, kept)


def _customers(loading: Loading) -> Iterator[Values]:
    for n, id in enumerate(loading.customers):
        yield loading.copy("customer", id=id, name=f"Customer {n}", external_id=None)


def _usage(loading: Loading) -> Iterator[Values]:
    """Day after day, as it comes in; on SQLite in the order of the key, for so it comes to lie there in any case."""
    assert list(loading.rows["usage_day"]) == ["customer_id", "metric_id", "day", "cell", "quantity", "count", "at"]
    first = NOW.date() - timedelta(days=USAGE_DAYS - 1)
    days = [(first + timedelta(days=n)).isoformat() for n in range(USAGE_DAYS)]
    customers, metrics = sorted(loading.customers), sorted(loading.metrics)
    if base.is_postgresql():
        return (
            (customer, metric, day, "", "1000.25", 1, 0) for day in days for customer in customers for metric in metrics
        )
    return (
        (customer, metric, day, "", "1000.25", 1, 0) for customer in customers for metric in metrics for day in days
    )


def _invoices(loading: Loading, kept: list[tuple[str, str, int, int]]) -> Iterator[Values]:
    """One after the other through the years, of all customers in turn."""
    start, step = micros(NOW - YEARS), YEARS // timedelta(microseconds=1) // loading.size
    large, others, chance = loading.customers[0], loading.customers[1:], loading.chance
    place = {name: n for n, name in enumerate(loading.rows["invoice"])}
    row = list(loading.rows["invoice"].values())

    def put(**changes: Any) -> None:
        for name, value in changes.items():
            row[place[name]] = value

    documents = (row[place["document"]], loading.long)
    for n in range(loading.size):
        id, at, minor = loading.id(), start + n * step, chance.randrange(100, 1_000_000)
        status, long = chance.choice(STATUSES), n % LONG_EVERY == 1
        status = "paid" if long else status
        part = status == "issued" and chance.random() < PAID_IN_PART
        customer = others[n % len(others)] if n % 10 else large
        issued = status != "draft"
        due = base.instant(at).date() + timedelta(days=30)
        put(id=id, customer_id=customer, status=status, number=f"ACME-{n:07}" if issued else None)
        put(invoice_date=at, due_date=due.isoformat() if n % 20 else None, created_at=at)
        put(issued_at=at if issued else None, paid_at=at if status == "paid" else None)
        put(voided_at=at if status == "void" else None, eligible_to_issue_at=None if issued else at)
        put(revision=int(part or status == "paid"))  # what the triggers would have counted
        put(subtotal=minor, total=minor, amount_due=minor, document=documents[long])
        if issued:
            kept.append((id, customer, minor if status == "paid" else part * minor // 2, at))
        if status == "issued" and customer == large:
            loading.open_invoices.append(id)
        if long:
            loading.tokens.append(bytes.fromhex(_token(id)))
        yield tuple(row)


def _payments(loading: Loading, kept: list[tuple[str, str, int, int]], ids: list[str]) -> Iterator[Values]:
    for id, (_, customer, amount, at) in zip(ids, kept, strict=True):
        yield loading.copy("payment", id=id, customer_id=customer, created_at=at, amount=amount)


def _shares(loading: Loading, table: str, kept: list[tuple[str, str, int, int]], ids: list[str]) -> Iterator[Values]:
    for id, (invoice, _, amount, at) in zip(ids, kept, strict=True):
        yield loading.copy(table, id=id, payment_id=id, invoice_id=invoice, created_at=at, amount=amount)


def _links(loading: Loading, kept: list[tuple[str, str, int, int]]) -> Iterator[Values]:
    for invoice, customer, _, at in kept:
        changes = {"invoice_id": invoice, "customer_id": customer, "created_at": at, "token_id": _token(invoice)}
        yield loading.copy("link", id=loading.id(), **changes)


def _token(invoice_id: str) -> str:
    """A token id that can be told from the invoice's: real ones cannot."""
    return invoice_id.encode().hex()


def _counted(rows: Iterable[Values], bar: Any) -> Iterator[Values]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield from batch
        bar.update(len(batch))


# What the triggers keep (models.guards), worked out for everybody at once.
SUMS = """
INSERT INTO owing (customer_id, currency, count, remaining)
SELECT customer_id, currency, COUNT(*), SUM(remaining) FROM (
  SELECT i.customer_id, i.currency,
         i.amount_due - COALESCE((SELECT SUM(p.amount) FROM booking p WHERE p.invoice_id = i.id), 0) AS remaining
    FROM invoice i WHERE i.status IN ('issued', 'synced')
) asked WHERE remaining > 0 GROUP BY customer_id, currency
ON CONFLICT (customer_id, currency) DO UPDATE SET count = excluded.count, remaining = excluded.remaining
"""

Load = Callable[[str, list[str], Iterator[Values]], None]


@contextmanager
def _bulk(kind: str, url: str) -> Iterator[Load]:
    with _sqlite(url) if kind == "sqlite" else _postgresql(url) as load:
        yield load


@contextmanager
def _sqlite(url: str) -> Iterator[Load]:
    """Without triggers, foreign keys, indexes, or a wait for the disk."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as db:
        for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -500000"):
            db.execute(f"PRAGMA {pragma}")
        for guard in guards.here():
            db.execute(f"DROP TRIGGER {guard.trigger}")
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")

        def load(table: str, names: list[str], rows: Iterator[Values]) -> None:
            marks = ", ".join("?" * len(names))
            db.execute("BEGIN")
            db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
            db.execute("COMMIT")

        yield load
        for _, sql in indexes:
            db.execute(sql)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _postgresql(url: str) -> Iterator[Load]:
    """By COPY, without triggers (nor foreign keys, which are some) and indexes."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET session_replication_role = replica")
        db.execute("SET maintenance_work_mem = '512MB'")
        keys = ("ALTER TABLE usage_day DROP CONSTRAINT usage_day_pkey", "ALTER TABLE usage_day ADD PRIMARY KEY (%s)")
        constraints = "SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u')"
        indexes = db.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            f"AND indexname NOT IN ({constraints})"
        ).fetchall()
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")
        db.execute(keys[0])

        def load(table: str, names: list[str], rows: Iterator[Values]) -> None:
            with db.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

        yield load
        db.execute(keys[1] % "customer_id, metric_id, day, cell")
        for _, definition in indexes:
            db.execute(definition)
