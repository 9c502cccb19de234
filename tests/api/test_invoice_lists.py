"""Lists of invoices: every filter of the official client, pages, and a number of queries that does not grow."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from portal.models import moments
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.models.subscription import Subscription
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.conftest import queries as queries


@pytest.fixture
def customer(acme: Account, given: Given) -> Customer:
    return given.customer(acme, external_id="globex/1")


def ids(call: Call, tail: str = "", path: str = "/invoices", **filters: object) -> list[str]:
    response = call("GET", f"{path}?{tail}{urlencode(filters, doseq=True)}")
    assert response.status_code == 200, response.get_data(as_text=True)
    return [invoice["id"] for invoice in response.json["data"]]


@pytest.mark.parametrize("path", ["/invoices", "/invoices/summary"])
def test_the_statuses_that_matter_come_unless_others_are_asked_for(
    call: Call, customer: Customer, given: Given, clock: Clock, path: str
) -> None:
    draft, issued, void, paid = (given.invoice(customer, issued=n > 0).id for n in range(4))
    moments.void(Invoice.get_by_id(void), clock.now, "test")
    Payment.record(Invoice.get_by_id(paid), clock.now, "test", received_on=clock.now.date())

    assert set(ids(call, path=path)) == {issued, paid}
    assert ids(call, path=path, status="void") == [void]
    assert set(ids(call, "status[]=void&status[]=draft", path)) == {void, draft}
    assert set(ids(call, "status=paid&status[]=draft", path)) == {paid, draft}
    assert call("GET", f"{path}?status=overdue").status_code == 400


def test_the_newest_invoice_date_comes_first_and_pages_follow(
    call: Call, customer: Customer, given: Given, clock: Clock
) -> None:
    dates = [clock.now + timedelta(days=day) for day in (0, -3, -3, -1, -2)]
    made = [given.invoice(customer, invoice_date=day).id for day in dates]

    listed, cursor = [], ""
    for _ in range(3):
        page = call("GET", f"/invoices?limit=2{cursor}").json
        listed += [invoice["id"] for invoice in page["data"]]
        cursor = f"&cursor={page['pagination_metadata']['next_cursor']}"

    assert page["pagination_metadata"] == {"has_more": False, "next_cursor": None}
    assert listed == [made[0], made[3], made[4], *sorted((made[1], made[2]), reverse=True)]


def test_owners_narrow_a_list(call: Call, acme: Account, bolt: Account, customer: Customer, given: Given) -> None:
    mine, other, foreign = (
        given.invoice(one).id for one in (customer, given.customer(acme), given.customer(bolt, external_id="x"))
    )

    assert set(ids(call)) == {mine, other}
    assert ids(call, customer_id=customer.id) == [mine]
    assert ids(call, external_customer_id="globex/1") == [mine]
    assert ids(call, external_customer_id="x") == ids(call, customer_id="nobody") == []
    assert foreign not in ids(call, customer_id=Invoice.get_by_id(foreign).customer_id)


def test_recurring_invoices_and_those_of_one_subscription(
    call: Call, customer: Customer, given: Given, clock: Clock
) -> None:
    terms = {"name": "Plan", "currency": "USD", "start_date": clock.now.date()}
    subscription = Subscription.start(customer, clock.now, prices=[], **terms)
    once = given.invoice(customer).id
    monthly = given.invoice(customer, source="subscription", subscription=subscription).id

    assert ids(call, is_recurring="true") == ids(call, subscription_id=subscription.id) == [monthly]
    assert ids(call, is_recurring="false") == [once]
    found = call("GET", f"/invoices/{monthly}").json
    assert (found["invoice_source"], found["subscription"]) == ("subscription", {"id": subscription.id})


def test_the_date_of_a_subscriptions_draft_stays(call: Call, customer: Customer, given: Given) -> None:
    monthly = given.invoice(customer, source="subscription", issued=False).id

    refused = call("PUT", f"/invoices/{monthly}", {"invoice_date": "2026-11-01"})

    assert (refused.status_code, refused.json["detail"]) == (
        400,
        "Only on a one-off invoice can invoice_date be changed; this one is a subscription's.",
    )
    assert call("PUT", f"/invoices/{monthly}", {"due_date": "2026-11-01"}).status_code == 200


def test_amounts_are_compared_in_each_currencys_own_units(call: Call, acme: Account, given: Given) -> None:
    made = {}
    for currency, price in (("USD", "100"), ("JPY", "100"), ("KWD", "100"), ("CLF", "100"), ("EUR", "99.99")):
        lines = (("One", "1", price),)
        made[currency] = given.invoice(given.customer(acme, currency=currency), lines).id

    def found(**filters: str) -> set[str]:
        return {currency for currency, id in made.items() if id in ids(call, **filters)}

    assert found(amount="100") == found(amount="100.00") == {"USD", "JPY", "KWD", "CLF"}
    assert found(**{"amount[gt]": "99.99"}) == {"USD", "JPY", "KWD", "CLF"}
    assert found(**{"amount[gt]": "99.5", "amount[lt]": "100"}) == {"EUR"}
    assert found(**{"amount[lt]": "100.0001"}) == set(made)
    assert found(**{"amount[gt]": "100"}) == found(amount="99.999") == set()
    assert found(**{"amount[gt]": "-999999999999999999999999"}) == set(made)
    assert found(**{"amount[gt]": "999999999999999999999999"}) == set()


def test_due_dates_are_days(call: Call, customer: Customer, given: Given) -> None:
    first, second, never = (
        given.invoice(customer, due=day).id for day in (date(2026, 11, 20), date(2026, 11, 30), None)
    )

    assert ids(call, due_date="2026-11-20") == ids(call, due_date="2026-11-20T00:00:00+00:00") == [first]
    assert ids(call, **{"due_date[gt]": "2026-11-20"}) == [second]
    assert ids(call, **{"due_date[lt]": "2026-11-30"}) == [first]
    assert set(ids(call, **{"due_date[gt]": "2026-11-19", "due_date[lt]": "2026-12-01"})) == {first, second}
    assert never in ids(call)


def test_a_window_looks_into_the_past(call: Call, customer: Customer, given: Given, clock: Clock) -> None:
    today = clock.now.date()
    made = {days: given.invoice(customer, due=today - timedelta(days=days)).id for days in (-1, 0, 7, 8, 61, 62)}

    assert set(ids(call, due_date_window="7d")) == {made[0], made[7]}
    assert set(ids(call, due_date_window="2m")) == {made[0], made[7], made[8], made[61]}  # since 23 September
    assert ids(call, due_date_window="0d") == [made[0]]
    assert len(ids(call, due_date_window="9999m")) == len(ids(call, due_date_window="9999d")) == 5
    for window in ("7", "d", "7w", "-7d", "99999d", "7d ", "٧d"):
        assert call("GET", f"/invoices?{urlencode({'due_date_window': window})}").status_code == 400


def test_the_date_type_says_which_date_the_days_are_of(
    call: Call, customer: Customer, given: Given, clock: Clock
) -> None:
    old = given.invoice(customer, due=clock.now.date(), invoice_date=clock.now - timedelta(days=30)).id
    new = given.invoice(customer, due=clock.now.date() + timedelta(days=30)).id

    assert ids(call, due_date_window="7d", date_type="due_date") == [old]
    assert ids(call, due_date_window="7d", date_type="invoice_date") == [new]
    assert ids(call, due_date="2026-10-24", date_type="invoice_date") == [old]
    assert ids(call, **{"due_date[lt]": "2026-10-24", "date_type": "invoice_date"}) == []
    assert ids(call, **{"due_date[gt]": "2026-10-24", "date_type": "invoice_date"}) == [new]


def test_invoice_dates_are_instants(call: Call, customer: Customer, given: Given, clock: Clock) -> None:
    id = given.invoice(customer).id  # at 12:00 UTC

    assert ids(call, **{"invoice_date[gte]": "2026-11-23T12:00:00Z"}) == [id]
    assert ids(call, **{"invoice_date[gt]": "2026-11-23T12:00:00Z"}) == []
    assert ids(call, **{"invoice_date[lte]": "2026-11-23T13:00:00+01:00"}) == [id]
    assert ids(call, **{"invoice_date[lt]": "2026-11-23T12:00:00"}) == []
    assert ids(call, **{"invoice_date[gte]": "2026-11-23", "invoice_date[lt]": "2026-11-24"}) == [id]


def test_idle_lines_may_be_left_out_of_lists(call: Call, customer: Customer, given: Given) -> None:
    given.invoice(customer, (("Some", "1", "5"), ("None", "0", "5")))

    whole = call("GET", "/invoices").json["data"][0]
    short = call("GET", "/invoices?include_zero_quantity_line_items=false").json["data"][0]

    assert (len(whole["line_items"]), whole["hidden_line_item_count"]) == (2, 0)
    assert (len(short["line_items"]), short["hidden_line_item_count"]) == (1, 1)
    assert call("GET", "/invoices/summary?include_zero_quantity_line_items=false").status_code == 400


@pytest.mark.parametrize(
    "query",
    ["amount=x", "amount[gte]=1", "amount=1e5", "due_date=soon", "date_type=issue_date", "limit=0", "limit=101",
     "cursor=abc", "is_recurring=maybe", "due_date[gte]=2026-01-01", "invoice_date[gt]=2026-13-01", "page=2",
     "customer_id=a&customer_id=b", "status[]=", "invoice_date[gt]=0001-01-01"],
)  # fmt: skip
def test_a_filter_that_is_none_is_refused_by_name(call: Call, query: str) -> None:
    response = call("GET", f"/invoices?{query}")

    assert response.status_code == 400
    assert query.split("=")[0].split("[]")[0].split("&")[0] in response.json["detail"]


def test_the_number_of_queries_does_not_grow(call: Call, customer: Customer, given: Given, queries: Queries) -> None:
    def asked(path: str) -> int:
        with queries() as made:
            assert call("GET", path).status_code == 200
        return len(made)

    given.invoice(customer, due=date(2026, 12, 1))
    few = [asked("/invoices?limit=100"), asked("/invoices/summary?limit=100")]
    for n in range(12):
        given.invoice(customer, tuple((f"Line {line}", "1", "1") for line in range(n)) or (("One", "1", "1"),))
    many = [asked("/invoices?limit=100"), asked("/invoices/summary?limit=100")]

    assert few == many == [6, 6]  # the key, the page, links, payments, movements of the balance, credit notes
