"""A balance is the last row of a chain that is only ever added to; invoices take from it, debts and returns add."""

from __future__ import annotations

import random

import peewee
import pytest

from portal.models import moments
from portal.models.base import db, is_postgresql
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice


def credit(customer, minor, now):
    with db.atomic():
        BalanceTransaction.move(customer.held(), minor, "manual_adjustment", now)


def balance(customer):
    return Customer.get_by_id(customer.id).balance


def chain(customer):
    rows = BalanceTransaction.select().where(BalanceTransaction.customer == customer.id)
    return list(rows.order_by(BalanceTransaction.created_at, BalanceTransaction.id))


def test_credit_pays_an_invoice_as_far_as_it_goes(acme, given, clock):
    customer = given.customer(acme)
    credit(customer, 1500, clock.now)

    invoice = given.invoice(customer)

    assert (invoice.total, invoice.balance_applied, invoice.amount_due) == (4000, 1500, 2500)
    assert (invoice.status, balance(customer)) == ("issued", 0)


def test_credit_beyond_the_total_stays(acme, given, clock):
    customer = given.customer(acme)
    credit(customer, 5000, clock.now)

    invoice = given.invoice(customer)

    assert (invoice.status, invoice.amount_due, balance(customer)) == ("paid", 0, 1000)
    assert invoice.paid_at == clock.now


def test_a_debt_is_added_to_the_next_invoice(acme, given, clock):
    customer = given.customer(acme)
    credit(customer, -700, clock.now)

    invoice = given.invoice(customer)

    assert (invoice.balance_applied, invoice.amount_due, balance(customer)) == (-700, 4700, 0)


def test_an_invoice_below_zero_becomes_credit(acme, given):
    customer = given.customer(acme)

    invoice = given.invoice(customer, lines=(("Refund", "1", "-12.50"),))

    assert (invoice.total, invoice.amount_due, invoice.status) == (-1250, 0, "paid")
    assert balance(customer) == 1250


def test_credit_in_one_currency_pays_nothing_in_another(acme, given, clock):
    customer = given.customer(acme, currency="USD")
    credit(customer, 5000, clock.now)

    invoice = given.invoice(customer, lines=(("Seat", "1", "900"),), currency="JPY")

    assert (invoice.balance_applied, invoice.amount_due, balance(customer)) == (0, 900, 5000)


def test_voiding_gives_back_what_was_taken(acme, given, clock):
    customer = given.customer(acme)
    credit(customer, 1500, clock.now)
    invoice = given.invoice(customer)

    clock.advance(minutes=1)
    moments.void(invoice, clock.now, "test")

    assert balance(customer) == 1500
    assert [row.action for row in BalanceTransaction.of_invoices([invoice.id])[invoice.id]] == [
        "applied_to_invoice",
        "return_from_voiding",
    ]


def test_a_draft_takes_nothing(acme, given, clock):
    customer = given.customer(acme)
    credit(customer, 1500, clock.now)

    given.invoice(customer, issued=False)

    assert balance(customer) == 1500


def test_however_it_moves_the_rows_chain_from_nothing_to_the_balance(acme, given, clock):
    customer, draw = given.customer(acme), random.Random(7)

    for _ in range(25):
        clock.advance(minutes=1)
        deed = draw.randrange(3)
        if deed == 0:
            credit(customer, draw.choice([-1, 1]) * draw.randint(1, 9000), clock.now)
        else:
            invoice = given.invoice(customer, lines=(("Thing", "1", str(draw.randint(-50, 90))),))
            if deed == 2 and Invoice.get_by_id(invoice.id).status == "issued":
                moments.void(invoice, clock.now, "test")

    at = 0
    for row in sorted(chain(customer), key=lambda row: row.created_at):
        signed = row.amount if row.type == "increment" else -row.amount
        assert row.starting_balance + signed == row.ending_balance
    assert {row.starting_balance for row in chain(customer)} - {0} <= {row.ending_balance for row in chain(customer)}
    at = sum(row.amount if row.type == "increment" else -row.amount for row in chain(customer))
    assert at == balance(customer)


@pytest.mark.parametrize("amount", [0, -5])
def test_a_movement_of_nothing_or_less_is_no_movement(acme, given, clock, amount):
    customer = given.customer(acme)

    with pytest.raises(peewee.IntegrityError), db.atomic():
        BalanceTransaction.create(
            customer=customer,
            created_at=clock.now,
            type="increment",
            action="x",
            amount=amount,
            starting_balance=0,
            ending_balance=amount,
        )


def attacks(row, other):
    yield "UPDATE balance_transaction SET ending_balance = 1000000 WHERE id = ?", (row["id"],)
    yield "UPDATE balance_transaction SET description = 'x' WHERE id = ?", (row["id"],)
    yield "DELETE FROM balance_transaction WHERE id = ?", (row["id"],)
    if is_postgresql():
        yield "TRUNCATE balance_transaction", ()
        return
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    changed = {**row, "ending_balance": 1000000}
    yield f"REPLACE INTO balance_transaction ({names}) VALUES ({marks})", tuple(changed.values())
    fresh = {**changed, "id": "freshfreshfresh1"}
    rowid = "(SELECT rowid FROM balance_transaction WHERE id = ?)"
    yield (
        f"INSERT OR REPLACE INTO balance_transaction (rowid, {names}) VALUES ({rowid}, {marks})",
        (row["id"], *fresh.values()),
    )
    yield "UPDATE OR REPLACE balance_transaction SET id = ? WHERE id = ?", (row["id"], other["id"])


def test_a_movement_can_be_neither_changed_nor_removed_nor_replaced(acme, given, clock, outside):
    customer = given.customer(acme)
    credit(customer, 1500, clock.now)
    credit(customer, 200, clock.now)
    first, second = (
        outside.row("SELECT * FROM balance_transaction WHERE customer_id = ? AND amount = ?", customer.id, amount)
        for amount in (1500, 200)
    )

    for attack in attacks(first, second):
        assert "only ever added" in outside.refused(attack), attack
        assert outside.row("SELECT * FROM balance_transaction WHERE id = ?", first["id"]) == first, attack
