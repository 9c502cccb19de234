"""Items: made, listed, fetched."""

from __future__ import annotations

import json

from tests.api.conftest import Call, problem


def test_an_item_has_every_key_of_the_wire(call: Call) -> None:
    made = call("POST", "/items", {"name": "API calls"})

    id = made.get_json()["id"]
    assert made.status_code == 201
    assert made.get_json() == {
        "id": id,
        "name": "API calls",
        "created_at": "2026-11-23T12:00:00+00:00",
        "external_connections": [],
        "metadata": {},
        "archived_at": None,
    }
    assert call("GET", f"/items/{id}").get_json() == made.get_json()
    assert call("GET", "/items").get_json()["data"] == [made.get_json()]


def test_metadata_is_kept_and_null_is_no_value(call: Call) -> None:
    made = call("POST", "/items", {"name": "I", "metadata": {"a": "1", "b": None}}).get_json()

    assert made["metadata"] == {"a": "1"}
    assert call("POST", "/items", {"name": "I", "metadata": None}).get_json()["metadata"] == {}


def test_fields_of_an_item_that_are_ours_to_say_are_taken_without_effect(call: Call) -> None:
    whole = {"id": "mine", "created_at": "1999-01-01", "external_connections": [], "archived_at": "2020-01-01"}

    made = call("POST", "/items", {"name": "I", **whole}).get_json()

    assert made["id"] != "mine"
    assert made["archived_at"] is None


def test_text_is_kept_in_its_composed_form(call: Call) -> None:
    made = call("POST", "/items", data=json.dumps({"name": "Cafe\u0301"})).get_json()

    assert made["name"] == "Café"


def test_an_item_that_is_not_there_is_not_found(call: Call) -> None:
    problem(call("GET", "/items/nothing"), 404, "404-resource-not-found")


def test_what_of_an_item_is_left_out_stays(call: Call) -> None:
    made = call("POST", "/items", {"name": "I", "metadata": {"a": "1"}}).get_json()
    path = f"/items/{made['id']}"

    assert call("PUT", path, {}).get_json() == made
    assert call("PUT", path, {"name": None}).get_json() == made
    assert call("PUT", path, {**made, "name": "J", "external_connections": []}).get_json() == {**made, "name": "J"}
    assert call("PUT", path, {"metadata": {"a": None, "b": "2"}}).get_json()["metadata"] == {"b": "2"}
    assert call("PUT", path, {"metadata": None}).get_json()["metadata"] == {}


def test_a_change_of_an_item_that_is_wrong_is_refused(call: Call) -> None:
    made = call("POST", "/items", {"name": "I"}).get_json()

    for change, said in (
        ({"name": ""}, "name must not be empty"),
        ({"name": "a\x85b"}, "name must be one line"),
        ({"name": 7}, "name must be text"),
        ({"metadata": {"a": 1}}, "metadata.a must be text"),
        ({"nonsense": 1}, "nonsense is not known here"),
    ):
        refused = call("PUT", f"/items/{made['id']}", change)
        assert said in problem(refused, 400, "400-request-validation-errors")
    assert call("GET", f"/items/{made['id']}").get_json() == made


def test_an_item_is_archived_once(call: Call, bolt_key: str) -> None:
    id = call("POST", "/items", {"name": "I"}).get_json()["id"]

    problem(call("POST", f"/items/{id}/archive", key=bolt_key), 404, "404-resource-not-found")
    assert call("POST", f"/items/{id}/archive").get_json()["archived_at"] == "2026-11-23T12:00:00+00:00"
    assert "already" in problem(call("POST", f"/items/{id}/archive"), 400, "400-constraint-violation")
