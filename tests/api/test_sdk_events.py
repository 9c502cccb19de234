"""The official client ingests, amends, deprecates, searches and fills in, and finds every answer of its own shape."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from orb import BadRequestError, Orb

from portal.models.usage import UsageDay
from tests.given import Given

AT = "2026-11-23T11:00:00Z"


def told(key: str, **fields):
    return {
        "event_name": "call",
        "idempotency_key": key,
        "timestamp": AT,
        "properties": {"bytes": 3},
        "external_customer_id": "crm-1",
        **fields,
    }


def test_the_client_reports_usage(orb: Orb, acme, given: Given) -> None:
    customer = given.customer(acme, external_id="crm-1")
    item = orb.items.create(name="Traffic")
    metric = orb.metrics.create(name="Bytes", item_id=item.id, description=None, sql="SELECT SUM(bytes) FROM events")

    assert orb.events.ingest(events=[told("a"), told("b", properties={"bytes": 1.5})]).validation_failed == []
    assert orb.events.ingest(events=[told("a")]).validation_failed == []
    assert (
        orb.events.update(
            "a", **{k: v for k, v in told("a", properties={"bytes": 10}).items() if k != "idempotency_key"}
        ).amended
        == "a"
    )
    assert orb.events.deprecate("b").deprecated == "b"

    found = orb.events.search(event_ids=["a", "b"]).data
    assert {(event.id, event.deprecated, event.customer_id) for event in found} == {
        ("a", False, customer.id),
        ("b", True, customer.id),
    }
    volume = orb.events.volume.list(timeframe_start=datetime.fromisoformat(AT)).data
    assert [hour.count for hour in volume] == [2]
    days = UsageDay.select().where(UsageDay.metric == metric.id)
    assert [(row.day.isoformat(), Decimal(row.quantity)) for row in days] == [("2026-11-23", 10)]


def test_the_client_is_told_which_events_failed(orb: Orb) -> None:
    with pytest.raises(BadRequestError) as refused:
        orb.events.ingest(events=[told("a"), told("b", timestamp="2026-11-01T00:00:00Z")])

    assert [each["idempotency_key"] for each in refused.value.body["validation_failed"]] == ["b"]


def test_the_client_fills_in_history(orb: Orb, acme, given: Given) -> None:
    given.customer(acme, external_id="crm-1")
    made = orb.events.backfills.create(
        timeframe_start="2026-10-01T00:00:00Z", timeframe_end="2026-10-08T00:00:00Z", replace_existing_events=True
    )
    orb.events.ingest(backfill_id=made.id, events=[told("h", timestamp="2026-10-02T00:00:00Z")])

    assert orb.events.backfills.fetch(made.id).events_ingested == 1
    assert orb.events.backfills.close(made.id).status == "reflected"
    assert [each.id for each in orb.events.backfills.list(status="reflected")] == [made.id]
    assert orb.events.backfills.revert(made.id).status == "reverted"
