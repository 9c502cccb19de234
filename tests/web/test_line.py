"""A line opens to how it came about: its tiers, its arithmetic, its days."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.models import moments
from portal.models.account import Account
from portal.models.invoice import Invoice, LineDays
from portal.models.link import Link
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.test_invoice_page import path, words

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
TIERS: dict[str, Any] = {
    "model_type": "tiered",
    "tiered_config": {
        "tiers": [
            {"first_unit": 0, "last_unit": 100, "unit_amount": "0.50"},
            {"first_unit": 100, "last_unit": 200, "unit_amount": "0.25"},
            {"first_unit": 200, "last_unit": None, "unit_amount": "0.1"},
        ]
    },
}


@pytest.fixture
def tiered(given: Given, acme: Account) -> Invoice:
    price = given.price(given.metric(acme, "API calls"), **TIERS)
    days = {date(2026, 10, 1) + timedelta(days=n): "75" for n in range(4)}
    terms = {"discounts": [{"type": "percentage_discount", "value": "0.2"}], "tax_rates": [("VAT", "19")]}
    return given.usage_invoice(given.customer(acme), price, days, terms=terms)


def test_a_line_shows_its_tiers_its_arithmetic_and_its_days(client: FlaskClient, given: Given, tiered: Invoice) -> None:
    text = words("</head>" + client.get(_line(given, tiered), headers=HTMX).text)

    assert "API calls , Oct 1, 2026 – Oct 4, 2026" in text
    assert "The first 100 100 $0.50 $50.00" in text
    assert "Above 100, up to 200 100 $0.25 $25.00" in text
    assert "Above 200 100 $0.10 $10.00" in text
    assert "300 calls $85.00 Discount of 20%, this line’s share -$17.00 This line $68.00 VAT 19% on it $12.92" in text
    assert "Units ( calls ) Quantity Price Amount" in text
    assert "Day Quantity ( calls ) Amount" in text
    assert "Oct 1 75 $37.50 Oct 2 75 $25.00 Oct 3 75 $15.00 Oct 4 75 $7.50" in text
    assert "All 4 days 300 $85.00" in text


def test_every_sum_of_a_line_is_said_to_hold(client: FlaskClient, given: Given, tiered: Invoice) -> None:
    text = words("</head>" + client.get(_line(given, tiered), headers=HTMX).text)

    assert (
        "✓ Quantity × price in 3 price steps comes to $85.00 ✓ 3 price steps add up to $85.00 "
        "✓ 4 days add up to $85.00 ✓ 4 days add up to 300 calls ✓ Subtotal and what changed it come to $68.00"
    ) in text
    assert "✗" not in text


def test_a_discount_on_usage_says_what_it_takes_off(client: FlaskClient, given: Given, acme: Account) -> None:
    terms = {"discounts": [{"type": "usage_discount", "value": "20"}]}
    price, days = given.price(given.metric(acme)), {date(2026, 10, 1): "100"}
    invoice = given.usage_invoice(given.customer(acme), price, days, terms=terms)

    text = words("</head>" + client.get(_line(given, invoice), headers=HTMX).text)

    assert "100 calls × $0.50 $50.00 Discount of 20 calls , this line’s share -$10.00 This line $40.00" in text
    assert "Discount of 20 units -$10.00" in words(client.get(path(given, invoice)).text)


def test_what_was_rounded_is_said_to_have_been_rounded_once(client: FlaskClient, given: Given, acme: Account) -> None:
    days = {date(2026, 10, 1) + timedelta(days=n): "1" for n in range(3)}
    invoice = given.usage_invoice(given.customer(acme), given.price(given.metric(acme), "0.005"), days)

    text = words("</head>" + client.get(_line(given, invoice), headers=HTMX).text)

    assert "✓ 3 days add up to $0.015, rounded once: $0.02" in text


def test_days_that_do_not_add_up_are_said_not_to_and_by_how_much(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    days = {date(2026, 10, 1) + timedelta(days=n): "20" for n in range(3)}
    price = given.price(given.metric(acme, unit=""))
    draft = given.usage_invoice(given.customer(acme), price, days, issued=False)
    row = LineDays.get(LineDays.invoice == draft.id)
    row.days[1] |= {"amount": "9.25", "quantity": "21"}
    LineDays.update(days=row.days).where(LineDays.invoice == draft.id).execute()

    text = words("</head>" + client.get(_line(given, moments.issue(draft, clock.now, kid, "test"))).text)

    assert "✗ 3 days add up to $29.25: $0.75 less than the $30.00 of this line" in text
    assert "✗ 3 days add up to 61 units: 1 unit more than the 60 units of this line" in text
    assert "✓ Quantity × price comes to $30.00" in text


def test_the_days_are_drawn_where_there_is_something_to_compare(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer, price = given.customer(acme), given.price(given.metric(acme))
    one, two = (
        given.usage_invoice(
            customer, price, {date(2026, 10, 1): "5", date(2026, 10, 2): second, date(2026, 10, 4): "0"}
        )
        for second in ("0", "7")
    )

    assert "<svg" not in client.get(_line(given, one), headers=HTMX).text
    html = client.get(_line(given, two), headers=HTMX).text
    assert f'id="pf-chart-{two.document["lines"][0]["id"]}"' in html
    assert "Oct 3 0 $0.00" in words("</head>" + html)  # a day of which nothing is known is a day without use


@pytest.mark.parametrize(
    ("quantities", "says"),
    [
        (("3", "46100", "0"), "Most on Oct 2, 2026: 46,100 calls"),
        (("3", "9", "9"), "Most on Oct 2, 2026 and 1 other day: 9 calls"),
        (("9", "9", "3", "9"), "Most on Oct 1, 2026 and 2 other days: 9 calls"),
        (("0", "9", "0"), None),
        (("9", "9", "9"), None),
    ],
)
def test_the_day_with_the_most_is_named_where_one_stands_out(
    client: FlaskClient, given: Given, acme: Account, quantities: tuple[str, ...], says: str | None
) -> None:
    days = {date(2026, 10, 1) + timedelta(days=n): quantity for n, quantity in enumerate(quantities)}
    invoice = given.usage_invoice(given.customer(acme), given.price(given.metric(acme)), days)

    text = words("</head>" + client.get(_line(given, invoice), headers=HTMX).text)

    assert says in text if says else "Most on" not in text


def test_a_line_of_a_document_without_units_counts_units(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    days = {date(2026, 10, 1) + timedelta(days=n): "75" for n in range(4)}
    price = given.price(given.metric(acme), **TIERS)
    draft = given.usage_invoice(given.customer(acme), price, days, issued=False)
    del draft.document["lines"][0]["unit"]
    draft.save()

    text = words("</head>" + client.get(_line(given, moments.issue(draft, clock.now, kid, "test"))).text)

    assert "300 units $85.00" in text
    assert "4 days add up to 300 units" in text
    assert "Day Quantity Amount" in text


def test_days_of_two_years_name_their_year(client: FlaskClient, given: Given, acme: Account) -> None:
    days = {date(2026, 12, 31): "1", date(2027, 1, 1): "2"}
    invoice = given.usage_invoice(given.customer(acme), given.price(given.metric(acme)), days)

    text = words("</head>" + client.get(_line(given, invoice), headers=HTMX).text)

    assert "Dec 31, 2026 1 $0.50 Jan 1, 2027 2 $1.00" in text


def test_a_line_alone_says_which_invoice_it_is_of(client: FlaskClient, given: Given, tiered: Invoice) -> None:
    html = client.get(_line(given, tiered)).text

    text = words(html)
    assert f"A line of invoice {tiered.number} of Nov 23, 2026, from Acme to Customer" in text
    assert f"<title>API calls · Invoice {tiered.number} · Acme</title>" in html
    assert re.search(r"<h1><span[^>]*>API calls</span>, Oct 1, 2026 – Oct 4, 2026</h1>", html)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("invoice", "Whoever has this address can also open the whole invoice."),
        ("customer", "This address opens the whole account: send it to nobody outside your company."),
        ("session", "This address opens the whole account until the session ends: send it to nobody"),
    ],
)
def test_a_line_alone_says_what_its_address_opens_besides(
    client: FlaskClient, given: Given, links: dict[str, Link], kind: str, says: str
) -> None:
    invoice = Invoice.get_by_id(links["invoice"].invoice_id)
    below = "" if kind == "invoice" else f"invoices/{invoice.id}/"
    address = f"{given.url(links[kind])}{below}lines/{invoice.document['lines'][0]['id']}"

    assert says in words(client.get(address).text)
    assert says not in client.get(address, headers=HTMX).text


def test_htmx_gets_the_fragment_and_anyone_else_a_page_around_it(
    client: FlaskClient, given: Given, tiered: Invoice
) -> None:
    here = _line(given, tiered)
    part, whole = client.get(here, headers=HTMX), client.get(here)

    root = f'<section id="pf-line-{tiered.document["lines"][0]["id"]}"'
    assert part.text.lstrip().startswith(root)
    assert "HX-Request" in part.headers["Vary"]
    assert part.headers["Vary"] == whole.headers["Vary"]
    assert root in whole.text
    assert "<title>" in whole.text
    assert f'<a href="../">Back to invoice {tiered.number}</a>' in whole.text


def test_the_framed_line_leads_back_to_its_invoice_under_every_link(
    client: FlaskClient, given: Given, links: dict[str, Link]
) -> None:
    invoice = Invoice.get_by_id(links["invoice"].invoice_id)
    line = invoice.document["lines"][0]["id"]

    text = client.get(f"{given.url(links['session'])}invoices/{invoice.id}/lines/{line}").text

    assert f'<a href="../../../invoices/{invoice.id}/">Back to invoice {invoice.number}</a>' in text


def test_a_line_without_days_shows_its_arithmetic_alone(client: FlaskClient, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))

    text = words("</head>" + client.get(_line(given, invoice), headers=HTMX).text)

    assert "2 × $15.25 $30.50" in text
    assert "Day by day" not in text


def test_an_unrounded_price_keeps_all_its_decimals(client: FlaskClient, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme), lines=(("Calls", "1234567.5", "0.00042"),))

    assert "1,234,567.5 × $0.00042 $518.52" in words("</head>" + client.get(_line(given, invoice)).text)


@pytest.mark.parametrize("line", ["nowhere", "0" * 16, "..", "%00"])
def test_a_line_that_the_invoice_does_not_have_is_not_found(
    client: FlaskClient, given: Given, tiered: Invoice, line: str
) -> None:
    assert client.get(f"{path(given, tiered)}lines/{line}").status_code == 404


def test_a_line_of_another_invoice_is_not_found(
    client: FlaskClient, given: Given, acme: Account, tiered: Invoice
) -> None:
    other = given.invoice(given.customer(acme))

    assert client.get(f"{path(given, other)}lines/{tiered.document['lines'][0]['id']}").status_code == 404


@pytest.mark.parametrize("days", [1, 300])
def test_a_line_takes_three_queries_however_many_days(
    client: FlaskClient, given: Given, acme: Account, queries: Queries, days: int
) -> None:
    price = given.price(given.metric(acme))
    used = {date(2026, 1, 1) + timedelta(days=n): "1" for n in range(days)}
    here = _line(given, given.usage_invoice(given.customer(acme), price, used))

    with queries() as made:
        text = client.get(here, headers=HTMX).text

    assert len(made) == 3
    assert len(re.findall(r'<th scope="row">', text)) == days + 1


def _line(given: Given, invoice: Invoice) -> str:
    return f"{path(given, invoice)}lines/{invoice.document['lines'][0]['id']}"
