"""Credit notes on the page of the invoice that they take something back of."""

from __future__ import annotations

import json
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import web
from portal.models.account import Account
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_invoice_page import words


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme, locale="en-US")


@pytest.fixture
def invoice(given: Given, customer: Customer) -> Invoice:
    return given.invoice(customer, due=date(2026, 12, 23))


@pytest.fixture
def address(given: Given, invoice: Invoice) -> str:
    link = Link.of_invoice(invoice.id)
    assert link
    return given.url(link)


def credit(invoice: Invoice, clock: Clock, amount: int, memo: str | None = None) -> CreditNote:
    """Of the first line, which comes to 30.50."""
    line = invoice.document["lines"][0]["id"]
    return CreditNote.issue(invoice, [Wanted(line, amount)], clock.now, "test", reason="order_change", memo=memo)


def show(client: FlaskClient, address: str) -> str:
    return words(client.get(address).get_data(as_text=True))


def test_a_credit_note_stands_below_the_total_and_lowers_what_remains(
    client: FlaskClient, address: str, invoice: Invoice, clock: Clock
) -> None:
    note = credit(invoice, clock, 1050, "One seat less")

    text = show(client, address)

    assert "To pay $29.50 Due Dec 23, 2026 of $40.00; $10.50 was credited" in text
    assert "Total $40.00 Credit notes -$10.50 Left to pay $29.50" in text
    assert f"Credit notes {note.number} Nov 23, 2026 $10.50 The order was changed One seat less" in text
    assert f"Credited Nov 23, 2026 $10.50 · {note.number}" in text


def test_what_was_paid_already_goes_to_the_balance_and_is_said_to(
    client: FlaskClient, address: str, invoice: Invoice, clock: Clock
) -> None:
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), method="Card")
    credit(invoice, clock, 1050)

    text = show(client, address)

    assert "Nothing left to pay $0.00 Paid Nov 23, 2026" in text
    assert "$10.50 of it went to your balance." in text
    assert "Payments received -$40.00 Left to pay $0.00" in text


def test_an_invoice_that_was_credited_in_full_says_how_it_was_settled(
    client: FlaskClient, given: Given, customer: Customer, clock: Clock
) -> None:
    invoice = given.invoice(customer, lines=(("Onboarding", "2", "15.25"),))
    Payment.record(invoice, clock.now, "test", received_on=date(2026, 11, 20), amount=50, method="Card")
    credit(invoice, clock, 3000)

    link = Link.of_invoice(invoice.id)
    assert link
    text = show(client, given.url(link))
    assert "Nothing left to pay $0.00 Settled by a credit note Nov 23, 2026" in text
    assert "Paid in part Nov 20, 2026 $0.50 · Card" in text
    assert "Paid Nov 23, 2026" in text


def test_a_page_that_was_kept_is_not_sent_after_a_credit_note(
    app: Flask, client: FlaskClient, address: str, invoice: Invoice, clock: Clock
) -> None:
    assert web.publish(app, "invoice", invoice.id, clock.now)
    assert "To pay $40.00" in show(client, address)

    credit(invoice, clock, 1050)
    assert "To pay $29.50" in show(client, address)

    assert web.publish(app, "invoice", invoice.id, clock.now)
    assert "To pay $29.50" in show(client, address)


def test_the_files_to_take_away_tell_of_credit_notes(
    client: FlaskClient, address: str, invoice: Invoice, clock: Clock
) -> None:
    note = credit(invoice, clock, 1050)

    told = json.loads(client.get(f"{address}invoice.json").data)

    assert told["amount_remaining"] == "29.50"
    assert told["credit_notes"] == [
        {
            "number": note.number,
            "date": "2026-11-23",
            "reason": "order_change",
            "memo": None,
            "amount": "10.50",
            "taken_off_what_is_due": "10.50",
            "added_to_balance": "0.00",
        }
    ]


def test_the_account_page_asks_for_what_credit_notes_leave(
    client: FlaskClient, given: Given, customer: Customer, invoice: Invoice, clock: Clock
) -> None:
    credit(invoice, clock, 1050)
    link = Link.current("customer", [customer.id])[customer.id]

    text = show(client, given.url(link))

    assert "$29.50" in text
    assert "$40.00" not in text.split("Upcoming")[1].split("All invoices")[0]
