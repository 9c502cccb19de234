"""Payments, one attempt each: what they are for, how far they have come. Ours; Orb's API has them on invoices only."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import asking, errors, invoices, paging, payment_shapes
from portal.api.asking import asks_gateway
from portal.api.body import body, query
from portal.cashier import taking
from portal.domain.settlement import STAGES
from portal.models.invoice import IllegalState
from portal.models.payment import Allocation, Payment

routes = Blueprint("payments", __name__)

Stage = Literal["begun", "action", "processing", "canceled", "failed", "succeeded"]


class Filters(paging.Paged):
    many: ClassVar[frozenset[str]] = frozenset({"stage"})

    customer_id: str | None = None
    invoice_id: str | None = None
    stage: Annotated[list[Stage], Field(max_length=len(STAGES))] | None = None


@routes.get("/payments")
def listed() -> dict[str, Any]:
    given = query(Filters)
    rows = Payment.select().where(Payment.account == current.account())
    if given.customer_id is not None:
        rows = rows.where(Payment.customer == given.customer_id)
    if given.invoice_id is not None:
        rows = rows.where(
            Payment.id.in_(Allocation.select(Allocation.payment).where(Allocation.invoice == given.invoice_id))
        )
    if given.stage:
        rows = rows.where(Payment.stage.in_(given.stage))
    return paging.page(rows, (Payment.created_at, Payment.id), given, payment_shapes.payments)


@routes.get("/payments/<id>")
def fetch(id: str) -> dict[str, Any]:
    return payment_shapes.payment(by_id(id))


@routes.post("/payments/<id>/cancel")
@asks_gateway
def cancel(id: str) -> dict[str, Any]:
    """Gives up one that waits for its payer."""
    body(invoices.Nothing)
    payment = by_id(id)
    if payment.stage != "action":
        raise IllegalState(
            f"only a payment that waits for its payer (stage action) can be cancelled; this one is {payment.stage}"
        )
    gateway = asking.gateway()
    if payment.gateway != gateway.name:
        raise IllegalState("this payment was not taken by the gateway that is set up here: cancel it there")
    taking.give_up(gateway, payment, current.now(), current.actor())
    return payment_shapes.payment(by_id(id))


def by_id(id: str) -> Payment:
    """The account's own payment as it is now. Raises Problem."""
    found: Payment | None = Payment.select().where(Payment.account == current.account(), Payment.id == id).first()
    if found is None:
        raise errors.not_found("Payment")
    return found
