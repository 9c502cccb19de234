"""A movement of a customer's balance as Orb's clients read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.api.shapes import stamp
from portal.domain import money
from portal.models.customer import BalanceTransaction


def move(one: BalanceTransaction, currency: str, notes: Mapping[str, str]) -> dict[str, Any]:
    """`notes`: the ids of credit notes by their numbers, for what came from one is described by its number."""
    note = notes.get(one.description or "") if one.action == "credit_note_applied" else None
    return {
        "id": one.id,
        "action": one.action,
        "type": one.type,
        "amount": money.wire(one.amount, currency),
        "starting_balance": money.wire(one.starting_balance, currency),
        "ending_balance": money.wire(one.ending_balance, currency),
        "description": one.description,
        "created_at": stamp(one.created_at),
        "invoice": {"id": one.invoice_id} if one.invoice_id else None,
        "credit_note": {"id": note} if note else None,
    }
