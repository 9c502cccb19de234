"""The kept sum of what a customer owes is what her open invoices come to, whoever changes them and in what order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st
from playhouse.migrations import Runner

from portal.models import base, guards, moments, schema
from portal.models.account import Account
from portal.models.base import connection, db, is_postgresql
from portal.models.customer import Customer
from portal.models.history import History
from portal.models.invoice import IllegalState, Invoice
from portal.models.owing import Owing
from portal.models.payment import Payment
from tests.crowd import Refusal, gathered
from tests.given import Given
from tests.models.conftest import Outside

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOME = ("issue", "pay", "pay a part", "void", "sync", "fail")


def live(customer: Customer) -> list[tuple[str, int, int]]:
    """Counted from the invoices themselves, one by one."""
    sums: dict[str, list[int]] = {}
    for invoice in Invoice.select().where(Invoice.customer == customer.id):
        if left := invoice.remaining():
            sums.setdefault(invoice.currency, []).append(left)
    return [(currency, len(lefts), sum(lefts)) for currency, lefts in sorted(sums.items())]


def kept(customer: Customer) -> list[tuple[str, int, int]]:
    return [(one.currency, one.count, one.remaining) for one in Owing.of(customer.id)]


def deed(what: str, invoice: Invoice, by: int) -> None:
    """Does it as it is done everywhere, or is refused as it would be."""
    try:
        with db.atomic() as transaction:
            if what == "issue":
                moments.issue(Invoice.get_by_id(invoice.id), NOW, "k1", "test")
            elif what == "void":
                moments.void(Invoice.get_by_id(invoice.id), NOW, "test")
            elif what == "sync":
                Invoice.update(status="synced").where(Invoice.id == invoice.id, Invoice.status == "issued").execute()
            else:
                amount = {"pay": None, "pay a part": by, "fail": by}[what]
                held = Invoice.get_by_id(invoice.id)
                Payment.record(held, NOW, "test", received_on=NOW.date(), amount=amount)
            if what == "fail":
                transaction.rollback()
    except IllegalState:
        pass


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_any(deeds=st.lists(st.tuples(st.sampled_from(SOME), st.integers(0, 5), st.integers(1, 4000)), max_size=25))
def test_whatever_happens_in_whatever_order_the_sum_is_that_of_the_invoices(
    given: Given, acme: Account, deeds: list[tuple[str, int, int]]
) -> None:
    customer = given.customer(acme)
    drafts = [given.invoice(customer, currency=currency, issued=False) for currency in ("USD", "EUR") for _ in range(3)]

    for what, which, amount in deeds:
        deed(what, drafts[which], amount)
        assert kept(customer) == live(customer), what


def test_an_invoice_that_asks_for_nothing_is_not_counted(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    given.invoice(customer, (("Nothing", "0", "1"),))
    given.invoice(customer, (("Returned", "1", "-9"),), currency="EUR")  # no credit of hers is in euros: it stays open
    given.invoice(customer, issued=False)

    assert kept(customer) == live(customer) == []


def test_one_customers_deeds_leave_anothers_sum_alone(given: Given, acme: Account) -> None:
    mine, other = given.customer(acme), given.customer(acme)
    paid = given.invoice(mine)
    given.invoice(other)

    Payment.record(paid, NOW, "test", received_on=NOW.date())

    assert (kept(mine), kept(other)) == ([], [("USD", 1, 4000)])


def test_whoever_writes_past_us_has_the_sum_worked_out_too(given: Given, acme: Account, outside: Outside) -> None:
    customer = given.customer(acme)
    one, two = given.invoice(customer), given.invoice(customer)
    payment = Payment.record(one, NOW, "test", received_on=NOW.date(), amount=1500)
    assert payment
    assert kept(customer) == [("USD", 2, 6500)]

    booked = outside.row("SELECT * FROM booking WHERE payment_id = ?", payment.id)
    outside.run(outside.inserting("booking", {**booked, "id": base.new_id(), "kind": "returned", "amount": -1500}))
    assert kept(customer) == [("USD", 2, 8000)]
    outside.run(("UPDATE invoice SET status = 'void' WHERE id = ?", (two.id,)))
    assert kept(customer) == [("USD", 1, 4000)]

    row = outside.row("SELECT * FROM invoice WHERE id = ?", one.id)
    outside.run(outside.inserting("invoice", {**row, "id": base.new_id(), "number": None}))
    assert kept(customer) == [("USD", 2, 8000)]


def pay(invoice_id: str, amount: int) -> None:
    Payment.record(Invoice.get_by_id(invoice_id), NOW, "test", received_on=NOW.date(), amount=amount)


def void(invoice_id: str) -> None:
    moments.void(Invoice.get_by_id(invoice_id), NOW, "test")


def issue(invoice_id: str) -> None:
    moments.issue(Invoice.get_by_id(invoice_id), NOW, "k1", "test")


def at_once(what: str, invoice_id: str) -> None:
    {"pay": lambda: pay(invoice_id, 4000), "part": lambda: pay(invoice_id, 1), "void": lambda: void(invoice_id)}.get(
        what, lambda: issue(invoice_id)
    )()


def test_processes_that_change_many_invoices_of_one_customer_at_once_leave_her_the_right_sum(
    migrated: str, given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    with gathered(migrated, 8) as crowd:
        for _ in range(4):
            deeds = []
            for what in ("pay", "part", "void", "issue"):
                deeds += [(what, given.invoice(customer, issued=what != "issue").id) for _ in range(2)]
            answers = crowd.all(at_once, deeds)

            assert not [answer for answer in answers if isinstance(answer, Refusal)], answers
            assert kept(customer) == live(customer)

    assert kept(customer) == [("USD", 4 * 4, 4 * (2 * 3999 + 2 * 4000))]


def pay_and_linger(invoice_id: str) -> None:
    with db.atomic():
        pay(invoice_id, 1)
        time.sleep(0.2)


def test_who_had_to_wait_for_another_counts_what_that_one_did(migrated: str, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    with gathered(migrated, 4) as crowd:
        answers = crowd.all(pay_and_linger, [(given.invoice(customer).id,) for _ in range(4)])

    assert answers == [None] * 4
    assert kept(customer) == live(customer) == [("USD", 4, 4 * 3999)]


@pytest.fixture
def apart(empty_database_url: str, migrated: str) -> Iterator[None]:
    """A database of its own, with nothing in it, bound to the models until the test is over."""
    bound = base.db.obj
    base.connect(empty_database_url)
    yield
    base.db.initialize(bound)


def test_what_was_owed_before_sums_were_kept_is_worked_out_by_the_migration(
    apart: None, clock: Any, kid: str, given: Given
) -> None:
    schema.migrate()
    with connection():
        account = Account.open("Acme", clock.now, mode="test", by="test")
        customers = [given.customer(account) for _ in range(3)]
        for customer in customers[:2]:
            pay(given.invoice(customer).id, 4000)
            pay(given.invoice(customer).id, 1)
            given.invoice(customer, currency="JPY")
        before = [kept(customer) for customer in customers]
        forget()

    schema.migrate()

    with connection():
        assert [kept(customer) for customer in customers] == before
        assert before == [[("JPY", 1, 41), ("USD", 1, 3999)]] * 2 + [[]]
        pay(Invoice.get(Invoice.customer == customers[0], Invoice.currency == "JPY").id, 41)
        assert kept(customers[0]) == live(customers[0]) == [("USD", 1, 3999)]


def forget() -> None:
    """Puts the database back to where it was before sums were kept."""
    name = next(one.name for one in Runner(db, str(schema.MIGRATIONS)).migrations() if "kept_sums" in one.name)
    on = " ON invoice" if is_postgresql() else ""
    for trigger in ("invoice_owed_insert", "invoice_owed_update"):
        db.execute_sql(f"DROP TRIGGER {trigger}{on}")
    db.drop_tables([Owing])
    db.execute_sql("ALTER TABLE payment ADD COLUMN invoice_id VARCHAR(16)")  # as payments were then
    db.execute_sql("UPDATE payment SET invoice_id = (SELECT invoice_id FROM allocation WHERE payment_id = payment.id)")
    db.execute_sql("DROP INDEX invoice_customer_id_invoice_date_id_status_number")
    db.execute_sql("CREATE INDEX invoice_customer_id_invoice_date_id ON invoice (customer_id, invoice_date, id)")
    for index in guards.PARTIAL_INDEXES:
        if index.startswith(("invoice_open_", "invoice_waiting")):
            db.execute_sql(f"DROP INDEX {index}")
    for table, column in (
        ("balance_transaction", "customer"), ("customer", "account"), ("item", "account"), ("letter", "customer"),
    ):  # fmt: skip
        db.execute_sql(f"CREATE INDEX {table}_{column}_id ON {table} ({column}_id)")
    db.execute_sql(f"DELETE FROM schema_migration WHERE name = '{name}'")


def test_the_most_pressing_are_those_due_longest_and_then_those_without_a_date(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    days = [date(2026, 12, 1), None, date(2026, 10, 1), date(2026, 11, 1), None]
    for day in days:
        given.invoice(customer, due=day)
    pay(given.invoice(customer, due=date(2026, 1, 1)).id, 4000)

    entries, owing = History(customer.id, "Etc/UTC", NOW.date()).owing(4)

    assert [entry.due_date for entry in entries] == [*sorted(filter(None, days)), None]
    assert [(one.count, one.remaining) for one in owing] == [(5, 20000)]
