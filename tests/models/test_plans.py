"""What pages, lists and the worker look for is found by an index, in its order, however much there is.

SQLite says how it will read before there are rows; PostgreSQL decides by what the tables hold (`make bench`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.api import paging
from portal.api.invoice_filters import Filters, found
from portal.api.invoices import ORDER
from portal.delivery import worker
from portal.models import guards
from portal.models.account import Account
from portal.models.base import db, is_postgresql
from portal.models.customer import Customer
from portal.models.history import Asked, History, Key
from tests.given import Given

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
KEY = Key(1_700_000_000_000_000, "a" * 16)

Plan = Callable[[Callable[[], Any]], str]


@pytest.fixture
def plan(given: Given) -> Plan:
    """How SQLite reads for a piece of work: all of its plans in one text."""
    if is_postgresql():
        pytest.skip("PostgreSQL plans by what the tables hold")
    database, execute = db.obj, db.obj.execute_sql

    def planned(work: Callable[[], Any]) -> str:
        made: list[tuple[str, Any]] = []

        def noted(sql: str, params: Any = ()) -> Any:
            made.append((sql, params))
            return execute(sql, params)

        database.execute_sql = noted
        try:
            work()
        finally:
            del database.execute_sql
        steps = [execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall() for sql, values in made if "SELECT" in sql]
        return "\n".join(str(step[3]) for one in steps for step in one)

    return planned


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme)


def history(customer: Customer) -> History:
    return History(customer.id, "Etc/UTC", TODAY)


BY_DATE = "invoice_customer_id_invoice_date_id_status_number (customer_id=?"
HISTORY = {
    "the latest": (Asked(), BY_DATE),
    "a page further back": (Asked(older_than=KEY), BY_DATE + " AND (invoice_date,id)<(?,?)"),
    "a page further on": (Asked(newer_than=KEY), BY_DATE + " AND (invoice_date,id)>(?,?)"),
    "a year": (Asked(year=2025), "invoice_date>? AND invoice_date<?"),
    "what is unpaid": (Asked(status="unpaid"), "invoice_open_by_date (customer_id=?"),
    "what is overdue": (Asked(status="overdue"), "invoice_open_by_date (customer_id=?"),
    "a number": (Asked(number="123"), BY_DATE),
    "what is void": (Asked(status="void"), "invoice_customer_id_status_invoice_date_id (customer_id=? AND status=?"),
}  # fmt: skip


@pytest.mark.parametrize("what", HISTORY)
def test_the_history_is_read_in_the_order_of_an_index(plan: Plan, customer: Customer, what: str) -> None:
    asked, by = HISTORY[what]

    read = plan(lambda: history(customer).page(asked, 20))

    assert by in read
    assert "TEMP B-TREE" not in read
    assert "SCAN" not in read


def test_what_asks_for_money_is_read_in_the_order_of_an_index(plan: Plan, customer: Customer) -> None:
    read = plan(lambda: history(customer).owing(10))

    assert "invoice_open_by_due_date (customer_id=?" in read
    assert "TEMP B-TREE" not in read
    assert "SCAN" not in read


def test_what_is_owed_is_worked_out_without_a_look_at_the_invoices(plan: Plan, customer: Customer) -> None:
    read = plan(lambda: live(customer))

    assert "USING COVERING INDEX invoice_open_by_currency" in read


def live(customer: Customer) -> None:
    """Asks what the trigger asks."""
    deed = next(one.sqlite()[1] for one in guards.here() if one.trigger == "invoice_owed_update")
    asked = deed[deed.index("SELECT COUNT") : deed.rindex(") WHERE")]
    db.obj.execute_sql(asked.replace("NEW.customer_id", "?").replace("NEW.currency", "?"), (customer.id, "USD"))


def test_the_worker_finds_the_drafts_whose_day_has_come(plan: Plan) -> None:
    read = plan(lambda: worker._due(NOW))

    assert "USING INDEX invoice_waiting (will_auto_issue=? AND eligible_to_issue_at<?)" in read
    assert "TEMP B-TREE" not in read


def test_a_page_far_back_in_a_list_of_the_api_is_found_by_its_key(plan: Plan, acme: Account) -> None:
    given = Filters(limit="20", cursor=paging._cursor(NOW, "a" * 16))

    read = plan(lambda: paging.page(found(given, acme, NOW), ORDER, given, list))

    assert "invoice_account_id_invoice_date_id (account_id=? AND (invoice_date,id)<(?,?))" in read
    assert "TEMP B-TREE" not in read


def test_a_list_of_one_customer_reads_no_others_invoices(plan: Plan, acme: Account) -> None:
    for named in ({"customer_id": "a" * 16}, {"external_customer_id": "acme-1"}):
        given = Filters(limit="20", **named)

        read = plan(lambda given=given: paging.page(found(given, acme, NOW), ORDER, given, list))

        assert BY_DATE in read, named
