"""Each kind of metric is told in its own words, and what cannot be added up never is."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.usage import UsageDay, UsageValue
from tests.given import Given
from tests.web.test_customer_page import HTMX, home, part
from tests.web.test_usage import rows
from tests.web.test_usage_cost import heads

SQL = {
    "max": "SELECT MAX(gb) FROM events WHERE event_name = 'memory'",
    "min": "SELECT MIN(gb) FROM events WHERE event_name = 'memory'",
    "average": "SELECT AVG(gb) FROM events WHERE event_name = 'memory'",
    "distinct": "SELECT COUNT(DISTINCT user) FROM events WHERE event_name = 'login'",
}


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme)


def measured(given: Given, acme: Account, kind: str, dimensions: list[str] | None = None) -> Metric:
    metric = given.metric(acme, "Memory", "GB")
    metric.change({"sql": SQL[kind], "dimensions": dimensions})
    return metric


def count(customer: Customer, metric: Metric, days: dict[date, str], events: int = 1) -> None:
    for day, quantity in days.items():
        UsageDay.create(customer=customer, metric=metric, day=day, quantity=quantity, count=events, at=day.toordinal())


def see(customer: Customer, metric: Metric, days: dict[date, str], cell: str = "") -> None:
    """The values that each day has, a letter each."""
    for day, values in days.items():
        UsageDay.create(customer=customer, metric=metric, day=day, cell=cell, quantity=len(values), count=1, at=1)
        for value in values:
            UsageValue.create(customer=customer, metric=metric, day=day, cell=cell, value=f'"{value}"')


def test_of_a_maximum_the_total_is_the_highest_and_an_idle_day_is_no_zero(
    client: FlaskClient, given: Given, acme: Account, customer: Customer
) -> None:
    metric = measured(given, acme, "max")
    count(customer, metric, {date(2026, 10, 2): "8", date(2026, 11, 2): "7.5", date(2026, 11, 4): "5"})
    address = home(given, customer) + "usage"

    html, text = client.get(address, headers=HTMX).text, part(client, address)

    assert heads(html)[1:3] == ["Highest", "Highest so far"]
    assert [row[1:3] for row in rows(html)[:5]] == [
        ("–", "–"),
        ("7.5", "7.5"),
        ("–", "7.5"),
        ("5", "7.5"),
        ("–", "7.5"),
    ]
    assert "7.5 GB the highest, Nov 1, 2026 – Nov 23, 2026" in text
    assert "0.5 lower (−6%) than in the same days of the period before" in text
    assert "The highest on Nov 2, 2026: 7.5 GB" in text
    assert "in all" not in text
    assert "Memory, highest so far, " in client.get(address + "?view=cumulative").text


def test_of_a_minimum_the_day_that_is_named_is_the_lowest(
    client: FlaskClient, given: Given, acme: Account, customer: Customer
) -> None:
    metric = measured(given, acme, "min")
    count(customer, metric, {date(2026, 11, 2): "7.5", date(2026, 11, 4): "-5"})

    text = part(client, home(given, customer) + "usage")

    assert "-5 GB the lowest, Nov 1, 2026" in text
    assert "The lowest on Nov 4, 2026: -5 GB" in text
    assert "Nothing was counted in the same days of the period before" in text


def test_an_average_is_that_of_all_events_and_not_of_the_days(
    client: FlaskClient, given: Given, acme: Account, customer: Customer
) -> None:
    metric = measured(given, acme, "average")
    count(customer, metric, {date(2026, 11, 2): "10"})
    count(customer, metric, {date(2026, 11, 3): "0"}, events=5)
    address = home(given, customer) + "usage"

    assert "1.6667 GB on average, Nov 1, 2026" in part(client, address)
    assert [row[1:3] for row in rows(client.get(address, headers=HTMX).text)[1:4]] == [
        ("10", "10"),
        ("0", "1.6667"),
        ("–", "1.6667"),
    ]


def test_different_values_are_counted_once_in_each_period(
    client: FlaskClient, given: Given, acme: Account, customer: Customer
) -> None:
    metric = measured(given, acme, "distinct")
    see(customer, metric, {date(2026, 10, 5): "abcd", date(2026, 11, 2): "ab", date(2026, 11, 3): "bc"})
    address = home(given, customer) + "usage"

    html, text = client.get(address, headers=HTMX).text, part(client, address)

    assert heads(html)[1:3] == ["Different ones", "Different ones so far"]
    assert [row[1:3] for row in rows(html)[1:4]] == [("2", "2"), ("2", "3"), ("0", "3")]
    assert "3 GB different ones in all, Nov 1, 2026" in text
    assert "1 less (−25%) than in the same days of the period before" in text


@pytest.mark.parametrize("kind", SQL)
@pytest.mark.parametrize("query", ["", "?period=90d&view=cumulative", "?period=last"])
def test_without_events_nothing_is_made_up(
    client: FlaskClient, given: Given, acme: Account, customer: Customer, kind: str, query: str
) -> None:
    metric = measured(given, acme, kind)
    given.subscription(customer, given.price(metric, "2"))

    text = part(client, home(given, customer) + "usage" + query)

    assert ("– nothing was counted, " in text) == (kind != "distinct")
    assert "$0.00 before discounts" in text
    assert "of a period" not in text
    assert "The most" not in text


def test_the_cost_of_a_maximum_falls_on_the_days_that_raised_it(
    client: FlaskClient, given: Given, acme: Account, customer: Customer
) -> None:
    metric = measured(given, acme, "max")
    given.subscription(customer, given.price(metric, "2"))
    count(customer, metric, {date(2026, 11, 2): "3", date(2026, 11, 3): "1", date(2026, 11, 4): "5"})

    html = client.get(home(given, customer) + "usage", headers=HTMX).text

    assert [row[3] for row in rows(html)[:5]] == ["$0.00", "$6.00", "$0.00", "$4.00", "$0.00"]
