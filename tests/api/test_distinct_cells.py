"""Different values are counted in the cells of each price, whatever else the metric is kept apart by."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.telling import batch, event

SEEN = [  # day, member, region, tier
    ("22T10:00", "ann", "eu", "free"),
    ("22T11:00", "ann", "eu", "paid"),
    ("22T12:00", "bob", "eu", "free"),
    ("23T08:00", "ann", "us", "paid"),
    ("23T09:00", "ann", "eu", "paid"),
    ("23T10:00", "cy", "eu", "paid"),
    ("23T11:00", "bob", "us", "free"),
]


def by(dimension: str, item: str, metric: str) -> dict[str, Any]:
    cells = [{"dimension_values": [value], "unit_amount": "10.00"} for value in ("eu", "free")]
    config = {"dimensions": [dimension], "default_unit_amount": "1.00", "matrix_values": cells}
    return {
        "price": {
            "name": f"By {dimension}",
            "item_id": item,
            "cadence": "monthly",
            "billable_metric_id": metric,
            "model_type": "matrix",
            "matrix_config": config,
        }
    }


@pytest.fixture
def subscription(call, customer) -> str:
    item = call("POST", "/items", {"name": "Seats"}).json["id"]
    sql = {"name": "Members", "description": None, "sql": "SELECT COUNT(DISTINCT member) FROM events"}
    metric = call("POST", "/metrics", {**sql, "item_id": item, "dimensions": ["tier"]}).json["id"]
    prices = [by("region", item, metric), by("tier", item, metric)]
    plan = call("POST", "/plans", {"name": "Seats", "currency": "USD", "prices": prices}).json["id"]
    wanted = {"customer_id": customer.id, "plan_id": plan, "start_date": "2026-11-20"}
    return str(call("POST", "/subscriptions", wanted).json["id"])


def tell(call: Any) -> None:
    around = {"timeframe_start": "2026-11-22T00:00:00Z", "timeframe_end": "2026-11-23T12:00:00Z"}
    backfill = call("POST", "/events/backfills", around).json["id"]
    events = [
        event(f"e{n}", timestamp=f"2026-11-{at}:00Z", properties={"member": who, "region": region, "tier": tier})
        for n, (at, who, region, tier) in enumerate(SEEN)
    ]
    assert call("POST", f"/ingest?backfill_id={backfill}", batch(*events)).status_code == 200
    assert call("POST", f"/events/backfills/{backfill}/close").status_code == 200


def test_a_value_in_two_cells_of_the_metric_is_one_in_the_cell_of_a_price(call, subscription):
    tell(call)

    lines = call("GET", f"/invoices/upcoming?subscription_id={subscription}").json["line_items"]

    # In eu ann, bob and cy; in us ann and bob. Free are ann and bob; paid are ann and cy.
    assert [(line["name"], line["quantity"], line["amount"]) for line in lines] == [
        ("By region", 5, "32.00"),
        ("By tier", 4, "22.00"),
    ]


def test_it_costs_on_the_day_that_saw_it_first(call, subscription):
    tell(call)

    days = call("GET", f"/subscriptions/{subscription}/costs?view_mode=periodic").json["data"]

    assert [[price["subtotal"] for price in day["per_price_costs"]] for day in days] == [
        ["0.00", "0.00"],
        ["0.00", "0.00"],
        ["20.00", "21.00"],
        ["12.00", "1.00"],
    ]
