"""Whatever the model of its price, a line says the arithmetic that made it: in its row, and when it is opened."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.domain.billing import Charged, build
from portal.domain.pricing import Used
from portal.models import moments
from portal.models.account import Account
from portal.models.base import new_id
from portal.models.invoice import Invoice
from tests.given import Given
from tests.web.test_invoice_page import path, words
from tests.web.test_line import HTMX

PACKAGE = {"model_type": "package", "package_config": {"package_amount": "5.00", "package_size": 1000}}
BULK = {
    "model_type": "bulk",
    "bulk_config": {
        "tiers": [{"maximum_units": 1000, "unit_amount": "0.25"}, {"maximum_units": None, "unit_amount": "0.10"}]
    },
}
MATRIX = {
    "model_type": "matrix",
    "matrix_config": {
        "dimensions": ["region", "tier"],
        "default_unit_amount": "0.30",
        "matrix_values": [
            {"dimension_values": ["eu", "gold"], "unit_amount": "0.10"},
            {"dimension_values": ["us", None], "unit_amount": "0.20"},
        ],
    },
}
UNIT = {"model_type": "unit", "unit_config": {"unit_amount": "30.00"}}
FEE = {**UNIT, "price_type": "fixed_price", "fixed_price_quantity": 2}


@pytest.fixture
def billed(given: Given, acme: Account) -> Any:
    def make(price: dict[str, Any], quantity: str = "0", **more: Any) -> Invoice:
        named = {"id": new_id(), "name": "Calls", "item": {"id": new_id(), "name": "Calls"}}
        days = {"start": date(2026, 10, 1), "end": date(2026, 10, 11), "unit": "calls"}
        charged = Charged(price={"id": "p", **price}, quantity=Decimal(quantity), **named, **days, **more)
        document, _ = build([charged], "USD", new_id=new_id)
        now, customer = given.now(), given.customer(acme)
        draft = Invoice.draft(
            customer, now, "test", document=dict(document), days={}, source="one_off", invoice_date=now
        )
        return moments.issue(draft, now, given.kid, "test")

    return make


@pytest.fixture
def said(client: FlaskClient, given: Given) -> Any:
    """The words of the row of an invoice's line, and those of the line when it is opened."""

    def read(invoice: Invoice) -> tuple[str, str]:
        address = path(given, invoice)
        line = client.get(f"{address}lines/{invoice.document['lines'][0]['id']}", headers=HTMX)
        assert line.status_code == 200
        return words(client.get(address).text), words("</head>" + line.text)

    return read


def test_packages_are_counted(billed: Any, said: Any) -> None:
    row, opened = said(billed(PACKAGE, "2345"))

    assert "2,345 calls 3 packages of 1,000 × $5.00 $15.00" in row
    assert "2,345 calls : 3 packages of 1,000 × $5.00 $15.00" in opened
    assert "✓ Packages × price comes to $15.00" in opened
    assert "1 package of 1,000 ×" in said(billed(PACKAGE, "1"))[0]


def test_bulk_has_one_price_and_says_why(billed: Any, said: Any) -> None:
    row, opened = said(billed(BULK, "1234"))

    assert "1,234 calls × $0.10 $123.40" in row
    assert "1,234 calls × $0.10 (all units at the price of their tier) $123.40" in opened
    assert "✓ Quantity × price comes to $123.40" in opened


def test_each_cell_of_a_matrix_has_a_row(billed: Any, said: Any) -> None:
    cells = {("eu", "gold"): Decimal(12), ("us", None): Decimal(3), ("eu", "x"): Decimal(1)}

    row, opened = said(billed(MATRIX, used=Used.of_cells(cells)))

    assert "16 calls 3 parts $2.10" in row
    assert "region, tier Quantity ( calls ) Price Amount" in opened
    assert "eu, gold 12 $0.10 $1.20 us, no tier 3 $0.20 $0.60 Other 1 $0.30 $0.30" in opened
    assert "✓ Quantity × price of 3 parts comes to $2.10 ✓ 3 parts add up to $2.10" in opened
    assert "✓ 3 parts add up to 16 calls" in opened


def test_a_share_of_a_period_says_of_how_many_days(billed: Any, said: Any) -> None:
    row, opened = said(billed(FEE, share=Fraction(10, 30)))

    assert "2 calls × $30.00 × 10 of 30 days $20.00" in row
    assert "2 calls × $30.00 × 10 of 30 days $20.00" in opened
    assert "✓ Quantity × price × share of the period comes to $20.00" in opened
    assert "× 3/7 of the period" in said(billed(FEE, share=Fraction(3, 7)))[1]


def test_scaled_units_say_what_they_are_counted_as(billed: Any, said: Any) -> None:
    scaled = {"model_type": "unit", "unit_config": {"unit_amount": "0.50", "scaling_factor": "1000"}}

    assert "2 calls = 2,000 × $0.50 $1,000.00" in said(billed(scaled, "2"))[1]


@pytest.mark.parametrize(("price", "each"), [(PACKAGE, None), (BULK, "0.25"), (MATRIX, None), (UNIT, "30.00")])
def test_formats_give_a_price_only_where_all_units_have_one(
    client: FlaskClient, given: Given, billed: Any, price: dict[str, Any], each: str | None
) -> None:
    address = path(given, billed(price, "10"))

    (line,) = client.get(address + "invoice.json").json["lines"]
    assert line["unit_price"] == each
    assert f",10,calls,{each or ''}," in client.get(address + "invoice.csv").text


@pytest.mark.parametrize(
    ("price", "share", "rate"),
    [
        (PACKAGE, 1, {"count": "3", "price": "5.00", "package_size": "1000"}),
        (BULK, 1, {"count": "2345", "price": "0.10", "package_size": None}),
        (MATRIX, 1, None),
        (FEE, Fraction(10, 30), {"count": "2", "price": "30.00", "package_size": None}),
    ],
)
def test_formats_give_what_was_multiplied(
    client: FlaskClient, given: Given, billed: Any, price: dict[str, Any], share: Any, rate: dict[str, Any] | None
) -> None:
    address = path(given, billed(price, "2345", share=Fraction(share)))

    (line,) = client.get(address + "invoice.json").json["lines"]
    assert (line["rate"], line["share_of_period"]) == (rate, None if share == 1 else "1/3")
    assert (",1/3," in client.get(address + "invoice.csv").text) == (share != 1)
