"""The official SDK, unmodified and strict, on credit notes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orb as sdk
import pytest
from orb import Orb
from orb.types.shared.invoice import Invoice as OrbInvoice

from portal.models.account import Account
from portal.models.payment import Payment
from tests.given import Given


@pytest.fixture
def invoice(orb: Orb, acme: Account, given: Given) -> OrbInvoice:
    customer = given.customer(acme, external_id="globex/1", timezone="America/New_York")
    return orb.invoices.fetch(given.invoice(customer, terms={"tax_rates": [("VAT", "10")]}).id)


def credit(orb: Orb, invoice: OrbInvoice, amount: str = "10.00", line: int = 0, **more: Any) -> Any:
    lines = [{"invoice_line_item_id": invoice.line_items[line].id, "amount": amount}]
    return orb.credit_notes.create(**{"line_items": lines, "reason": "order_change", **more})


def test_a_credit_note_is_found_by_its_line_alone(orb: Orb, invoice: OrbInvoice) -> None:
    note = credit(orb, invoice, memo="One seat less")

    assert (note.invoice_id, note.type, note.reason, note.memo) == (
        invoice.id,
        "adjustment",
        "Order change",
        "One seat less",
    )
    assert (note.subtotal, note.total, note.credit_note_pdf, note.voided_at) == ("10.00", "11.00", None, None)
    assert note.customer.external_customer_id == "globex/1"
    (line,) = note.line_items
    assert (line.name, line.amount, line.subtotal, line.quantity) == ("Onboarding", "10.00", "10.00", None)
    assert [(tax.amount, tax.tax_rate_description) for tax in line.tax_amounts] == [("1.00", "VAT")]
    assert line.start_time_inclusive == invoice.line_items[0].start_date
    assert orb.credit_notes.fetch(note.id) == note
    assert orb.credit_notes.list().data == [note]
    assert orb.credit_notes.list(created_at_gt=datetime(2026, 11, 24, tzinfo=UTC)).data == []


def test_the_invoice_tells_of_its_credit_notes_and_asks_for_less(orb: Orb, invoice: OrbInvoice) -> None:
    note = credit(orb, invoice)

    found = orb.invoices.fetch(invoice.id)

    assert [(one.id, one.credit_note_number, one.reason, one.total, one.type) for one in found.credit_notes] == [
        (note.id, note.credit_note_number, "Order change", "11.00", "adjustment")
    ]
    assert (found.total, found.amount_due, found.to_dict()["amount_remaining"]) == ("44.00", "44.00", "33.00")
    assert orb.invoices.list_summary().data[0].credit_notes[0].id == note.id


def test_a_paid_invoice_is_refunded_to_the_balance(orb: Orb, invoice: OrbInvoice) -> None:
    orb.invoices.mark_paid(invoice.id, payment_received_date=date(2026, 11, 23))

    note = credit(orb, invoice)

    assert note.type == "refund"
    (move,) = orb.customers.balance_transactions.list(invoice.customer.id).data
    assert (move.action, move.amount, move.invoice and move.invoice.id) == ("credit_note_applied", "11.00", invoice.id)
    assert move.credit_note is not None
    assert move.credit_note.id == note.id
    assert orb.customers.fetch(invoice.customer.id).balance == "11.00"
    found = orb.invoices.fetch(invoice.id).customer_balance_transactions
    assert [(one.id, one.credit_note and one.credit_note.id) for one in found] == [(move.id, note.id)]


def test_days_are_said_for_the_note_or_for_each_line(orb: Orb, invoice: OrbInvoice) -> None:
    whole = credit(orb, invoice, start_date="2026-11-01", end_date=date(2026, 11, 30)).line_items[0]
    lines = [
        {
            "invoice_line_item_id": invoice.line_items[1].id,
            "amount": "1",
            "start_date": "2026-11-02",
            "end_date": "2026-11-02",
        }
    ]
    single = credit(orb, invoice, line_items=lines).line_items[0]

    november, december = datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert (whole.start_time_inclusive, whole.end_time_exclusive) == (november, december)
    assert single.end_time_exclusive == datetime(2026, 11, 3, 5, tzinfo=UTC)
    with pytest.raises(sdk.RequestValidationError, match="not for both"):
        credit(orb, invoice, line_items=lines, start_date="2026-11-01", end_date="2026-11-30")


def test_a_wrong_credit_note_is_refused_with_a_sentence(
    orb: Orb, invoice: OrbInvoice, acme: Account, given: Given
) -> None:
    with pytest.raises(sdk.ConstraintViolation, match=r"30\.50 of the line Onboarding"):
        credit(orb, invoice, "30.51")
    with pytest.raises(sdk.RequestValidationError, match="amount must be more than 0"):
        credit(orb, invoice, "0")
    with pytest.raises(sdk.RequestValidationError, match="at least 1"):
        credit(orb, invoice, line_items=[])
    with pytest.raises(sdk.RequestValidationError, match="each line of the invoice once"):
        credit(orb, invoice, line_items=[{"invoice_line_item_id": invoice.line_items[0].id, "amount": "1"}] * 2)
    with pytest.raises(sdk.RequestValidationError, match="reason"):
        credit(orb, invoice, reason="because")
    other = orb.invoices.fetch(given.invoice(given.customer(acme)).id)
    both = [{"invoice_line_item_id": one.line_items[0].id, "amount": "1"} for one in (invoice, other)]
    with pytest.raises(sdk.ConstraintViolation, match="of one invoice"):
        credit(orb, invoice, line_items=both)
    for line_id in ("nosuchline000000", '%"id":"', invoice.line_items[0].price.id):
        with pytest.raises(sdk.ResourceNotFound):
            credit(orb, invoice, line_items=[{"invoice_line_item_id": line_id, "amount": "1"}])


def test_another_accounts_line_is_not_found(orb: Orb, bolt: Account, given: Given) -> None:
    theirs = given.invoice(given.customer(bolt))
    lines = [{"invoice_line_item_id": theirs.document["lines"][0]["id"], "amount": "1"}]

    for more in ({}, {"extra_body": {"invoice_id": theirs.id}}):
        with pytest.raises(sdk.ResourceNotFound):
            orb.credit_notes.create(line_items=lines, reason="duplicate", **more)


def test_an_invoice_that_is_credited_in_full_is_paid(orb: Orb, invoice: OrbInvoice) -> None:
    for line, amount in enumerate(("30.50", "9.50")):
        credit(orb, invoice, amount, line, extra_body={"invoice_id": invoice.id})

    found = orb.invoices.fetch(invoice.id)

    assert found.status == "paid"
    assert found.to_dict()["amount_remaining"] == "0.00"
    assert Payment.received([invoice.id]) == {}
