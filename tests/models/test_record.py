"""The record says who did what, when, to what and why; it is only ever added to, and holds no link."""

from __future__ import annotations

import re

import pytest

from portal.models import moments
from portal.models.account import ApiKey
from portal.models.base import db, is_postgresql
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.record import Record

TOKEN = re.compile(r"[a-z0-9]{2}[A-Za-z0-9_-]{27}~[A-Za-z0-9_-]{43}")


def test_everything_that_happens_to_an_account_is_in_its_record_with_who_and_when(acme, given, clock, kid):
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    clock.advance(hours=1)
    link = Link.reissue(invoice, acme, customer.timezone, clock.now, kid, "cli")
    link.revoke(clock.now, "api:k", "sent to the wrong person")
    Link.rotate(customer, clock.now, kid, "cli")
    session = Link.start_session(customer, clock.now, kid, "api:k")
    Link.end_sessions(customer, clock.now, "api:k", "left the company")
    invoice.change({"metadata": {"a": "b"}}, clock.now, "api:k")
    customer.change({"name": "New"}, clock.now, "api:k")
    acme.configure({"memo": "m"}, clock.now, "api:k")
    ApiKey.mint(acme, clock.now, "cli")[0].revoke(clock.now, "cli")
    Payment.record(invoice, clock.now, "cli", received_on=clock.now.date(), amount=100)
    moments.void(given.invoice(customer), clock.now, "cli")

    rows = list(Record.select().where(Record.account_id == acme.id))
    assert {row.deed for row in rows} == {
        "account.created", "account.changed", "api_key.created", "api_key.revoked", "customer.created",
        "customer.changed", "invoice.created", "invoice.issued", "invoice.changed", "invoice.voided", "link.created",
        "link.refreshed", "link.revoked", "link.rotated", "payment.recorded",
    }  # fmt: skip
    assert all(row.actor and row.at and row.subject for row in rows)
    why = {row.subject: (row.actor, row.at, row.detail) for row in rows if row.deed == "link.revoked"}
    assert why[link.id] == ("api:k", clock.now, {"reason": "sent to the wrong person"})
    assert why[session.id] == ("api:k", clock.now, {"reason": "left the company"})


def test_what_fails_is_not_recorded(acme, given, clock):
    before = Record.select().count()

    with db.atomic() as transaction:
        given.invoice(given.customer(acme))
        transaction.rollback()

    assert Record.select().count() == before


def test_no_table_holds_a_token_or_anything_that_a_token_is_made_of_but_its_id(acme, given, clock, kid):
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    links = [Link.of_invoice(invoice.id), Link.of_customer(customer.id)]
    links.append(Link.start_session(customer, clock.now, kid, "test"))
    urls = [given.url(link) for link in links]
    moments_of_links = {link.token_id for link in links}

    for table in db.get_tables():
        text = str(db.execute_sql(f'SELECT * FROM "{table}"').fetchall())
        assert not TOKEN.search(text), table
        for url in urls:
            assert url.split("/")[2][2:29] not in text, table
        if table != "link":
            assert not [token_id for token_id in moments_of_links if token_id in text], table


def test_the_id_that_the_api_shows_is_not_the_one_in_the_token(acme, given):
    link = Link.of_customer(given.customer(acme).id)

    assert link.id != link.token_id
    assert len(bytes.fromhex(link.token_id)) == 16


def attacks(row, other):
    yield "UPDATE record SET actor = 'somebody else' WHERE id = ?", (row["id"],)
    yield "UPDATE record SET at = at WHERE id = ?", (row["id"],)
    yield "DELETE FROM record WHERE id = ?", (row["id"],)
    yield "DELETE FROM record", ()
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    forged = {**row, "actor": "somebody else"}
    yield (
        f"INSERT INTO record ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET actor = EXCLUDED.actor",
        tuple(forged.values()),
    )
    if is_postgresql():
        yield "TRUNCATE record", ()
        yield "TRUNCATE record CASCADE", ()
        return
    yield f"INSERT OR REPLACE INTO record ({names}) VALUES ({marks})", tuple(forged.values())
    yield f"REPLACE INTO record ({names}) VALUES ({marks})", tuple(forged.values())
    by_rowid = {**forged, "id": "freshfreshfresh1"}
    yield (
        f"REPLACE INTO record (rowid, {names}) VALUES ((SELECT rowid FROM record WHERE id = ?), {marks})",
        (row["id"], *by_rowid.values()),
    )
    yield "UPDATE OR REPLACE record SET id = ? WHERE id = ?", (row["id"], other["id"])


def test_a_record_can_be_neither_changed_nor_removed_nor_replaced(acme, bolt, outside):
    row, other = (outside.row("SELECT * FROM record WHERE subject = ?", account.id) for account in (acme, bolt))

    for attack in attacks(row, other):
        assert "only ever added" in outside.refused(attack), attack
        assert outside.row("SELECT * FROM record WHERE id = ?", row["id"]) == row, attack


def test_a_record_cannot_be_changed_through_the_models_either(acme):
    row = Record.get(Record.subject == acme.id)
    row.actor = "somebody else"

    for attempt in (row.save, row.delete_instance, Record.update(actor="x").where(Record.id == row.id).execute):
        with pytest.raises(Exception, match="record rows are only ever added"), db.atomic():
            attempt()
    assert Record.get_by_id(row.id).actor == "test"
