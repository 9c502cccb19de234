"""Issuing gives number, balance, frozen document, first link and letter, all or none; nothing changes it afterwards."""

from __future__ import annotations

from datetime import date

import peewee
import pytest

from portal.models import moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.invoice import IllegalState, Invoice, LineDays
from portal.models.link import Link
from portal.models.outbox import Letter


def letters(invoice):
    return list(Letter.select().where(Letter.invoice_id == invoice.id))


def test_issuing_gives_a_number_a_link_and_a_letter(acme, given, clock):
    invoice = given.invoice(given.customer(acme))

    assert (invoice.status, invoice.number, invoice.issued_at) == ("issued", f"{acme.number_prefix}-00001", clock.now)
    assert Link.of_invoice(invoice.id) is not None
    (letter,) = letters(invoice)
    assert (letter.kind, letter.customer_id, letter.sent_at) == ("invoice", invoice.customer_id, None)


def test_what_issuing_returns_is_what_is_remembered(acme, given):
    invoice = given.invoice(given.customer(acme), due=date(2026, 12, 24), memo="m")

    assert Invoice.get_by_id(invoice.id).__data__ == invoice.__data__


def test_a_draft_has_neither_number_nor_letter(acme, given):
    draft = given.invoice(given.customer(acme), issued=False)

    assert (draft.status, draft.number, draft.issued_at) == ("draft", None, None)
    assert letters(draft) == []


def test_a_customer_without_e_mail_delivery_gets_no_letter(acme, given):
    assert letters(given.invoice(given.customer(acme, email_delivery=False))) == []


def test_an_invoice_that_asks_for_nothing_is_paid_at_once_and_sends_no_letter(acme, given, clock):
    invoice = given.invoice(given.customer(acme), lines=(("Free", "1", "0"),))

    assert (invoice.status, invoice.paid_at) == ("paid", clock.now)
    assert letters(invoice) == []
    assert Link.of_invoice(invoice.id) is not None


@pytest.mark.parametrize("status", ["issued", "paid", "void"])
def test_only_a_draft_can_be_issued(acme, given, clock, kid, status):
    invoice = given.invoice(given.customer(acme), lines=(("Free", "1", "0" if status == "paid" else "1"),))
    if status == "void":
        moments.void(invoice, clock.now, "test")

    with pytest.raises(IllegalState, match=f"this invoice is {status}"):
        moments.issue(invoice, clock.now, kid, "test")

    assert Account.get_by_id(acme.id).last_number == 1


def test_a_draft_in_hand_that_was_issued_meanwhile_is_not_issued_again(acme, given, clock, kid):
    draft = given.invoice(given.customer(acme), issued=False)
    moments.issue(Invoice.get_by_id(draft.id), clock.now, kid, "test")

    with pytest.raises(IllegalState):
        moments.issue(draft, clock.now, kid, "test")


def test_numbers_have_no_gap_where_an_issue_was_rolled_back(acme, given, clock, kid):
    customer = given.customer(acme)
    given.invoice(customer)
    draft = given.invoice(customer, issued=False)

    with db.atomic() as transaction:
        moments.issue(draft, clock.now, kid, "test")
        transaction.rollback()
    given.invoice(customer)

    numbers = [row.number for row in Invoice.select().where(Invoice.account == acme.id, Invoice.number.is_null(False))]
    assert sorted(numbers) == [f"{acme.number_prefix}-00001", f"{acme.number_prefix}-00002"]


def test_an_issue_that_fails_half_way_leaves_nothing(acme, given, clock, kid, monkeypatch):
    customer = given.customer(acme)
    draft = given.invoice(customer, issued=False)
    before = snapshot()
    monkeypatch.setattr(Letter, "queue", lambda *_, **__: {}["the disk is full"])

    with pytest.raises(KeyError):
        moments.issue(draft, clock.now, kid, "test")

    assert snapshot() == before


def test_a_number_belongs_to_one_invoice_of_an_account(acme, bolt, given, outside):
    first = given.invoice(given.customer(acme))
    given.invoice(given.customer(bolt))
    draft = given.invoice(given.customer(acme), issued=False)

    assert outside.refused(("UPDATE invoice SET number = ? WHERE id = ?", (first.number, draft.id)))


