"""What an upcoming bill says besides its lines: what changed, is paid ahead, was billed already; when it is issued."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient

from portal.delivery import worker
from portal.models import drafting
from portal.models.account import Account
from portal.models.base import db
from portal.models.catalog import Price
from portal.models.credit import CreditBlock
from portal.models.invoice import Invoice
from portal.models.subscription import Subscription
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_customer_page import home, part
from tests.web.test_upcoming import fee

YESTERDAY, TODAY = date(2026, 11, 22), date(2026, 11, 23)


def ahead(given: Given, account: Account, amount: str = "30") -> Price:
    wire: dict[str, Any] = {"model_type": "unit", "unit_config": {"unit_amount": amount}, "fixed_price_quantity": 1}
    named = {"name": "Seats", "currency": "USD", "wire": {**wire, "billing_mode": "in_advance"}}
    return Price.add(given.item(account, "Seats"), given.now(), **named)


def test_what_changed_since_yesterday_is_said_of_each_line_and_of_the_sum(
    client: FlaskClient, given: Given, acme: Account
) -> None:
    customer, calls, storage = given.customer(acme), given.metric(acme), given.metric(acme, "Storage", "GB")
    given.subscription(customer, given.price(calls, "1"), given.price(storage, "1"))
    given.usage(customer, calls, {YESTERDAY: "10", TODAY: "12.40"})
    given.usage(customer, storage, {YESTERDAY: "5"})

    text = part(client, home(given, customer) + "upcoming")

    assert "Counted up to Nov 23, 2026 +$12.40 since yesterday" in text
    assert "API calls 22.4 calls × $1.00 $22.40 +$12.40 since yesterday" in text
    assert "Storage 5 GB × $1.00 $5.00 Open" in text


def test_a_correction_takes_something_back(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, calls = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(calls, "1"))
    given.usage(customer, calls, {YESTERDAY: "10", TODAY: "-3"})

    assert "−$3.00 since yesterday" in part(client, home(given, customer) + "upcoming")


def test_without_a_change_it_is_the_same_and_the_first_day_has_no_yesterday(
    client: FlaskClient, given: Given, acme: Account, clock: Clock
) -> None:
    customer, calls = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(calls, "1"))
    given.usage(customer, calls, {YESTERDAY: "10", date(2026, 12, 1): "4"})

    assert "The same as yesterday" in part(client, home(given, customer) + "upcoming")
    clock.advance(days=8)
    text = part(client, home(given, customer) + "upcoming")
    assert "So far $4.00 Counted up to Dec 1, 2026 All of it comes from use" in text
    assert "yesterday" not in text


def test_what_credits_take_of_the_change_is_said(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, calls = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(calls, "1"))
    given.usage(customer, calls, {YESTERDAY: "10", TODAY: "5"})
    with db.atomic():
        CreditBlock.give(customer.held(), Decimal(100), "USD", given.now())

    text = part(client, home(given, customer) + "upcoming")

    assert "So far $0.00 Counted up to Nov 23, 2026 The same as yesterday" in text
    assert "Subtotal $15.00 Prepaid credits -$15.00 So far $0.00" in text
    assert "the subtotal has changed by $5.00, and prepaid credits take $5.00 more off it." in text


def test_usage_is_issued_after_half_a_day_and_fees_at_once(client: FlaskClient, given: Given, acme: Account) -> None:
    metered, fixed = (given.customer(acme, timezone="America/New_York") for _ in range(2))
    given.subscription(metered, given.price(given.metric(acme), "1"), net_terms=14)
    given.subscription(fixed, fee(given, acme, "100"), net_terms=14)

    text = part(client, home(given, metered) + "upcoming")
    assert "Will be issued Dec 1, 2026, due Dec 15, 2026" in text
    assert "The bill is issued 12 hours after its last day, at Dec 1, 2026, 12:00" in text
    text = part(client, home(given, fixed) + "upcoming")
    assert "Will be issued Dec 1, 2026, due Dec 15, 2026" in text
    assert "All of it is fixed: it does not depend on use." in text
    assert "comes late" not in text
    assert "Counted up to" not in text


def test_what_somebody_has_to_issue_is_not_promised(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme, auto_issuance=False)
    given.subscription(customer, fee(given, acme, "100"))

    text = part(client, home(given, customer) + "upcoming")

    assert "Will be made up Dec 1, 2026 and issued after it has been looked through, due Dec 31, 2026" in text
    Subscription.update(auto_issuance=True).execute()
    assert "Will be issued Dec 1, 2026" in part(client, home(given, customer) + "upcoming")


def test_a_fee_for_the_next_period_has_its_own_days(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    given.subscription(customer, ahead(given, acme), given.price(given.metric(acme), "1"))

    text = part(client, home(given, customer) + "upcoming")

    assert "Seats Paid ahead, for Dec 1, 2026 – Dec 31, 2026 1 × $30.00" in text
    assert "API calls 0 calls" in text


def test_invoices_that_billed_a_part_are_named_and_open(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    clock.now = datetime(2026, 11, 1, 9, tzinfo=UTC)
    customer, metric = given.customer(acme), given.metric(acme)
    named = {"start_date": date(2026, 11, 1), "anchor": date(2026, 11, 1), "invoicing_threshold": 1000}
    subscription = given.subscription(customer, given.price(metric, "1"), **named)
    drafting.schedule(subscription, customer.timezone, given.now())
    for day, quantity in ((2, "10"), (3, "15"), (4, "3")):
        clock.now = datetime(2026, 11, day, 9, tzinfo=UTC)
        given.usage(customer, metric, {clock.now.date(): quantity})
        list(worker.deeds(clock.now, kid))

    text = part(client, home(given, customer) + "upcoming")
    html = client.get(home(given, customer)).text

    partials = Invoice.select().where(Invoice.customer == customer, Invoice.source == "partial")
    first, second = partials.order_by(Invoice.created_at)
    assert f"Billed already on invoice {first.number} , {second.number} -$25.00" in text
    assert "Usage is billed before that as soon as it comes to $10.00." in text
    assert "So far $3.00" in text
    assert f'<a href="./invoices/{first.id}/">{first.number}</a>' in html


def test_the_bill_that_comes_first_takes_the_credit_first(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme, balance=12000)
    given.subscription(customer, fee(given, acme, "100"), billing_cycle_day=25, name="Later")
    given.subscription(customer, fee(given, acme, "50"), billing_cycle_day=24, name="Sooner")

    text = part(client, home(given, customer) + "upcoming")

    assert "Your credit of $50.00 will be taken off it: $0.00 would be left to pay." in text
    assert "Your credit of $70.00 will be taken off it: $30.00 would be left to pay." in text


def test_a_line_by_itself_is_the_line_of_the_page(client: FlaskClient, given: Given, acme: Account) -> None:
    """The prepaid credits that another bill takes first are not there for it."""
    customer = given.customer(acme)
    for day in (24, 25):
        given.subscription(customer, fee(given, acme, "100"), billing_cycle_day=day, name=f"Day {day}")
    with db.atomic():
        CreditBlock.give(customer.held(), Decimal(150), "USD", given.now())
    later = Subscription.get(Subscription.name == "Day 25")

    address = home(given, customer)
    html = client.get(address + "upcoming").text
    opened = html[html.index(f"upcoming/lines/{later.id}") :].partition('"')[0]

    assert "Prepaid credits -$50.00 This line $50.00" in part(client, address + opened)
