"""The one calculation of a period: so far for the upcoming bill, in full for the invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from portal.domain.periods import Period, midnight
from portal.models import drafting
from portal.models.account import Account
from portal.models.bill import Running
from portal.models.catalog import Price
from portal.models.credit import CreditBlock
from portal.models.customer import Customer
from portal.models.invoice import LineDays
from portal.models.upcoming import Upcoming
from portal.models.usage import UsageDay
from tests.conftest import Clock
from tests.given import Given

TODAY = date(2026, 11, 23)


def upcoming(customer: Customer, today: date = TODAY) -> list[Upcoming]:
    return Upcoming.of(Running.of(customer.id, today), customer.id, today)


def fee(given: Given, account: Account, amount: str) -> Price:
    wire: dict[str, Any] = {"model_type": "unit", "unit_config": {"unit_amount": amount}, "fixed_price_quantity": 1}
    return Price.add(given.item(account, "Platform fee"), given.now(), name="Platform fee", currency="USD", wire=wire)


def test_the_upcoming_bill_counts_the_days_of_this_period_up_to_today(given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    price = given.price(metric, "0.5")
    subscription = given.subscription(customer, fee(given, acme, "20"), price)
    given.usage(customer, metric, {date(2026, 10, 31): "999", date(2026, 11, 1): "10", TODAY: "4"})

    (one,) = upcoming(customer)

    assert one.document is not None
    assert (one.period, one.issued_on) == (Period(date(2026, 11, 1), date(2026, 12, 1)), date(2026, 12, 1))
    assert one.due_on == date(2026, 12, 31)
    assert [(line["name"], line["unit"], line["amount"]) for line in one.document["lines"]] == [
        ("Platform fee", "", 2000),
        ("API calls", "calls", 700),
    ]
    assert one.document["total"] == 2700
    days = one.days[f"{subscription.id}-{price.id}"]
    assert len(days) == 23
    assert [day["quantity"] for day in days if day["quantity"] != "0"] == ["10", "4"]


def test_terms_change_the_bill(given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    terms = {
        "discounts": [{"type": "percentage_discount", "value": "0.1", "reason": "Loyal"}],
        "minimum": 10000,
        "tax_rates": [["VAT", "20"]],
    }
    given.subscription(customer, given.price(metric, "1"), terms=terms)
    given.usage(customer, metric, {TODAY: "50"})

    CreditBlock.give(customer, Decimal("10"), "USD", given.now())

    (one,) = Upcoming.expected(Running.of(customer.id, TODAY), customer.id, customer.timezone, given.now())

    assert one.document is not None
    assert (one.document["discount"], one.document["raised"], one.document["credits"]) == (500, 5500, 1000)
    assert (one.document["tax"], one.document["total"]) == (1800, 10800)


def test_the_earlier_bill_takes_the_credits_that_end_first_and_leaves_the_later_one_the_others(
    given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    given.subscription(customer, fee(given, acme, "30"), billing_cycle_day=5)
    given.subscription(customer, fee(given, acme, "50"), billing_cycle_day=20)
    ends = midnight(date(2026, 12, 10), customer.timezone)
    CreditBlock.give(customer, Decimal("40"), "USD", given.now())
    CreditBlock.give(customer, Decimal("100"), "USD", given.now(), expires_at=ends)

    found = Upcoming.expected(Running.of(customer.id, TODAY), customer.id, customer.timezone, given.now())

    taken = {one.issued_on.day: one.document["credits"] for one in found if one.document}
    assert taken == {5: 3000, 20: 4000}


def test_the_period_is_cut_to_the_days_that_the_subscription_runs(given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    dates = {"start_date": date(2026, 11, 10), "end_date": date(2026, 11, 28), "billing_cycle_day": 5}
    given.subscription(customer, given.price(metric, "1"), **dates)
    given.usage(customer, metric, {date(2026, 11, 9): "7", date(2026, 11, 10): "1"})

    (one,) = upcoming(customer)

    assert one.document is not None
    assert one.period == Period(date(2026, 11, 10), date(2026, 11, 28))
    assert one.document["total"] == 100
    assert upcoming(customer, date(2026, 11, 28)) == []


def test_subscriptions_are_billed_each_in_its_own_period_and_currency(given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(metric, "1"), billing_cycle_day=20)
    given.subscription(customer, given.price(metric, "2", "EUR"), billing_cycle_day=1, currency="EUR")
    given.usage(customer, metric, {date(2026, 11, 19): "1", date(2026, 11, 20): "1"})

    found = upcoming(customer)

    totals = {one.document["currency"]: one.document["total"] for one in found if one.document}
    assert totals == {"USD": 100, "EUR": 400}


def test_a_price_that_cannot_be_worked_out_leaves_the_bill_open(given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    given.subscription(customer, given.price(metric, model_type="package", package_config={"package_amount": "1"}))

    (one,) = upcoming(customer)

    assert one.document is None


def test_the_invoice_that_follows_is_the_same_bill(given: Given, acme: Account, clock: Clock) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    subscription = given.subscription(customer, given.price(metric, "0.5"), start_date=date(2026, 10, 1))
    given.usage(customer, metric, {date(2026, 10, 3): "3", date(2026, 10, 31): "5"})
    drafting.schedule(subscription, customer.timezone, clock.now)

    invoice = drafting.draft_next(subscription, clock.now, "test")

    assert invoice is not None
    assert (invoice.total, invoice.billing_date, invoice.source) == (400, date(2026, 11, 1), "subscription")
    (line,) = invoice.document["lines"]
    kept = LineDays.of(invoice.id, line["id"])
    assert kept is not None
    assert len(kept) == 31
    assert sum(Decimal(day["amount"]) for day in kept) == 4


def test_metrics_that_were_used_are_found_without_reading_their_days(
    given: Given, acme: Account, bolt: Account
) -> None:
    customer, calls, storage = given.customer(acme), given.metric(acme), given.metric(acme, "Storage", "GB")
    given.metric(acme, "Never used")
    given.usage(customer, storage, {TODAY: "1"})
    given.usage(customer, calls, {TODAY: "1"})
    given.usage(given.customer(bolt), given.metric(bolt), {TODAY: "1"})

    assert [metric.name for metric in UsageDay.metrics(customer.id, acme.id)] == ["API calls", "Storage"]