def test_net_terms_count_in_the_customers_days_and_a_named_due_date_stays(acme, given, clock):
    clock.now = clock.now.replace(hour=23, minute=30)  # the 24th in Tokyo, the 23rd in Lima
    tokyo, lima = given.customer(acme, timezone="Asia/Tokyo"), given.customer(acme, timezone="America/Lima")

    assert given.invoice(tokyo, net_terms=10).due_date == date(2026, 12, 4)
    assert given.invoice(lima, net_terms=10).due_date == date(2026, 12, 3)
    assert given.invoice(lima, net_terms=0).due_date == date(2026, 11, 23)
    assert given.invoice(lima, due=date(2026, 1, 1)).due_date == date(2026, 1, 1)
    assert given.invoice(lima).due_date is None


def test_the_accounts_memo_stands_on_an_invoice_that_has_none_of_its_own(acme, given, clock):
    acme.configure({"memo": "Thank you"}, clock.now, "test")
    customer = given.customer(acme)

    assert given.invoice(customer).memo == "Thank you"
    assert given.invoice(customer, memo="Own").memo == "Own"
    assert given.invoice(customer, memo="").memo == ""


def test_names_and_addresses_stay_as_they_were_when_it_was_issued(acme, given, clock):
    acme.configure(
        {"company": {"name": "Acme GmbH", "address": None, "tax_id": None}, "footer": "f"}, clock.now, "test"
    )
    customer = given.customer(acme, name="Old name", billing_address={"line1": "Old St"})
    invoice = given.invoice(customer)

    customer.change({"name": "New name", "billing_address": None, "timezone": "Asia/Tokyo"}, clock.now, "test")
    acme.configure(
        {"name": "New Acme", "company": {}, "footer": "g", "support_email": "n@x.example"}, clock.now, "test"
    )

    document = Invoice.get_by_id(invoice.id).document
    assert document["customer"]["name"] == "Old name"
    assert document["customer"]["billing_address"] == {"line1": "Old St"}
    assert document["seller"]["name"] == "Acme GmbH"
    assert document["seller"]["support_email"] == "help@acme.example"
    assert (document["footer"], document["timezone"]) == ("f", "Etc/UTC")


def test_on_a_draft_anything_may_change_and_afterwards_only_metadata_and_methods(acme, given, clock):
    customer = given.customer(acme)
    draft, issued = given.invoice(customer, issued=False), given.invoice(customer)

    draft.change({"memo": "m", "due_date": date(2027, 1, 1), "metadata": {"a": "b"}}, clock.now, "test")
    issued.change({"metadata": {"a": "b"}, "payment_methods": ["card"]}, clock.now, "test")

    assert Invoice.get_by_id(draft.id).memo == "m"
    assert Invoice.get_by_id(issued.id).payment_methods == ["card"]
    with pytest.raises(IllegalState, match="due_date, memo"):
        issued.change({"memo": "n", "due_date": None, "metadata": {}}, clock.now, "test")
    assert Invoice.get_by_id(issued.id).metadata == {"a": "b"}


FROZEN = {
    "number": "X-1",
    "currency": "EUR",
    "invoice_date": 1,
    "due_date": "2030-01-01",
    "issued_at": None,
    "memo": "other",
    "subtotal": 1,
    "total": 1,
    "balance_applied": 1,
    "amount_due": 1,
    "document": "{}",
    "status": "draft",
    "source": "partial",
}


