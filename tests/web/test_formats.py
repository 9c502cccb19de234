"""An invoice to take away holds what its page shows, adds up, and runs nothing."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.documents.csv import COLUMNS, harmless
from portal.models.account import Account
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries

TERMS: dict[str, Any] = {
    "discounts": [{"type": "percentage_discount", "value": "0.1", "reason": "Early bird"}],
    "tax_rates": [("VAT", "19")],
    "credits": 150,
}


@pytest.fixture
def invoice(given: Given, acme: Account, clock: Clock) -> Invoice:
    customer = given.customer(acme, name="Zoë", external_id="crm-77", metadata={"tier": "gold"})
    fields: dict[str, Any] = {"memo": "Thanks", "metadata": {"order": "o-1"}, "due": date(2026, 12, 24)}
    made = given.invoice(customer, terms=TERMS, **fields)
    day = date(2026, 11, 20)
    paid = {"received_on": day, "amount": 1000, "method": "Bank transfer"}
    Payment.record(made, clock.now, "test", **paid, external_id="pi_123", notes="called twice")  # type: ignore[arg-type]  # one dict for all
    return made


@pytest.fixture
def path(given: Given, invoice: Invoice) -> str:
    link = Link.of_invoice(invoice.id)
    assert link
    return given.url(link)


def test_the_table_has_a_row_a_line_and_adds_up_to_the_total(client: FlaskClient, path: str, invoice: Invoice) -> None:
    response = client.get(f"{path}invoice.csv")

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert response.content_type.startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"] == f'attachment; filename="invoice-{invoice.number}.csv"'
    assert [row["name"] for row in rows] == ["Onboarding", "Extra"]
    assert set(rows[0]) == set(COLUMNS)
    assert sum(Decimal(row["amount"]) + Decimal(row["tax"]) for row in rows) == Decimal(invoice.total) / 100
    assert (rows[0]["quantity"], rows[0]["unit_price"], rows[0]["subtotal"]) == ("2", "15.25", "30.50")
    assert (rows[0]["adjustments"], rows[0]["due_date"]) == ("-3.05", "2026-12-24")


def test_a_line_ends_on_the_last_day_that_it_charges_for(client: FlaskClient, path: str) -> None:
    (row, *_) = csv.DictReader(io.StringIO(client.get(f"{path}invoice.csv").text))

    assert (row["start_date"], row["end_date"]) == ("2026-11-23", "2026-11-23")


def test_a_quantity_says_what_it_counts(client: FlaskClient, given: Given, acme: Account) -> None:
    days = {date(2026, 10, 1): "3"}
    for unit, shown in (("seat-days", "seat-days"), ("=1+1", "'=1+1")):
        price = given.price(given.metric(acme, unit=unit))
        link = Link.of_invoice(given.usage_invoice(given.customer(acme), price, days).id)
        assert link

        (row,) = csv.DictReader(io.StringIO(client.get(given.url(link) + "invoice.csv").text))
        (line,) = client.get(given.url(link) + "invoice.json").get_json()["lines"]

        assert (row["quantity"], row["unit"]) == ("3", shown)
        assert (line["quantity"], line["unit"]) == ("3", unit)


def test_what_is_not_measured_has_no_unit(client: FlaskClient, path: str) -> None:
    (row, *_) = csv.DictReader(io.StringIO(client.get(f"{path}invoice.csv").text))

    assert row["unit"] == ""
    assert client.get(f"{path}invoice.json").get_json()["lines"][0]["unit"] is None


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://evil","x")', "\nx"])
def test_no_cell_begins_like_a_formula(client: FlaskClient, given: Given, acme: Account, name: str) -> None:
    link = Link.of_invoice(given.invoice(given.customer(acme), lines=((name, "1", "1"),)).id)
    assert link

    (row,) = csv.DictReader(io.StringIO(client.get(given.url(link) + "invoice.csv").text, newline=""))

    assert row["name"] == f"'{name}" == harmless(name)


def test_a_negative_number_stays_a_number(client: FlaskClient, given: Given, acme: Account) -> None:
    link = Link.of_invoice(given.invoice(given.customer(acme), lines=(("Refund", "-1", "5"),)).id)
    assert link

    (row,) = csv.DictReader(io.StringIO(client.get(given.url(link) + "invoice.csv").text))

    assert (row["quantity"], row["amount"]) == ("-1", "-5.00")


def test_the_object_holds_what_the_page_shows(client: FlaskClient, path: str, invoice: Invoice) -> None:
    response = client.get(f"{path}invoice.json")

    found = response.get_json()
    assert response.content_type == "application/json"
    assert (found["number"], found["status"], found["currency"]) == (invoice.number, "issued", "USD")
    assert (found["subtotal"], found["credits_applied"]) == ("40.00", "1.50")
    assert found["adjustments"] == [
        {"type": "percentage_discount", "value": "0.1", "reason": "Early bird", "amount": "-4.00"}
    ]
    assert found["payments"] == [{"received_on": "2026-11-20", "method": "Bank transfer", "amount": "10.00"}]
    assert Decimal(found["amount_remaining"]) == Decimal(found["amount_due"]) - 10
    assert sum(Decimal(line["amount"]) for line in found["lines"]) + sum(
        Decimal(tax["amount"]) for tax in found["taxes"]
    ) == Decimal(found["total"])
    assert (found["memo"], found["customer"]["name"]) == ("Thanks", "Zoë")


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_neither_holds_an_id_metadata_or_a_note(client: FlaskClient, path: str, invoice: Invoice, ending: str) -> None:
    text = client.get(f"{path}invoice.{ending}").text

    lines = invoice.document["lines"]
    ids = [invoice.id, invoice.customer_id, invoice.account_id, *(line["id"] for line in lines)]
    kept = [*ids, *(line["item"]["id"] for line in lines), *(line["price"]["id"] for line in lines)]
    for secret in [*kept, "crm-77", "gold", "o-1", "pi_123", "called twice", "metadata", "http"]:
        assert secret not in text


@pytest.mark.parametrize(("currency", "price", "shown"), [("JPY", "1500", "1500"), ("KWD", "1.234", "1.234")])
def test_amounts_have_the_decimals_of_their_currency(
    client: FlaskClient, given: Given, acme: Account, currency: str, price: str, shown: str
) -> None:
    invoice = given.invoice(given.customer(acme, currency=currency), lines=(("A", "1", price),))
    link = Link.of_invoice(invoice.id)
    assert link

    assert client.get(given.url(link) + "invoice.json").get_json()["total"] == shown


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_a_format_opens_under_all_three_links(
    client: FlaskClient, given: Given, links: dict[str, Link], ending: str
) -> None:
    invoice = links["invoice"].invoice_id
    paths = [
        given.url(links["invoice"]),
        *(f"{given.url(links[kind])}invoices/{invoice}/" for kind in ("customer", "session")),
    ]

    answers = [client.get(f"{path}invoice.{ending}") for path in paths]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.data for answer in answers}) == 1


def test_a_format_of_an_invoice_with_payments_takes_five_queries(
    client: FlaskClient, path: str, queries: Queries
) -> None:
    for ending in ("csv", "json"):
        with queries() as made:
            client.get(f"{path}invoice.{ending}")
        assert len(made) == 5


@pytest.mark.parametrize("ending", ["pdf", "xml"])
def test_formats_that_do_not_exist_yet_are_not_found(client: FlaskClient, path: str, ending: str) -> None:
    assert client.get(f"{path}invoice.{ending}").status_code == 404
