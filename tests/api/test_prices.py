"""Prices: what each model's configuration must hold, and what is refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import Call, problem

INVALID = "400-request-validation-errors"
DUPLICATE = "400-duplicate-resource-creation"


@pytest.fixture
def item(call: Call) -> str:
    return str(call("POST", "/items", {"name": "Calls"}).get_json()["id"])


@pytest.fixture
def metric(call: Call, item: str) -> str:
    whole = {"name": "Calls", "item_id": item, "sql": "SELECT COUNT(*) FROM events", "description": None}
    return str(call("POST", "/metrics", whole).get_json()["id"])


@pytest.fixture
def new(item: str, metric: str) -> dict[str, Any]:
    return {
        "name": "Calls",
        "item_id": item,
        "billable_metric_id": metric,
        "cadence": "monthly",
        "currency": "USD",
        "model_type": "unit",
        "unit_config": {"unit_amount": "0.50"},
    }


def of(new: dict[str, Any], model: str, config: Any) -> dict[str, Any]:
    whole = {name: value for name, value in new.items() if name != "unit_config"}
    return {**whole, "model_type": model, f"{model}_config": config}


def tiers(*bounds: Any) -> dict[str, Any]:
    return {"tiers": [{"first_unit": first, "last_unit": last, "unit_amount": "1"} for first, last in bounds]}


def bulk(*most: Any) -> dict[str, Any]:
    return {"tiers": [{"maximum_units": one, "unit_amount": "1"} for one in most]}


def matrix(dimensions: Any, *cells: Any) -> dict[str, Any]:
    rows = [{"dimension_values": cell, "unit_amount": "1"} for cell in cells]
    return {"dimensions": dimensions, "default_unit_amount": "1", "matrix_values": rows}


def test_a_price_has_every_key_of_the_wire(call: Call, new: dict[str, Any], item: str, metric: str) -> None:
    made = call("POST", "/prices", new)

    body = made.get_json()
    assert made.status_code == 201
    assert body == {
        "id": body["id"],
        "name": "Calls",
        "external_price_id": None,
        "price_type": "usage_price",
        "model_type": "unit",
        "created_at": "2026-11-23T12:00:00+00:00",
        "cadence": "monthly",
        "billing_cycle_configuration": {"duration": 1, "duration_unit": "month"},
        "invoicing_cycle_configuration": None,
        "billable_metric": {"id": metric},
        "fixed_price_quantity": None,
        "plan_phase_order": None,
        "currency": "USD",
        "conversion_rate": None,
        "conversion_rate_config": None,
        "item": {"id": item, "name": "Calls"},
        "credit_allocation": None,
        "discount": None,
        "minimum": None,
        "minimum_amount": None,
        "maximum": None,
        "maximum_amount": None,
        "billing_mode": "in_arrear",
        "invoice_grouping_key": None,
        "replaces_price_id": None,
        "composite_price_filters": None,
        "metadata": {},
        "dimensional_price_configuration": None,
        "license_type": None,
        "unit_config": {"unit_amount": "0.50", "prorated": False, "scaling_factor": None},
    }
    assert call("GET", f"/prices/{body['id']}").get_json() == body
    assert call("GET", "/prices").get_json()["data"] == [body]


@pytest.mark.parametrize(
    ("model", "config", "said"),
    [
        ("unit", {"unit_amount": 0.5}, "unit_config.unit_amount must be an amount as text"),
        ("unit", {"unit_amount": "NaN"}, "unit_config.unit_amount"),
        ("unit", {"unit_amount": "1e3"}, "unit_config.unit_amount"),
        ("unit", {"unit_amount": "9" * 30}, "unit_config.unit_amount"),
        ("unit", {"unit_amount": "1", "scaling_factor": "2"}, "unit_config.scaling_factor must be a number"),
        ("unit", {}, "unit_config.unit_amount is required"),
        ("unit", {"unit_amount": "1", "extra": 1}, "unit_config.extra is not known here"),
        ("unit", "1", "unit_config must be an object"),
        ("tiered", {"tiers": []}, "tiered_config.tiers must have at least 1"),
        ("tiered", tiers((1, None)), "the first tier must start at 0"),
        ("tiered", tiers((0, 10), (11, None)), "every tier must start where the one before it ends"),
        ("tiered", tiers((0, 10), (10, 5), (5, None)), "every tier but the last must end after it starts"),
        ("tiered", tiers((0, None), (10, None)), "every tier but the last must end after it starts"),
        ("tiered", tiers((0, 10)), "the last tier must be open"),
        ("tiered", {"tiers": [{"first_unit": 0, "unit_amount": "1"}] * 1001}, "at most 1000"),
        ("bulk", bulk(), "bulk_config.tiers must have at least 1"),
        ("bulk", bulk(None, 10), "every bulk tier but the last needs its maximum_units"),
        ("bulk", bulk(10, 5), "each above the one before"),
        ("bulk", bulk(-1, None), "above 0"),
        ("package", {"package_amount": "1", "package_size": 0}, "package_size must be a whole number above 0"),
        ("package", {"package_amount": "1", "package_size": 1.5}, "package_size must be a whole number above 0"),
        ("package", {"package_amount": "1"}, "package_config.package_size is required"),
        ("matrix", matrix([]), "matrix_config.dimensions must have at least 1"),
        ("matrix", matrix([None]), "needs its dimensions"),
        ("matrix", matrix(["a", "a"]), "each once"),
        ("matrix", matrix(["a", "b", "c"]), "at most 2"),
        ("matrix", matrix(["a", "b"], ["eu"]), "needs 2 dimension_values"),
        ("matrix", matrix(["a"], ["eu"], ["eu"]), "may have one price only"),
    ],
)
def test_a_configuration_with_a_hole_in_it_is_refused(
    call: Call, new: dict[str, Any], model: str, config: Any, said: str
) -> None:
    assert said in problem(call("POST", "/prices", of(new, model, config)), 400, INVALID)
    assert call("GET", "/prices").get_json()["data"] == []


def test_ten_thousand_tiers_are_too_large_a_body(call: Call, new: dict[str, Any]) -> None:
    many = tiers(*((n, n + 1) for n in range(10_000)))

    problem(call("POST", "/prices", of(new, "tiered", many)), 413, "413-request-too-large")


@pytest.mark.parametrize("model", ["grouped_allocation", "tiered_package", "threshold_total_amount", "nonsense", ""])
def test_other_models_are_refused_with_the_ones_that_work(call: Call, new: dict[str, Any], model: str) -> None:
    whole = {name: value for name, value in new.items() if name != "unit_config"}
    config = {f"{model}_config": {"a": "b"}} if model not in ("nonsense", "") else {}

    said = problem(call("POST", "/prices", {**whole, "model_type": model, **config}), 400, INVALID)

    assert "unit, tiered, bulk, package, matrix" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "a\x85b"}, "name must be one line"),
        ({"name": " "}, "name must not be blank"),
        ({"currency": "XXX"}, "not an ISO 4217 currency code"),
        ({"currency": "usd"}, "not an ISO 4217 currency code"),
        ({"currency": None}, "currency must be text"),
        ({"cadence": "weekly"}, "cadence"),
        ({"cadence": "custom"}, "billing_cycle_configuration is required where cadence is custom"),
        ({"billing_cycle_configuration": {"duration": 2, "duration_unit": "month"}}, "contradicts cadence monthly"),
        (
            {"cadence": "custom", "billing_cycle_configuration": {"duration": 0, "duration_unit": "day"}},
            "duration must be 1 or more",
        ),
        (
            {"cadence": "custom", "billing_cycle_configuration": {"duration": 10**30, "duration_unit": "day"}},
            "at most 3660 days",
        ),
        (
            {"cadence": "custom", "billing_cycle_configuration": {"duration": 1, "duration_unit": "year"}},
            "duration_unit",
        ),
        ({"invoicing_cycle_configuration": {"duration": 1, "duration_unit": "day"}}, "one invoice"),
        ({"fixed_price_quantity": 1}, "One of billable_metric_id, for usage, and fixed_price_quantity"),
        ({"billable_metric_id": None}, "One of billable_metric_id, for usage, and fixed_price_quantity"),
        ({"billable_metric_id": None, "fixed_price_quantity": -1}, "fixed_price_quantity must be 0 or more"),
        ({"billable_metric_id": None, "fixed_price_quantity": "1"}, "fixed_price_quantity must be a number"),
        ({"billed_in_advance": True}, "billed_in_advance is for fees"),
        ({"billed_in_advance": "yes"}, "billed_in_advance must be true or false"),
        ({"conversion_rate": 2}, "conversion_rate must be null or 1"),
        ({"license_type_id": "x"}, "license_type_id is not worked out here"),
        ({"dimensional_price_configuration": {}}, "dimensional_price_configuration is not worked out here"),
        ({"bulk_config": bulk(None)}, "bulk_config is of another model"),
        ({"unit_config": None}, "unit_config is required where model_type is unit"),
        ({"minimum_amount": "-1"}, "minimum_amount must be 0 or more"),
        ({"maximum_amount": 5}, "maximum_amount must be an amount as text"),
        ({"discount": {"discount_type": "percentage"}}, "percentage_discount is required"),
        ({"discount": {"discount_type": "percentage", "percentage_discount": 1.1}}, "must be 1 or less"),
        ({"discount": {"discount_type": "trial"}}, "discount.discount_type"),
        ({"external_price_id": ""}, "external_price_id must not be empty"),
        ({"external_price_id": "x" * 256}, "at most 255"),
        ({"nonsense": 1}, "nonsense is not known here"),
    ],
)
def test_a_field_that_is_wrong_is_named(call: Call, new: dict[str, Any], change: dict[str, Any], said: str) -> None:
    assert said in problem(call("POST", "/prices", {**new, **change}), 400, INVALID)
    assert call("GET", "/prices").get_json()["data"] == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" * 60])
def test_numbers_that_are_none_are_refused(call: Call, new: dict[str, Any], number: str) -> None:
    text = json.dumps(of(new, "tiered", tiers((0, None)))).replace('"first_unit": 0', f'"first_unit": {number}')

    problem(call("POST", "/prices", data=text), 400, INVALID)


def test_a_price_carries_its_own_bounds_and_discount(call: Call, new: dict[str, Any]) -> None:
    discount = {"discount_type": "percentage", "percentage_discount": "0.15", "reason": "Early"}

    made = call("POST", "/prices", {**new, "minimum_amount": "10", "maximum_amount": "20.5", "discount": discount})

    body = made.get_json()
    covers = {"applies_to_price_ids": [body["id"]], "filters": []}
    assert (body["minimum_amount"], body["minimum"]) == ("10", {"minimum_amount": "10", **covers})
    assert (body["maximum_amount"], body["maximum"]) == ("20.5", {"maximum_amount": "20.5", **covers})
    assert body["discount"]["percentage_discount"] == 0.15
    assert body["discount"]["applies_to_price_ids"] == [body["id"]]


def test_numbers_stay_exact(call: Call, new: dict[str, Any]) -> None:
    config = {"tiers": [
        {"first_unit": 0.0, "last_unit": 1000.50, "unit_amount": "0.000420"},
        {"first_unit": 1000.5, "last_unit": None, "unit_amount": "-0.1"},
    ]}  # fmt: skip

    text = call("POST", "/prices", of(new, "tiered", config)).get_data(as_text=True)

    assert '{"first_unit":0,"last_unit":1000.5,"unit_amount":"0.000420"}' in text
    assert '{"first_unit":1000.5,"last_unit":null,"unit_amount":"-0.1"}' in text


def test_metadata_may_be_called_like_a_number(call: Call, new: dict[str, Any]) -> None:
    made = call("POST", "/prices", {**new, "metadata": {"first_unit": "none", "package_size": "XL"}})

    assert made.get_json()["metadata"] == {"first_unit": "none", "package_size": "XL"}


def test_an_external_id_belongs_to_one_price_and_may_hold_slashes(call: Call, new: dict[str, Any]) -> None:
    made = call("POST", "/prices", {**new, "external_price_id": "crm/1/a b"}).get_json()

    assert call("GET", "/prices/external_price_id/crm%2F1%2Fa%20b").get_json() == made
    said = problem(call("POST", "/prices", {**new, "external_price_id": "crm/1/a b"}), 400, DUPLICATE)
    assert said == "external_price_id belongs to another price."


def test_only_metadata_changes(call: Call, new: dict[str, Any]) -> None:
    made = call("POST", "/prices", {**new, "metadata": {"a": "1"}}).get_json()

    assert call("PUT", f"/prices/{made['id']}", {**made, "name": "Other", "currency": "EUR"}).get_json() == made
    assert call("PUT", f"/prices/{made['id']}", {"metadata": {"b": "2"}}).get_json()["metadata"] == {"a": "1", "b": "2"}
    assert call("PUT", f"/prices/{made['id']}", {"metadata": None}).get_json()["metadata"] == {}
    problem(call("PUT", f"/prices/{made['id']}", {"nonsense": 1}), 400, INVALID)


@pytest.mark.parametrize("name", ["item_id", "billable_metric_id"])
def test_another_accounts_things_are_not_there(call: Call, new: dict[str, Any], bolt_key: str, name: str) -> None:
    item = call("POST", "/items", {"name": "Theirs"}, key=bolt_key).get_json()["id"]
    whole = {"name": "M", "item_id": item, "sql": "SELECT COUNT(*) FROM events", "description": None}
    metric = call("POST", "/metrics", whole, key=bolt_key).get_json()["id"]

    foreign = call("POST", "/prices", {**new, name: {"item_id": item, "billable_metric_id": metric}[name]})
    absent = call("POST", "/prices", {**new, name: "0" * 16})

    problem(foreign, 404, "404-resource-not-found")
    assert foreign.data == absent.data


def test_a_renamed_item_is_called_so_by_its_prices(call: Call, new: dict[str, Any], item: str) -> None:
    made = call("POST", "/prices", new).get_json()

    call("PUT", f"/items/{item}", {"name": "Requests"})

    assert call("GET", f"/prices/{made['id']}").get_json() == {**made, "item": {"id": item, "name": "Requests"}}