def attacks(row, draft, days, outside):
    for name, value in FROZEN.items():
        yield f"UPDATE invoice SET {name} = ? WHERE id = ?", (value, row["id"])
    yield "UPDATE invoice SET customer_id = ? WHERE id = ?", (draft["customer_id"], row["id"])
    yield "UPDATE invoice SET account_id = ? WHERE id = ?", (draft["account_id"], row["id"])
    yield "DELETE FROM line_days WHERE invoice_id = ?", (row["id"],)
    yield "UPDATE line_days SET days = '[]' WHERE invoice_id = ?", (row["id"],)
    yield "UPDATE line_days SET invoice_id = ? WHERE invoice_id = ?", (draft["id"], row["id"])
    yield "UPDATE line_days SET invoice_id = ? WHERE invoice_id = ?", (row["id"], draft["id"])
    yield outside.inserting("line_days", {**days, "line_id": "freshfreshfresh1"})
    yield outside.upserting("line_days", {**days, "days": "[]"}, "days", key="invoice_id, line_id")
    cheaper = {**row, "total": 1, "amount_due": 1}
    yield outside.upserting("invoice", cheaper, "total", "amount_due")
    yield outside.upserting("invoice", {**cheaper, "id": "freshfreshfresh1"}, "total", key="account_id, number")
    if not outside.is_sqlite:
        yield "DELETE FROM invoice WHERE id = ?", (row["id"],)
        yield "TRUNCATE line_days", ()
        yield "TRUNCATE invoice CASCADE", ()
        return
    yield "DELETE FROM invoice WHERE id = ?", (row["id"],)
    yield outside.inserting("invoice", cheaper, "REPLACE INTO")
    fresh = {**cheaper, "id": "freshfreshfresh1"}
    yield outside.inserting("invoice", fresh, "REPLACE INTO")  # meets the number
    rowid, of_days = (
        outside.row(f"SELECT rowid AS n FROM {table} WHERE {key} = ?", row["id"])["n"]
        for table, key in (("invoice", "id"), ("line_days", "invoice_id"))
    )
    yield outside.inserting("invoice", {"rowid": rowid, **fresh, "number": "X-1"}, "REPLACE INTO")
    yield "UPDATE OR REPLACE invoice SET number = ? WHERE id = ?", (row["number"], draft["id"])
    yield "UPDATE OR REPLACE invoice SET id = ? WHERE id = ?", (row["id"], draft["id"])
    yield "UPDATE OR REPLACE invoice SET rowid = ? WHERE id = ?", (rowid, draft["id"])
    yield outside.inserting("line_days", {"rowid": of_days, **days, "invoice_id": draft["id"]}, "REPLACE INTO")
    yield "UPDATE OR REPLACE line_days SET rowid = ? WHERE invoice_id = ?", (of_days, draft["id"])


def test_an_issued_invoice_is_frozen_whoever_writes(acme, given, outside):
    customer = given.customer(acme)
    price = given.price(given.metric(acme))
    days = {date(2026, 11, day): "3" for day in (1, 2, 3)}
    issued, draft = (given.usage_invoice(customer, price, days, issued=issued) for issued in (True, False))
    other = given.invoice(given.customer(acme), issued=False)

    def rows():
        return (
            outside.row("SELECT * FROM invoice WHERE id = ?", issued.id),
            outside.row("SELECT * FROM line_days WHERE invoice_id = ?", issued.id),
            outside.row("SELECT COUNT(*) AS n FROM line_days WHERE invoice_id = ?", issued.id),
        )

    before = rows()
    foreign = outside.row("SELECT * FROM invoice WHERE id = ?", other.id)
    draft_row = {**foreign, "id": draft.id, "account_id": "0000000000000000"}

    for attack in attacks(before[0], draft_row, before[1], outside):
        assert outside.refused(attack), attack
        assert rows() == before, attack


def test_an_issued_invoice_is_frozen_for_the_models_too(acme, given):
    invoice = given.invoice(given.customer(acme))
    invoice.total = 1

    with pytest.raises(peewee.IntegrityError, match="frozen document"), db.atomic():
        invoice.save()
    with pytest.raises(peewee.IntegrityError), db.atomic():
        LineDays.create(invoice=invoice, line_id="line", days=[])


def test_payment_state_still_moves(acme, given, outside):
    invoice = given.invoice(given.customer(acme))

    for name, value in {"status": "paid", "paid_at": 5, "payment_received_at": 5, "metadata": "{}"}.items():
        assert not outside.refused((f"UPDATE invoice SET {name} = ? WHERE id = ?", (value, invoice.id)))


def test_a_draft_can_be_thrown_away_with_its_days(acme, given, outside):
    price = given.price(given.metric(acme))
    draft = given.usage_invoice(given.customer(acme), price, {date(2026, 11, 1): "3"}, issued=False)

    assert not outside.refused(
        ("DELETE FROM line_days WHERE invoice_id = ?", (draft.id,)), ("DELETE FROM invoice WHERE id = ?", (draft.id,))
    )


def test_an_invoice_is_found_by_its_own_account_only(acme, bolt, given):
    invoice = given.invoice(given.customer(acme))

    assert Invoice.of(acme, invoice.id).customer.id == invoice.customer_id
    assert Invoice.of(bolt, invoice.id) is None


def test_what_is_asked_for_is_the_total_less_the_balance(acme, given):
    invoice = given.invoice(given.customer(acme))

    assert invoice.amount_due == invoice.total - invoice.balance_applied == 4000
    assert sum(line["amount"] for line in invoice.document["lines"]) == invoice.total


def snapshot():
    return {table: sorted(map(str, db.execute_sql(f'SELECT * FROM "{table}"').fetchall())) for table in db.get_tables()}
