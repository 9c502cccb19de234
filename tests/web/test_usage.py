"""Usage of one metric over one period: a chart, a table beside it, and a form that says what it did not understand."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import accumulate

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.catalog import Metric
from portal.models.customer import Customer
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_customer_page import HTMX, home, part

TODAY = date(2026, 11, 23)


@pytest.fixture
def metric(given: Given, acme: Account) -> Metric:
    return given.metric(acme)


@pytest.fixture
def customer(given: Given, acme: Account, metric: Metric) -> Customer:
    customer = given.customer(acme)
    given.usage(customer, metric, {TODAY - timedelta(days=n): str(n + 1) for n in range(0, 200, 2)})
    return customer


def rows(html: str) -> list[tuple[str, ...]]:
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    body = re.sub(r" ?<span.*?</span>", "", body)
    return [tuple(re.findall(r">([^<>]+)</t[hd]>", row)) for row in body.split("</tr>")[:-1]]


@pytest.mark.parametrize(
    ("period", "first", "days", "total"),
    [
        ("this", "Nov 1, 2026", 23, "144"),
        ("last", "Oct 1, 2026", 31, "585"),
        ("7d", "Nov 17, 2026", 7, "16"),
        ("30d", "Oct 25, 2026", 30, "225"),
        ("90d", "Aug 26, 2026", 90, "2,025"),
    ],
)
def test_every_day_of_the_period_is_in_the_table_and_the_total_is_their_sum(
    client: FlaskClient, given: Given, customer: Customer, period: str, first: str, days: int, total: str
) -> None:
    html = client.get(home(given, customer) + f"usage?period={period}", headers=HTMX).text
    found = rows(html)

    assert (len(found), found[0][0]) == (days, first)
    assert sum(int(row[1].replace(",", "")) for row in found) == int(total.replace(",", ""))
    assert found[-1][2] == total
    assert f"{total} calls in all, {first} – " in part(client, home(given, customer) + f"usage?period={period}")
    assert any(row[1] == "0" for row in found)


def test_cumulative_bars_only_rise_and_the_table_adds_up_the_period_before_as_well(
    client: FlaskClient, given: Given, customer: Customer
) -> None:
    address = home(given, customer) + "usage?period=30d&view="
    daily, cumulative = client.get(address + "daily").text, client.get(address + "cumulative").text
    bars = cumulative.partition("<figcaption")[0]
    heights = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', bars)]

    assert len(heights) > 20
    assert heights == sorted(heights)
    assert [row[:3] for row in rows(daily)] == [row[:3] for row in rows(cumulative)]
    before = [int(row[3]) for row in rows(daily)]
    assert [int(row[3].replace(",", "")) for row in rows(cumulative)] == list(accumulate(before))
    assert "Period before, in all" in cumulative
    assert "Nov 21, 2026: 3 calls" in daily
    assert "Nov 21, 2026: 224 calls" in cumulative


def test_it_is_compared_with_as_much_of_the_period_before(
    client: FlaskClient, given: Given, acme: Account, metric: Metric
) -> None:
    customer = given.customer(acme)
    days = {date(2026, 10, 1): "100", date(2026, 10, 23): "74", date(2026, 10, 24): "999", date(2026, 11, 3): "150"}
    given.usage(customer, metric, days)
    address = home(given, customer) + "usage?period="

    assert "24 less (−14%) than in the same days of the period before, Oct 1, 2026 – Oct 23, 2026" in part(
        client, address + "this"
    )
    assert "1,173 more than" not in part(client, address + "last")
    assert "Nothing was used in the period before, Sep 1, 2026 – Sep 30, 2026" in part(client, address + "last")


def test_a_period_before_that_began_without_usage_says_since_when_there_is_some(
    client: FlaskClient, given: Given, acme: Account, metric: Metric
) -> None:
    customer = given.customer(acme)
    given.usage(customer, metric, {date(2026, 10, 8): "1", date(2026, 11, 3): "2"})

    text = part(client, home(given, customer) + "usage?period=this")

    assert "the period before, Oct 1, 2026 – Oct 23, 2026. Nothing was used in it before Oct 8, 2026" in text
    given.usage(customer, metric, {date(2026, 10, 7): "1"})
    assert "in it before" not in part(client, home(given, customer) + "usage?period=this")


def test_the_day_of_the_most_usage_is_named_where_there_is_one(
    client: FlaskClient, given: Given, acme: Account, metric: Metric
) -> None:
    customer = given.customer(acme)
    given.usage(customer, metric, {date(2026, 11, 2): "7", date(2026, 11, 3): "5"})

    assert "The most on Nov 2, 2026: 7 calls" in part(client, home(given, customer) + "usage")
    given.usage(customer, metric, {date(2026, 11, 3): "7"})
    assert "The most on" not in part(client, home(given, customer) + "usage")


def test_the_table_has_the_same_day_of_the_period_before(
    client: FlaskClient, given: Given, acme: Account, metric: Metric
) -> None:
    customer = given.customer(acme)
    given.usage(customer, metric, {TODAY: "5", TODAY - timedelta(days=7): "4", TODAY - timedelta(days=8): "1"})
    address = home(given, customer) + "usage?period=7d"

    found = rows(client.get(address, headers=HTMX).text)

    assert [row[3] for row in found] == ["0", "0", "0", "0", "0", "1", "4"]
    assert "Just as much as in the period before, Nov 10, 2026 – Nov 16, 2026" in part(client, address)


def test_a_day_that_the_period_before_did_not_have_is_not_a_zero(
    client: FlaskClient, given: Given, acme: Account, metric: Metric, clock: Clock
) -> None:
    clock.advance(days=38)  # the last day of December; November had thirty
    customer = given.customer(acme)
    given.usage(customer, metric, {clock.now.date(): "5"})

    found = rows(client.get(home(given, customer) + "usage?period=this", headers=HTMX).text)

    assert (len(found), found[-1][3], found[-2][3]) == (31, "–", "0")


def test_today_is_dashed_nothing_is_a_mark_and_the_period_before_an_outline(
    client: FlaskClient, given: Given, acme: Account, metric: Metric
) -> None:
    customer = given.customer(acme)
    given.usage(customer, metric, {TODAY: "5", TODAY - timedelta(days=9): "4"})

    html = client.get(home(given, customer) + "usage?period=7d").text.partition("<figcaption")[0]

    assert re.findall(r'class="(bar[^"]*)"', html) == ["bar zero"] * 6 + ["bar running"]
    assert "Nov 23, 2026: 5 calls so far</title>" in html
    assert html.count('class="before"') == 1


def test_among_ninety_thin_bars_there_is_no_outline_but_the_table_compares_all_the_same(
    client: FlaskClient, given: Given, customer: Customer
) -> None:
    daily = client.get(home(given, customer) + "usage?period=90d", headers=HTMX).text
    summed = client.get(home(given, customer) + "usage?period=90d&view=cumulative", headers=HTMX).text

    assert 'class="before"' not in daily
    assert 'class="before"' in summed
    assert rows(daily)[1][3] == rows(summed)[1][3] == "179"


def test_days_to_come_have_their_place_but_no_bar_and_no_row(
    client: FlaskClient, given: Given, customer: Customer
) -> None:
    html = client.get(home(given, customer) + "usage?view=cumulative").text

    assert len(rows(html)) == 23
    assert "Nov 24" not in html
    assert max(float(x) for x in re.findall(r'<rect[^>]* x="([\d.]+)"', html)) < 500  # of 640


def test_this_period_is_the_billing_period_of_the_metric(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric), billing_cycle_day=15)

    assert "in all, Nov 15, 2026 – Nov 23, 2026" in part(client, home(given, customer) + "usage?period=this")
    assert "in all, Oct 15, 2026 – Nov 14, 2026" in part(client, home(given, customer) + "usage?period=last")


def test_a_day_begins_at_midnight_where_the_customer_lives(
    client: FlaskClient, given: Given, acme: Account, metric: Metric
) -> None:
    customer = given.customer(acme, timezone="Pacific/Kiritimati")  # 24 November there
    given.usage(customer, metric, {date(2026, 11, 24): "5"})

    assert "5 calls in all, Nov 18, 2026 – Nov 24, 2026" in part(client, home(given, customer) + "usage?period=7d")


def test_what_is_priced_or_used_can_be_chosen_and_nothing_else(
    client: FlaskClient, given: Given, acme: Account, bolt: Account, customer: Customer
) -> None:
    priced, unheard = given.metric(acme, "Storage", "GB"), given.metric(acme, "Unheard of")
    given.subscription(customer, given.price(priced))
    foreign = given.metric(bolt, "Theirs")
    given.usage(given.customer(bolt), foreign, {TODAY: "1"})
    address = home(given, customer)

    html = client.get(address + "usage").text
    assert re.findall(r'<option value="[^"]{16}"[^>]*>([^<]+)<', html) == ["API calls", "Storage"]
    assert "0 GB in all" in part(client, address + f"usage?metric={priced.id}")
    for other in (unheard, foreign):
        response = client.get(address + f"usage?metric={other.id}")
        assert response.status_code == 422
        assert other.name not in response.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("period=year", "Period: choose one of This period, Last period, Last 7 days, Last 30 days, Last 90 days."),
        ("period=", "Period: choose one of"),
        ("view=%00", "Shown: choose one of Per day, Cumulative."),
        ("metric=x", "Metric: choose one of API calls."),
        ("metric=%ed%a0%80&period=7d", "Metric: choose one of"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_the_form_and_a_sentence(
    client: FlaskClient, given: Given, customer: Customer, query: str, sentence: str
) -> None:
    address = home(given, customer) + "usage?" + query
    bare, framed = client.get(address, headers=HTMX), client.get(address)

    assert (bare.status_code, framed.status_code) == (422, 422)
    assert bare.text.lstrip().startswith('<section id="pf-usage"')
    assert sentence in bare.text
    assert "<form" in bare.text
    assert "<svg" not in bare.text


def test_what_nobody_asked_for_is_ignored(client: FlaskClient, given: Given, customer: Customer) -> None:
    assert client.get(home(given, customer) + "usage?utm_source=mail").status_code == 200


def test_quantities_are_exact(client: FlaskClient, given: Given, acme: Account) -> None:
    customer, metric = given.customer(acme), given.metric(acme, "Storage", "GB")
    given.usage(customer, metric, {TODAY: "0.1", TODAY - timedelta(days=1): "0.2", date(2026, 11, 1): "1234567.000001"})

    assert "1,234,567.300001 GB in all" in part(client, home(given, customer) + "usage")


def test_the_chart_needs_no_inline_style_and_names_itself(
    client: FlaskClient, given: Given, customer: Customer, clock: Clock
) -> None:
    html = client.get(home(given, customer) + "usage").text

    assert 'role="img" aria-labelledby="pf-usage-chart"' in html
    assert "API calls, day by day, Nov 1, 2026 to Nov 23, 2026</title>" in html
    assert "style=" not in html


def test_the_first_day_of_a_period_is_one_day(
    client: FlaskClient, given: Given, customer: Customer, clock: Clock
) -> None:
    clock.advance(days=8)  # the first of December

    said = part(client, home(given, customer) + "usage")

    assert "1 day 0 calls" in said
    assert "1 days" not in said
