"""What a customer pays for: each running subscription, its prices and tiers in words, and what changes its bills."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.catalog import Price
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


def fixed(given: Given, account: Account, amount: str, **wire: Any) -> Price:
    named = {"model_type": "unit", "unit_config": {"unit_amount": amount}, "fixed_price_quantity": 1, **wire}
    return Price.add(given.item(account, "Fee"), given.now(), name="Fee", currency="USD", wire=named)


def lasting(count: int, unit: str, cadence: str = "custom") -> dict[str, Any]:
    return {"cadence": cadence, "billing_cycle_configuration": {"duration": count, "duration_unit": unit}}


def test_how_often_each_price_is_billed_and_what_is_paid_ahead_stand_in_words(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    prices = [
        fixed(given, acme, "10"),
        fixed(given, acme, "20", **lasting(3, "month", "quarterly"), billing_mode="in_advance"),
        fixed(given, acme, "30", **lasting(12, "month", "annual"), unit_config={"unit_amount": "30", "prorated": True}),
        fixed(given, acme, "40", cadence="one_time"),
        fixed(given, acme, "50", **lasting(45, "day")),
    ]
    given.subscription(customer, *prices)

    text = part(client, home(given, customer) + "plan")

    assert "Billed every month, this time for" in text
    assert "$10.00 Fixed, every period" in text
    assert "$20.00 Fixed, every 3 months, paid in advance" in text
    assert "$30.00 Fixed, every year, a part of it for a part of a period" in text
    assert "$40.00 Fixed, once" in text
    assert "$50.00 Fixed, every 45 days" in text


def test_a_plan_of_another_cadence_says_its_own(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    price = given.price(given.metric(acme), model_type="unit", unit_config={"unit_amount": "1"}, **lasting(7, "day"))
    given.subscription(customer, price, anchor=date(2026, 11, 20))

    text = part(client, home(given, customer) + "plan")

    assert "Billed every week, this time for Nov 20, 2026 – Nov 26, 2026" in text


def test_discounts_and_bounds_say_of_what_and_from_when_to_when(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    calls, storage = given.price(given.metric(acme)), given.price(given.metric(acme, "Storage", "GB"))
    discounts = [
        {"type": "percentage_discount", "value": "0.1", "start": None, "end": "2027-03-01"},
        {"type": "amount_discount", "value": "5", "price_ids": [storage.id], "start": "2026-12-01", "end": None},
        {"type": "usage_discount", "value": "100", "price_ids": [calls.id]},
        {"type": "percentage_discount", "value": "0.99", "start": None, "end": "2026-11-01"},
    ]
    rules = [
        {"type": "maximum", "value": "900", "price_ids": [calls.id, storage.id]},
        {"type": "minimum", "value": "9.50", "price_ids": [calls.id], "end": "2027-01-01"},
    ]
    given.subscription(customer, calls, storage, terms={"discounts": discounts, "rules": rules})

    text = part(client, home(given, customer) + "plan")

    assert "Discount 10% off until Mar 1, 2027" in text
    assert "Discount $5.00 off for Storage from Dec 1, 2026" in text
    assert "Discount 100 units off for API calls" in text
    assert "Maximum $900.00 Every period, however much is used" in text
    assert "Minimum $9.50 for API calls until Jan 1, 2027 Every period" in text
    assert "99%" not in text


def test_what_a_price_carries_itself_stands_with_it(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    discount = {"discount_type": "percentage", "percentage_discount": "0.2", "applies_to_price_ids": []}
    given.subscription(customer, fixed(given, acme, "10", minimum_amount="7.5", discount=discount))

    text = part(client, home(given, customer) + "plan")

    assert "Fee $10.00 20% off At least $7.50 Fixed, every period" in text


def test_a_coupon_a_trial_and_a_threshold_are_told(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    off = {"type": "percentage_discount", "value": "0.25", "price_ids": None, "reason": None, "start": None}
    given.subscription(
        customer,
        given.price(given.metric(acme)),
        terms={"discounts": [{**off, "value": "0.1", "end": None}, {**off, "end": "2027-02-01"}]},
        coupon={"coupon_id": "c", "start": "2026-11-01", "end": "2027-02-01"},
        trial_end=date(2026, 12, 5),
        invoicing_threshold=50000,
    )

    text = part(client, home(given, customer) + "plan")

    assert "Discount 10% off Coupon 25% off until Feb 1, 2027" in text
    assert "Free until Dec 5, 2026" in text
    assert "Usage is billed as soon as it comes to $500.00" in text


def test_prices_that_change_hands_say_when(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    gone, now, then = (given.price(metric, amount) for amount in ("1", "2", "3"))
    day, change = date(2026, 11, 1), date(2026, 12, 1)
    given.subscription(
        customer, gone, now, then, intervals={gone.id: (None, day), now.id: (day, change), then.id: (change, None)}
    )

    text = part(client, home(given, customer) + "plan")

    assert "$2.00 each Counted in calls Agreed until Dec 1, 2026" in text
    assert "$3.00 each Counted in calls Agreed from Dec 1, 2026" in text
    assert "$1.00" not in text
