"""All invoices of a customer: pages by key, filters, and a question that makes no sense."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from portal.models import moments
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.payment import Payment
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_customer_page import HTMX, home, part


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme)


def numbers(html: str) -> list[str]:
    return re.findall(r'invoices/[^"]+/">([^<]+)</a>', html)


def test_the_newest_stand_first_with_status_total_and_what_is_left(
    client: FlaskClient, given: Given, customer: Customer, clock: Clock
) -> None:
    paid = given.invoice(customer, invoice_date=datetime(2026, 9, 1, tzinfo=UTC))
    Payment.record(paid, clock.now, "test", received_on=clock.now.date())
    late = given.invoice(customer, invoice_date=datetime(2026, 10, 1, tzinfo=UTC), due=date(2026, 10, 15))
    Payment.record(late, clock.now, "test", received_on=clock.now.date(), amount=100)
    void = moments.void(given.invoice(customer, invoice_date=datetime(2026, 8, 1, tzinfo=UTC)), clock.now, "test")
    given.invoice(customer, issued=False)

    text = part(client, home(given, customer) + "invoices")

    assert (
        f"{late.number} Oct 1, 2026 Overdue $40.00 $39.00 {paid.number} Sep 1, 2026 Paid $40.00 – "
        f"{void.number} Aug 1, 2026 Void $40.00 –"
    ) in text


def test_links_lead_through_all_pages_and_back(client: FlaskClient, given: Given, customer: Customer) -> None:
    made = [
        given.invoice(customer, invoice_date=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)).number
        for n in range(45)
    ]
    address = home(given, customer)

    seen, pages, tail = [], [], "invoices"
    while tail:
        pages.append(client.get(address + tail).text)
        seen += numbers(pages[-1])
        tail = follow(pages[-1], "next")

    assert seen == made[::-1]
    assert [len(numbers(page)) for page in pages] == [20, 20, 5]
    assert not follow(pages[0], "prev")
    assert numbers(client.get(address + follow(pages[2], "prev")).text) == numbers(pages[1])
    assert numbers(client.get(address + follow(pages[1], "prev")).text) == numbers(pages[0])


def test_filters_stay_on_while_pages_turn(client: FlaskClient, given: Given, customer: Customer, clock: Clock) -> None:
    for n in range(25):
        given.invoice(customer, invoice_date=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n))
    paid = given.invoice(customer, invoice_date=datetime(2026, 1, 2, tzinfo=UTC))
    Payment.record(paid, clock.now, "test", received_on=clock.now.date())

    first = client.get(home(given, customer) + "invoices?status=unpaid&year=2026").text
    second = client.get(home(given, customer) + follow(first, "next")).text

    assert "status=unpaid" in follow(first, "next")
    assert len(numbers(first) + numbers(second)) == 25
    assert paid.number not in numbers(first) + numbers(second)
    assert '<option value="unpaid" selected>' in second


def test_an_invoice_is_found_by_a_part_of_its_number(client: FlaskClient, given: Given, customer: Customer) -> None:
    wanted, other = given.invoice(customer), given.invoice(customer)
    address = home(given, customer) + "invoices?number="

    assert numbers(client.get(f"{address}{wanted.number[-5:]}").text) == [wanted.number]
    assert numbers(client.get(f"{address}+{wanted.number.lower()}+").text) == [wanted.number]
    assert set(numbers(client.get(f"{address}{wanted.number[:6]}").text)) == {wanted.number, other.number}
    assert "No invoice matches." in client.get(f"{address}99999").text


def test_a_hidden_void_invoice_is_neither_listed_nor_offered_as_a_filter(
    client: FlaskClient, given: Given, acme: Account, customer: Customer, clock: Clock
) -> None:
    void = moments.void(given.invoice(customer), clock.now, "test")
    given.invoice(customer)
    acme.configure({"hide_voided_invoices": True}, clock.now, "test")
    address = home(given, customer)

    html = client.get(address + "invoices").text

    assert void.number not in html
    assert 'value="void"' not in html
    assert not numbers(client.get(address + f"invoices?number={void.number}").text)
    assert client.get(address + "invoices?status=void").status_code == 422
    assert client.get(address + f"invoices/{void.id}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("number=%25", "Number: an invoice number has letters, digits and hyphens."),
        ("number=%00", "Number: an invoice number has"),
        ("number=" + "9" * 33, "Number: an invoice number has"),
        ("status=draft", "Status: choose one of Any status, To pay, Overdue, Payment failed, Processing, Paid, Void."),
        ("year=1999", "Year: choose one of Any year, 2026."),
        ("year=99999999", "Year: choose one of"),
        ("older_than=5", "Older than: follow the links below the list."),
        ("older_than=99999999999999999999.aaaaaaaaaaaaaaaa", "Older than: follow"),
        ("newer_than=1.aaaaaaaaaaaaaaaa%0a", "Newer than: follow"),
        ("newer_than=%d9%a1.aaaaaaaaaaaaaaaa", "Newer than: follow"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_the_form_and_a_sentence(
    client: FlaskClient, given: Given, customer: Customer, query: str, sentence: str
) -> None:
    given.invoice(customer)

    response = client.get(home(given, customer) + "invoices?" + query, headers=HTMX)

    assert response.status_code == 422
    assert sentence in response.text
    assert "<form" in response.text
    assert not numbers(response.text)


@pytest.mark.parametrize("key", ["older_than=0.aaaaaaaaaaaaaaaa", "newer_than=99999999999999999.aaaaaaaaaaaaaaaa"])
def test_a_key_beyond_the_ends_shows_nothing_and_breaks_nothing(
    client: FlaskClient, given: Given, customer: Customer, key: str
) -> None:
    given.invoice(customer)

    response = client.get(home(given, customer) + "invoices?" + key)

    assert response.status_code == 200
    assert "Show all invoices" in response.text


def test_another_customers_invoices_are_not_found(
    client: FlaskClient, given: Given, acme: Account, customer: Customer
) -> None:
    theirs = given.invoice(given.customer(acme))
    given.invoice(customer)

    assert not numbers(client.get(home(given, customer) + f"invoices?number={theirs.number}").text)


def follow(html: str, rel: str) -> str:
    """Where a link to another page leads, from the customer's page."""
    found = re.search(rf'rel="{rel}" href="\./([^"]+)"', html)
    return found[1].replace("&amp;", "&") if found else ""
