"""Metrics: what their SQL may say, what they are kept apart by, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.account import Account
from tests.api.conftest import Call, problem
from tests.given import Given

SQL = "SELECT COUNT(*) FROM events"


@pytest.fixture
def item(call: Call) -> str:
    return str(call("POST", "/items", {"name": "Calls"}).get_json()["id"])


def new(item: str, **more: Any) -> dict[str, Any]:
    return {"name": "Calls", "item_id": item, "sql": SQL, "description": None, **more}


def test_a_metric_has_every_key_of_the_wire(call: Call, item: str) -> None:
    made = call("POST", "/metrics", new(item, unit="calls", dimensions=["region", "tier"], metadata={"a": "1"}))

    body = made.get_json()
    assert made.status_code == 201
    assert body == {
        "id": body["id"],
        "name": "Calls",
        "description": None,
        "item": call("GET", f"/items/{item}").get_json(),
        "sql": SQL,
        "status": "active",
        "metadata": {"a": "1"},
        "parameter_definitions": None,
        "unit": "calls",
        "dimensions": ["region", "tier"],
    }
    assert call("GET", f"/metrics/{body['id']}").get_json() == body
    assert call("GET", "/metrics").get_json()["data"] == [body]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "sql must not be empty"),
        ("  \n", "sql must not be blank"),
        ("DELETE FROM events", "sql cannot be used"),
        ("SELECT COUNT(*) FROM events; DROP TABLE customer", "sql cannot be used"),
        ("SELECT MEDIAN(size) FROM events", "MEDIAN"),
        ("SELECT COUNT(*) FROM customer", "sql cannot be used"),
        ("SELECT COUNT(*) FROM events WHERE " + "a = 1 AND " * 500 + "a = 1", "at most"),
        (7, "sql must be text"),
        (None, "sql must be text"),
    ],
)
def test_sql_that_cannot_be_measured_is_refused_with_the_part_that_is_wrong(
    call: Call, item: str, sql: Any, said: str
) -> None:
    assert said in problem(call("POST", "/metrics", new(item, sql=sql)), 400, "400-request-validation-errors")
    assert call("GET", "/metrics").get_json()["data"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"name": "a\nb"}, "name must be one line"),
        ({"name": "x" * 501}, "at most 500"),
        ({"nonsense": 1}, "nonsense is not known here"),
        ({"dimensions": ["a", "a"]}, "dimensions must name each property once"),
        ({"dimensions": list("abcdef")}, "at most 5"),
        ({"dimensions": [""]}, "dimensions.0 must not be empty"),
        ({"dimensions": "region"}, "dimensions must be a list"),
        ({"metadata": {"a": 1}}, "metadata.a must be text"),
        ({"item_id": None}, "item_id must be text"),
    ],
)
def test_a_field_that_is_wrong_is_named(call: Call, item: str, change: dict[str, Any], said: str) -> None:
    assert said in problem(call("POST", "/metrics", new(item, **change)), 400, "400-request-validation-errors")


def test_a_metric_belongs_to_an_item_of_its_own_account(call: Call, item: str, bolt_key: str) -> None:
    theirs = call("POST", "/metrics", new(item), key=bolt_key)
    nobodys = call("POST", "/metrics", new("0" * 16), key=bolt_key)

    problem(theirs, 404, "404-resource-not-found")
    assert theirs.data == nobodys.data


def test_what_is_left_out_stays(call: Call, item: str) -> None:
    made = call("POST", "/metrics", new(item, description="All", unit="calls", dimensions=["region"])).get_json()

    same = call("PUT", f"/metrics/{made['id']}", {})
    emptied = call("PUT", f"/metrics/{made['id']}", {"description": None, "name": None, "dimensions": None})

    assert same.get_json() == made
    assert emptied.get_json() == {**made, "description": None, "dimensions": []}
    problem(call("PUT", f"/metrics/{made['id']}", {"name": " "}), 400, "400-request-validation-errors")


def test_the_sql_of_a_metric_does_not_change(call: Call, item: str) -> None:
    made = call("POST", "/metrics", new(item)).get_json()

    assert call("PUT", f"/metrics/{made['id']}", {**made, "sql": "SELECT SUM(a) FROM events"}).get_json() == made


def test_archiving_happens_once_and_can_be_taken_back(call: Call, item: str) -> None:
    id = call("POST", "/metrics", new(item)).get_json()["id"]

    problem(call("POST", f"/metrics/{id}/unarchive"), 400, "400-constraint-violation")
    assert call("POST", f"/metrics/{id}/archive").get_json()["status"] == "archived"
    assert "already" in problem(call("POST", f"/metrics/{id}/archive"), 400, "400-constraint-violation")
    assert call("POST", f"/metrics/{id}/unarchive").get_json()["status"] == "active"


def test_what_a_matrix_price_needs_apart_stays_apart(call: Call, item: str) -> None:
    id = call("POST", "/metrics", new(item)).get_json()["id"]
    matrix = {"dimensions": ["region", None], "default_unit_amount": "1", "matrix_values": []}
    price = {
        "name": "P", "item_id": item, "billable_metric_id": id, "cadence": "monthly", "currency": "USD",
        "model_type": "matrix", "matrix_config": matrix,
    }  # fmt: skip

    assert call("POST", "/prices", price).status_code == 201
    assert call("GET", f"/metrics/{id}").get_json()["dimensions"] == ["region"]
    changed = call("PUT", f"/metrics/{id}", {"dimensions": ["tier"]}).get_json()
    assert changed["dimensions"] == ["tier", "region"]
    assert call("PUT", f"/metrics/{id}", {"dimensions": []}).get_json()["dimensions"] == ["region"]
    call("PUT", f"/metrics/{id}", {"dimensions": ["a", "b", "c", "d"]})
    more = {**price, "matrix_config": {**matrix, "dimensions": ["plan", "zone"]}}
    assert "at most 5" in problem(call("POST", "/prices", more), 400, "400-constraint-violation")
    assert len(call("GET", "/prices").get_json()["data"]) == 1


def test_lists_are_narrowed_by_status_and_time(call: Call, item: str, given: Given, acme: Account) -> None:
    id = call("POST", "/metrics", new(item)).get_json()["id"]

    def ids(query: str) -> list[str]:
        return [one["id"] for one in call("GET", f"/metrics?{query}").get_json()["data"]]

    assert ids("status=active&created_at[gte]=2026-11-23T12:00:00Z") == [id]
    assert ids("created_at[gt]=2026-11-23T12:00:00Z") == ids("status=draft") == ids("status=archived") == []
    problem(call("GET", "/metrics?status=gone"), 400, "400-request-validation-errors")
    problem(call("GET", "/metrics?nonsense=1"), 400, "400-request-validation-errors")
