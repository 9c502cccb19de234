"""A customer's account page is kept like an invoice's, and is never anything but the present one either."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import web
from portal.models.account import Account
from portal.models.base import db
from portal.models.catalog import Item, Metric, Price
from portal.models.credit import CreditBlock
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.published import AT_ONCE, PublishedHome
from portal.models.subscription import Subscription, SubscriptionPrice
from portal.models.usage import UsageDay
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import GZIP
from tests.web.test_published import text

TODAY = date(2026, 11, 23)


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    """Her plan is measured, she has used some of it, and owes an invoice."""
    customer = given.customer(acme, timezone="Europe/Berlin")
    metric = given.metric(acme)
    given.subscription(customer, given.price(metric))
    given.usage(customer, metric, {TODAY: "3"})
    given.invoice(customer, due=TODAY + timedelta(days=30))
    return customer


@pytest.fixture
def address(given: Given, customer: Customer) -> str:
    link = Link.of_customer(customer.id)
    assert link
    return given.url(link)


@pytest.fixture
def publish(app: Flask, customer: Customer, clock: Clock) -> Callable[[], bool]:
    return lambda: web.publish(app, "customer", customer.id, clock.now)


def test_a_kept_account_page_is_what_would_be_rendered(
    client: FlaskClient, address: str, publish: Callable[[], bool], is_kept: Callable[[], bool]
) -> None:
    rendered = client.get(address, headers=GZIP)

    assert publish()

    assert is_kept()
    kept = client.get(address, headers=GZIP)
    assert text(kept) == text(rendered)
    assert {**kept.headers, "Content-Length": ""} == {**rendered.headers, "Content-Length": ""}


def test_it_holds_no_token(address: str, publish: Callable[[], bool], customer: Customer) -> None:
    publish()

    page = gzip.decompress(PublishedHome.get_by_id(customer.id).page).decode()
    link = Link.of_customer(customer.id)
    assert link
    assert not [secret for secret in (address.split("/")[2], link.token_id, link.id, "/c/") if secret in page]


def test_a_question_and_a_session_are_left_to_the_page(
    client: FlaskClient, given: Given, address: str, customer: Customer, publish: Callable[[], bool], clock: Clock
) -> None:
    publish()
    session = Link.start_session(customer, clock.now, Link.of_customer(customer.id).kid, "test")

    assert "In all" in text(client.get(address + "?period=last", headers=GZIP))
    assert "stays open until" in text(client.get(given.url(session), headers=GZIP))
    assert "stays open until" not in text(client.get(address, headers=GZIP))


def invoice_of(customer: Customer) -> Invoice:
    return Invoice.select().where(Invoice.customer == customer).get()


def move_credit(customer: Customer, clock: Clock) -> None:
    with db.atomic():
        BalanceTransaction.move(customer.held(), 500, "manual_adjustment", clock.now)


def prepay(customer: Customer, clock: Clock) -> None:
    with db.atomic():
        CreditBlock.give(customer.held(), Decimal(5), "USD", clock.now)


def metric_of(customer: Customer) -> Metric:
    return Metric.select().where(Metric.account == customer.account_id).get()


CHANGES: dict[str, Callable[[Given, Customer, Clock], object]] = {
    "an invoice more": lambda given, customer, _: given.invoice(customer),
    "a payment": lambda _, customer, clock: Payment.record(
        invoice_of(customer), clock.now, "test", received_on=TODAY, amount=100
    ),
    "credit": lambda _, customer, clock: move_credit(customer, clock),
    "usage": lambda given, customer, _: given.usage(customer, metric_of(customer), {TODAY: "4"}),
    "usage of a new day": lambda given, customer, _: given.usage(
        customer, metric_of(customer), {TODAY - timedelta(days=1): "4"}
    ),
    "usage taken back": lambda _, customer, __: UsageDay.delete().where(UsageDay.customer == customer).execute(),
    "a subscription more": lambda given, customer, _: given.subscription(
        customer, given.price(metric_of(customer), "0.25"), name="Another plan"
    ),
    "a subscription that ends": lambda _, customer, __: (
        Subscription.update(end_date=TODAY).where(Subscription.customer == customer).execute()
    ),
    "another plan's terms": lambda _, customer, __: (
        Subscription.update(terms={"minimum": 100}).where(Subscription.customer == customer).execute()
    ),
    "a threshold": lambda _, customer, __: (
        Subscription.update(invoicing_threshold=900).where(Subscription.customer == customer).execute()
    ),
    "a bill that somebody has to issue": lambda _, customer, __: (
        Subscription.update(auto_issuance=False).where(Subscription.customer == customer).execute()
    ),
    "a price that ends": lambda _, customer, __: SubscriptionPrice.update(end_date=TODAY).execute(),
    "prepaid credits": lambda _, customer, clock: prepay(customer, clock),
    "what a metric is kept apart by": lambda _, customer, __: metric_of(customer).change({"dimensions": ["region"]}),
    "how a metric counts": lambda _, customer, __: metric_of(customer).change({"sql": "SELECT MAX(gb) FROM events"}),
    "another address": lambda _, customer, clock: customer.change({"name": "Renamed"}, clock.now, "test"),
    "a metric's name": lambda _, customer, __: (
        Metric.update(name="Renamed").where(Metric.account == customer.account_id).execute()
    ),
    "a price's name": lambda _, customer, __: (
        Price.update(name="Renamed").where(Price.account == customer.account_id).execute()
    ),
    "the operator's name": lambda _, customer, __: (
        Account.update(name="Renamed").where(Account.id == customer.account_id).execute()
    ),
    "another day": lambda _, __, clock: clock.advance(hours=11),  # midnight in Berlin
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_page_is_never_that_of_another_time(
    change: str,
    client: FlaskClient,
    given: Given,
    clock: Clock,
    customer: Customer,
    address: str,
    publish: Callable[[], bool],
    is_kept: Callable[[], bool],
) -> None:
    publish()
    before = text(client.get(address, headers=GZIP))

    CHANGES[change](given, Customer.get_by_id(customer.id), clock)

    assert not is_kept()
    now = text(client.get(address, headers=GZIP))
    assert now != before
    assert publish()
    assert is_kept()
    assert text(client.get(address, headers=GZIP)) == now == text(client.get(address))


def test_what_is_called_otherwise_counts_for_all_customers_of_the_account(
    client: FlaskClient, customer: Customer, publish: Callable[[], bool], is_kept: Callable[[], bool]
) -> None:
    publish()

    Item.update(name="Renamed").where(Item.account == customer.account_id).execute()

    assert not is_kept()


def test_usage_of_others_changes_nothing(
    given: Given, acme: Account, customer: Customer, publish: Callable[[], bool], is_kept: Callable[[], bool]
) -> None:
    publish()

    given.usage(given.customer(acme), metric_of(customer), {TODAY: "9"})

    assert is_kept()


def test_the_page_is_due_again_at_midnight_where_the_customer_lives(
    customer: Customer, publish: Callable[[], bool], clock: Clock
) -> None:
    publish()

    assert PublishedHome.get_by_id(customer.id).due_at == clock.now.replace(hour=23)


def test_a_kept_account_page_is_sent_to_nobody_whose_link_is_revoked(
    client: FlaskClient, customer: Customer, address: str, publish: Callable[[], bool], clock: Clock
) -> None:
    publish()
    link = Link.of_customer(customer.id)
    assert link

    link.revoke(clock.now, "test")

    publish()
    assert client.get(address, headers=GZIP).status_code == 410


def test_nothing_is_rendered_ahead_for_a_customer_without_a_permanent_link(
    customer: Customer, publish: Callable[[], bool], clock: Clock, kid: str
) -> None:
    link = Link.of_customer(customer.id)
    assert link
    publish()
    link.revoke(clock.now, "test")
    customer.change({"name": "Renamed"}, clock.now, "test")

    assert not publish()

    row = PublishedHome.get_by_id(customer.id)
    assert (row.page, row.due_at) == (None, None)
    Link.rotate(customer, clock.now, kid, "test")
    assert PublishedHome.get_by_id(customer.id).due_at == AT_ONCE
    assert publish()
