"""Plans: prices that belong together, and what is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.catalog import Price
from tests.api.conftest import Call, problem
from tests.web.conftest import Queries, queries

INVALID = "400-request-validation-errors"
DUPLICATE = "400-duplicate-resource-creation"
__all__ = ["queries"]  # a fixture


@pytest.fixture
def item(call: Call) -> str:
    return str(call("POST", "/items", {"name": "Calls"}).get_json()["id"])


def fee(item: str, **more: Any) -> dict[str, Any]:
    whole = {
        "name": "Platform",
        "item_id": item,
        "fixed_price_quantity": 1,
        "cadence": "monthly",
        "model_type": "unit",
        "unit_config": {"unit_amount": "20.00"},
    }
    return {"price": {**whole, **more}}


def new(item: str, **more: Any) -> dict[str, Any]:
    return {"name": "Team", "currency": "USD", "prices": [fee(item)], **more}


def test_a_plan_has_every_key_of_the_wire(call: Call, item: str) -> None:
    made = call("POST", "/plans", new(item))

    body = made.get_json()
    price = call("GET", "/prices").get_json()["data"][0]
    assert made.status_code == 201
    assert body == {
        "id": body["id"],
        "name": "Team",
        "description": "",
        "metadata": {},
        "external_plan_id": None,
        "created_at": "2026-11-23T12:00:00+00:00",
        "currency": "USD",
        "invoicing_currency": "USD",
        "net_terms": None,
        "default_invoice_memo": None,
        "prices": [price],
        "adjustments": [],
        "discount": None,
        "minimum": None,
        "minimum_amount": None,
        "maximum": None,
        "maximum_amount": None,
        "plan_phases": None,
        "product": {"id": body["product"]["id"], "name": "Team", "created_at": "2026-11-23T12:00:00+00:00"},
        "status": "active",
        "trial_config": {"trial_period": None, "trial_period_unit": "days"},
        "version": 1,
        "base_plan": None,
        "base_plan_id": None,
    }
    assert call("GET", f"/plans/{body['id']}").get_json() == body
    assert call("GET", "/plans").get_json()["data"] == [body]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": None}, "name must be text"),
        ({"name": "a\tb"}, "name must be one line"),
        ({"currency": "ZZZ"}, "not an ISO 4217 currency code"),
        ({"prices": None}, "prices must be a list"),
        ({"prices": {}}, "prices must be a list"),
        ({"prices": [{}]}, "prices.0.price is required"),
        ({"prices": [{"name": "x"}]}, "prices.0.name is not known here"),
        ({"net_terms": -1}, "net_terms must be 0 or more"),
        ({"net_terms": 10**20}, "net_terms must be 3650 or less"),
        ({"net_terms": 1.5}, "net_terms must be a whole number"),
        ({"status": "archived"}, "status"),
        ({"plan_phases": [{"order": 1}]}, "plan_phases are not worked out here"),
        ({"nonsense": 1}, "nonsense is not known here"),
        ({"external_plan_id": "\x07"}, "control characters"),
    ],
)
def test_a_field_that_is_wrong_is_named(call: Call, item: str, change: dict[str, Any], said: str) -> None:
    assert said in problem(call("POST", "/plans", new(item, **change)), 400, INVALID)
    assert call("GET", "/plans").get_json()["data"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currency": "EUR"}, "prices.1.price.currency must be USD"),
        ({"model_type": "grouped_tiered"}, "prices.1.price.model_type must be one of unit, tiered"),
        ({"unit_config": None}, "prices.1.price.unit_config is required"),
        ({"cadence": "custom"}, "prices.1.price.billing_cycle_configuration is required"),
        ({"nonsense": 1}, "prices.1.price.nonsense is not known here"),
    ],
)
def test_a_price_that_is_wrong_is_found_by_its_place(call: Call, item: str, change: dict[str, Any], said: str) -> None:
    whole = new(item, prices=[fee(item), fee(item, **change)])

    assert said in problem(call("POST", "/plans", whole), 400, INVALID)
    assert call("GET", "/prices").get_json()["data"] == []


@pytest.mark.parametrize(
    ("adjustment", "said"),
    [
        ({}, "adjustments.0.adjustment.adjustment_type is required"),
        ({"adjustment_type": "tiered_percentage_discount", "tiers": []}, "adjustment_type must be one of"),
        ({"adjustment_type": "percentage_discount"}, "percentage_discount is required"),
        ({"adjustment_type": "percentage_discount", "percentage_discount": 15}, "must be 1 or less"),
        ({"adjustment_type": "percentage_discount", "percentage_discount": -0.1}, "must be 0 or more"),
        ({"adjustment_type": "amount_discount", "amount_discount": 5}, "must be an amount as text"),
        ({"adjustment_type": "minimum", "maximum_amount": "5"}, "minimum_amount is required"),
        ({"adjustment_type": "maximum", "maximum_amount": "-5"}, "must be 0 or more"),
        (
            {"adjustment_type": "maximum", "maximum_amount": "5", "applies_to_price_ids": ["other"]},
            "applies_to_price_ids must name prices that are here: other is not",
        ),
        ({"adjustment_type": "maximum", "maximum_amount": "5", "applies_to_item_ids": []}, "covers none of the prices"),
        ({"adjustment_type": "maximum", "maximum_amount": "5", "price_type": "usage"}, "covers none of the prices"),
        (
            {"adjustment_type": "maximum", "maximum_amount": "5", "filters": [{"field": "name"}]},
            "adjustments.0.adjustment.filters.0.field",
        ),
        ({"adjustment_type": "maximum", "maximum_amount": "5", "nonsense": 1}, "nonsense is not known here"),
    ],
)
def test_an_adjustment_that_is_wrong_is_refused(call: Call, item: str, adjustment: Any, said: str) -> None:
    whole = new(item, adjustments=[{"adjustment": adjustment}])

    assert said in problem(call("POST", "/plans", whole), 400, INVALID)
    assert call("GET", "/plans").get_json()["data"] == []


def test_a_minimum_belongs_to_an_item_of_the_account(call: Call, item: str, bolt_key: str) -> None:
    theirs = call("POST", "/items", {"name": "Theirs"}, key=bolt_key).get_json()["id"]
    least = {"adjustment_type": "minimum", "minimum_amount": "5"}

    def answer(**more: str) -> Any:
        return call("POST", "/plans", new(item, adjustments=[{"adjustment": {**least, **more}}]))

    assert answer().get_json()["adjustments"][0]["item_id"] == item
    problem(answer(item_id=theirs), 404, "404-resource-not-found")
    assert answer(item_id=theirs).data == answer(item_id="0" * 16).data


def test_phases_of_a_plan_without_any_may_be_left_empty(call: Call, item: str) -> None:
    assert call("POST", "/plans", new(item, plan_phases=[], adjustments=None)).get_json()["plan_phases"] is None


def test_an_external_id_belongs_to_one_plan_and_may_hold_slashes(call: Call, item: str, bolt_key: str) -> None:
    made = call("POST", "/plans", new(item, external_plan_id="plans/team/1")).get_json()
    other = call("POST", "/plans", new(item, external_plan_id="other")).get_json()

    assert call("GET", "/plans/external_plan_id/plans%2Fteam%2F1").get_json() == made
    problem(call("POST", "/plans", new(item, external_plan_id="plans/team/1")), 400, DUPLICATE)
    problem(call("PUT", f"/plans/{other['id']}", {"external_plan_id": "plans/team/1"}), 400, DUPLICATE)
    problem(call("GET", "/plans/external_plan_id/other", key=bolt_key), 404, "404-resource-not-found")
    assert call("PUT", f"/plans/{other['id']}", {"external_plan_id": "other"}).status_code == 200
    assert call("PUT", f"/plans/{other['id']}", {"external_plan_id": None}).get_json()["external_plan_id"] is None


def test_two_prices_of_a_plan_cannot_share_an_external_id(call: Call, item: str) -> None:
    twins = [fee(item, external_price_id="one"), fee(item, external_price_id="one")]

    problem(call("POST", "/plans", new(item, prices=twins)), 400, DUPLICATE)


def test_what_subscriptions_were_made_from_does_not_change(call: Call, item: str) -> None:
    made = call("POST", "/plans", new(item)).get_json()

    changed = call("PUT", f"/plans/{made['id']}", {**made, "currency": "EUR", "prices": [], "net_terms": 3}).get_json()

    assert changed == made
    problem(call("PUT", f"/plans/{made['id']}", {"nonsense": 1}), 400, INVALID)
    problem(call("PUT", f"/plans/{made['id']}", {"name": ""}), 400, INVALID)


def test_what_an_item_of_another_account_is_is_not_told(call: Call, item: str, bolt_key: str) -> None:
    foreign = call("POST", "/plans", new(item), key=bolt_key)

    problem(foreign, 404, "404-resource-not-found")
    assert foreign.data == call("POST", "/plans", new("0" * 16), key=bolt_key).data
    assert Price.select().where(Price.item == item).count() == 0


def test_lists_are_narrowed_by_status(call: Call, item: str) -> None:
    draft = call("POST", "/plans", new(item, status="draft")).get_json()["id"]

    assert [one["id"] for one in call("GET", "/plans?status=draft").get_json()["data"]] == [draft]
    assert call("GET", "/plans?status=active").get_json()["data"] == []
    problem(call("GET", "/plans?status=gone"), 400, INVALID)


@pytest.mark.parametrize("size", [1, 12])
def test_a_list_asks_as_often_for_twelve_plans_as_for_one(call: Call, item: str, queries: Queries, size: int) -> None:
    for _ in range(size):
        call("POST", "/plans", new(item, prices=[fee(item)] * size))

    with queries() as of_list:
        assert len(call("GET", "/plans").get_json()["data"]) == size
    with queries() as of_prices:
        call("GET", "/prices?limit=100")

    assert (len(of_list), len(of_prices)) == (3, 2), of_list
