"""Fills a fresh database with what the API cannot make: two companies with keys, measured usage, links of long ago.

A program of its own, run before the server starts: prints what it made as JSON.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.config import ensure_secrets, read_settings
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.customer import BalanceTransaction
from portal.models.link import Link
from portal.tokens import Keyring
from tests.given import Given

LONG_AGO = timedelta(days=400)
TIERS = [
    {"first_unit": 0, "last_unit": 1000, "unit_amount": "0.02"},
    {"first_unit": 1000, "last_unit": None, "unit_amount": "0.01"},
]
TERMS = {
    "discounts": [{"type": "percentage_discount", "value": "0.10", "reason": "Loyal customer"}],
    "minimum": 5000,
    "tax_rates": [["Sales tax", "8.25"]],
    "credits": 0,
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
    keys = {account.name: ApiKey.mint(account, now, by="seed")[1] for account in (acme, bolt)}
    print(json.dumps({"keys": keys, "measured": _measured(given, acme), "expired": _expired(before, acme)}))


def _measured(given: Given, account: Account) -> dict[str, Any]:
    """A customer on a plan of two metrics, and her invoice for 31 days of one of them."""
    today = given.now().date()
    customer = given.customer(account, name="Umbrella Labs", email="ap@umbrella.example")
    calls, storage = given.metric(account), given.metric(account, "Storage", "GB-hours")
    tiered = given.price(calls, model_type="tiered", tiered_config={"tiers": TIERS, "prorated": False})
    given.subscription(customer, tiered, given.price(storage, "0.00042"), terms=TERMS)
    for metric, most in ((calls, 90), (storage, 700)):
        given.usage(customer, metric, _days(today - timedelta(days=100), 101, most))
    period = _days(date(2026, 1, 1), 31, 90)
    invoice = given.usage_invoice(
        customer, tiered, period, due_date=today + timedelta(days=20), terms={"tax_rates": [("Sales tax", "8.25")]}
    )
    with base.db.atomic():
        BalanceTransaction.move(customer.held(), 2500, "manual_adjustment", given.now())
    total = sum((Decimal(one) for one in period.values()), Decimal(0))
    return {"customer": customer.id, "invoice": invoice.id, "line": invoice.document["lines"][0]["id"],
            "days": len(period), "quantity": str(total)}  # fmt: skip


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
