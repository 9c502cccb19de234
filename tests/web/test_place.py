"""The address of the visitor's page follows what its sections are asked, and holds no token wherever it is written."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.customer import Customer
from tests.given import Given
from tests.web.test_customer_page import HTMX, home
from tests.web.test_usage import TODAY

Push = Callable[[str, str], str | None]


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    customer = given.customer(acme)
    given.usage(customer, given.metric(acme), {TODAY: "5"})
    return customer


@pytest.fixture
def push(client: FlaskClient, given: Given, customer: Customer) -> Push:
    """What the address becomes where the page at one tail asks for another."""
    given.invoice(customer)

    def pushed(page: str, tail: str) -> str | None:
        address = home(given, customer)
        headers = {**HTMX, "HX-Current-URL": f"http://localhost{address}{page}"}
        answer = client.get(address + tail, headers=headers)
        assert address.split("/")[2] not in str(answer.headers)
        return answer.headers.get("HX-Push-Url")

    return pushed


def test_what_is_asked_becomes_the_query_of_the_whole_page(push: Push) -> None:
    assert push("", "usage?period=7d&view=daily") == "./?period=7d&view=daily"
    assert push("", "invoices?number=&status=paid&year=") == "./?status=paid"


def test_what_the_other_sections_are_asked_stays(push: Push) -> None:
    assert push("?status=paid&period=30d", "usage?period=7d") == "./?status=paid&period=7d"
    assert push("?period=30d&status=paid", "invoices?year=2026") == "./?period=30d&year=2026"
    assert push("?period=30d&status=paid", "invoices") == "./?period=30d"


def test_what_a_form_brings_of_another_section_is_not_believed(push: Push) -> None:
    assert push("?status=paid", "usage?period=7d&status=void") == "./?status=paid&period=7d"


def test_the_same_question_is_no_step(push: Push) -> None:
    assert push("?period=7d&status=paid", "usage?period=7d") is None


def test_a_question_that_makes_no_sense_is_no_step_and_replaces_its_sentence_only(
    client: FlaskClient,
    given: Given,
    customer: Customer,
) -> None:
    given.invoice(customer)

    for tail, id in (("usage?period=year", "#pf-usage-wrong"), ("invoices?number=%25", "#pf-history-wrong")):
        answer = client.get(home(given, customer) + tail, headers=HTMX)
        assert "HX-Push-Url" not in answer.headers
        assert answer.headers["HX-Retarget"] == answer.headers["HX-Reselect"] == id
        assert f'id="{id[1:]}" class="wrong" role="alert">' in answer.text


def test_a_section_in_a_frame_of_its_own_keeps_its_address(push: Push) -> None:
    assert push("usage", "usage?period=7d") == "./usage?period=7d"


def test_a_page_of_somebody_else_keeps_its_address(push: Push) -> None:
    assert push("../../elsewhere", "usage?period=7d") is None


@pytest.mark.parametrize("query", ["x" * 9000, "a=1&" * 60, "status=" + "y" * 65, "utm_source=mail", "%00=%ff"])
def test_what_is_no_question_of_ours_is_dropped(push: Push, query: str) -> None:
    assert push(f"?{query}", "usage?period=7d") == "./?period=7d"


def test_the_whole_page_reads_all_of_it_and_its_forms_keep_it_without_script(
    client: FlaskClient, given: Given, customer: Customer
) -> None:
    given.invoice(customer)

    html = client.get(home(given, customer) + "?period=7d&view=cumulative&status=paid&utm_source=mail").text

    usage, history = html.partition('id="pf-usage"')[2], html.partition('id="pf-history"')[2]
    assert "API calls, added up, Nov 17, 2026 to Nov 23, 2026" in usage
    assert "No invoice matches." in history
    assert 'action="./#pf-usage"' in usage
    assert 'action="./#pf-history"' in history
    kept = re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', usage.partition("</form>")[0])
    assert kept == [("status", "paid")]
    assert 'href="./?period=7d&amp;view=cumulative#pf-history"' in history  # all invoices again
    assert "utm_source" not in html


def test_a_bold_question_is_text_in_the_page_that_keeps_it(
    client: FlaskClient,
    given: Given,
    acme: Account,
    customer: Customer,
) -> None:
    given.invoice(customer)

    html = client.get(home(given, customer) + '?number="><script>alert(1)</script>&period=<b>').text

    assert "<script>alert" not in html
    assert "<b>" not in html
