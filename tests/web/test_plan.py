"""What a customer pays for: each running subscription, its prices and tiers in words, and what changes its bills."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient

from portal.models.account import Account
from tests.given import Given
from tests.web.test_customer_page import home, part
from tests.web.test_line import TIERS
from tests.web.test_line_models import BULK, MATRIX, PACKAGE
from tests.web.test_upcoming import fee


def test_prices_and_tiers_stand_in_words(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    calls, storage = given.metric(acme), given.metric(acme, "Storage", "GB")
    prices = fee(given, acme, "100"), given.price(calls, **TIERS), given.price(storage, "0.00042")
    given.subscription(customer, *prices, billing_cycle_day=15)

    text = part(client, home(given, customer) + "plan")

    assert "Team plan Billed every month, this time for Nov 15, 2026 – Dec 14, 2026; since Jan 1, 2026" in text
    assert "Platform fee $100.00 Fixed, every period" in text
    assert "API calls The first 100: $0.50 each Above 100, up to 200: $0.25 each" in text
    assert "Storage $0.00042 each Counted in GB" in text


def test_the_rates_of_every_model_stand_in_words(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    prices = [given.price(given.metric(acme), **model) for model in (PACKAGE, BULK, MATRIX)]
    given.subscription(customer, *prices)

    text = part(client, home(given, customer) + "plan")

    assert "$5.00 for every 1,000, in part or whole" in text
    assert "All units, up to 1,000 in all: $0.25 each All units, above 1,000 in all: $0.10 each" in text
    assert "eu, gold : $0.10 each us, no tier : $0.20 each Other : $0.30 each" in text


def test_a_matrix_of_very_many_cells_is_cut_short(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    rows = [{"dimension_values": [f"r{n}"], "unit_amount": "1"} for n in range(60)]
    config = {"dimensions": ["region"], "default_unit_amount": "2", "matrix_values": rows}
    given.subscription(customer, given.price(given.metric(acme), model_type="matrix", matrix_config=config))

    text = part(client, home(given, customer) + "plan")

    assert "r49 : $1.00 each and 11 more; each bill shows what was used" in text
    assert "r50" not in text


def test_what_changes_every_bill_stands_there_too(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    terms = {
        "discounts": [{"type": "percentage_discount", "value": "0.1", "reason": "Two years"}],
        "minimum": 5000,
        "tax_rates": [["VAT", "20"]],
    }
    given.subscription(customer, given.price(given.metric(acme)), terms=terms, end_date=date(2027, 1, 1))

    text = part(client, home(given, customer) + "plan")

    assert "until Jan 1, 2027" in text
    assert "Discount 10% off Two years" in text
    assert "Minimum $50.00 Every period, whatever is used" in text
    assert "VAT 20% On top" in text


def test_a_price_of_another_kind_is_not_guessed(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    price = given.price(given.metric(acme), model_type="package", package_config={"package_amount": "7"})
    given.subscription(customer, price)

    text = part(client, home(given, customer) + "plan")

    assert "As agreed; each bill shows what it comes to." in text
    assert "$7" not in text


def test_an_ended_subscription_has_no_prices(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    given.subscription(customer, given.price(given.metric(acme)), end_date=date(2026, 11, 23))

    assert "Plan and prices No subscription is running." in part(client, home(given, customer) + "plan")


def test_what_is_fixed_of_the_upcoming_bill_and_what_grows(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    given.subscription(customer, fee(given, acme, "100"), given.price(metric, "0.5"))
    given.usage(customer, metric, {date(2026, 11, 2): "30"})

    text = part(client, home(given, customer) + "upcoming")

    assert "$100.00 of the subtotal is fixed; $15.00 comes from use and goes on growing." in text
