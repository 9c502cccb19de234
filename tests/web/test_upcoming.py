"""The upcoming bill: what a period has come to so far, when it will be billed, and the days behind each line."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.base import db
from portal.models.catalog import Price
from portal.models.customer import BalanceTransaction, Customer
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_customer_page import HTMX, home, part
from tests.web.test_invoice_page import words
from tests.web.test_line import TIERS


def fee(given: Given, account: Account, amount: str) -> Price:
    wire: dict[str, Any] = {"model_type": "unit", "unit_config": {"unit_amount": amount}, "fixed_price_quantity": 1}
    return Price.add(given.item(account, "Platform"), given.now(), name="Platform fee", currency="USD", wire=wire)


def test_the_bill_so_far_and_when_it_will_be_issued(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    terms = {
        "discounts": [{"type": "percentage_discount", "value": "0.1", "reason": "Two years"}],
        "tax_rates": [["VAT", "20"]],
    }
    given.subscription(customer, fee(given, acme, "100"), given.price(metric, "0.5"), terms=terms, net_terms=14)
    given.usage(customer, metric, {date(2026, 10, 31): "999", date(2026, 11, 2): "30", date(2026, 11, 23): "10"})

    text = part(client, home(given, customer) + "upcoming")

    assert "Team plan Nov 1, 2026 – Nov 30, 2026 Will be issued Dec 1, 2026, due Dec 15, 2026" in text
    assert "So far $129.60 Counted up to Nov 23, 2026 +$5.40 since yesterday" in text
    assert "Platform fee 1 × $100.00 $90.00" in text
    assert "API calls 40 calls × $0.50 $18.00" in text
    assert "$20.00 +$4.50 since yesterday" in text
    assert "Subtotal $120.00 Discount of 10% (Two years) -$12.00 VAT 20% $21.60 So far $129.60" in text


def test_credit_is_taken_off_once_and_the_oldest_subscription_comes_first(
    client: FlaskClient, given: Given, acme: Account, clock: Clock
) -> None:
    customer = given.customer(acme)
    for amount in ("100", "50"):
        given.subscription(customer, fee(given, acme, amount))
        clock.advance(seconds=1)
    with db.atomic():
        BalanceTransaction.move(customer.held(), 12000, "manual_adjustment", given.now())

    for place in ("", "upcoming"):
        text = part(client, home(given, customer) + place)
        assert "Your credit of $100.00 will be taken off it: $0.00 would be left to pay." in text
        assert "Your credit of $20.00 will be taken off it: $30.00 would be left to pay." in text


def test_without_credit_nothing_is_said_of_it_and_a_debt_is_added(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    given.subscription(customer, fee(given, acme, "100"))
    assert "Your credit of" not in part(client, home(given, customer))

    with db.atomic():
        BalanceTransaction.move(customer.held(), -500, "manual_adjustment", given.now())

    text = part(client, home(given, customer))
    assert "Your credit of" not in text
    assert "What you owe from before, $5.00, will be added to it: $105.00 would be left to pay." in text


def test_a_line_opens_to_its_days_like_a_line_of_an_invoice(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(metric, **TIERS))
    given.usage(customer, metric, {date(2026, 11, 1): "75", date(2026, 11, 2): "75"})
    address = line(client, customer, given)

    text = part(client, address)

    assert "The first 100 100 $0.50 $50.00 Above 100, up to 200 50 $0.25 $12.50" in text
    assert "Nov 1 75 $37.50 Nov 2 75 $25.00 Nov 3 0 $0.00" in text
    assert "All 23 days 150 $62.50" in text
    assert client.get(address, headers=HTMX).text.lstrip().startswith('<section id="pf-line-')


def test_a_line_alone_says_whose_bill_it_is_part_of(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(metric, "1"))
    given.usage(customer, metric, {date(2026, 11, 1): "75"})

    html = client.get(line(client, customer, given)).text

    assert "<title>API calls · Upcoming bill · Acme</title>" in html
    assert re.search(r"<h1><span[^>]*>API calls</span> so far, Nov 1, 2026 – Nov 30, 2026</h1>", html)
    assert '<a href="../../#pf-upcoming">Back to the account</a>' in html
    text = words(html)
    assert "Part of the upcoming bill of Team plan ; it is not issued yet" in text
    assert "This address opens the whole account: send it to nobody outside your company." in text


def test_a_share_of_the_minimum_is_said_below_what_it_raised(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    given.subscription(customer, fee(given, acme, "75"), terms={"minimum": 10000})

    text = part(client, home(given, customer) + "upcoming")

    assert "Platform fee 1 × $75.00 $100.00 $75.00 + share of the minimum" in text


def test_the_days_are_the_customers_own(client: FlaskClient, given: Given, acme: Account, clock: Clock) -> None:
    clock.advance(days=7)  # 30 November, 12:00 UTC: the first of December in Auckland
    customer, metric = given.customer(acme, timezone="Pacific/Auckland"), given.metric(acme)
    given.subscription(customer, given.price(metric, "1"))
    given.usage(customer, metric, {date(2026, 11, 30): "500", date(2026, 12, 1): "3"})

    text = part(client, home(given, customer) + "upcoming")

    assert "Dec 1, 2026 – Dec 31, 2026" in text
    assert "So far $3.00 Counted up to Dec 1, 2026" in text


def test_each_subscription_has_its_own_bill_in_its_own_currency(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(metric, "1"), name="First")
    given.subscription(customer, given.price(metric, "2", "JPY"), name="Second", currency="JPY")
    given.usage(customer, metric, {date(2026, 11, 23): "7"})

    text = part(client, home(given, customer) + "upcoming")

    assert "So far $7.00" in text
    assert "So far ¥14" in text


def test_the_same_price_in_two_subscriptions_makes_two_lines(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, price = given.customer(acme), given.price(given.metric(acme), "1")
    given.subscription(customer, price, name="First")
    given.subscription(customer, price, name="Second")

    ids = re.findall(r'id="(pf-line-[^"]*)"', client.get(home(given, customer)).text)

    assert len(set(ids)) == len(ids) == 2


def test_a_bill_that_cannot_be_worked_out_ahead_says_so(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    price = given.price(given.metric(acme), model_type="package", package_config={"package_amount": "1"})
    given.subscription(customer, price)

    text = part(client, home(given, customer) + "upcoming")

    assert "This bill cannot be worked out ahead of time." in text
    assert "Will be issued Dec 1, 2026" in text


def test_an_ended_subscription_has_no_upcoming_bill(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    given.subscription(customer, given.price(given.metric(acme), "1"), end_date=date(2026, 11, 23))

    assert "No subscription is running." in part(client, home(given, customer) + "upcoming")


def test_another_customers_line_is_as_unknown_as_none(client: FlaskClient, given: Given, acme: Account) -> None:
    theirs, hers = given.customer(acme), given.customer(acme)
    price = given.price(given.metric(acme), "1")
    given.subscription(theirs, price)
    given.subscription(hers, price)
    tail = line(client, theirs, given).removeprefix(home(given, theirs))

    response, unknown = client.get(home(given, hers) + tail), client.get(home(given, hers) + "upcoming/lines/x")

    assert client.get(home(given, theirs) + tail).status_code == 200
    assert (response.status_code, response.data) == (404, unknown.data)


def line(client: FlaskClient, customer: Customer, given: Given) -> str:
    """The address of the first line of the customer's upcoming bill."""
    page = home(given, customer)
    found = re.search(r'href="\./(upcoming/lines/[^"]+)"', client.get(page).text)
    assert found
    return page + found[1]
