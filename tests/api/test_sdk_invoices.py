"""The official SDK, unmodified and strict, through the life of an invoice and of its links."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orb as sdk
import pytest
from orb import Orb
from orb.types.customer import Customer as OrbCustomer
from orb.types.shared.invoice import Invoice as OrbInvoice

from portal.models.account import Account
from portal.models.catalog import Price
from tests.given import Given

DAY = date(2026, 11, 23)  # the clock's, everywhere but in the far west


@pytest.fixture
def customer(orb: Orb) -> OrbCustomer:
    return orb.customers.create(
        name="Globex", email="ap@globex.example", external_customer_id="globex/1", currency="USD"
    )


@pytest.fixture
def item_id(orb: Orb) -> str:
    return orb.items.create(name="Onboarding").id


def line(item_id: str, quantity: float = 2, unit_amount: str = "15.25", **more: Any) -> dict[str, Any]:
    dates = {"start_date": "2026-11-01", "end_date": date(2026, 12, 1)}
    unit = {"unit_config": {"unit_amount": unit_amount}, "model_type": "unit"}
    return {"name": "Onboarding", "item_id": item_id, "quantity": quantity, **dates, **unit, **more}


def create(orb: Orb, customer: OrbCustomer, item_id: str, **more: Any) -> OrbInvoice:
    lines = more.pop("line_items", [line(item_id), line(item_id, 1, "9.50", name="Extra")])
    named = {"customer_id": customer.id, "currency": "USD", "invoice_date": DAY, **more}
    return orb.invoices.create(line_items=lines, **named)


def test_a_draft_becomes_an_issued_and_then_a_paid_invoice(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id, net_terms=30, memo="Thanks", metadata={"po": "77"})
    assert (made.status, made.invoice_number, made.due_date, made.hosted_invoice_url) == ("draft", "", None, None)
    assert (made.subtotal, made.total, made.amount_due) == ("40.00", "40.00", "40.00")
    assert made.eligible_to_issue_at

    issued = orb.invoices.issue(made.id, synchronous=True)
    assert issued.status == "issued"
    assert issued.invoice_number.endswith("-00001")
    assert issued.due_date == datetime(2026, 12, 23, tzinfo=UTC)
    assert issued.hosted_invoice_url
    assert orb.invoices.fetch(made.id) == issued

    paid = orb.invoices.mark_paid(made.id, payment_received_date=DAY, external_id="wire 7", notes="by hand")
    assert paid.status == "paid"
    assert paid.paid_at
    assert paid.payment_received_at == datetime(2026, 11, 23, tzinfo=UTC)
    assert paid.payment_attempts == []


def test_an_invoice_that_issues_itself_is_issued_on_creation(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id, will_auto_issue=True, due_date=date(2026, 12, 1))

    assert made.status == "issued"
    assert made.will_auto_issue is False
    assert made.due_date == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_void_invoice_stays_readable(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id, will_auto_issue=True)

    void = orb.invoices.void(made.id)

    assert void.status == "void"
    assert void.voided_at
    assert orb.invoices.list(status=["void"]).data == [void]


def test_a_summary_says_the_same_without_the_bill(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id)

    summary = orb.invoices.issue_summary(made.id, synchronous=True)

    assert summary.status == "issued"
    assert orb.invoices.list_summary().data[0].model_dump() == summary.model_dump()
    whole = orb.invoices.fetch(made.id).model_dump()
    assert {name: whole[name] for name in summary.model_dump()} == summary.model_dump()


def test_a_list_is_read_to_its_end(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = [create(orb, customer, item_id, will_auto_issue=True).id for _ in range(5)]

    listed = [invoice.id for invoice in orb.invoices.list(limit=2)]

    assert sorted(listed) == sorted(made)
    assert len(listed) == 5


def test_every_filter_is_taken_as_the_client_sends_it(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id, will_auto_issue=True, due_date=DAY)
    filters: dict[str, Any] = {
        "status": ["issued", "paid"],
        "customer_id": customer.id,
        "external_customer_id": "globex/1",
        "amount": "40.00",
        "amount_gt": "39.99",
        "amount_lt": "40.01",
        "date_type": "due_date",
        "due_date": DAY,
        "due_date_gt": date(2026, 11, 22),
        "due_date_lt": "2026-11-24",
        "due_date_window": "1m",
        "invoice_date_gt": datetime(2026, 11, 22, 23, 59),  # noqa: DTZ001 - without an offset, as many callers write it
        "invoice_date_gte": datetime(2026, 11, 23, tzinfo=UTC),
        "invoice_date_lt": "2026-11-24",
        "invoice_date_lte": datetime(2026, 11, 23, tzinfo=UTC),
        "is_recurring": False,
        "limit": 5,
    }

    assert [one.id for one in orb.invoices.list(**filters, include_zero_quantity_line_items=False)] == [made.id]
    assert [one.id for one in orb.invoices.list_summary(**{**filters, "status": "issued"})] == [made.id]
    assert orb.invoices.list(**{**filters, "is_recurring": True}).data == []
    assert orb.invoices.list(subscription_id="none", cursor=None).data == []


def test_a_draft_is_changed_and_then_frozen(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id, metadata={"a": "1", "b": "2"})

    changed = orb.invoices.update(
        made.id,
        metadata={"a": None, "c": "3"},
        due_date=date(2027, 1, 1),
        invoice_date=date(2026, 11, 20),
        auto_collection=True,
    )
    assert changed.metadata == {"b": "2", "c": "3"}
    assert changed.due_date == datetime(2027, 1, 1, tzinfo=UTC)
    assert changed.invoice_date == datetime(2026, 11, 20, tzinfo=UTC)
    assert changed.auto_collection.enabled is True

    orb.invoices.issue(made.id)
    with pytest.raises(sdk.BadRequestError):
        orb.invoices.update(made.id, net_terms=10)
    assert orb.invoices.update(made.id, metadata=None).metadata == {}


def test_discounts_come_off_and_are_named(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(
        orb, customer, item_id, discount={"discount_type": "percentage", "percentage_discount": 0.15, "reason": "Early"}
    )

    assert (made.subtotal, made.total) == ("40.00", "34.00")
    assert made.discounts[0].discount_type == "percentage"
    assert made.discounts[0].reason == "Early"
    assert made.line_items[0].adjustments[0].adjustment_type == "percentage_discount"
    assert [one.adjusted_subtotal for one in made.line_items] == ["25.92", "8.08"]


def test_an_invoice_by_tiers_opens_to_them(orb: Orb, acme: Account, customer: OrbCustomer, given: Given) -> None:
    tiers = [
        {"first_unit": "0", "last_unit": "10", "unit_amount": "1"},
        {"first_unit": "10", "last_unit": None, "unit_amount": "0.5"},
    ]
    price: Price = given.price(given.metric(acme), model_type="tiered", tiered_config={"tiers": tiers})
    row = given.usage_invoice(given.customer(acme), price, {date(2026, 11, 1): "8", date(2026, 11, 2): "4.5"})

    found = orb.invoices.fetch(row.id).line_items[0]

    assert found.quantity == 12.5
    assert found.subtotal == "11.25"
    assert found.price.price_model_type == "tiered"
    first, second = found.sub_line_items
    assert (first.type, first.amount) == ("tier", "10.00")
    assert second.type == "tier"
    assert (second.tier_config.first_unit, second.tier_config.last_unit) == (10, None)
    assert second.quantity == 2.5


def test_a_session_starts_by_either_id(orb: Orb, customer: OrbCustomer) -> None:
    first = orb.customers.create_portal_session(customer.id)
    second = orb.customers.create_portal_session_by_external_id(
        "globex/1", expires_in_minutes=5, invalidate_existing=False
    )

    assert first.customer_id == second.customer_id == customer.id
    assert first.expires_at
    assert second.expires_at
    assert (first.expires_at - first.created_at).total_seconds() == 3600
    assert (second.expires_at - second.created_at).total_seconds() == 300
    assert first.url.startswith("http://127.0.0.1:8000/s/")


def test_quantities_are_exact(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    made = create(orb, customer, item_id, line_items=[line(item_id, 0.1 + 0.2, "100")])

    assert Decimal(repr(made.line_items[0].quantity)) == Decimal("0.30000000000000004")
    assert made.total == "30.00"


def test_errors_have_the_clients_own_classes(orb: Orb, customer: OrbCustomer, item_id: str) -> None:
    with pytest.raises(sdk.ResourceNotFound):
        orb.invoices.fetch("nosuchinvoice000")
    with pytest.raises(sdk.RequestValidationError):
        create(orb, customer, item_id, net_terms=3, due_date=DAY)
    with pytest.raises(sdk.ConstraintViolation):
        create(orb, customer, item_id, currency="EUR")
