"""A metric that keeps its usage apart is shown group by group: the largest by themselves, all others together."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.usage import UsageDay
from tests.given import Given
from tests.web.test_customer_page import HTMX, home, part
from tests.web.test_usage_kinds import SQL, see

DAY = date(2026, 11, 2)


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme)


@pytest.fixture
def metric(given: Given, acme: Account) -> Metric:
    metric = given.metric(acme)
    metric.change({"sql": "SELECT COUNT(*) FROM events", "dimensions": ["region", "tier"]})
    return metric


def put(customer: Customer, metric: Metric, quantity: str, *cell: str | None, day: date = DAY) -> None:
    text = json.dumps(cell, separators=(",", ":"))
    UsageDay.create(customer=customer, metric=metric, day=day, cell=text, quantity=quantity, count=1, at=1)


def groups(html: str) -> str:
    return html.partition('id="pf-usage-groups"')[2]


def heads(html: str) -> list[str]:
    found = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', groups(html), re.S)
    return [" ".join(re.sub("<[^>]+>", "", one).split()) for one in found]


def test_what_is_kept_apart_can_be_grouped_by_each_property(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    put(customer, metric, "3", "eu", "gold")
    put(customer, metric, "4", "us", "gold")
    put(customer, metric, "2", "eu", "free")
    put(customer, metric, "1", None, "free")
    address = home(given, customer) + "usage"

    by_region = client.get(address + "?group_by=region", headers=HTMX).text
    text = part(client, address + "?group_by=region")

    assert heads(by_region) == ["Day", "eu", "us", "No region"]
    for said in ("By region eu : 5 calls in all", "us : 4 calls in all", "No region : 1 calls in all"):
        assert said in text
    assert "Nov 2, 2026 5 4 1" in text
    assert heads(client.get(address + "?group_by=tier", headers=HTMX).text) == ["Day", "gold", "free"]
    assert "10 calls in all" in text
    assert 'id="pf-usage-groups"' not in client.get(address).text


def test_after_six_groups_the_others_stand_together(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    for n in range(9):
        put(customer, metric, str(n + 1), f"r{n}", None)

    html = client.get(home(given, customer) + "usage?group_by=region", headers=HTMX).text

    assert heads(html) == ["Day", "r8", "r7", "r6", "r5", "r4", "r3", "3 others"]
    assert "3 others : 6 calls in all" in part(client, home(given, customer) + "usage?group_by=region")
    assert groups(html).count("<svg viewBox") == 7


def test_a_seventh_group_has_its_own_name(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    for n in range(7):
        put(customer, metric, str(n + 1), f"r{n}", None)

    assert "others" not in part(client, home(given, customer) + "usage?group_by=region")


def test_all_pictures_have_one_scale(client: FlaskClient, given: Given, customer: Customer, metric: Metric) -> None:
    put(customer, metric, "900", "eu", None)
    put(customer, metric, "1", "us", None)

    html = groups(client.get(home(given, customer) + "usage?group_by=region", headers=HTMX).text)

    scales = [re.findall(r'text-anchor="end">([^<]+)<', one) for one in html.split("<svg")[1:]]
    assert len(scales) == 2
    assert scales[0] == scales[1]


def test_a_maximum_of_a_group_is_the_highest_of_its_cells(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    metric.change({"sql": SQL["max"]})
    put(customer, metric, "3", "eu", "gold")
    put(customer, metric, "8", "eu", "free", day=date(2026, 11, 3))

    text = part(client, home(given, customer) + "usage?group_by=region")

    assert "By region eu : 8 calls the highest" in text


def test_different_ones_of_many_groups_are_not_added_up(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    metric.change({"sql": SQL["distinct"], "dimensions": ["team"]})
    for n in range(9):
        see(customer, metric, {DAY: "abcdefghi"[: n + 1]}, cell=f'["t{n}"]')
    address = home(given, customer) + "usage?group_by=team"

    text = part(client, address)

    assert "9 calls different ones in all" in text
    assert "3 more are not shown: different ones of several groups cannot be added up." in text
    metric.change({"dimensions": ["team", "tier"]})
    assert 'name="group_by"' not in client.get(address).text


def test_another_metric_without_the_property_is_shown_whole(
    client: FlaskClient, given: Given, acme: Account, customer: Customer, metric: Metric
) -> None:
    put(customer, metric, "3", "eu", "gold")
    other = given.metric(acme, "Storage", "GB")
    given.usage(customer, other, {DAY: "7"})

    response = client.get(home(given, customer) + f"usage?metric={other.id}&group_by=region")

    assert response.status_code == 200
    assert 'name="group_by"' not in response.text
    assert "7 GB" in part(client, home(given, customer) + f"usage?metric={other.id}&group_by=region")


def test_a_property_that_nothing_has_is_refused_by_name(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    put(customer, metric, "3", "eu", "gold")

    response = client.get(home(given, customer) + "usage?group_by=colour")

    assert response.status_code == 422
    assert "Group by: choose one of Nothing, region, tier." in response.text


def test_a_bold_group_is_text(client: FlaskClient, given: Given, customer: Customer, metric: Metric) -> None:
    put(customer, metric, "3", "<script>alert(1)</script>", "")
    metric.change({"dimensions": ["<b>", "tier"]})

    html = client.get(home(given, customer) + "usage?group_by=%3Cb%3E").text

    assert "<script>alert" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;, day by day" in html


def test_without_usage_it_says_what_will_stand_there(
    client: FlaskClient, given: Given, customer: Customer, metric: Metric
) -> None:
    given.subscription(customer, given.price(metric))

    text = part(client, home(given, customer) + "usage?group_by=region")

    assert "Nothing was used in this period. What is will stand here, told apart by region" in text


def test_the_address_follows_the_group(client: FlaskClient, given: Given, customer: Customer, metric: Metric) -> None:
    put(customer, metric, "3", "eu", "gold")
    address = home(given, customer)
    headers = {**HTMX, "HX-Current-URL": f"http://localhost{address}?status=paid"}

    answer = client.get(address + "usage?group_by=region", headers=headers)

    assert answer.headers["HX-Push-Url"] == "./?status=paid&group_by=region"
    assert 'id="pf-usage-groups"' in client.get(address + "?group_by=region").text
