"""The official SDK, strict, reads lines of every model of price, their parts, and what bounds a whole invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from orb import Orb

from portal.domain.billing import Charged, build
from portal.domain.pricing import Used
from portal.models.account import Account
from portal.models.base import new_id
from portal.models.catalog import Price
from portal.models.invoice import Invoice
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_line_models import BULK, MATRIX, PACKAGE


def charged(price: Price, quantity: str = "0", **more: Any) -> Charged:
    item = {"id": price.item_id, "name": price.name}
    days = {"start": date(2026, 10, 1), "end": date(2026, 11, 1)}
    return Charged(
        id=new_id(), name=price.name, item=item, price=price.wire, quantity=Decimal(quantity), **days, **more
    )


def draft(given: Given, account: Account, lines: list[Charged], **terms: Any) -> Invoice:
    document, _ = build(lines, "USD", new_id=new_id, **terms)
    customer, now = given.customer(account), given.now()
    return Invoice.draft(customer, now, "test", document=dict(document), days={}, source="one_off", invoice_date=now)


def test_lines_of_every_model_are_read(orb: Orb, given: Given, acme: Account) -> None:
    packages, bulk, matrix = (given.price(given.metric(acme), **model) for model in (PACKAGE, BULK, MATRIX))
    cells = Used.of_cells({("eu", "gold"): Decimal(12), ("us", None): Decimal(3), ("eu", "x"): Decimal(1)})
    fee = given.price(given.metric(acme), "30.00")
    lines = [charged(packages, "2345"), charged(bulk, "1234"), charged(matrix, used=cells)]

    read = orb.invoices.fetch(draft(given, acme, [*lines, charged(fee, "2", share=Fraction(10, 30))]).id)

    first, second, third, fourth = read.line_items
    assert [one.price.price_model_type for one in read.line_items] == ["package", "bulk", "matrix", "unit"]
    assert [one.amount for one in read.line_items] == ["15.00", "123.40", "2.10", "20.00"]
    assert first.sub_line_items == second.sub_line_items == fourth.sub_line_items == []
    parts: list[Any] = third.sub_line_items
    assert [(type(one).__name__, one.name, one.quantity, one.amount) for one in parts] == [
        ("MatrixSubLineItem", "eu, gold", 12, "1.20"),
        ("MatrixSubLineItem", "us, no tier", 3, "0.60"),
        ("MatrixSubLineItem", "Other", 1, "0.30"),
    ]
    assert [one.matrix_config.dimension_values for one in parts] == [["eu", "gold"], ["us", None], []]


def test_what_bounds_a_whole_invoice_stands_on_it(orb: Orb, given: Given, acme: Account) -> None:
    price = given.price(given.metric(acme), "30.00")

    read = orb.invoices.fetch(draft(given, acme, [charged(price, "2")], minimum=10000, maximum=8000).id)

    assert read.minimum
    assert read.maximum
    assert (read.minimum_amount, read.minimum.minimum_amount, read.maximum_amount) == ("100.00", "100.00", "80.00")
    assert read.maximum.applies_to_price_ids == read.minimum.applies_to_price_ids == [price.id]
    adjustments: list[Any] = read.line_items[0].adjustments
    assert [(one.adjustment_type, one.amount) for one in adjustments] == [("minimum", "40.00"), ("maximum", "-20.00")]
    assert adjustments[1].maximum_amount == "80.00"
    assert (read.subtotal, read.total) == ("60.00", "80.00")


def test_rules_of_a_subscription_change_lines_of_every_model(orb: Orb, clock: Clock) -> None:
    item = orb.items.create(name="API").id
    sql = "SELECT COUNT(*) FROM events WHERE event_name = 'call'"
    metric = orb.metrics.create(name="Calls", item_id=item, description=None, sql=sql).id
    common: dict[str, Any] = {"cadence": "monthly", "item_id": item, "currency": "USD", "billable_metric_id": metric}
    region = {"dimensions": ["region", None], "default_unit_amount": "3"}
    region |= {"matrix_values": [{"dimension_values": ["eu", None], "unit_amount": "1"}]}
    tiers = [{"maximum_units": 5, "unit_amount": "2"}, {"unit_amount": "1"}]
    prices: list[Any] = [
        {"name": "A", "model_type": "matrix", "matrix_config": region},
        {"name": "B", "model_type": "package", "package_config": {"package_amount": "5.00", "package_size": 3}},
        {"name": "C", "model_type": "bulk", "bulk_config": {"tiers": tiers}},
    ]
    plan = orb.plans.create(name="Scale", currency="USD", prices=[{"price": {**one, **common}} for one in prices])
    customer = orb.customers.create(name="Globex", email="ap@globex.example")
    own: Any = {"name": "D", "model_type": "unit", "unit_config": {"unit_amount": "10"}, **common}
    half: Any = [{"discount_type": "percentage", "percentage_discount": 0.5}]
    whole: Any = [
        {"adjustment": {"adjustment_type": "usage_discount", "usage_discount": 1, "applies_to_all": True}},
        {"adjustment": {"adjustment_type": "maximum", "maximum_amount": "40.00", "applies_to_all": True}},
    ]
    subscription = orb.subscriptions.create(
        customer_id=customer.id,
        plan_id=plan.id,
        add_prices=[{"price": own, "discounts": half, "minimum_amount": "25.00"}],
        add_adjustments=whole,
    )
    events: list[Any] = [
        {
            "event_name": "call",
            "idempotency_key": f"{subscription.id}-{n}",
            "customer_id": customer.id,
            "timestamp": clock.now,
            "properties": {"region": "eu" if n < 4 else "us"},
        }
        for n in range(7)
    ]
    orb.events.ingest(events=events)

    upcoming = orb.invoices.fetch_upcoming(subscription_id=subscription.id)

    assert [(one.name, one.quantity, one.subtotal, one.adjusted_subtotal) for one in upcoming.line_items] == [
        ("A", 7, "13.00", "7.80"),
        ("B", 7, "15.00", "7.00"),
        ("C", 7, "7.00", "4.20"),
        ("D", 7, "70.00", "21.00"),
    ]
    assert [[(a.adjustment_type, a.amount) for a in one.adjustments] for one in upcoming.line_items] == [
        [("usage_discount", "-1.86"), ("maximum", "-3.34")],
        [("usage_discount", "-5.00"), ("maximum", "-3.00")],
        [("usage_discount", "-1.00"), ("maximum", "-1.80")],
        [("usage_discount", "-10.00"), ("percentage_discount", "-30.00"), ("maximum", "-9.00")],
    ]
    assert [one.name for one in upcoming.line_items[0].sub_line_items] == ["eu", "Other"]
    assert upcoming.maximum_amount == "40.00"
    assert [one.discount_type for one in upcoming.discounts] == ["percentage"]  # of an invoice there is no other kind
    assert (upcoming.subtotal, upcoming.total) == ("105.00", "40.00")
    costs = orb.subscriptions.fetch_costs(subscription.id).data[-1]
    assert [(one.quantity, one.total) for one in costs.per_price_costs] == [
        (7, "7.80"), (7, "7.00"), (7, "4.20"), (7, "21.00"),
    ]  # fmt: skip
