"""Payments are money that came in: what is owed follows from their rows, to the last minor unit."""

from __future__ import annotations

from datetime import UTC, date, datetime

import peewee
import pytest

from portal.models import moments
from portal.models.base import db
from portal.models.customer import BalanceTransaction
from portal.models.invoice import IllegalState, Invoice
from portal.models.payment import Payment


def test_a_payment_of_all_that_is_owed_makes_the_invoice_paid(acme, given, clock):
    invoice = given.invoice(given.customer(acme, timezone="Asia/Tokyo"))
    clock.advance(days=2)

    Payment.record(invoice, clock.now, "test", received_on=date(2026, 11, 24))

    row = Invoice.get_by_id(invoice.id)
    assert (row.status, row.paid_at, row.remaining()) == ("paid", clock.now, 0)
    assert row.payment_received_at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # that day's midnight in Tokyo
    assert (invoice.status, invoice.paid_at) == ("paid", clock.now)


def test_an_invoice_is_paid_by_its_last_part(acme, given, clock):
    invoice = given.invoice(given.customer(acme))

    for amount, left in ((1500, 2500), (2499, 1)):
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=amount)
        assert (Invoice.get_by_id(invoice.id).status, invoice.remaining()) == ("issued", left)
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=1)

    assert Invoice.get_by_id(invoice.id).status == "paid"
    assert [payment.amount for payment in Payment.of(invoice.id)]
    assert Payment.received([invoice.id]) == {invoice.id: 4000}


@pytest.mark.parametrize("amount", [0, -1, 4001, 2**62])
def test_a_payment_of_nothing_or_of_more_than_is_owed_is_refused(acme, given, clock, amount):
    invoice = given.invoice(given.customer(acme))

    with pytest.raises(IllegalState, match="at most what is owed"):
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=amount)

    assert Payment.of(invoice.id) == []


@pytest.mark.parametrize("status", ["draft", "paid", "void"])
def test_only_an_issued_invoice_can_be_paid(acme, given, clock, status):
    invoice = given.invoice(given.customer(acme), issued=status != "draft")
    if status == "paid":
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date())
    if status == "void":
        moments.void(invoice, clock.now, "test")

    with pytest.raises(IllegalState, match=f"this one is {status}"):
        Payment.record(Invoice.get_by_id(invoice.id), clock.now, "test", received_on=clock.now.date())


def test_an_invoice_in_hand_that_was_paid_meanwhile_is_not_paid_again(acme, given, clock):
    invoice = given.invoice(given.customer(acme))
    Payment.record(Invoice.get_by_id(invoice.id), clock.now, "test", received_on=clock.now.date())

    with pytest.raises(IllegalState):
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date())

    assert Payment.received([invoice.id]) == {invoice.id: 4000}


def test_what_the_balance_paid_is_not_owed(acme, given, clock):
    customer = given.customer(acme)
    with db.atomic():
        BalanceTransaction.move(customer.held(), 1000, "manual_adjustment", clock.now)
    invoice = given.invoice(customer)

    assert invoice.remaining() == 3000
    payment = Payment.record(invoice, clock.now, "test", received_on=clock.now.date())

    assert payment.amount == 3000


def test_what_came_in_for_many_invoices_is_one_question(acme, given, clock):
    customer = given.customer(acme)
    invoices = [given.invoice(customer) for _ in range(3)]
    for invoice in invoices[:2]:
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=100)

    assert Payment.received([invoice.id for invoice in invoices]) == {invoices[0].id: 100, invoices[1].id: 100}
    assert Payment.received([]) == {}


def test_payments_come_oldest_first(acme, given, clock):
    invoice = given.invoice(given.customer(acme))
    for day in (20, 3, 11):
        Payment.record(invoice, clock.now, "test", received_on=date(2026, 11, day), amount=day)

    assert [payment.amount for payment in Payment.of(invoice.id)] == [3, 11, 20]


def test_a_payment_that_fails_is_no_payment(acme, given, clock):
    invoice = given.invoice(given.customer(acme))

    with db.atomic() as transaction:
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date())
        transaction.rollback()

    assert Invoice.get_by_id(invoice.id).status == "issued"
    assert Payment.received([invoice.id]) == {}


def test_the_database_knows_no_payment_of_nothing(acme, given, clock):
    invoice = given.invoice(given.customer(acme))

    with pytest.raises(peewee.IntegrityError), db.atomic():
        Payment.create(
            account=acme,
            customer=invoice.customer_id,
            created_at=clock.now,
            created_by="test",
            amount=0,
            currency="USD",
            label="x",
            stage="succeeded",
        )
