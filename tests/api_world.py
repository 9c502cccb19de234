"""One of everything, made through the API: what a machine that reads the API's document is let loose on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx

LINE = {
    "name": "Onboarding",
    "model_type": "unit",
    "quantity": 2,
    "unit_config": {"unit_amount": "20.00"},
    "start_date": "2026-10-01",
    "end_date": "2026-11-01",
}
SQL = "SELECT SUM(bytes) FROM events WHERE event_name = 'call'"


def furnish(address: str, key: str, now: datetime) -> dict[str, list[str]]:
    """The ids of what was made, by kind."""
    with httpx.Client(base_url=f"{address}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30) as api:
        found = _furnished(lambda path, **body: _made(api.post(path, json=body)), now)
        return {**found, "payments": [one["id"] for one in _made(api.get("/payments"))["data"]]}


def _made(response: httpx.Response) -> Any:
    assert response.is_success, f"{response.request.url}: {response.text}"
    return response.json()


def _furnished(make: Any, now: datetime) -> dict[str, list[str]]:
    item = make("/items", name="Onboarding")["id"]
    metric = make("/metrics", name="Bytes", item_id=item, description=None, sql=SQL, dimensions=["region"])["id"]
    priced = {"item_id": item, "cadence": "monthly", "model_type": "unit", "unit_config": {"unit_amount": "0.02"}}
    usage = {**priced, "name": "Bytes", "billable_metric_id": metric}
    fee = {**priced, "name": "Seats", "fixed_price_quantity": 3, "billed_in_advance": True}
    price = make("/prices", currency="USD", **usage)["id"]
    plan = make(
        "/plans", name="Team", currency="USD", external_plan_id="team", prices=[{"price": usage}, {"price": fee}]
    )["id"]
    make("/coupons", redemption_code="SPRING", discount={"discount_type": "percentage", "percentage_discount": 0.1})
    named = {"currency": "USD", "timezone": "America/New_York"}
    customers = [
        make("/customers", name="C", email=f"c{n}@customer.example", external_customer_id=f"crm/{n}", **named)["id"]
        for n in range(4)
    ]
    subscriptions = [
        make("/subscriptions", customer_id=one, plan_id=plan, start_date="2026-09-01")["id"] for one in customers[:3]
    ]
    events = [
        {
            "event_name": "call",
            "idempotency_key": f"call-{n}",
            "customer_id": customers[n % 3],
            "timestamp": (now - timedelta(minutes=n)).isoformat(),
            "properties": {"bytes": n, "region": "eu" if n % 2 else "us"},
        }
        for n in range(60)
    ]
    make("/ingest", events=events)
    invoices = [
        make(
            "/invoices",
            customer_id=customers[n % 4],
            currency="USD",
            invoice_date="2026-11-01",
            net_terms=30,
            will_auto_issue=n % 3 > 0,
            line_items=[{**LINE, "item_id": item}],
        )
        for n in range(9)
    ]
    make(f"/invoices/{invoices[1]['id']}/mark_paid", payment_received_date="2026-11-20")
    for one in customers[:2]:
        make(f"/customers/{one}/credits/ledger_entry", entry_type="increment", amount=100, currency="USD")
        make(f"/customers/{one}/balance_transactions", amount="25.00", type="increment")
    backfill = make("/events/backfills", timeframe_start="2026-08-01", timeframe_end="2026-08-02")["id"]
    return {
        "items": [item],
        "metrics": [metric],
        "prices": [price],
        "plans": [plan],
        "external_plan": ["team"],
        "customers": customers,
        "external": [f"crm/{n}" for n in range(4)],
        "subscriptions": subscriptions,
        "invoices": [one["id"] for one in invoices],
        "lines": [one["line_items"][0]["id"] for one in invoices],
        "events": [event["idempotency_key"] for event in events],
        "backfills": [backfill],
    }
