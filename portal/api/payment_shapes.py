"""Payments, refunds and saved methods as this API shows them; Orb's has none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.api.shapes import stamp
from portal.domain import money
from portal.models.dispute import Dispute
from portal.models.invoice import Invoice
from portal.models.payment import BY_HAND, Allocation, Payment
from portal.models.refund import Refund
from portal.models.saved_method import SavedMethod


def payment(row: Payment) -> dict[str, Any]:
    return payments([row])[0]


def payments(rows: Sequence[Payment]) -> list[dict[str, Any]]:
    """Whole payments. Three queries, however many they are."""
    ids = [row.id for row in rows]
    numbered = Allocation.select(Allocation, Invoice.id, Invoice.number).join(Invoice)
    shares = _by_payment(numbered.order_by(Allocation.invoice), Allocation.payment, ids)
    refunds = _by_payment(Refund.select().order_by(Refund.created_at, Refund.id), Refund.payment, ids)
    disputes = _by_payment(Dispute.select().order_by(Dispute.created_at, Dispute.id), Dispute.payment, ids)
    return [_payment(row, shares[row.id], refunds[row.id], disputes[row.id]) for row in rows]


def _by_payment(query: Any, payment: Any, ids: Sequence[str]) -> dict[str, list[Any]]:
    """The rows of `query` for each payment. One query."""
    found: dict[str, list[Any]] = {id: [] for id in ids}
    for one in query.where(payment.in_(ids)) if ids else ():
        found[one.payment_id].append(one)
    return found


def refund(row: Refund, currency: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "payment_id": row.payment_id,
        "created_at": stamp(row.created_at),
        "created_by": row.created_by,
        "stage": row.stage,
        "currency": currency,
        "amount": money.wire(row.amount, currency),
        "allocations": [{"invoice_id": id, "amount": money.wire(minor, currency)} for id, minor in row.shares],
        "reason": row.reason,
        "gateway_id": row.gateway_ref,
    }


def method(row: SavedMethod) -> dict[str, Any]:
    return {
        "id": row.id,
        "customer_id": row.customer_id,
        "created_at": stamp(row.created_at),
        "gateway": row.gateway,
        "gateway_id": row.gateway_ref,
        "method": row.method,
        "label": row.label,
        "expires": row.expires,
        "default": row.is_default,
    }


def _payment(
    row: Payment, shares: Sequence[Allocation], refunds: Sequence[Refund], disputes: Sequence[Dispute]
) -> dict[str, Any]:
    return {
        "id": row.id,
        "customer_id": row.customer_id,
        "created_at": stamp(row.created_at),
        "created_by": row.created_by,
        "stage": row.stage,
        "failure": row.failure,
        "gateway": None if row.gateway == BY_HAND else row.gateway,
        "gateway_id": row.gateway_ref,
        "method": row.method,
        "label": row.label,
        "currency": row.currency,
        "amount": money.wire(row.amount, row.currency),
        "automatic": row.automatic,
        "gives_up_at": stamp(row.gives_up_at) if row.stage == "action" else None,
        "ended_at": stamp(row.ended_at),
        "received_on": row.received_on.isoformat() if row.received_on else None,
        "external_id": row.external_id,
        "notes": row.notes,
        "allocations": [_allocation(one, row.currency) for one in shares],
        "refunds": [refund(one, row.currency) for one in refunds],
        "disputes": [_dispute(one, row.currency) for one in disputes],
    }


def _allocation(one: Allocation, currency: str) -> dict[str, Any]:
    return {
        "invoice_id": one.invoice_id,
        "invoice_number": one.invoice.number or "",
        "amount": money.wire(one.amount, currency),
        "returned": one.returned,
    }


def _dispute(one: Dispute, currency: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "created_at": stamp(one.created_at),
        "stage": one.stage,
        "amount": money.wire(one.amount, currency),
        "reason": one.reason,
        "is_return": one.is_return,
        "gateway_id": one.gateway_ref,
    }
