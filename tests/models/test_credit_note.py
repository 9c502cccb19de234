"""Credit notes: at most what each line still has, first off what is to be paid, and the rest to the balance."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import moments
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import BalanceTransaction, Customer
from portal.models.history import Asked, History
from portal.models.invoice import IllegalState, Invoice
from portal.models.owing import Owing
from portal.models.payment import Payment

VAT = {"tax_rates": [("VAT", "19")]}


@pytest.fixture
def customer(acme, given) -> Customer:
    return given.customer(acme)


@pytest.fixture
def credit(clock) -> Any:
    def credit(invoice: Invoice, *amounts: int) -> CreditNote:
        lines = [line["id"] for line in invoice.document["lines"]]
        wanted = [Wanted(line, amount) for line, amount in zip(lines, amounts, strict=False) if amount]
        return CreditNote.issue(invoice, wanted, clock.now, "test", reason="duplicate", memo=None)

    return credit


def again(invoice: Invoice) -> Invoice:
    return Invoice.get_by_id(invoice.id)


def test_a_note_lowers_what_is_to_be_paid_wherever_it_is_asked(given, customer, credit, clock):
    invoice = given.invoice(customer)

    note = credit(invoice, 1000)

    assert (note.total, note.applied, note.to_balance, note.type) == (1000, 1000, 0, "adjustment")
    assert again(invoice).remaining() == 3000
    assert [(row.count, row.remaining) for row in Owing.of(customer.id)] == [(1, 3000)]
    history = History(customer.id, "UTC", clock.now.date())
    assert [entry.remaining for entry in history.owing(9)[0]] == [3000]
    assert [entry.remaining for entry in history.page(Asked(status="unpaid"), 9).entries] == [3000]


def test_an_invoice_with_nothing_left_to_pay_is_paid(given, customer, credit, clock):
    invoice = given.invoice(customer)
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=950)

    credit(invoice, 3050)

    assert (again(invoice).status, again(invoice).paid_at) == ("paid", clock.now)
    assert Owing.of(customer.id) == []


def test_what_was_paid_already_becomes_the_customers_balance(given, customer, credit, clock):
    invoice = given.invoice(customer)
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=3000)

    note = credit(invoice, 3050)

    assert (note.applied, note.to_balance, note.type) == (1000, 2050, "adjustment")
    assert again(invoice).status == "paid"
    assert Customer.get_by_id(customer.id).balance == 2050
    move = BalanceTransaction.get(BalanceTransaction.customer == customer)
    assert (move.action, move.amount, move.invoice_id, move.description) == (
        "credit_note_applied", 2050, invoice.id, note.number,
    )  # fmt: skip


def test_a_line_gives_no_more_than_it_has_left(given, customer, credit):
    invoice = given.invoice(customer)
    credit(invoice, 1000)

    with pytest.raises(IllegalState, match=r"20\.50 of the line Onboarding can still be credited"):
        credit(invoice, 2051)
    credit(invoice, 2050)
    with pytest.raises(IllegalState, match=r"0\.00 of the line"):
        credit(invoice, 1)


def test_an_invoice_gives_no_more_than_its_total(given, customer, credit):
    invoice = given.invoice(customer, lines=(("Seats", "1", "30"), ("Sorry", "1", "-10")))

    with pytest.raises(IllegalState, match=r"20\.00 of this invoice can still be credited"):
        credit(invoice, 2001)
    assert credit(invoice, 2000).applied == 2000


def test_tax_is_credited_in_proportion_and_in_full_at_last(given, customer, credit):
    invoice = given.invoice(customer, lines=(("Seats", "1", "0.99"),), terms=VAT)
    assert invoice.total == 99 + 19

    notes = [credit(invoice, 33) for _ in range(3)]

    assert [note.total - note.subtotal for note in notes] == [6, 7, 6]
    assert sum(note.total for note in notes) == invoice.total
    assert again(invoice).status == "paid"


def test_only_what_was_issued_and_not_voided_can_be_credited(given, customer, credit, clock):
    draft, void = given.invoice(customer, issued=False), given.invoice(customer)
    moments.void(void, clock.now, "test")

    for invoice, status in ((draft, "draft"), (void, "void")):
        with pytest.raises(IllegalState, match=f"this one is {status}"):
            credit(invoice, 100)


def test_an_invoice_with_credit_notes_is_not_voided(given, customer, credit, clock):
    invoice = given.invoice(customer)
    credit(invoice, 100)

    with pytest.raises(IllegalState, match="credit notes"):
        moments.void(invoice, clock.now, "test")


def test_numbers_have_no_gaps_in_an_account(given, acme, bolt, customer, credit, clock):
    theirs = given.invoice(given.customer(bolt))
    mine = given.invoice(customer)

    numbers = [credit(invoice, 1).number for invoice in (mine, theirs, mine)]
    with pytest.raises(IllegalState):
        credit(mine, 99999)
    numbers.append(credit(mine, 1).number)

    assert [number.rpartition("-CN-")[2] for number in numbers] == ["00001", "00001", "00002", "00003"]
    assert numbers[0].startswith(acme.number_prefix)


def test_the_document_of_a_credited_invoice_stays_as_it_was(given, customer, credit):
    invoice = given.invoice(customer)
    before = again(invoice)

    credit(invoice, 100)

    after = again(invoice)
    assert (after.document, after.total, after.amount_due) == (before.document, before.total, before.amount_due)
    assert after.revision > before.revision
