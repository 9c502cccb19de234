"""Fills a fresh database with what a caller cannot make: companies with keys, usage and links of long ago.

A program of its own, run before the server starts: prints what it made as JSON. Plans and usage come through the API.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.config import read_settings
from portal.demo.office import Office
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.catalog import Price
from portal.models.credit import CreditBlock
from portal.models.customer import Customer
from portal.models.link import Link
from portal.models.subscription import Subscription
from portal.models.usage import UsageDay
from portal.secret_store import ensure_secrets
from portal.tokens import Keyring
from tests.given import Given

LONG_AGO = timedelta(days=400)
USED_DAYS = 101
MOST = {"calls": 90, "gb_hours": 700}  # on one day
TIERS = [
    {"first_unit": 0, "last_unit": 1000, "unit_amount": "0.02"},
    {"first_unit": 1000, "last_unit": None, "unit_amount": "0.01"},
]
TIERED = {"model_type": "tiered", "tiered_config": {"tiers": TIERS}}
ADJUSTMENTS = [
    {"adjustment_type": "percentage_discount", "percentage_discount": 0.1, "reason": "Loyal customer"},
    {"adjustment_type": "minimum", "minimum_amount": "50.00"},
]
TAXES = [["Sales tax", "8.25"]]  # which the API does not have yet


EVERYTHING = {  # of Crown, whose customers may pay in every way there is
    "payment_methods": ["card", "us_bank_account", "sepa_debit", "bank_transfer"],
    "save_payment_method": "optional",
    "partial_payments": {"allowed": True, "minimum": "5.00"},
    "bank_accounts": [
        {"currency": "USD", "holder": "Crown Inc", "account_number": "000123456789", "routing_number": "110000000"},
        {"currency": "EUR", "holder": "Crown GmbH", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"},
    ],
    "embed_origins": ["http://localhost:*"],
}


def main() -> None:
    settings = read_settings()
    keyring = Keyring.parse(ensure_secrets(settings).keyring_text)
    base.connect(settings.database_url)
    schema.migrate()
    now = datetime.now(UTC).replace(microsecond=0)
    given = Given(lambda: now, keyring.active, keyring)
    before = Given(lambda: now - LONG_AGO, keyring.active, keyring)
    acme = Account.open("Acme", now, mode="test", by="seed", support_email="help@acme.example")
    bolt = Account.open("Bolt", now, mode="live", by="seed", support_email="help@bolt.example")
    crown = Account.open("Crown", now, mode="test", by="seed", support_email="help@crown.example")
    keys = {account.name: ApiKey.mint(account, now, by="seed")[1] for account in (acme, bolt, crown)}
    office = Office(settings, now)
    office.key = keys["Crown"]
    office.call("PATCH", "/account", EVERYTHING)
    office.key = keys["Acme"]
    seeded = {"measured": _measured(given, office), "grouped": _grouped(given, acme), "expired": _expired(before, acme)}
    print(json.dumps({"keys": keys, **seeded}))


def _measured(given: Given, office: Office) -> dict[str, Any]:
    """A customer on a plan of two metrics, and her invoice for 31 days of one of them."""
    today = given.now().date()
    named = {"name": "Umbrella Labs", "email": "ap@umbrella.example", "currency": "USD"}
    customer = Customer.get_by_id(office.call("POST", "/customers", named)["id"])
    tiered = _subscribed(office, customer, today)
    period = _days(date(2026, 1, 1), 31, MOST["calls"])
    invoice = given.usage_invoice(
        customer, tiered, period, due_date=today + timedelta(days=20), terms={"tax_rates": [("Sales tax", "8.25")]}
    )
    office.call("POST", f"/customers/{customer.id}/balance_transactions", {"type": "increment", "amount": "25.00"})
    total = sum((Decimal(one) for one in period.values()), Decimal(0))
    return {"customer": customer.id, "invoice": invoice.id, "line": invoice.document["lines"][0]["id"],
            "days": len(period), "quantity": str(total)}  # fmt: skip


def _subscribed(office: Office, customer: Customer, today: date) -> Price:
    """A subscription, and events on each of its days up to today; the price of its calls."""
    calls = _metered(office, "API calls", "calls", "calls", TIERED)
    unit = {"model_type": "unit", "unit_config": {"unit_amount": "0.00042"}}
    storage = _metered(office, "Storage", "GB-hours", "gb_hours", unit)
    plan = office.call("POST", "/plans", {"name": "Team plan", "currency": "USD", "prices": [calls, storage]})
    first = today - timedelta(days=USED_DAYS - 1)
    wanted = {"customer_id": customer.id, "plan_id": plan["id"], "start_date": str(first.replace(day=1))}
    made = office.call(
        "POST", "/subscriptions", {**wanted, "add_adjustments": [{"adjustment": a} for a in ADJUSTMENTS]}
    )
    row = Subscription.get_by_id(made["id"])
    Subscription.update(terms={**row.terms, "tax_rates": TAXES}).where(Subscription.id == row.id).execute()
    frame = {"timeframe_start": f"{first}T00:00:00Z", "timeframe_end": f"{today + timedelta(days=1)}T00:00:00Z"}
    backfill = office.call("POST", "/events/backfills", frame)["id"]
    for name, most in MOST.items():
        events = [
            {
                "event_name": name,
                "idempotency_key": f"{name} {day}",
                "customer_id": customer.id,
                "timestamp": f"{day}T00:00:00Z",
                "properties": {"amount": int(amount)},
            }
            for day, amount in _days(first, USED_DAYS, most).items()
        ]
        office.call("POST", f"/ingest?backfill_id={backfill}", {"events": events})
    office.call("POST", f"/events/backfills/{backfill}/close", {})
    return Price.get_by_id(plan["prices"][0]["id"])


def _metered(office: Office, name: str, unit: str, event: str, model: dict[str, Any]) -> dict[str, Any]:
    """A price of a plan, for a metric of its own."""
    item = office.call("POST", "/items", {"name": name})["id"]
    sql = f"SELECT SUM(amount) FROM events WHERE event_name = '{event}'"
    wanted = {"name": name, "item_id": item, "sql": sql, "unit": unit, "description": None}
    metric = office.call("POST", "/metrics", wanted)["id"]
    return {"price": {"name": name, "item_id": item, "billable_metric_id": metric, "cadence": "monthly", **model}}


def _grouped(given: Given, account: Account) -> dict[str, str]:
    """A customer who pays a fee ahead, with nine regions of one metric, the peaks of another, and prepaid credits."""
    today = given.now().date()
    customer = given.customer(account, name="Regional Ltd", email="ap@regional.example")
    requests, memory = given.metric(account, "Requests", "requests"), given.metric(account, "Memory", "GB")
    requests.change({"sql": "SELECT COUNT(*) FROM events WHERE event_name = 'request'", "dimensions": ["region"]})
    memory.change({"sql": "SELECT MAX(gb) FROM events WHERE event_name = 'memory'"})
    fee = {"model_type": "unit", "unit_config": {"unit_amount": "99"}, "fixed_price_quantity": 1}
    item = given.item(account, "Support")
    ahead = {"name": "Support", "currency": "USD", "wire": {**fee, "billing_mode": "in_advance"}}
    prices = Price.add(item, given.now(), **ahead), given.price(requests, "0.02"), given.price(memory, "1.5")
    given.subscription(customer, *prices, invoicing_threshold=10**7, trial_end=today - timedelta(days=100))
    for n in range(101):
        day = today - timedelta(days=n)
        for region in range(9):
            named = {"cell": json.dumps([f"region-{region}"]), "quantity": str((9 - region) * (n % 5 + 2))}
            UsageDay.create(customer=customer, metric=requests, day=day, count=1, at=1, **named)
        if n % 3:
            UsageDay.create(customer=customer, metric=memory, day=day, quantity=str(40 - n % 7), count=1, at=1)
    with base.db.atomic():
        CreditBlock.give(customer.held(), Decimal(20), "USD", given.now(), description="Welcome")
    return {"customer": customer.id}


def _expired(before: Given, account: Account) -> dict[str, str]:
    """The paths of an invoice link and of a session that have expired by themselves."""
    customer = before.customer(account, name="Vintage Ltd")
    link = Link.of_invoice(before.invoice(customer).id)
    session = Link.start_session(customer, before.now(), before.kid, "seed")
    assert link
    return {"invoice": before.url(link), "session": before.url(session)}


def _days(start: date, count: int, most: int) -> dict[date, str]:
    """Weeks of work, with little on the weekend; never the same two days running."""
    days = [start + timedelta(days=n) for n in range(count)]
    return {day: str(most - 7 * (n % 5) if day.weekday() < 5 else most // 5 + n % 3) for n, day in enumerate(days)}


if __name__ == "__main__":
    main()
