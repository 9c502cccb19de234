"""A customer who is deleted: refused once invoices were issued to her, else nothing of hers is left to be found."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import orb as sdk
import pytest
from flask.testing import FlaskClient
from orb import Orb

from portal.models import moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.credit import CreditBlock, CreditEntry
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.record import Record
from portal.models.subscription import Subscription
from portal.models.usage import UsageDay
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given


@pytest.fixture
def customer(given: Given, acme: Account, clock: Clock) -> Customer:
    """With something of everything, but no issued invoice."""
    address = {"line1": "1 Road", "city": "Town", "country": "GB"}
    customer = given.customer(acme, external_id="globex/1", billing_address=address, metadata={"crm": "77"})
    metric = given.metric(acme)
    given.subscription(customer, given.price(metric))
    given.usage(customer, metric, {date(2026, 11, 1): "5"})
    given.invoice(customer, issued=False)
    with db.atomic():
        CreditBlock.give(customer.held(), Decimal(10), "USD", clock.now, description="For Globex", metadata={"a": "b"})
        BalanceTransaction.move(customer.held(), 100, "manual_adjustment", clock.now)
    return customer


def test_what_was_hers_is_gone(orb: Orb, customer: Customer) -> None:
    assert orb.customers.delete(customer.id) is None

    row = Customer.get_by_id(customer.id)
    assert (row.name, row.email, row.external_id, row.billing_address, row.metadata) == ("", "", None, None, {})
    assert row.deleted_at
    for kind in (Invoice, Subscription, UsageDay):
        assert kind.select().where(kind.customer == customer).count() == 0
    (block,) = CreditBlock.select().where(CreditBlock.customer == customer)
    assert (block.balance, block.description, block.metadata) == ("0", None, {})
    assert [row.type for row in CreditEntry.select().where(CreditEntry.customer == customer)] == ["increment", "void"]
    assert Record.select().where(Record.subject == customer.id, Record.deed == "customer.deleted").count() == 1


def test_she_is_in_no_list_and_every_call_on_her_finds_nobody(orb: Orb, call: Call, customer: Customer) -> None:
    orb.customers.delete(customer.id)

    assert call("GET", f"/customers/{customer.id}").json == {"id": customer.id, "deleted": True}
    assert customer.id not in {one.id for one in orb.customers.list()}
    with pytest.raises(sdk.ResourceNotFound):
        orb.customers.fetch_by_external_id("globex/1")
    with pytest.raises(sdk.ResourceNotFound):
        orb.customers.delete(customer.id)
    for method, path in (
        ("PUT", ""),
        ("GET", "/portal_link"),
        ("POST", "/portal_link"),
        ("POST", "/portal_sessions"),
        ("GET", "/balance_transactions"),
        ("GET", "/credits"),
        ("GET", "/credits/ledger"),
        ("GET", "/costs"),
    ):
        answer = call(method, f"/customers/{customer.id}{path}", {} if method != "GET" else None)
        assert answer.status_code == 404, (method, path, answer.json)


def test_her_external_id_is_free_for_another(orb: Orb, customer: Customer) -> None:
    orb.customers.delete(customer.id)

    again = orb.customers.create(name="Globex", email="ap@globex.example", external_customer_id="globex/1")

    assert orb.customers.fetch_by_external_id("globex/1").id == again.id != customer.id


def test_her_links_answer_410_at_once_and_mail_her_nothing(
    client: FlaskClient, given: Given, orb: Orb, customer: Customer, clock: Clock, kid: str
) -> None:
    session = Link.start_session(customer, clock.now, kid, "test")
    addresses = [given.url(link) for link in (Link.of_customer(customer.id), session) if link]
    assert [client.get(address).status_code for address in addresses] == [200, 200]

    orb.customers.delete(customer.id)

    assert [client.get(address).status_code for address in addresses] == [410, 410]
    assert [client.post(f"{address}?fresh").status_code for address in addresses] == [202, 202]
    ended = Link.select().where(Link.customer == customer)
    assert {(link.ended_how, link.reason) for link in ended} == {("revoked", "the customer was deleted")}


@pytest.mark.parametrize("end", ["issued", "void"])
def test_a_customer_with_issued_invoices_is_kept(
    given: Given, orb: Orb, customer: Customer, clock: Clock, end: str
) -> None:
    invoice = given.invoice(customer, due=clock.now.date() + timedelta(days=30))
    if end == "void":
        moments.void(invoice, clock.now, "test")

    with pytest.raises(sdk.ConstraintViolation, match="she has 1"):
        orb.customers.delete(customer.id)
    assert orb.customers.fetch(customer.id).name == customer.name


def test_another_accounts_customer_is_not_found(orb: Orb, given: Given, bolt: Account) -> None:
    with pytest.raises(sdk.ResourceNotFound):
        orb.customers.delete(given.customer(bolt).id)


def test_nothing_is_made_for_a_customer_who_was_deleted_meanwhile(
    call: Call, orb: Orb, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look for her and the lock on her somebody else deletes her."""
    orb.customers.delete(customer.id)
    monkeypatch.setattr(Customer, "of", classmethod(lambda cls, account, **_: Customer.get_by_id(customer.id)))

    assert call("POST", f"/customers/{customer.id}/portal_sessions").status_code == 404
    entry = {"entry_type": "increment", "amount": 1}
    assert call("POST", f"/customers/{customer.id}/credits/ledger_entry", entry).status_code == 404
