"""What was tried to collect an invoice, as Orb's clients read it: attempts, their moments, and what is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, fn

from portal.api.shapes import stamp
from portal.domain import money
from portal.domain.settlement import LIVE
from portal.models.base import tuples
from portal.models.collection import Collection
from portal.models.invoice import Invoice
from portal.models.payment import BY_HAND, Allocation, Booking, Payment

NOT_PLANNED = {"next_attempt_at": None, "num_attempts": None, "previously_attempted_at": None}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One invoice's share of a payment through a gateway."""

    id: str
    created_at: datetime
    amount: int
    gateway: str
    ref: str | None
    stage: str
    ended_at: datetime | None
    returned_at: datetime | None

    @property
    def failed_at(self) -> datetime | None:
        """When it came to nothing: it failed, was given up, or its money went back."""
        if self.stage in LIVE:
            return None
        return self.returned_at if self.stage == "succeeded" else self.ended_at


def attempts(rows: Sequence[Invoice]) -> dict[str, list[Attempt]]:
    """Those for each of the invoices, oldest first. One query; none where nothing has happened to any of them."""
    ids = [row.id for row in rows if row.revision]
    found: dict[str, list[Attempt]] = {row.id: [] for row in rows}
    if not ids:
        return found
    went_back = Booking.select(fn.MAX(Booking.created_at)).where(
        Booking.payment == Allocation.payment, Booking.invoice == Allocation.invoice, Booking.kind == "returned"
    )
    query: Any = Allocation.select(
        Allocation.invoice,
        Payment.id,
        Payment.created_at,
        Allocation.amount,
        Payment.gateway,
        Payment.gateway_ref,
        Payment.stage,
        Payment.ended_at,
        Case(None, [(Allocation.returned, went_back)]).converter(Booking.created_at.python_value),
    )
    asked = query.join(Payment).where(Allocation.invoice.in_(ids), Payment.gateway != BY_HAND)
    for invoice_id, *attempt in tuples(asked.order_by(Payment.created_at, Payment.id)):
        found[invoice_id].append(Attempt(*attempt))
    return found


def plans(rows: Sequence[Invoice]) -> dict[str, Collection]:
    """What is planned for those that are collected by themselves. One query; none where nothing is."""
    return Collection.of([row.id for row in rows if row.auto_collection and row.status != "draft"])


def attempted(row: Invoice, made: Sequence[Attempt], plan: Collection | None, left: int) -> dict[str, Any]:
    """The part of an invoice that this module knows. `left`: what is still owed, in minor units."""
    failed = [one.failed_at for one in made if one.failed_at]
    return {
        "payment_attempts": [_attempt(one, row.currency) for one in made],
        "payment_started_at": stamp(made[-1].created_at if made else None),
        "payment_failed_at": stamp(max(failed) if failed else None),
        "auto_collection": {"enabled": row.auto_collection, **_planned(plan, left)},
    }


def _attempt(one: Attempt, currency: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "amount": money.wire(one.amount, currency),
        "created_at": stamp(one.created_at),
        # Money that was recorded by hand was not attempted, and Orb's clients know no other provider of ours.
        "payment_provider": "stripe" if one.gateway == "stripe" else None,
        "payment_provider_id": one.ref,
        "receipt_pdf": None,
        "succeeded": one.stage == "succeeded" and one.returned_at is None,
    }


def _planned(plan: Collection | None, left: int) -> dict[str, Any]:
    if plan is None:
        return NOT_PLANNED
    return {
        "next_attempt_at": stamp(plan.next_at) if left else None,
        "num_attempts": plan.tries,
        "previously_attempted_at": stamp(plan.previous_at),
    }
