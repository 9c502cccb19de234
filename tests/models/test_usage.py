"""Usage is one exact quantity a customer, metric and day: said again it replaces, never adds up."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from portal.domain.periods import Period
from portal.models.usage import ROWS_A_STATEMENT, UsageDay

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))


def by_day(customer, metric, period=NOVEMBER):
    return UsageDay.by_day(customer.id, [metric], period)[metric.id].own()


def test_a_period_has_all_its_days_in_order_and_zero_where_nothing_was_used(acme, given):
    customer, metric = given.customer(acme), given.metric(acme)
    given.usage(customer, metric, {date(2026, 11, 30): "2", date(2026, 11, 3): "1.5"})

    days = by_day(customer, metric)

    assert [day for day, _ in days] == NOVEMBER.days()
    assert {day.day: quantity for day, quantity in days if quantity} == {3: Decimal("1.5"), 30: Decimal("2")}


def test_the_end_of_a_period_is_not_in_it(acme, given):
    customer, metric = given.customer(acme), given.metric(acme)
    given.usage(customer, metric, {date(2026, 10, 31): "1", date(2026, 11, 1): "2", date(2026, 12, 1): "4"})

    assert sum(quantity for _, quantity in by_day(customer, metric)) == 2


def test_a_day_said_again_is_what_was_said_last(acme, given):
    customer, metric = given.customer(acme), given.metric(acme)

    for quantity in ("5", "5", "7"):
        given.usage(customer, metric, {date(2026, 11, 3): quantity})

    assert sum(quantity for _, quantity in by_day(customer, metric)) == 7


def test_quantities_are_exact(acme, given):
    customer, metric = given.customer(acme), given.metric(acme)
    exact = "12345678901234567890.000000000123"

    given.usage(customer, metric, {date(2026, 11, 3): exact, date(2026, 11, 4): "0.1"})

    assert dict(by_day(customer, metric))[date(2026, 11, 3)] == Decimal(exact)


def test_more_days_than_one_statement_holds_are_all_kept(acme, given):
    customer, metric = given.customer(acme), given.metric(acme)
    first = date(2025, 1, 1)
    days = {first + timedelta(days=n): str(n) for n in range(ROWS_A_STATEMENT * 2 + 1)}

    given.usage(customer, metric, days)

    period = Period(first, first + timedelta(days=len(days)))
    assert [int(quantity) for _, quantity in by_day(customer, metric, period)] == list(range(len(days)))


def test_usage_belongs_to_one_customer_and_one_metric(acme, given):
    customer, metric, other = given.customer(acme), given.metric(acme), given.metric(acme, "Storage", "GB")
    neighbour = given.customer(acme)
    for whose, which, quantity in ((customer, metric, "1"), (customer, other, "2"), (neighbour, metric, "4")):
        given.usage(whose, which, {date(2026, 11, 3): quantity})

    found = UsageDay.by_day(customer.id, [metric, other], NOVEMBER)

    assert {id: days.total for id, days in found.items()} == {metric.id: 1, other.id: 2}


def test_no_metrics_is_no_question(acme, given):
    assert UsageDay.by_day(given.customer(acme).id, [], NOVEMBER) == {}
