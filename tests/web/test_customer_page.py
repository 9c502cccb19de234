"""The customer's account on one page: what asks for her first, her credit, her details; each part by itself as well."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient

from portal.models import moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.customer import BalanceTransaction, Customer
from portal.models.link import Link
from portal.models.payment import Payment
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_invoice_page import words

Read = Callable[[str], str]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
SECTIONS = {
    "due": "pf-due",
    "upcoming": "pf-upcoming",
    "usage": "pf-usage",
    "invoices": "pf-history",
    "plan": "pf-plan",
    "balance": "pf-balance",
    "details": "pf-details",
}


def home(given: Given, customer: Customer) -> str:
    link = Link.of_customer(customer.id)
    assert link
    return given.url(link)


def part(client: FlaskClient, address: str) -> str:
    """The words of a fragment as htmx gets it."""
    return words("</head>" + client.get(address, headers=HTMX).text)


def test_the_page_holds_every_section_once_and_asks_for_nothing_later(
    client: FlaskClient, given: Given, acme: Account, read: Read
) -> None:
    text = read(home(given, given.customer(acme)))

    for id in SECTIONS.values():
        assert text.count(f'id="{id}"') == 1
    assert not re.search(r"hx-trigger=\"[^\"]*(load|every|revealed|intersect)", text)
    assert text.index("pf-due-title") < text.index("pf-upcoming-title") < text.index("pf-usage-title")


@pytest.mark.parametrize(("tail", "id"), SECTIONS.items())
def test_each_section_has_its_own_address_bare_for_htmx_and_framed_for_others(
    client: FlaskClient, given: Given, acme: Account, tail: str, id: str
) -> None:
    customer = given.customer(acme)
    given.invoice(customer)
    bare, framed = client.get(home(given, customer) + tail, headers=HTMX), client.get(home(given, customer) + tail)

    assert (bare.status_code, framed.status_code) == (200, 200)
    assert bare.text.lstrip().startswith(f'<section id="{id}"')
    assert "<html" not in bare.text
    assert bare.text.strip() in framed.text or id in ("pf-history", "pf-usage")  # whose forms lead elsewhere
    assert "Back to the whole page" in framed.text
    title = re.search(r'-title" class="title">([^<]+)</h2>', bare.text)
    assert title
    assert f"<title>{title[1]}</title>" in framed.text
    assert "HX-Request" in bare.vary
    assert "HX-Request" in framed.vary


def test_no_address_on_the_page_holds_the_token(given: Given, acme: Account, read: Read) -> None:
    customer = given.customer(acme)
    given.invoice(customer)
    address = home(given, customer)

    for tail in ("", *SECTIONS):
        assert address.split("/")[2] not in read(address + tail)


def test_what_is_left_to_pay_comes_first_the_longest_due_on_top(
    client: FlaskClient, given: Given, acme: Account, clock: Clock
) -> None:
    customer = given.customer(acme)
    issued = given.invoice(customer, due=date(2026, 12, 1))
    overdue = given.invoice(customer, due=date(2026, 11, 1))
    Payment.record(overdue, clock.now, "test", received_on=clock.now.date(), amount=1500)
    Payment.record(given.invoice(customer), clock.now, "test", received_on=clock.now.date())

    text = part(client, home(given, customer) + "due")

    assert "$65.00 on 2 invoices" in text
    assert f"{overdue.number} Overdue Nov 1, 2026 $25.00 of $40.00 {issued.number} Issued Dec 1, 2026 $40.00" in text


def test_currencies_are_never_added(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    given.invoice(customer)
    given.invoice(customer, (("Support", "1", "4000"),), currency="JPY")
    given.invoice(customer, (("Support", "1", "1.234"),), currency="KWD")

    text = part(client, home(given, customer) + "due")

    assert "¥4,000 on 1 invoice" in text
    assert "KWD1.234 on 1 invoice" in text.replace("\xa0", "")
    assert "$40.00 on 1 invoice" in text


def test_more_than_ten_open_invoices_are_counted_and_one_link_away(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    for _ in range(12):
        given.invoice(customer)

    html = client.get(home(given, customer) + "due", headers=HTMX).text

    assert "$480.00 on 12 invoices" in words("</head>" + html)
    assert html.count("<tr>") == 11  # with the heads
    assert "2 more to pay" in html
    assert client.get(home(given, customer) + "invoices?status=unpaid").status_code == 200


def test_an_invoice_of_the_list_opens_below_the_same_link(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoice = given.invoice(customer)

    for place in (home(given, customer), home(given, customer) + "due"):
        found = re.search(r'href="([^"]*invoices/[^"]*)"', client.get(place).text)
        assert found
        address = home(given, customer) + found[1].removeprefix("./")
        assert invoice.number in client.get(address).text


def test_every_empty_section_says_what_will_stand_there(given: Given, acme: Account, read: Read) -> None:
    text = words(read(home(given, given.customer(acme))))

    assert "Nothing needs to be paid." in text
    assert "No subscription is running." in text
    assert "Nothing is measured for you yet." in text
    assert "There are no invoices yet." in text
    assert "You have no credit." in text


def test_credit_and_its_latest_movements(client: FlaskClient, given: Given, acme: Account, clock: Clock) -> None:
    customer = given.customer(acme)
    with db.atomic():
        BalanceTransaction.move(
            customer.held(), 10000, "manual_adjustment", clock.now, description="for the operator's eyes"
        )
    clock.advance(hours=1)
    invoice = given.invoice(customer)

    text = part(client, home(given, customer) + "balance")

    assert "$60.00 in your favour" in text
    assert f"Nov 23, 2026 Used for an invoice {invoice.number} -$40.00 $60.00" in text
    assert "Nov 23, 2026 Adjusted $100.00 $100.00" in text
    assert text.index("Used for an invoice") < text.index("Adjusted")
    assert "eyes" not in text


def test_a_hidden_void_invoice_is_not_named_by_the_credit_it_returned(
    client: FlaskClient, given: Given, acme: Account, clock: Clock
) -> None:
    customer = given.customer(acme)
    with db.atomic():
        BalanceTransaction.move(customer.held(), 1000, "manual_adjustment", clock.now)
    void = moments.void(given.invoice(customer), clock.now, "test")
    address = home(given, customer) + "balance"

    assert void.number in part(client, address)
    acme.configure({"hide_voided_invoices": True}, clock.now, "test")
    assert void.number not in part(client, address)
    assert "Returned from a void invoice" in part(client, address)


def test_a_debt_is_called_one(client: FlaskClient, given: Given, acme: Account, clock: Clock) -> None:
    customer = given.customer(acme)
    with db.atomic():
        BalanceTransaction.move(customer.held(), -500, "manual_adjustment", clock.now)

    assert "$5.00 owed; it is added to your next invoice" in part(client, home(given, customer) + "balance")


def test_billing_details_are_those_on_file(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(
        acme,
        name="<Bär> & Söhne",
        email="ap@baer.example",
        additional_emails=["cfo@baer.example"],
        billing_address={"line1": "Hauptstr. 1", "postal_code": "10115", "city": "Berlin", "country": "DE"},
        tax_id={"country": "DE", "type": "eu_vat", "value": "DE123456789"},
        timezone="Europe/Berlin",
        metadata={"internal": "a note of the operator"},
        external_id="crm-77",
    )

    text = part(client, home(given, customer) + "details")

    assert "&lt;Bär&gt; &amp; Söhne E-mail ap@baer.example cfo@baer.example" in text
    assert "Hauptstr. 1 10115 Berlin Germany Tax id DE123456789 Time zone Europe/Berlin" in text
    assert "note of" not in text
    assert "crm-77" not in text


def test_a_session_says_when_it_ends_on_the_customers_clock(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str, read: Read
) -> None:
    customer = given.customer(acme, timezone="Europe/Berlin")
    session = given.url(Link.start_session(customer, clock.now, kid, "test", minutes=90))

    text = re.sub(r"\s", " ", words(read(session)))  # Babel puts a narrow space before PM
    assert "This page stays open until Nov 23, 2026, 2:30 PM (Europe/Berlin)." in text
    assert "stays open until" not in read(home(given, customer))
    clock.advance(minutes=91)
    assert client.get(session + "usage", headers=HTMX).status_code == 410


def test_an_invoice_link_reaches_no_account_page(client: FlaskClient, given: Given, acme: Account) -> None:
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)
    assert link

    unknown = client.get(given.url(link) + "nothing-like-it")
    for tail in SECTIONS:
        response = client.get(given.url(link) + tail)
        assert (response.status_code, response.data) == (404, unknown.data)


def test_amounts_and_days_follow_the_customers_language(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme, locale="de-DE", currency="EUR")
    given.invoice(customer, (("Support", "1", "1234.50"),), due=date(2026, 12, 3))

    assert "1.234,50 €" in part(client, home(given, customer) + "due").replace("\xa0", " ")
    assert "03.12.2026" in part(client, home(given, customer) + "due")
