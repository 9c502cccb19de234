"""What was paid before payments went through gateways is as it was after the migration, to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from playhouse.migrations import Runner

from portal.models import base, schema
from portal.models.account import Account
from portal.models.base import connection, db, is_postgresql, micros, new_id, run
from portal.models.invoice import Invoice
from portal.models.notices import COUNTED, OWING, PAID, Notice
from portal.models.owing import Owing
from portal.models.payment import Allocation, Booking, Payment
from portal.models.standing import entries
from tests.given import Given

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWED_BEFORE = OWING.replace("FROM booking b", "FROM payment b")
TRIGGERS = [
    *(Notice("payment", event, "counted", COUNTED) for event in ("INSERT", "UPDATE", "DELETE")),
    Notice("invoice", "INSERT", "owed", OWED_BEFORE, "NEW.status IN ('issued', 'synced')"),
    Notice("invoice", "UPDATE", "owed", OWED_BEFORE, PAID),
]


@pytest.fixture
def before(empty_database_url: str, migrated: str, given: Given) -> Iterator[None]:
    """A database as the release before left it, bound to the models until the test is over."""
    bound = base.db.obj
    base.connect(empty_database_url)
    with connection():
        runner = Runner(db, str(schema.MIGRATIONS))
        for migration in runner.migrations():
            if migration.name < "0006":
                runner.up(migration.name)
        for trigger in TRIGGERS:
            for statement in trigger.postgresql() if is_postgresql() else trigger.sqlite():
                db.execute_sql(statement)
    yield
    base.db.initialize(bound)


def recorded(invoice: Invoice, amount: int, on: date, **more: Any) -> str:
    """A payment as it was written down by hand then."""
    row = {
        "id": new_id(),
        "account_id": invoice.account_id,
        "customer_id": invoice.customer_id,
        "invoice_id": invoice.id,
        "created_at": micros(NOW),
        "created_by": "api:key",
        "amount": amount,
        "currency": invoice.currency,
        "received_on": on.isoformat(),
        "method": "Wire transfer",
        "external_id": None,
        "notes": None,
        **more,
    }
    run(f"INSERT INTO payment ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})", *row.values())
    return str(row["id"])


def test_payments_by_hand_become_attempts_that_succeeded(before: None, given: Given) -> None:
    with connection():
        customer = given.customer(Account.open("Acme", NOW, mode="test", by="test"))
        untouched, part, full, yen = (
            given.invoice(customer, currency=currency) for currency in ("USD", "USD", "USD", "JPY")
        )
        first = recorded(part, 1, date(2026, 10, 31))
        second = recorded(part, 1234, date(2026, 11, 2), external_id="W-1", notes="called twice")
        recorded(full, 4000, date(2026, 11, 3))
        Invoice.update(status="paid", paid_at=NOW).where(Invoice.id == full.id).execute()
        recorded(yen, 40, date(2026, 11, 4))

    assert schema.migrate()[0] == "0006_payments"

    with connection():
        rows = {invoice.id: Invoice.get_by_id(invoice.id) for invoice in (untouched, part, full, yen)}
        assert [row.remaining() for row in rows.values()] == [4000, 2765, 0, 1]
        assert [(one.currency, one.count, one.remaining) for one in Owing.of(customer.id)] == [
            ("JPY", 1, 1),
            ("USD", 2, 6765),
        ]
        paid = Payment.of(part.id)
        assert [(row.id, row.amount, row.received_on) for row in paid] == [
            (first, 1, date(2026, 10, 31)),
            (second, 1234, date(2026, 11, 2)),
        ]
        row = paid[1]
        assert (row.gateway, row.stage, row.method, row.label) == ("hand", "succeeded", None, "Wire transfer")
        assert (row.external_id, row.notes, row.created_by, row.ended_at) == ("W-1", "called twice", "api:key", NOW)
        assert (row.ask_at, row.order, row.gateway_ref, row.automatic) == (None, None, None, False)
        assert [(one.amount, one.stage, one.returned) for one in Allocation.of(second)] == [(1234, "succeeded", False)]
        assert [(one.kind, one.amount, one.ref) for one in Booking.select().where(Booking.payment == second)] == [
            ("received", 1234, "")
        ]
        assert [entry.label for entry in entries(rows[part.id], "Etc/UTC")] == ["Wire transfer"] * 2
        Payment.record(rows[part.id], NOW, "test", received_on=NOW.date())
        assert Invoice.get_by_id(part.id).status == "paid"


def test_a_database_without_payments_is_brought_up_to_date_too(before: None) -> None:
    assert schema.migrate()[0] == "0006_payments"
    schema.check()
