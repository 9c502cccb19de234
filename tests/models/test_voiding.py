"""Voiding ends what an issued invoice asks for; its number, its document and its link stay."""

from __future__ import annotations

import pytest

from portal.models import moments
from portal.models.invoice import IllegalState, Invoice
from portal.models.link import Link
from portal.models.payment import Payment


def test_a_void_invoice_asks_for_nothing_and_keeps_its_number_and_link(acme, given, clock):
    invoice = given.invoice(given.customer(acme))
    link = Link.of_invoice(invoice.id)
    clock.advance(days=1)

    moments.void(invoice, clock.now, "test")

    row = Invoice.get_by_id(invoice.id)
    assert (row.status, row.voided_at, row.number) == ("void", clock.now, invoice.number)
    assert (row.remaining(), row.amount_due) == (0, 4000)
    assert Link.of_invoice(invoice.id).id == link.id


@pytest.mark.parametrize("status", ["draft", "paid", "void"])
def test_only_an_issued_invoice_can_be_voided(acme, given, clock, status):
    invoice = given.invoice(given.customer(acme), issued=status != "draft")
    if status == "paid":
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date())
    if status == "void":
        moments.void(invoice, clock.now, "test")

    with pytest.raises(IllegalState, match=f"this one is {status}"):
        moments.void(Invoice.get_by_id(invoice.id), clock.now, "test")


def test_an_invoice_that_money_came_in_for_cannot_be_voided(acme, given, clock):
    invoice = given.invoice(given.customer(acme))
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=1)

    with pytest.raises(IllegalState, match="payments were received"):
        moments.void(invoice, clock.now, "test")

    assert Invoice.get_by_id(invoice.id).status == "issued"


def test_the_number_of_a_void_invoice_is_not_given_again(acme, given, clock):
    customer = given.customer(acme)
    moments.void(given.invoice(customer), clock.now, "test")

    assert given.invoice(customer).number == f"{acme.number_prefix}-00002"


def test_a_void_invoice_cannot_be_brought_back(acme, given, clock, outside):
    invoice = given.invoice(given.customer(acme))
    moments.void(invoice, clock.now, "test")

    assert outside.refused(("UPDATE invoice SET status = 'draft' WHERE id = ?", (invoice.id,)))
