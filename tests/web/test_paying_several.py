"""Several invoices of one currency are paid in one go: one payment, and each invoice its share of it."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Allocation, Payment
from portal.web import payment_bundle
from tests.conftest import Clock
from tests.given import Given
from tests.web.paying import Payer
from tests.web.paying import customer as customer
from tests.web.paying import settings as settings


@pytest.fixture
def invoices(given: Given, customer: Customer) -> list[Invoice]:
    return [given.invoice(customer) for _ in range(3)]


@pytest.fixture
def payer(client: FlaskClient, given: Given, customer: Customer, invoices: list[Invoice]) -> Payer:
    link = Link.of_customer(customer.id)
    assert link
    return Payer(client, given.url(link))


def chosen(*invoices: Invoice) -> str:
    return "payments/new?" + "&".join(f"invoice={one.id}" for one in invoices)


def test_the_account_page_leads_to_paying_some_or_all(payer: Payer, invoices: list[Invoice]) -> None:
    page = payer.open().text
    picks = next(form for form in payer.forms if "invoice" in form.offered)

    assert (picks.action, picks.method) == ("./payments/new", "get")
    assert sorted(picks.offered["invoice"]) == sorted(one.id for one in invoices)
    assert 'href="./payments/new?currency=USD">Pay all' in page


def test_none_selected_is_not_all_of_them(payer: Payer) -> None:
    payer.open()
    picks = next(form for form in payer.forms if "invoice" in form.offered)

    answer = payer.open(f"{picks.action}?selected=yes")

    assert answer.status_code == 422
    assert "No invoice is selected" in payer.text
    assert payer.forms == []
    payer.open("payments/new")
    assert "Pay 3 invoices" in payer.text


def test_two_of_three_are_paid_by_one_payment(payer: Payer, customer: Customer, invoices: list[Invoice]) -> None:
    payer.open(chosen(*invoices[:2]))
    assert "Pay 2 invoices To pay $80.00" in payer.text
    payer.send(method="card")
    payer.send(sandbox_outcome="4242")
    payer.follow()

    (payment,) = Payment.select().where(Payment.customer == customer)
    assert payment.amount == 8000
    assert sorted(one.amount for one in Allocation.of(payment.id)) == [4000, 4000]
    assert [Invoice.get_by_id(one.id).status for one in invoices] == ["paid", "paid", "issued"]
    assert all(str(one.number) in payer.text for one in invoices[:2])


def test_all_are_paid_at_once(payer: Payer, invoices: list[Invoice]) -> None:
    for tail in ("payments/new", "payments/new?currency=USD"):
        payer.open(tail)
        assert "Pay 3 invoices To pay $120.00" in payer.text
    payer.send(method="card")
    payer.send(sandbox_outcome="4242")
    payer.follow()

    assert {Invoice.get_by_id(one.id).status for one in invoices} == {"paid"}
    assert payer.open("payments/new").status_code == 200
    assert "No invoice asks for money." in payer.text


def test_one_of_several_is_only_paid_in_full(acme: Account, clock: Clock, payer: Payer) -> None:
    acme.configure({"partial_payments": {"allowed": True, "minimum": None}}, clock.now, "test")
    payer.open("payments/new")
    payer.send(method="card")
    assert "Pay another amount" not in payer.text

    assert payer.send(amount="50.00", sandbox_outcome="4242").status_code == 422


def test_the_methods_are_what_all_of_them_allow(given: Given, customer: Customer, payer: Payer) -> None:
    given.invoice(customer, payment_methods=["us_bank_account"])

    payer.open("payments/new")

    assert payer.forms[0].offered["method"] == ["us_bank_account"]


def test_where_no_method_is_allowed_by_all_of_them_they_are_to_be_paid_one_by_one(
    given: Given, customer: Customer, payer: Payer
) -> None:
    ach = given.invoice(customer, payment_methods=["us_bank_account"])
    card = given.invoice(customer, payment_methods=["card"])

    payer.open(chosen(ach, card))

    assert "pay it by itself, or choose fewer" in payer.text
    assert [form for form in payer.forms if "method" in form.offered] == []
    assert payer.page is not None
    assert f'href="../invoices/{ach.id}/"' in payer.page.text


def test_one_currency_at_a_time(given: Given, customer: Customer, payer: Payer, invoices: list[Invoice]) -> None:
    euros = given.invoice(customer, currency="EUR")

    payer.open(chosen(invoices[0], euros))
    assert "Pay in which currency?" in payer.text
    assert payer.forms == []
    answer = payer.client.post(
        f"{payer.address}payments", data={"method": "card", "invoice": [euros.id, invoices[0].id]}
    )
    assert answer.status_code == 422

    payer.open("payments/new?currency=EUR")
    assert f"Pay invoice {euros.number}" in payer.text


def test_what_is_on_its_way_is_named_and_left_out(payer: Payer, invoices: list[Invoice]) -> None:
    payer.pay("us_bank_account", "settles", f"invoices/{invoices[0].id}/")

    payer.open(chosen(*invoices))
    assert "Pay 2 invoices To pay $80.00" in payer.text
    assert f"$40.00 of invoice {invoices[0].number} is on its way." in payer.text
    payer.open(chosen(invoices[0]))
    assert "A payment is on its way" in payer.text
    assert payer.forms == []
    page = payer.open().text
    assert re.findall(rf'value="{invoices[0].id}"[^>]* disabled', page)
    assert not re.findall(rf'value="{invoices[1].id}"[^>]* disabled', page)


def test_what_waits_for_its_payer_is_not_said_to_be_on_its_way(payer: Payer, invoices: list[Invoice]) -> None:
    payer.pay("card", "3155", f"invoices/{invoices[0].id}/")

    payer.open(chosen(invoices[0]))

    assert "A payment waits for you" in payer.text
    assert "waits to be confirmed. Confirm it, or give it up" in payer.text


def test_who_leaves_one_out_of_what_was_stamped_pays_nothing(
    payer: Payer, customer: Customer, invoices: list[Invoice]
) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    form, now = payer.forms[0], payer.now

    for others in ([invoices[0].id], [invoices[0].id, invoices[1].id], [invoices[0].id] * 3):
        payer.now = now
        assert payer.send(form, invoice=others, sandbox_outcome="4242").status_code == 403
    assert Payment.select().where(Payment.customer == customer).count() == 0


@pytest.mark.parametrize("what", ["another's", "a draft", "none such"])
def test_what_is_not_hers_is_not_there(
    what: str, given: Given, bolt: Account, customer: Customer, payer: Payer, invoices: list[Invoice]
) -> None:
    id = {
        "another's": lambda: given.invoice(given.customer(bolt)).id,
        "a draft": lambda: given.invoice(customer, issued=False).id,
        "none such": lambda: "0" * 16,
    }[what]()

    assert payer.open(f"payments/new?invoice={id}").status_code == 404
    assert payer.open(f"payments/new?invoice={id}&invoice={invoices[0].id}").status_code == 404
    data = {"method": "card", "invoice": [id, invoices[0].id]}
    assert payer.client.post(f"{payer.address}payments", data=data).status_code == 404


@pytest.mark.parametrize(
    "tail",
    [
        "payments/new?invoice=%00",
        "payments/new?currency=%00",
        "payments/%00",
        "invoices/%00/",
        "invoices/a%00b/payments/new",
        "invoices/%00/payments/%00",
    ],
)
def test_what_nothing_can_be_called_is_not_there(payer: Payer, tail: str) -> None:
    unknown = payer.open("payments/" + "z" * 16)

    assert (payer.open(tail).status_code, payer.open(tail).data) == (404, unknown.data)


def test_what_nothing_can_be_called_is_not_paid(payer: Payer, invoices: list[Invoice]) -> None:
    for tail in ("payments", "payments/%00", "invoices/%00/payments"):
        answer = payer.client.post(payer.address + tail, data={"method": "card", "invoice": [invoices[0].id, "\0"]})
        assert answer.status_code == 404


def test_too_many_are_paid_the_first_due_first(
    payer: Payer, given: Given, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_bundle, "MOST", 2)

    payer.open("payments/new")

    assert "Pay 2 invoices To pay $80.00" in payer.text
    assert "No more than 2 invoices can be paid at once" in payer.text


def test_under_an_invoice_link_there_are_no_others(client: FlaskClient, given: Given, invoices: list[Invoice]) -> None:
    link = Link.of_invoice(invoices[0].id)
    assert link
    alone = Payer(client, given.url(link))

    alone.open(chosen(*invoices))

    assert f"Pay invoice {invoices[0].number} To pay $40.00" in alone.text


def test_of_a_payment_of_several_an_invoice_link_shows_its_own_share_only(
    client: FlaskClient, given: Given, payer: Payer, customer: Customer, invoices: list[Invoice]
) -> None:
    payer.pay()
    (payment,) = Payment.select().where(Payment.customer == customer)
    link = Link.of_invoice(invoices[0].id)
    assert link
    alone = Payer(client, given.url(link))

    assert alone.open(f"payments/{payment.id}").status_code == 200

    assert "$40.00" in alone.text
    assert "$120.00" not in alone.text
    assert "Visa" not in alone.text
    assert [one.number for one in invoices if str(one.number) in alone.text] == [invoices[0].number]
    assert "Visa" not in alone.open().text
