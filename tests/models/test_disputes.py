"""What a bank takes back is owed again; nobody is charged for it by itself, and what comes back finds its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from portal.models import moments
from portal.models.account import Account
from portal.models.collection import Collection
from portal.models.dispute import Dispute
from portal.models.invoice import Invoice
from portal.models.outbox import Letter
from portal.models.payment import Allocation, Payment
from portal.models.record import Record
from portal.models.standing import entries, standing_of
from tests.attempts import balance, begin, booked, dispute, left, of, paid, tell
from tests.given import Given

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def stands(invoice: Invoice) -> str | None:
    return standing_of(Invoice.get_by_id(invoice.id))


def test_a_lost_dispute_opens_the_invoice_again(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme), due=NOW.date(), auto_collection=True)
    payment = paid(invoice, now=NOW, method="us_bank_account")

    tell(dispute(payment, "lost", 4000, is_return=True), NOW + timedelta(days=3))

    row = Invoice.get_by_id(invoice.id)
    assert (row.status, row.paid_at, row.remaining(), stands(invoice)) == ("issued", None, 4000, "returned")
    assert Collection.get_by_id(invoice.id).next_at is None
    (letter,) = Letter.select().where(Letter.payment_id == payment.id, Letter.kind == "payment_returned")
    assert letter.invoice_id == invoice.id
    assert begin(invoice, now=NOW).amount == 4000  # it can be paid again, by somebody who wants to


def test_a_dispute_that_is_only_opened_moves_nothing(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    tell(dispute(payment, "opened", 4000), NOW)

    assert (left(invoice), booked(payment)) == (("paid", 0), {"received": 4000})
    assert Record.select().where(Record.subject == payment.id, Record.deed == "dispute.opened").count() == 1


@pytest.mark.parametrize("order", list(permutations(["opened", "lost", "won"])))
def test_one_that_is_won_in_the_end_is_won_in_whatever_order_it_is_told(
    given: Given, acme: Account, order: tuple[str, ...]
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW, moved=4500)

    for stage in order:
        tell(dispute(payment, stage, 4500), NOW)

    assert (left(invoice), balance(invoice), stands(invoice)) == (("paid", 0), 500, "succeeded")
    assert Dispute.get(Dispute.payment == payment.id).stage == "won"


def test_one_that_is_heard_of_before_the_money_waits_for_it(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)

    tell(dispute(payment, "lost", 4000), NOW)
    assert (left(invoice), booked(payment)) == (("issued", 4000), {})
    tell(of(payment, "succeeded"), NOW)

    assert left(invoice) == ("issued", 4000)
    assert booked(payment) == {"received": 4000, "returned": -4000}
    assert Letter.select().where(Letter.payment_id == payment.id, Letter.kind == "payment_returned").count() == 1


def test_all_invoices_of_the_payment_are_owed_again(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoices = sorted((given.invoice(customer) for _ in range(3)), key=lambda invoice: invoice.id)
    payment = paid(*invoices, now=NOW)

    tell(dispute(payment, "lost", 9000, ref="dp_1"), NOW)

    assert [left(invoice) for invoice in invoices] == [("issued", 4000), ("issued", 4000), ("issued", 1000)]
    assert [one.returned for one in Allocation.of(payment.id)] == [True] * 3


def test_a_surplus_goes_back_out_of_the_balance(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW, moved=4700)
    assert balance(invoice) == 700

    tell(dispute(payment, "lost", 4700), NOW)

    assert (left(invoice), balance(invoice)) == (("issued", 4000), 0)


def test_a_bank_takes_back_no_more_than_it_has_brought(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    for ref in ("dp_1", "dp_2"):
        tell(dispute(payment, "lost", 4000, ref=ref), NOW)

    assert left(invoice) == ("issued", 4000)
    assert booked(payment) == {"received": 4000, "returned": -4000}


def test_what_is_won_back_for_an_invoice_that_was_paid_meanwhile_is_credit(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)
    tell(dispute(payment, "lost", 4000), NOW)
    paid(invoice, now=NOW)

    tell(dispute(payment, "won", 4000), NOW)

    assert (left(invoice), balance(invoice)) == (("paid", 0), 4000)
    assert sum(booked(payment).values()) == 0
    assert Record.select().where(Record.subject == invoice.id, Record.deed == "payment.surplus").count() == 1
    assert Payment.received([invoice.id]) == {invoice.id: 4000}


def test_what_is_won_back_for_an_invoice_that_was_voided_meanwhile_is_credit(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)
    tell(dispute(payment, "lost", 4000), NOW)
    moments.void(invoice, NOW, "test")

    tell(dispute(payment, "won", 4000), NOW)

    assert (left(invoice), balance(invoice)) == (("void", 0), 4000)


def test_a_reader_of_the_invoice_sees_what_happened(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)
    for days, stage in enumerate(("lost", "won"), start=1):
        tell(dispute(payment, stage, 4000), NOW + timedelta(days=days))

    seen = [(entry.kind, entry.amount) for entry in entries(Invoice.get_by_id(invoice.id), "Etc/UTC")]

    assert seen == [("received", 4000), ("returned", -4000), ("reinstated", 4000)]


@pytest.mark.parametrize("wrong", [{"currency": "EUR"}, {"live": True}])
def test_a_dispute_of_another_currency_or_mode_is_not_believed(
    given: Given, acme: Account, wrong: dict[str, Any]
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    tell(replace(dispute(payment, "lost", 4000), **wrong), NOW)

    assert left(invoice) == ("paid", 0)
