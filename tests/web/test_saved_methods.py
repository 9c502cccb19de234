"""Stored payment methods: kept where the payer wishes, shown and charged under her own links only, and removed."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import web
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.saved_method import SavedMethod
from tests.conftest import Clock
from tests.given import Given
from tests.sandbox import Sandbox
from tests.web.conftest import GZIP
from tests.web.paying import Payer
from tests.web.paying import customer as customer
from tests.web.paying import settings as settings


@pytest.fixture
def acme(acme: Account, clock: Clock) -> Account:
    acme.configure({"save_payment_method": "optional"}, clock.now, "test")
    return acme


@pytest.fixture
def payer(client: FlaskClient, given: Given, customer: Customer) -> Payer:
    link = Link.of_customer(customer.id)
    assert link
    return Payer(client, given.url(link))


def below(invoice: Invoice) -> str:
    return f"invoices/{invoice.id}/"


def kept(customer: Customer) -> list[SavedMethod]:
    return SavedMethod.of(customer.id, "sandbox")


@pytest.mark.parametrize(
    ("wish", "ticked", "kept_"),
    [("off", "yes", False), ("optional", None, False), ("optional", "yes", True), ("required", None, True)],
)
def test_a_method_is_kept_where_the_account_and_the_payer_wish(
    wish: str,
    ticked: str | None,
    kept_: bool,
    acme: Account,
    given: Given,
    customer: Customer,
    clock: Clock,
    payer: Payer,
) -> None:
    acme.configure({"save_payment_method": wish}, clock.now, "test")
    payer.open(f"{below(given.invoice(customer))}payments/new")
    payer.send(method="card")

    assert ("Keep it for later payments" in payer.text) == (wish == "optional")
    assert ("Acme keeps it for later payments." in payer.text) == (wish == "required")
    assert "save" not in dict(payer.forms[0].fields) or wish == "required"  # never ticked beforehand
    payer.send(sandbox_outcome="4242", save=ticked)
    payer.follow()

    assert [one.label for one in kept(customer)] == (["Visa ending in 4242"] if kept_ else [])


def test_a_stored_method_is_charged_after_a_confirmation(given: Given, customer: Customer, payer: Payer) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    invoice = given.invoice(customer)
    payer.open(f"{below(invoice)}payments/new")
    payer.send(method="card")
    assert "Visa ending in 4242 valid until 12/2034" in payer.text

    payer.send(0)
    assert "How Visa ending in 4242 Amount $40.00 Confirm and pay $40.00" in payer.text
    assert Payment.select().where(Payment.customer == customer).count() == 1
    payer.send(0)
    payer.follow()

    assert "Receipt" in payer.text
    assert Invoice.get_by_id(invoice.id).status == "paid"
    row = Payment.select().where(Payment.saved_method_id == kept(customer)[0].id).get()
    assert row.label == "Visa ending in 4242"


def test_several_invoices_are_paid_with_a_stored_method(given: Given, customer: Customer, payer: Payer) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    invoices = [given.invoice(customer) for _ in range(2)]
    payer.open("payments/new")
    payer.send(method="card")
    payer.send(0)
    assert "Confirm and pay $80.00" in payer.text
    payer.send(0)
    payer.follow()

    assert {Invoice.get_by_id(one.id).status for one in invoices} == {"paid"}


def test_an_invoice_link_may_keep_a_method_and_neither_shows_nor_charges_one(
    client: FlaskClient, given: Given, customer: Customer
) -> None:
    links = [Link.of_invoice(given.invoice(customer).id) for _ in range(2)]
    first, second = (Payer(client, given.url(link)) for link in links if link)
    first.pay(save="yes")
    (method,) = kept(customer)

    second.open("payments/new")
    second.send(method="card")
    assert "Visa" not in second.text
    assert method.id not in (second.page.text if second.page else "")
    form, now = second.forms[0], second.now
    for step in ("stored", "confirm"):
        second.now = now
        assert second.send(form, step=step, saved=method.id, sandbox_outcome=None).status_code == 422
    assert Payment.select().where(Payment.customer == customer).count() == 1
    for tail in ("methods",):
        assert client.get(second.address + tail).status_code == 404
        assert client.post(second.address + tail).status_code == 404


def test_another_customers_stored_method_is_not_charged(
    given: Given, acme: Account, client: FlaskClient, customer: Customer, payer: Payer
) -> None:
    other = given.customer(acme)
    link = Link.of_customer(other.id)
    assert link
    stranger = Payer(client, given.url(link))
    stranger.pay(tail=below(given.invoice(other)), save="yes")
    (theirs,) = kept(other)
    payer.open(f"{below(given.invoice(customer))}payments/new")
    payer.send(method="card")
    form, now = payer.forms[0], payer.now

    for step in ("stored", "confirm"):
        payer.now = now
        assert payer.send(form, step=step, saved=theirs.id, sandbox_outcome=None).status_code == 422
    assert Payment.select().where(Payment.customer == customer).count() == 0


def test_a_stored_method_of_another_kind_is_not_charged_instead(given: Given, customer: Customer, payer: Payer) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    (card,) = kept(customer)
    payer.open(f"{below(given.invoice(customer))}payments/new")
    payer.send(method="us_bank_account")
    assert "Visa" not in payer.text

    assert payer.send(step="confirm", saved=card.id).status_code == 422
    assert Payment.select().where(Payment.customer == customer).count() == 1


def test_without_any_the_list_says_how_one_comes_there(payer: Payer) -> None:
    assert payer.open("methods").status_code == 200

    assert "No payment method is stored." in payer.text
    assert "No payment method is stored." in payer.open().text


def test_an_account_that_stores_none_does_not_speak_of_them(acme: Account, payer: Payer, clock: Clock) -> None:
    acme.configure({"save_payment_method": "off"}, clock.now, "test")

    assert "Payment methods" not in payer.open().text


def test_the_default_is_changed_and_a_method_is_removed_after_a_question(
    given: Given, customer: Customer, payer: Payer, sandbox: Sandbox
) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    payer.pay("us_bank_account", "settles", below(given.invoice(customer)), save="yes")
    payer.open()
    assert "Visa ending in 4242 Default Card, valid until 12/2034" in payer.text
    assert "stamp" not in (payer.page.text if payer.page else "")
    payer.open("methods")

    payer.send(1, deed="default")
    payer.follow()
    assert [(one.label, one.is_default) for one in kept(customer)] == [
        ("Bank account ending in 6789", True),
        ("Visa ending in 4242", False),
    ]

    payer.send(0, deed="remove")
    assert "Remove Bank account ending in 6789 ?" in payer.text
    assert len(kept(customer)) == 2
    payer.send(0, deed="remove")
    payer.follow()
    assert [(one.label, one.is_default) for one in kept(customer)] == [("Visa ending in 4242", True)]


def test_nothing_is_changed_without_the_stamp_of_this_link(
    given: Given, customer: Customer, payer: Payer, client: FlaskClient, clock: Clock, kid: str
) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    (method,) = kept(customer)
    session = Payer(client, given.url(Link.start_session(customer, clock.now, kid, "test")))
    session.open("methods")
    foreign = session.forms[0].filled(deed="remove", sure="yes")
    payer.open("methods")
    good = payer.forms[0].filled(deed="remove", sure="yes")
    address = f"{payer.address}methods"

    assert client.post(address, data={"id": method.id, "deed": "remove", "sure": "yes"}).status_code == 403
    assert client.post(address, data=foreign).status_code == 403
    assert client.post(address, data=good, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(address, data={**good, "id": "0" * 16}).status_code == 409
    assert client.post(address, data={**good, "deed": "sell"}).status_code == 422
    assert len(kept(customer)) == 1
    assert client.post(address, data=good).status_code == 303
    assert kept(customer) == []


def test_a_removed_method_is_gone_here_though_the_gateway_is_away(
    app: Flask, given: Given, customer: Customer, payer: Payer
) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    app.extensions["portal"].gateway._address = lambda: "http://127.0.0.1:9"
    payer.open("methods")

    payer.send(deed="remove", sure="yes")

    assert kept(customer) == []


def test_a_kept_account_page_follows_what_is_stored(
    app: Flask, given: Given, customer: Customer, payer: Payer, clock: Clock, client: FlaskClient
) -> None:
    payer.pay(tail=below(given.invoice(customer)), save="yes")
    assert web.publish(app, "customer", customer.id, clock.now)
    before = gzip.decompress(client.get(payer.address, headers=GZIP).data).decode()

    kept(customer)[0].remove(clock.now, "test")

    after = gzip.decompress(client.get(payer.address, headers=GZIP).data).decode()
    none = "No payment method is stored."
    assert (none in before, none in after) == (False, True)
