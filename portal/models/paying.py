"""A payment begins: under the locks of all that it touches everything is checked once more, and written down first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from portal.models.account import Account
from portal.models.base import db, locked
from portal.models.customer import Customer
from portal.models.invoice import OWED, IllegalState, Invoice
from portal.models.link import Link
from portal.models.payment import Allocation, Payment
from portal.models.record import Record
from portal.models.saved_method import SavedMethod
from portal.models.settling import FIRST_ASK


class Busy(IllegalState):
    """Another payment of one of the invoices may still succeed."""


class Stale(IllegalState):
    """What was to be paid is no longer what the payer saw."""


class LinkClosed(IllegalState):
    """The link through which it was to be paid no longer opens."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be paid of one invoice, in minor units, and what the payer saw as left of it."""

    invoice_id: str
    amount: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment as somebody asked for it."""

    customer_id: str
    parts: Sequence[Part]
    method: str
    label: str  # for people, until the gateway tells a better one
    gateway: str
    order: dict[str, Any] = field(default_factory=dict)  # what the gateway is asked for, besides ids and amounts
    link_id: str | None = None
    saved: SavedMethod | None = None
    automatic: bool = False


# Raises where, under the locks, the method may not be used for these invoices and this amount.
Check = Callable[[Account, Customer, Sequence[Invoice], int], None]


def begin(wanted: Wanted, now: datetime, by: str, check: Check) -> Payment:
    """The row of a payment, committed before any gateway hears of it.

    Raises Erased, LinkClosed, IllegalState (an invoice is not to be paid), Stale, Busy, and what `check` raises.
    """
    with db.atomic():
        customer = Customer(id=wanted.customer_id).held()
        invoices = _held(wanted, customer)
        if wanted.link_id:
            _refuse_closed(wanted.link_id, now)
        account = Account.get_by_id(customer.account_id)
        amount = sum(part.amount for part in wanted.parts)
        check(account, customer, invoices, amount)
        if wanted.saved and not (wanted.saved.is_kept_for(customer) and wanted.saved.gateway == wanted.gateway):
            raise Stale("this saved method is no longer there: choose another")
        payment = Payment.create(
            account=account,
            customer=customer,
            created_at=now,
            created_by=by,
            link_id=wanted.link_id,
            gateway=wanted.gateway,
            method=wanted.method,
            label=wanted.label,
            currency=invoices[0].currency,
            amount=amount,
            stage="begun",
            order={**wanted.order, "payer": {"name": customer.name, "email": customer.email}},
            saved_method_id=wanted.saved.id if wanted.saved else None,
            automatic=wanted.automatic,
            ask_at=now + FIRST_ASK,
        )
        _allocate(payment, wanted.parts, now)
        Record.write(account.id, now, by, "payment.begun", payment.id, invoices=[one.id for one in invoices])
    return payment


def _held(wanted: Wanted, customer: Customer) -> list[Invoice]:
    """The invoices, locked in the order of their ids, each still as the payer saw it."""
    parts = {part.invoice_id: part for part in wanted.parts}
    if not parts or len(parts) != len(wanted.parts):
        raise IllegalState("a payment is for at least one invoice, and for each of them once")
    query = Invoice.select().where(Invoice.id.in_(sorted(parts)), Invoice.customer == customer)
    held = list(locked(query.order_by(Invoice.id)))
    if len(held) != len(parts):
        raise IllegalState("one of these invoices is not this customer's")
    for invoice in held:
        if invoice.status not in OWED:
            raise IllegalState(
                f"only an issued invoice can be paid; {invoice.number or 'this one'} is {invoice.status}"
            )
    if len({invoice.currency for invoice in held}) > 1:
        raise IllegalState("one payment is in one currency: pay these invoices one currency at a time")
    if busy := Allocation.live(list(parts)):
        numbers = {invoice.id: invoice.number for invoice in held}
        raise Busy(f"a payment of {numbers[busy[0].invoice_id]} is already on its way")
    for invoice in held:
        part, left = parts[invoice.id], invoice.remaining()
        if left != part.remaining or not 0 < part.amount <= left:
            raise Stale(f"what is left to pay of {invoice.number} has changed: look at it again")
    return held


def _refuse_closed(link_id: str, now: datetime) -> None:
    """Held, so that a revocation is either before this payment or after it."""
    link = locked(Link.select().where(Link.id == link_id)).first()
    if link is None or link.ended_at or (link.expires_at and link.expires_at <= now):
        raise LinkClosed("this link is no longer active: nothing was charged")


def _allocate(payment: Payment, parts: Sequence[Part], now: datetime) -> None:
    """Raises Busy where the database knows of another live payment, whatever the code above overlooked."""
    try:
        for part in sorted(parts, key=lambda part: part.invoice_id):
            Allocation.create(
                payment=payment, invoice=part.invoice_id, created_at=now, amount=part.amount, stage="begun"
            )
    except IntegrityError as error:
        if "allocation" not in str(error):
            raise
        raise Busy("a payment of one of these invoices is already on its way") from error
