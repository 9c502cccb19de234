"""A payment begins under the locks of all that it touches, or not at all: never two at once for one invoice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import peewee
import pytest

from portal.models import moments, paying
from portal.models.account import Account
from portal.models.base import db, is_postgresql, new_id
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Erased
from portal.models.invoice import IllegalState, Invoice
from portal.models.link import Link
from portal.models.paying import Busy, LinkClosed, Part, Stale
from portal.models.payment import Allocation, Payment
from portal.models.record import Record
from portal.models.standing import standing_of
from tests.attempts import begin, left, of, paid, tell, wanted
from tests.given import Given
from tests.models.conftest import Outside

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def nothing(*_: Any) -> None:
    """No rule but those of the rows themselves."""


def payments(invoice: Invoice) -> int:
    return Allocation.select().where(Allocation.invoice == invoice.id).count()


def test_a_payment_is_written_down_before_any_gateway_hears_of_it(given: Given, acme: Account) -> None:
    customer = given.customer(acme, name="Harbor", email="ap@harbor.example")
    invoice = given.invoice(customer)

    payment = Payment.get_by_id(begin(invoice, now=NOW).id)

    assert (payment.stage, payment.amount, payment.currency, payment.gateway_ref) == ("begun", 4000, "USD", None)
    assert payment.order == {"present": True, "payer": {"name": "Harbor", "email": "ap@harbor.example"}}
    assert payment.ask_at == NOW + timedelta(seconds=60)
    assert [(one.invoice_id, one.amount, one.stage) for one in Allocation.of(payment.id)] == [
        (invoice.id, 4000, "begun")
    ]
    assert Record.select().where(Record.subject == payment.id, Record.deed == "payment.begun").count() == 1
    assert standing_of(Invoice.get_by_id(invoice.id)) == "begun"


@pytest.mark.parametrize("stage", ["begun", "action", "processing"])
def test_while_one_may_still_succeed_no_other_begins(given: Given, acme: Account, stage: str) -> None:
    customer = given.customer(acme)
    invoice, other = given.invoice(customer), given.invoice(customer)
    tell(of(begin(invoice, now=NOW), stage), NOW)

    with pytest.raises(Busy, match=invoice.number):
        begin(invoice, other, now=NOW)
    with pytest.raises(IllegalState, match="on its way"):
        Payment.record(invoice, NOW, "test", received_on=NOW.date())
    with pytest.raises(IllegalState, match="on its way"):
        moments.void(invoice, NOW, "test")

    assert (payments(invoice), payments(other)) == (1, 0)


@pytest.mark.parametrize("stage", ["failed", "canceled"])
def test_after_one_that_came_to_nothing_another_begins(given: Given, acme: Account, stage: str) -> None:
    invoice = given.invoice(given.customer(acme))
    tell(of(begin(invoice, now=NOW), stage), NOW)

    begin(invoice, now=NOW)

    assert payments(invoice) == 2


@pytest.mark.parametrize("status", ["draft", "paid", "void"])
def test_only_what_is_issued_can_be_paid(given: Given, acme: Account, status: str) -> None:
    invoice = given.invoice(given.customer(acme), issued=status != "draft")
    if status == "paid":
        Payment.record(invoice, NOW, "test", received_on=date(2026, 11, 23))
    if status == "void":
        moments.void(invoice, NOW, "test")

    with pytest.raises(IllegalState, match=f"is {status}"):
        paying.begin(wanted(invoice, amounts=(4000,)), NOW, "test", nothing)


def test_what_has_changed_since_the_payer_looked_is_not_charged(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    seen = wanted(invoice)
    line = invoice.document["lines"][0]
    CreditNote.issue(invoice, [Wanted(line["id"], 5)], NOW, "test", reason="duplicate", memo=None)

    with pytest.raises(Stale, match=invoice.number):
        paying.begin(seen, NOW, "test", nothing)


@pytest.mark.parametrize("amount", [0, -1, 4001, 2**62])
def test_nothing_and_more_than_is_left_is_not_charged(given: Given, acme: Account, amount: int) -> None:
    invoice = given.invoice(given.customer(acme))

    with pytest.raises(Stale):
        begin(invoice, amounts=(amount,), now=NOW)

    assert payments(invoice) == 0


def test_one_payment_is_one_customers_and_in_one_currency(given: Given, acme: Account, bolt: Account) -> None:
    customer = given.customer(acme)
    mine, euros = given.invoice(customer), given.invoice(customer, currency="EUR")
    hers, bolts = given.invoice(given.customer(acme)), given.invoice(given.customer(bolt))

    for others in (hers, bolts):
        with pytest.raises(IllegalState, match="not this customer's"):
            begin(mine, others, now=NOW)
    with pytest.raises(IllegalState, match="one currency"):
        begin(mine, euros, now=NOW)
    for parts in ([], [Part(mine.id, 1, 4000)] * 2, [Part(new_id(), 1, 1)]):
        with pytest.raises(IllegalState):
            paying.begin(paying.Wanted(customer.id, parts, "card", "Card", "sandbox"), NOW, "test", nothing)

    assert payments(mine) == 0


def test_several_invoices_are_paid_together_or_not_at_all(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    one, two, voided = (given.invoice(customer) for _ in range(3))
    moments.void(voided, NOW, "test")

    with pytest.raises(IllegalState):
        paying.begin(wanted(one, two, voided, amounts=(4000, 4000, 4000)), NOW, "test", nothing)
    assert payments(one) + payments(two) == 0

    assert paid(one, two, now=NOW).amount == 8000
    assert (left(one), left(two)) == (("paid", 0), ("paid", 0))


@pytest.mark.parametrize("how", ["revoked", "refreshed", "expired", "of nobody"])
def test_a_link_that_no_longer_opens_charges_nothing(given: Given, acme: Account, how: str) -> None:
    invoice = given.invoice(given.customer(acme))
    link, now = Link.of_invoice(invoice.id), NOW
    link_id = link.id
    if how == "revoked":
        link.revoke(NOW, "test")
    elif how == "refreshed":
        Link.reissue(invoice, acme, "Etc/UTC", NOW, "k1", "test")
    elif how == "expired":
        now = link.expires_at
    else:
        link_id = new_id()

    with pytest.raises(LinkClosed, match="nothing was charged"):
        begin(invoice, now=now, link_id=link_id)

    assert payments(invoice) == 0


def test_what_the_rules_refuse_leaves_no_trace(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))

    def refuse(*_: Any) -> None:
        raise ValueError("not offered")

    with pytest.raises(ValueError, match="not offered"):
        paying.begin(wanted(invoice), NOW, "test", refuse)

    assert (payments(invoice), Invoice.get_by_id(invoice.id).revision) == (0, invoice.revision)


def test_the_rules_hear_the_whole_amount_and_every_invoice(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoices, heard = [given.invoice(customer) for _ in range(2)], []

    paying.begin(wanted(*invoices), NOW, "test", lambda *words: heard.append(words))

    ((account, payer, asked, amount),) = heard
    assert (account.id, payer.id, amount) == (acme.id, customer.id, 8000)
    assert [one.id for one in asked] == sorted(one.id for one in invoices)


def test_for_a_customer_who_was_deleted_nothing_begins(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    type(customer).update(deleted_at=NOW).where(type(customer).id == customer.id).execute()

    with pytest.raises(Erased):
        begin(invoice, now=NOW)


# The database holds it too, whatever the code above it overlooks.


def allocation(payment: Payment, invoice: Invoice, stage: str = "begun", **more: Any) -> dict[str, Any]:
    row = {"id": new_id(), "payment_id": payment.id, "invoice_id": invoice.id, "created_at": 0, "amount": 1}
    return {**row, "stage": stage, "returned": False, **more}


def test_the_index_alone_lets_no_second_live_payment_in(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoice, other = given.invoice(customer), given.invoice(customer)
    begin(invoice, now=NOW)
    second = begin(other, now=NOW)
    trigger = "allocation_kept_insert"

    with db.atomic() as transaction:
        on = " ON allocation" if is_postgresql() else ""
        db.execute_sql(f"DROP TRIGGER {trigger}{on}")
        named = pytest.raises(peewee.IntegrityError, match=r"allocation_one_live_an_invoice|allocation\.invoice_id")
        with named, db.atomic():
            Allocation.insert(**allocation(second, invoice)).execute()
        transaction.rollback()


def test_who_looks_too_early_is_stopped_by_the_database(
    given: Given, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = given.invoice(given.customer(acme))
    begin(invoice, now=NOW)
    monkeypatch.setattr(Allocation, "live", classmethod(lambda *_: []))

    with pytest.raises(Busy, match="already on its way"):
        begin(invoice, now=NOW)

    assert payments(invoice) == 1


def test_nobody_rewrites_what_happened_to_money(given: Given, acme: Account, outside: Outside) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)
    rows = {
        table: outside.row(f"SELECT * FROM {table} WHERE {column} = ?", payment.id)
        for table, column in (("payment", "id"), ("allocation", "payment_id"), ("booking", "payment_id"))
    }
    forbidden = [
        ("payment", "amount = 1"),
        ("payment", "currency = 'EUR'"),
        ("payment", "stage = 'failed'"),
        ("payment", "gateway_ref = 'another'"),
        ("payment", "gateway_ref = NULL"),
        ("payment", "customer_id = 'x'"),
        ("allocation", "amount = 1"),
        ("allocation", "invoice_id = 'x'"),
        ("booking", "amount = 1"),
        ("booking", "kind = 'surplus'"),
    ]

    for table, change in forbidden:
        assert outside.refused((f"UPDATE {table} SET {change} WHERE id = ?", (rows[table]["id"],))), (table, change)
    for table, row in rows.items():
        assert outside.refused((f"DELETE FROM {table} WHERE id = ?", (row["id"],))), table
        if outside.is_sqlite:
            assert outside.refused(outside.inserting(table, row, "INSERT OR REPLACE INTO")), table
        else:
            assert outside.refused(f"TRUNCATE {table} CASCADE"), table

    assert left(invoice) == ("paid", 0)


def test_another_rows_place_is_not_taken_under_another_id(given: Given, acme: Account, outside: Outside) -> None:
    if not outside.is_sqlite:
        return  # only SQLite knows REPLACE
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)
    for table, column in (("allocation", "payment_id"), ("payment", "id")):
        row = outside.row(f"SELECT * FROM {table} WHERE {column} = ?", payment.id)
        if table == "payment":
            tell(of(payment, "succeeded"), NOW)
            row = outside.row("SELECT * FROM payment WHERE id = ?", payment.id)
        assert outside.refused(outside.inserting(table, {**row, "id": new_id()}, "INSERT OR REPLACE INTO")), table
