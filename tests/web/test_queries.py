"""How many questions a page asks the database: a number, the same for one invoice, line or day and for hundreds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.base import db
from portal.models.credit import CreditBlock
from portal.models.customer import BalanceTransaction, Customer
from portal.models.payment import Payment
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.test_customer_page import HTMX, home
from tests.web.test_upcoming import line

TODAY = date(2026, 11, 23)

# The first of each is the one that opens the link.
PINNED = {
    "": 15,
    "due": 3,
    "upcoming": 6,
    "usage": 5,
    "usage?period=90d&view=cumulative": 5,
    "invoices": 3,
    "invoices?status=paid&number=0": 3,
    "plan": 3,
    "prepaid": 3,
    "balance": 3,
    "details": 2,
}
LINE = 5  # of an upcoming bill
PAYING = 6


@pytest.fixture
def small(given: Given, acme: Account, clock: Clock) -> Customer:
    return filled(given, acme, clock, 1)


@pytest.fixture
def large(given: Given, acme: Account, clock: Clock) -> Customer:
    return filled(given, acme, clock, 210)


def filled(given: Given, account: Account, clock: Clock, size: int) -> Customer:
    """A customer with `size` of everything that a page could ask about one by one."""
    customer = given.customer(account)
    metrics = [given.metric(account, f"Metric {n}") for n in range(max(size // 20, 1))]
    prices = [given.price(metric) for metric in metrics for _ in range(20 if size > 1 else 1)]
    for _ in range(3 if size > 1 else 1):
        given.subscription(customer, *prices)
    for metric in metrics:
        given.usage(customer, metric, {TODAY - timedelta(days=n): "3" for n in range(size)})
    for n in range(size):
        invoice = given.invoice(customer, due=TODAY)
        Payment.record(invoice, clock.now, "test", received_on=TODAY, amount=4000 if n % 2 else 100)
    with db.atomic():
        held = customer.held()
        for _ in range(size):
            BalanceTransaction.move(held, 100, "manual_adjustment", clock.now)
            CreditBlock.give(held, Decimal(5), "USD", clock.now)
    return customer


def test_no_page_asks_more_of_a_large_customer_than_of_a_small_one(
    client: FlaskClient, given: Given, small: Customer, large: Customer, queries: Queries
) -> None:
    for customer in (small, large):
        address = home(given, customer)
        opened = line(client, customer, given).removeprefix(address)
        for tail, pinned in {**PINNED, opened: LINE}.items():
            for headers in ({}, HTMX):
                with queries() as made:
                    assert client.get(address + tail, headers=headers).status_code == 200
                assert len(made) == pinned, (tail, made)


def test_no_list_reads_a_document(client: FlaskClient, given: Given, small: Customer, queries: Queries) -> None:
    address = home(given, small)
    with queries() as made:
        client.get(address)

    assert not [sql for sql in made if '"document"' in sql]
    assert not [sql for sql in made if '"invoice"' in sql and "OFFSET" in sql]


def test_paying_many_asks_no_more_than_paying_one(
    client: FlaskClient, given: Given, acme: Account, queries: Queries
) -> None:
    for count in (1, 30):
        customer = given.customer(acme)
        for _ in range(count):
            given.invoice(customer)
        address = f"{home(given, customer)}payments/new"
        with queries() as made:
            assert client.get(address).status_code == 200
        assert len(made) == PAYING, made
        assert not [sql for sql in made if '"document"' in sql]
