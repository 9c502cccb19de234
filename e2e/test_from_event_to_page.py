"""An integrator's program tells of usage with the official SDK; the customer's page shows it, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from orb import Orb
from playwright.sync_api import Page, expect

from e2e.world import World, today_there


@pytest.fixture
def orb(world: World) -> Iterator[Orb]:
    with Orb(api_key=world.seeded["keys"][world.company], base_url=world.url("/v1"), max_retries=0) as client:
        yield client


@pytest.fixture
def customer(orb: Orb) -> Any:
    """On a plan of a fee paid ahead, and of renders at 0.25 that are kept apart by region."""
    item = orb.items.create(name="Renders")
    metric = orb.metrics.create(
        name="Renders", item_id=item.id, description="Pictures rendered", sql="SELECT COUNT(*) FROM events",
        extra_body={"unit": "pictures", "dimensions": ["region"]},
    )  # fmt: skip
    common: Any = {"cadence": "monthly", "item_id": item.id, "model_type": "unit"}
    prices: list[Any] = [
        {**common, "name": "Renders", "unit_config": {"unit_amount": "0.25"}, "billable_metric_id": metric.id},
        {**common, "name": "Studio", "unit_config": {"unit_amount": "40.00"}, "fixed_price_quantity": 1,
         "billed_in_advance": True},
    ]  # fmt: skip
    plan = orb.plans.create(name="Studio plan", currency="USD", prices=[{"price": price} for price in prices])
    made = orb.customers.create(name="Pixel & Sons", email="ap@pixel.example", external_customer_id=str(uuid4()))
    first: Any = today_there().replace(day=1)
    orb.subscriptions.create(customer_id=made.id, plan_id=plan.id, start_date=first)
    return made


def tell(orb: Orb, customer: Any, count: int, region: str) -> None:
    events: list[Any] = [
        {
            "event_name": "render",
            "idempotency_key": str(uuid4()),
            "external_customer_id": customer.external_customer_id,
            "timestamp": datetime.now(UTC) - timedelta(seconds=1),
            "properties": {"region": region},
        }
        for _ in range(count)
    ]
    orb.events.ingest(events=events)


def test_what_is_told_by_program_is_on_the_customers_page_at_once(
    world: World, page: Page, orb: Orb, customer: Any
) -> None:
    tell(orb, customer, 30, "eu")
    tell(orb, customer, 10, "us")
    page.goto(customer.portal_url)
    upcoming, usage = page.locator("#pf-upcoming"), page.locator("#pf-usage")

    # 40 pictures at 0.25, and the fee of the next month.
    expect(upcoming.locator(".hero .sum")).to_have_text("$50.00")
    expect(upcoming).to_contain_text("40 pictures")
    expect(usage.locator(".sum")).to_have_text("40 pictures")
    expect(usage.locator(".cost").first).to_contain_text("$10.00")

    tell(orb, customer, 1, "us")
    page.reload()

    expect(upcoming.locator(".hero .sum")).to_have_text("$50.25")
    expect(usage.locator(".sum")).to_have_text("41 pictures")
    expect(usage.locator(".cost").first).to_contain_text("$10.25")
    assert orb.invoices.fetch_upcoming(subscription_id=_subscription(orb, customer)).total == "50.25"


def test_usage_is_grouped_by_what_the_events_said(world: World, page: Page, orb: Orb, customer: Any) -> None:
    tell(orb, customer, 3, "eu")
    tell(orb, customer, 2, "us")
    page.goto(customer.portal_url)

    page.get_by_label("Group").select_option("region")

    usage = page.locator("#pf-usage")
    expect(usage).to_contain_text("eu")
    expect(usage).to_contain_text("us")
    expect(usage.locator(".sum").first).to_have_text("5 pictures")


def test_the_same_event_told_again_changes_nothing_on_the_page(
    world: World, page: Page, orb: Orb, customer: Any
) -> None:
    event: Any = {
        "event_name": "render", "idempotency_key": str(uuid4()), "customer_id": customer.id,
        "timestamp": datetime.now(UTC) - timedelta(seconds=1), "properties": {},
    }  # fmt: skip
    for _ in range(3):
        orb.events.ingest(events=[event])

    page.goto(customer.portal_url)

    expect(page.locator("#pf-usage .sum")).to_have_text("1 pictures")


def _subscription(orb: Orb, customer: Any) -> str:
    (one,) = orb.subscriptions.list(customer_id=[customer.id]).data
    return one.id
