"""What a reader of an invoice sees of its payments: what was booked, and where the latest attempt stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import Case

from portal.domain import periods
from portal.domain.settlement import RETURNED
from portal.models.base import tuples
from portal.models.invoice import Invoice
from portal.models.payment import Allocation, Booking, Payment


@dataclass(frozen=True, slots=True)
class Entry:
    """A booking as a reader of the invoice sees it."""

    on: date  # in the customer's time zone
    kind: str  # KINDS
    label: str
    amount: int
    payment_id: str
    method: str | None = None  # None by hand


def entries(invoice: Invoice, timezone: str) -> list[Entry]:
    """What was booked on an invoice, oldest first. No query where nothing has happened to it."""
    if not invoice.revision:
        return []
    query: Any = Booking.select(
        Booking.created_at, Booking.kind, Booking.amount, Payment.id, Payment.label, Payment.method, Payment.received_on
    )
    rows = tuples(query.join(Payment).where(Booking.invoice == invoice.id).order_by(Booking.created_at, Booking.id))
    found = [
        Entry(_day(kind, received_on, at, timezone), kind, label, amount, payment_id, method)
        for at, kind, amount, payment_id, label, method, received_on in rows
    ]
    return sorted(found, key=lambda entry: entry.on)


def _day(kind: str, received_on: date | None, at: datetime, timezone: str) -> date:
    return received_on if kind == "received" and received_on else periods.local_day(at, timezone)


def standing() -> Any:
    """In a query of invoices: where the latest payment of each stands, a stage or RETURNED; NULL without any."""
    latest = (
        Allocation.select(Case(None, [(Allocation.returned, RETURNED)], Allocation.stage))
        .where(Allocation.invoice == Invoice.id)
        .order_by(Allocation.created_at.desc(), Allocation.id.desc())
        .limit(1)
    )
    # One that has counted nothing was never tried.
    return Case(None, [(Invoice.revision == 0, None)], latest)


def standing_of(invoice: Invoice) -> str | None:
    """Where the latest payment of an invoice stands. No query where nothing has happened to it."""
    if not invoice.revision:
        return None
    found: str | None = Invoice.select(standing()).where(Invoice.id == invoice.id).scalar()
    return found


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest payment of an invoice."""

    payment_id: str
    standing: str  # its stage, or RETURNED
    amount: int  # what of it is for this invoice
    method: str | None
    failure: str | None


def latest(invoice: Invoice) -> Attempt | None:
    """No query where nothing has happened to the invoice."""
    if not invoice.revision:
        return None
    stands = Case(None, [(Allocation.returned, RETURNED)], Allocation.stage)
    rows = (
        Allocation.select(Payment.id, stands, Allocation.amount, Payment.method, Payment.failure)
        .join(Payment)
        .where(Allocation.invoice == invoice.id)
        .order_by(Allocation.created_at.desc(), Allocation.id.desc())
        .limit(1)
    )
    return next((Attempt(*row) for row in tuples(rows)), None)
