"""Usage is billed as soon as it comes to the threshold of its subscription, and never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from portal.delivery import worker
from portal.models import drafting, moments
from portal.models.account import Account
from portal.models.bill import Running
from portal.models.catalog import Metric, Price
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.subscription import Subscription
from portal.models.upcoming import Upcoming
from tests.conftest import Clock
from tests.given import Given

START = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def in_november(clock: Clock) -> None:
    clock.now = datetime(2026, 11, 1, 9, tzinfo=UTC)


def subscribed(given: Given, customer: Customer, *prices: Price, **fields: object) -> Subscription:
    named = {"start_date": START, "anchor": START, "invoicing_threshold": 1000, **fields}
    found = given.subscription(customer, *prices, **named)
    drafting.schedule(found, customer.timezone, given.now())
    return found


def use(given: Given, clock: Clock, kid: str, customer: Customer, metric: Metric, day: int, quantity: str) -> list[str]:
    clock.now = datetime(2026, 11, day, 9, tzinfo=UTC)
    given.usage(customer, metric, {clock.now.date(): quantity})
    return [deed for deed in worker.deeds(clock.now, kid) if "threshold" in deed]


def parts(subscription: Subscription) -> list[Invoice]:
    mine = Invoice.select().where(Invoice.subscription == subscription, Invoice.source == "partial")
    return list(mine.order_by(Invoice.created_at))


def test_what_was_used_is_billed_when_it_comes_to_the_threshold(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))

    assert use(given, clock, kid, customer, metric, 2, "9.99") == []
    assert len(use(given, clock, kid, customer, metric, 3, "2")) == 1
    assert use(given, clock, kid, customer, metric, 4, "1") == []

    (part,) = parts(subscription)
    assert (part.status, part.total, part.billing_date) == ("issued", 1199, date(2026, 12, 1))
    (line,) = part.document["lines"]
    assert (line["start"], line["end"]) == ("2026-11-01", "2026-11-04")  # up to and including today


def test_each_part_bills_what_the_ones_before_have_not_and_the_last_invoice_the_rest(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))
    for day, quantity in ((2, "10"), (3, "15"), (4, "3")):
        use(given, clock, kid, customer, metric, day, quantity)

    assert [part.total for part in parts(subscription)] == [1000, 1500]
    today = clock.now.date()
    (upcoming,) = Upcoming.of(Running.of(customer.id, today), customer.id, today)
    assert upcoming.document is not None
    assert (upcoming.document["subtotal"], upcoming.document["partially_invoiced"]) == (2800, 2500)
    assert upcoming.document["total"] == 300

    clock.now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))
    last = Invoice.get(Invoice.subscription == subscription, Invoice.source == "subscription")
    assert (last.subtotal, last.total, last.status) == (2800, 300, "issued")
    assert last.document["lines"][0]["partially_invoiced"] == 2500


def test_fees_and_minimums_are_left_to_the_last_invoice(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    wire = {"model_type": "unit", "unit_config": {"unit_amount": "500"}, "fixed_price_quantity": 1}
    fee = Price.add(given.item(acme), clock.now, name="Fee", currency="USD", wire=wire)
    subscription = subscribed(given, customer, fee, given.price(metric, "1"), terms={"minimum": 100_000})

    assert use(given, clock, kid, customer, metric, 2, "9") == []
    assert len(use(given, clock, kid, customer, metric, 3, "1")) == 1

    (part,) = parts(subscription)
    assert (part.total, [line["name"] for line in part.document["lines"]]) == (1000, ["API calls"])


def test_a_part_leaves_the_minimum_of_a_price_and_keeps_to_every_maximum(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    wire = {"model_type": "unit", "unit_config": {"unit_amount": "1"}, "minimum_amount": "500"}
    terms = {"rules": [{"type": "maximum", "value": "25"}, {"type": "minimum", "value": "20"}]}
    subscription = subscribed(given, customer, given.price(metric, **wire), terms=terms)

    assert use(given, clock, kid, customer, metric, 2, "9") == []
    assert len(use(given, clock, kid, customer, metric, 3, "3")) == 1
    assert len(use(given, clock, kid, customer, metric, 4, "100")) == 1

    first, second = parts(subscription)
    assert (first.total, second.total) == (1200, 1300)
    assert first.document["minimum"] is None


def test_a_part_that_was_voided_is_billed_by_the_last_invoice(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))
    use(given, clock, kid, customer, metric, 2, "10")
    (part,) = parts(subscription)
    moments.void(part, clock.now, "test")
    Subscription.update(invoicing_threshold=None).where(Subscription.id == subscription.id).execute()

    clock.now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))

    assert Invoice.get(Invoice.subscription == subscription, Invoice.source == "subscription").total == 1000


def test_a_new_period_begins_from_nothing(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))
    use(given, clock, kid, customer, metric, 2, "10")

    clock.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    given.usage(customer, metric, {date(2026, 12, 2): "10"})
    list(worker.deeds(clock.now, kid))

    assert [part.total for part in parts(subscription)] == [1000, 1000]


def test_a_subscription_without_a_threshold_is_not_looked_at(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"), invoicing_threshold=None)

    assert use(given, clock, kid, customer, metric, 2, "1000") == []
    assert parts(subscription) == []
