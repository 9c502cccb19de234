"""What a page asks for usage, costs and bills: as much after one event as after 10,000, for one subscription or 20."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from portal.models import base, ingestion
from portal.models.account import Account
from portal.models.arrival import Arrival
from portal.models.base import db
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.event import Event
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.test_customer_page import HTMX, home

DAYS, BATCH = 28, 500
COUNT = "SELECT COUNT(*) FROM events WHERE event_name = 'call'"
DISTINCT = "SELECT COUNT(DISTINCT user) FROM events WHERE event_name = 'call'"

Make = Callable[..., Customer]


@pytest.fixture
def calls(given: Given, acme: Account) -> Metric:
    metric = given.metric(acme)
    metric.change({"sql": COUNT, "dimensions": ["region"]})
    return metric


@pytest.fixture
def users(given: Given, acme: Account) -> Metric:
    metric = given.metric(acme, "Users", "people")
    metric.change({"sql": DISTINCT})
    return metric


@pytest.fixture
def customer(given: Given, acme: Account, calls: Metric, users: Metric, clock: Clock) -> Make:
    def made(*, events: int, subscriptions: int = 1, threshold: int | None = None) -> Customer:
        customer = given.customer(acme)
        for n in range(subscriptions):
            prices = given.price(calls, "0.5"), given.price(users, "2")
            given.subscription(customer, *prices, name=f"Plan {n}", invoicing_threshold=threshold)
        for first in range(0, events, BATCH):
            with db.atomic():
                ingestion.share(acme.id)
                ingestion.ingest(
                    acme.id, [_event(customer, clock, n) for n in range(first, min(first + BATCH, events))], clock.now
                )
        return customer

    return made


def _event(customer: Customer, clock: Clock, n: int) -> Arrival:
    properties = {"region": f"r{n % 9}", "user": f"u{n % 321}"}
    at = base.micros(clock.now - timedelta(days=n % DAYS, minutes=1))
    return Arrival(f"{customer.id}-{n}", customer.id, None, "call", at, properties)


def pins(calls: Metric, users: Metric) -> dict[str, int]:
    return {
        "": 15,
        "upcoming": 7,  # one more where different values are counted
        f"usage?metric={calls.id}": 5,
        f"usage?metric={calls.id}&group_by=region&view=cumulative": 5,
        f"usage?metric={calls.id}&period=90d": 5,
        f"usage?metric={users.id}": 7,
        "plan": 3,
    }


def asked(client: FlaskClient, given: Given, customer: Customer, queries: Queries, tail: str) -> list[str]:
    address = home(given, customer)
    with queries() as made:
        assert client.get(address + tail, headers=HTMX if tail else {}).status_code == 200
    return made


def test_as_many_queries_after_one_event_as_after_ten_thousand(
    client: FlaskClient, given: Given, customer: Make, calls: Metric, users: Metric, queries: Queries
) -> None:
    few, many = customer(events=1), customer(events=10_000)
    assert Event.select().where(Event.account == calls.account_id).count() == 10_001

    for tail, pinned in pins(calls, users).items():
        for one in (few, many):
            made = asked(client, given, one, queries, tail)
            assert len(made) == pinned, (tail, made)
            assert not [sql for sql in made if '"event"' in sql]


def test_as_many_queries_for_one_subscription_as_for_twenty(
    client: FlaskClient, given: Given, customer: Make, calls: Metric, users: Metric, queries: Queries
) -> None:
    one, twenty = customer(events=30), customer(events=30, subscriptions=20)

    for tail, pinned in pins(calls, users).items():
        for each in (one, twenty):
            made = asked(client, given, each, queries, tail)
            assert len(made) == pinned, (tail, made)


def test_a_threshold_is_one_query_more_and_another_time_zone_none(
    client: FlaskClient, given: Given, customer: Make, calls: Metric, users: Metric, queries: Queries
) -> None:
    pinned = pins(calls, users)["upcoming"]

    assert len(asked(client, given, customer(events=3, threshold=10**9), queries, "upcoming")) == pinned + 1
    there = customer(events=3, subscriptions=2)
    Customer.update(timezone="Pacific/Kiritimati").where(Customer.id == there.id).execute()
    assert len(asked(client, given, there, queries, "upcoming")) == pinned


def test_what_stands_there_is_what_was_sent(
    client: FlaskClient, given: Given, customer: Make, calls: Metric, users: Metric
) -> None:
    page = client.get(home(given, customer(events=9_000)) + f"usage?metric={calls.id}&period=30d").text

    assert "9,000 calls" in " ".join(page.split())
