"""What use costs stands beside how much it was: day by day and in all, by the calculation of the bills themselves."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.subscription import Subscription
from tests.given import Given
from tests.web.test_customer_page import HTMX, home, part
from tests.web.test_line import TIERS
from tests.web.test_usage import TODAY, rows

SAID = "before discounts, minimums and tax"


@pytest.fixture
def metric(given: Given, acme: Account) -> Metric:
    return given.metric(acme)


@pytest.fixture
def customer(given: Given, acme: Account, metric: Metric) -> Customer:
    """75 calls on each of the first two days of November, and on each of the last two of October."""
    customer = given.customer(acme)
    days = [date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)]
    given.usage(customer, metric, dict.fromkeys(days, "75"))
    return customer


def heads(html: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', html)


def test_each_day_costs_what_its_line_says(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, **TIERS), terms={"minimum": 100000, "tax_rates": [["VAT", "20"]]})
    address = home(given, customer)

    html = client.get(address + "usage", headers=HTMX).text

    assert heads(html) == ["Day", "Used", "In all", "Cost", "Period before"]
    assert [row[3] for row in rows(html)][:4] == ["$37.50", "$25.00", "$0.00", "$0.00"]
    assert f"$62.50 {SAID}" in part(client, address + "usage")
    opened = client.get(address + "upcoming").text
    line = re.search(r"upcoming/lines/[^\"]+", opened)
    assert line
    assert "Nov 1 75 $37.50 Nov 2 75 $25.00 Nov 3 0 $0.00" in part(client, address + line[0])


def test_added_up_the_cost_of_the_last_day_is_that_of_all(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, **TIERS))

    html = client.get(home(given, customer) + "usage?view=cumulative", headers=HTMX).text

    assert "Cost, in all" in heads(html)
    assert [row[3] for row in rows(html)] == ["$37.50"] + ["$62.50"] * 22


def test_a_window_across_two_bills_takes_each_day_from_its_own(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, **TIERS))

    html = client.get(home(given, customer) + "usage?period=30d", headers=HTMX).text

    cost = {row[0]: row[3] for row in rows(html)}
    assert [cost[f"Oct {day}, 2026"] for day in (29, 30, 31)] == ["$0.00", "$37.50", "$25.00"]
    assert [cost[f"Nov {day}, 2026"] for day in (1, 2)] == ["$37.50", "$25.00"]
    assert f"$125.00 {SAID}" in part(client, home(given, customer) + "usage?period=30d")


def test_what_several_prices_charge_for_it_is_added_up_in_each_currency(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, "1"), given.price(metric, "0.5"))
    given.subscription(customer, given.price(metric, "2"))
    given.subscription(customer, given.price(metric, "3", "JPY"), currency="JPY")

    html = client.get(home(given, customer) + "usage", headers=HTMX).text

    assert heads(html)[3:5] == ["Cost in JPY", "Cost in USD"]
    assert rows(html)[0][3:5] == ("¥225", "$262.50")
    assert f"¥450 $525.00 {SAID}" in part(client, home(given, customer) + "usage")


def test_what_nothing_charges_for_has_no_cost(client: FlaskClient, given: Given, customer: Customer) -> None:
    html = client.get(home(given, customer) + "usage", headers=HTMX).text

    assert "Cost" not in html
    assert SAID not in html


def test_days_before_there_was_a_price_cost_nothing_that_could_be_said(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, "1"), start_date=date(2026, 10, 31))

    html = client.get(home(given, customer) + "usage?period=30d", headers=HTMX).text

    cost = {row[0]: row[3] for row in rows(html)}
    assert [cost[f"Oct {day}, 2026"] for day in (30, 31)] == ["–", "$75.00"]


def test_what_a_subscription_that_has_ended_charged_is_still_there(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, "2"), end_date=date(2026, 11, 1))
    given.subscription(customer, given.price(metric, "1"), start_date=date(2026, 11, 1))

    html = client.get(home(given, customer) + "usage?period=30d", headers=HTMX).text

    cost = {row[0]: row[3] for row in rows(html)}
    assert [cost[f"{day}, 2026"] for day in ("Oct 31", "Nov 1")] == ["$150.00", "$75.00"]
    assert "No subscription" not in part(client, home(given, customer) + "plan")
    assert client.get(home(given, customer)).text.count('class="upcoming"') == 1


def test_a_price_that_cannot_be_worked_out_leaves_no_half_of_a_sum(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    broken = given.price(metric, model_type="package", package_config={"package_amount": "1"})
    given.subscription(customer, given.price(metric, "1"), broken)

    text = part(client, home(given, customer) + "usage")

    assert "What it costs cannot be worked out ahead of time; its invoice will show it." in text
    assert "$" not in text


def test_a_cadence_that_cannot_be_told_fails_no_page(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    wire = {"model_type": "unit", "unit_config": {"unit_amount": "1"}, "cadence": "custom"}
    given.subscription(customer, given.price(metric, **wire, billing_cycle_configuration=None))

    for tail in ("", "usage", "plan", "upcoming"):
        assert client.get(home(given, customer) + tail).status_code == 200


def test_this_period_is_that_of_the_price_where_it_is_billed_more_rarely(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    quarter = {"cadence": "quarterly", "billing_cycle_configuration": {"duration": 3, "duration_unit": "month"}}
    wire = {"model_type": "unit", "unit_config": {"unit_amount": "1"}}
    given.subscription(customer, given.price(metric, **wire, **quarter), given.price(given.metric(metric.account, "B")))

    text = part(client, home(given, customer) + f"usage?metric={metric.id}")

    assert "300 calls in all, Oct 1, 2026 – Nov 23, 2026 $300.00" in text


@pytest.mark.parametrize("period", ["this", "last", "7d", "30d", "90d"])
def test_days_add_up_to_the_total(
    client: FlaskClient, given: Given, acme: Account, metric: Metric, period: str
) -> None:
    customer = given.customer(acme)
    given.usage(customer, metric, {TODAY - timedelta(days=n): str(n % 7) for n in range(200)})
    given.subscription(customer, given.price(metric, **TIERS), given.price(metric, "0.125"))

    address = home(given, customer) + f"usage?period={period}"
    html = client.get(address, headers=HTMX).text

    total = sum((Decimal(row[3].strip("$").replace(",", "")) for row in rows(html)), Decimal(0))
    shown = re.search(r"\$([\d,.]+) before discounts", part(client, address))
    assert shown
    assert abs(Decimal(shown[1].replace(",", "")) - total) < Decimal("0.05")  # each line is rounded once


def test_the_cost_of_a_period_that_is_over_is_what_was_billed(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric, **TIERS))

    assert f"$62.50 {SAID}" in part(client, home(given, customer) + "usage?period=last")
    Subscription.update(trial_end=date(2026, 10, 31)).execute()
    assert f"$37.50 {SAID}" in part(client, home(given, customer) + "usage?period=last")
