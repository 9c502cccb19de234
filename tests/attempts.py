"""Payments through a gateway, for tests of what becomes of them: begun as everywhere, heard of as a gateway tells."""

from __future__ import annotations

import itertools
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from portal.cashier import hearing
from portal.gateways import DisputeNews, Gateway, News, PaymentNews, RefundNews, Told
from portal.models import paying
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Booking, Payment

GATEWAY = cast("Gateway", SimpleNamespace(name="sandbox", live=False))  # where nobody asks it anything
numbers = itertools.count(1)


def wanted(*invoices: Invoice, amounts: tuple[int, ...] = (), method: str = "card", **more: Any) -> paying.Wanted:
    """All that is left of the invoices, or these amounts of them."""
    lefts = [Invoice.get_by_id(invoice.id).remaining() for invoice in invoices]
    parts = [
        paying.Part(invoice.id, amount, left)
        for invoice, amount, left in zip(invoices, amounts or lefts, lefts, strict=True)
    ]
    named = {"label": "Card", "gateway": "sandbox", "order": {"present": True}, **more}
    return paying.Wanted(invoices[0].customer_id, parts, method, **named)


def begin(*invoices: Invoice, now: datetime, **more: Any) -> Payment:
    return paying.begin(wanted(*invoices, **more), now, "test", lambda *_: None)


def paid(*invoices: Invoice, now: datetime, moved: int | None = None, **more: Any) -> Payment:
    """A payment that succeeded."""
    payment = begin(*invoices, now=now, **more)
    tell(of(payment, "succeeded", amount=payment.amount if moved is None else moved), now)
    return Payment.get_by_id(payment.id)


def of(payment: Payment, stage: str, **more: Any) -> PaymentNews:
    told = {"amount": payment.amount, "currency": payment.currency, "live": False, "method": payment.method}
    return PaymentNews(**{"ref": f"ref_{payment.id}", "payment_id": payment.id, "stage": stage, **told, **more})


def refund(payment: Payment, stage: str, amount: int, *, ref: str = "re_1", id: str | None = None) -> RefundNews:
    ref = f"{ref}_{payment.id}"
    return RefundNews(ref, f"ref_{payment.id}", payment.id, id, cast("Any", stage), amount, payment.currency, False)


def dispute(payment: Payment, stage: str, amount: int, *, ref: str = "dp_1", is_return: bool = False) -> DisputeNews:
    ref, of = f"{ref}_{payment.id}", f"ref_{payment.id}"
    told = cast("Any", stage), amount, payment.currency, False, "fraudulent", is_return
    return DisputeNews(ref, of, payment.id, *told)


def tell(news: News, now: datetime, id: str | None = None) -> bool:
    """As an event of its own, unless it is given the id of an earlier one."""
    return hearing.told(GATEWAY, Told(id or f"evt_{next(numbers)}_{now.timestamp()}", now, "something", news), now)


def booked(payment: Payment) -> dict[str, int]:
    """What its bookings come to, by kind."""
    found: dict[str, int] = {}
    for row in Booking.select().where(Booking.payment == payment.id):
        found[row.kind] = found.get(row.kind, 0) + row.amount
    return {kind: amount for kind, amount in found.items() if amount}


def balance(invoice: Invoice) -> int:
    return int(Customer.get_by_id(invoice.customer_id).balance)


def left(invoice: Invoice) -> tuple[str, int]:
    """Its status, and what it still asks for."""
    row = Invoice.get_by_id(invoice.id)
    return row.status, row.remaining()
