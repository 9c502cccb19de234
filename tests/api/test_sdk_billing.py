"""The official SDK, unmodified and strict, from usage to the invoice: usage, costs, upcoming and issued agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from orb import BadRequestError, Orb

from portal import current
from portal.delivery import worker
from portal.models.base import db
from tests.conftest import Clock

START = datetime(2026, 11, 13, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def world(orb: Orb, clock: Clock) -> dict[str, Any]:
    """A customer with calls at 0.50, gigabytes in two tiers, and a fee of 20, and two days of usage."""
    clock.now = START + timedelta(hours=1)
    item = orb.items.create(name="API").id
    calls, sent = (
        orb.metrics.create(name=name, item_id=item, description=None, sql=sql).id
        for name, sql in (
            ("Calls", "SELECT COUNT(*) FROM events WHERE event_name = 'call'"),
            ("Bytes", "SELECT SUM(bytes) FROM events WHERE event_name = 'call' AND region IN ('eu', 'us')"),
        )
    )
    common: dict[str, Any] = {"cadence": "monthly", "item_id": item, "currency": "USD"}
    tiers = [
        {"first_unit": 0, "last_unit": 300, "unit_amount": "0.01"},
        {"first_unit": 300, "last_unit": None, "unit_amount": "0.005"},
    ]
    prices: list[Any] = [
        {"name": "Calls", "model_type": "unit", "unit_config": {"unit_amount": "0.50"}, "billable_metric_id": calls},
        {"name": "Bytes", "model_type": "tiered", "tiered_config": {"tiers": tiers}, "billable_metric_id": sent},
        {"name": "Fee", "model_type": "unit", "unit_config": {"unit_amount": "20.00"}, "fixed_price_quantity": 1},
    ]
    plan = orb.plans.create(name="Scale", currency="USD", prices=[{"price": {**one, **common}} for one in prices])
    customer = orb.customers.create(name="Globex", email="ap@globex.example", external_customer_id="globex")
    subscription = orb.subscriptions.create(
        customer_id=customer.id, plan_id=plan.id, start_date=START.date(), net_terms=30
    )
    for day in (18, 19, 20, 21, 22):
        clock.now = datetime(2026, 11, day, 12, tzinfo=UTC)
        orb.events.ingest(
            events=[
                {
                    "event_name": "call",
                    "idempotency_key": f"{day}-{n}",
                    "external_customer_id": "globex",
                    "timestamp": clock.now - timedelta(hours=n),
                    "properties": {"bytes": 25, "region": "eu" if n == 0 else "us"},
                }
                for n in range(4)
            ]
        )
    clock.now = NOW
    return {"customer": customer.id, "subscription": subscription.id, "calls": calls, "bytes": sent}


def test_costs_are_cumulative_from_the_start_of_the_period_to_the_end_of_today(orb: Orb, world: Any) -> None:
    data = orb.subscriptions.fetch_costs(world["subscription"]).data

    assert [point.subtotal for point in data] == [
        "20.00", "20.00", "20.00", "20.00", "20.00", "23.00", "26.00", "29.00", "31.50", "34.00", "34.00",
    ]  # fmt: skip
    assert {point.timeframe_start for point in data} == {START}
    assert data[-1].timeframe_end == datetime(2026, 11, 24, tzinfo=UTC)
    assert [(one.quantity, one.total) for one in data[-1].per_price_costs] == [
        (20, "10.00"),
        (500, "4.00"),
        (1, "20.00"),
    ]


def test_periodic_costs_are_what_each_day_added(orb: Orb, world: Any) -> None:
    data = orb.subscriptions.fetch_costs(
        world["subscription"],
        view_mode="periodic",
        timeframe_start=datetime(2026, 11, 20, tzinfo=UTC),
        timeframe_end=datetime(2026, 11, 24, tzinfo=UTC),
    ).data

    assert [point.total for point in data] == ["3.00", "2.50", "2.50", "0.00"]
    assert [(point.timeframe_end - point.timeframe_start).days for point in data] == [1, 1, 1, 1]


def test_a_customers_costs_are_those_of_her_subscriptions(orb: Orb, world: Any) -> None:
    of_one = orb.subscriptions.fetch_costs(world["subscription"]).data

    assert orb.customers.costs.list(world["customer"]).data[-1].total == of_one[-1].total
    assert orb.customers.costs.list_by_external_id("globex").data[-1].total == of_one[-1].total
    assert orb.customers.costs.list(world["customer"], currency="EUR").data == []


def test_usage_is_one_window_for_the_period_or_one_a_day(orb: Orb, world: Any) -> None:
    whole = orb.subscriptions.fetch_usage(world["subscription"]).data
    daily = orb.subscriptions.fetch_usage(world["subscription"], granularity="day", view_mode="cumulative").data

    assert [(one.billable_metric.name, one.usage[0].quantity, len(one.usage)) for one in whole] == [
        ("Calls", 20, 1),
        ("Bytes", 500, 1),
    ]
    assert (whole[0].usage[0].timeframe_start, whole[0].usage[0].timeframe_end) == (
        START,
        datetime(2026, 12, 13, tzinfo=UTC),
    )
    assert [window.quantity for window in daily[0].usage] == [0, 0, 0, 0, 0, 4, 8, 12, 16, 20, 20]


def test_usage_is_grouped_by_any_property(orb: Orb, world: Any) -> None:
    found = orb.subscriptions.fetch_usage(
        world["subscription"], billable_metric_id=world["calls"], group_by="region"
    ).data

    read: Any = found  # of several shapes, chosen by what was asked
    groups = {one.metric_group.property_value: one.usage[0].quantity for one in read}
    assert groups == {"eu": 5, "us": 15}
    with pytest.raises(BadRequestError, match="billable_metric_id"):
        orb.subscriptions.fetch_usage(world["subscription"], group_by="region")


def test_usage_is_narrowed_to_the_values_of_dimensions(orb: Orb, world: Any) -> None:
    def asked(**dimensions: str) -> Any:
        return orb.subscriptions.fetch_usage(
            world["subscription"], billable_metric_id=world["calls"], granularity="day", **dimensions
        ).data

    (eu,) = asked(first_dimension_key="region", first_dimension_value="eu")
    (both,) = asked(
        first_dimension_key="region",
        first_dimension_value="us",
        second_dimension_key="bytes",
        second_dimension_value="25",
    )
    (none,) = asked(first_dimension_key="region", first_dimension_value="mars")

    assert [window.quantity for window in eu.usage] == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
    assert sum(window.quantity for window in both.usage) == 15
    assert sum(window.quantity for window in none.usage) == 0
    with pytest.raises(BadRequestError, match="first_dimension_value"):
        asked(first_dimension_key="region")


def test_parts_of_days_are_counted_from_their_events(orb: Orb, world: Any) -> None:
    found = orb.subscriptions.fetch_usage(
        world["subscription"],
        billable_metric_id=world["calls"],
        timeframe_start=datetime(2026, 11, 18, 10, 30, tzinfo=UTC),
        timeframe_end=datetime(2026, 11, 20, 11, 30, tzinfo=UTC),
        granularity="day",
    ).data

    assert [window.quantity for window in found[0].usage] == [2, 4, 3]
    assert found[0].usage[0].timeframe_start == datetime(2026, 11, 18, 10, 30, tzinfo=UTC)


def test_upcoming_is_what_will_be_issued(orb: Orb, world: Any, clock: Clock, app: Flask) -> None:
    upcoming = orb.invoices.fetch_upcoming(subscription_id=world["subscription"])
    assert (upcoming.status, upcoming.total, upcoming.target_date) == (
        "draft",
        "34.00",
        datetime(2026, 12, 13, tzinfo=UTC),
    )

    clock.now = datetime(2026, 12, 13, 1, tzinfo=UTC)
    with app.app_context(), db.connection_context():
        list(worker.deeds(clock.now, current.keyring().active))
    (draft,) = orb.invoices.list(subscription_id=world["subscription"], status=["draft"]).data
    assert (draft.total, draft.will_auto_issue, draft.invoice_source) == ("34.00", True, "subscription")
    with pytest.raises(BadRequestError, match="issues itself"):
        orb.invoices.issue(draft.id)

    clock.now = datetime(2026, 12, 13, 12, tzinfo=UTC)
    with app.app_context(), db.connection_context():
        list(worker.deeds(clock.now, current.keyring().active))
    issued = orb.invoices.fetch(draft.id)
    assert (issued.status, issued.total) == ("issued", "34.00")
    assert [line.amount for line in issued.line_items] == [line.amount for line in upcoming.line_items]
    assert issued.due_date == datetime(2027, 1, 12, tzinfo=UTC)


def test_an_invoice_is_issued_by_hand_where_it_does_not_issue_itself(
    orb: Orb, world: Any, clock: Clock, app: Flask
) -> None:
    orb.subscriptions.update(world["subscription"], auto_issuance=False)
    clock.now = datetime(2026, 12, 13, 13, tzinfo=UTC)
    with app.app_context(), db.connection_context():
        list(worker.deeds(clock.now, current.keyring().active))
    (draft,) = orb.invoices.list(subscription_id=world["subscription"], status=["draft"]).data

    assert orb.invoices.issue(draft.id).total == "34.00"


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Asia/Kolkata", date(2026, 5, 1), 24),
    ],
)
def test_days_are_cut_at_the_customers_midnight(orb: Orb, clock: Clock, timezone: str, day: date, hours: int) -> None:
    clock.now = datetime.combine(day, datetime.min.time(), UTC) - timedelta(days=2)
    item = orb.items.create(name="API").id
    metric = orb.metrics.create(name="Calls", item_id=item, description=None, sql="SELECT COUNT(*) FROM events").id
    price: Any = {
        "name": "Calls", "cadence": "monthly", "item_id": item, "currency": "USD", "billable_metric_id": metric,
        "model_type": "unit", "unit_config": {"unit_amount": "1"},
    }  # fmt: skip
    plan = orb.plans.create(name="P", currency="USD", prices=[{"price": price}])
    customer = orb.customers.create(name="Local", email="a@local.example", timezone=timezone)
    subscription = orb.subscriptions.create(customer_id=customer.id, plan_id=plan.id)
    clock.advance(days=4)
    first = orb.subscriptions.fetch_usage(subscription.id, granularity="day").data[0].usage
    window = next(one for one in first if (one.timeframe_end - one.timeframe_start) == timedelta(hours=hours))
    assert (
        hours == 24 or len([1 for one in first if one.timeframe_end - one.timeframe_start != timedelta(hours=24)]) == 1
    )

    inside = [window.timeframe_start, window.timeframe_end - timedelta(seconds=1)]
    outside = [window.timeframe_start - timedelta(seconds=1), window.timeframe_end]
    backfill = orb.events.backfills.create(
        timeframe_start=window.timeframe_start - timedelta(days=1),
        timeframe_end=window.timeframe_end + timedelta(days=1),
    )
    events: list[Any] = [
        {
            "event_name": "call",
            "idempotency_key": f"k{n}",
            "customer_id": customer.id,
            "timestamp": at,
            "properties": {},
        }
        for n, at in enumerate(inside + outside)
    ]
    orb.events.ingest(events=events, backfill_id=backfill.id)
    orb.events.backfills.close(backfill.id)

    again = orb.subscriptions.fetch_usage(subscription.id, granularity="day").data[0].usage
    assert next(one.quantity for one in again if one.timeframe_start == window.timeframe_start) == 2
    costs = orb.subscriptions.fetch_costs(subscription.id, view_mode="periodic").data
    assert next(one.total for one in costs if one.timeframe_start == window.timeframe_start) == "2.00"
