"""An entry of the credits ledger as Orb's clients read it. Amounts are signed as they change the balance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.api.shapes import number, stamp
from portal.models.credit import CreditEntry
from portal.models.customer import Customer


def entry(row: CreditEntry, customer: Customer) -> dict[str, Any]:
    """`row` with its block at hand."""
    return {
        "id": row.id,
        "entry_type": row.type,
        "entry_status": row.status,
        "ledger_sequence_number": row.sequence,
        "amount": number(Decimal(row.amount)),
        "starting_balance": number(Decimal(row.starting_balance)),
        "ending_balance": number(Decimal(row.ending_balance)),
        "currency": row.currency,
        "created_at": stamp(row.created_at),
        "customer": {"id": customer.id, "external_customer_id": customer.external_id},
        "credit_block": {
            "id": row.block.id,
            "expiry_date": stamp(row.block.expires_at),
            "filters": row.block.filters,
            "per_unit_cost_basis": row.block.cost_basis,
        },
        "description": row.description,
        "metadata": row.metadata,
        **_of_its_type(row),
    }


def _of_its_type(row: CreditEntry) -> dict[str, Any]:
    if row.type == "increment":
        return {"created_invoices": None}
    if row.type == "decrement":
        return {"invoice_id": row.invoice_id, "event_id": None, "price_id": None}
    if row.type == "expiration_change":
        return {"new_block_expiry_date": row.detail["new_block_expiry_date"]}
    if row.type == "void":
        return {"void_amount": number(row.detail["void_amount"]), "void_reason": row.detail["void_reason"]}
    return {}
