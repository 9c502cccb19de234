"""Refunds of payments: asked for once, through the gateway that took the money. They never reopen an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import asking, errors, payment_shapes, payments
from portal.api.asking import asks_gateway
from portal.api.body import Schema, body
from portal.api.fields import MoneyText, Text
from portal.cashier import returning
from portal.domain import money
from portal.domain.settlement import Share
from portal.models.payment import BY_HAND
from portal.models.refund import Refund

routes = Blueprint("refunds", __name__)

MOST_ALLOCATIONS = 1000


class WantedShare(Schema):
    invoice_id: str
    amount: MoneyText


class WantedRefund(Schema):
    amount: MoneyText | None = None
    allocations: Annotated[list[WantedShare], Field(min_length=1, max_length=MOST_ALLOCATIONS)] | None = None
    reason: Text | None = None


@routes.post("/payments/<id>/refunds")
@asks_gateway
def refund(id: str) -> tuple[dict[str, Any], int]:
    """So much of the payment, named shares of it, or all that is left."""
    given = body(WantedRefund)
    payment = payments.by_id(id)
    shares = _shares(given, payment.currency)
    if payment.gateway == BY_HAND:
        raise errors.constraint("This payment was recorded by hand: give the money back the way it came.")
    gateway, now, by = asking.gateway(), current.now(), current.actor()
    wanted = asking.once(Refund, lambda: returning.begin(gateway, payment.id, shares, now, by, given.reason))
    return payment_shapes.refund(returning.ask(gateway, wanted, now, by), payment.currency), 201


def _shares(given: WantedRefund, currency: str) -> Sequence[Share] | int | None:
    """Raises Problem."""
    if given.amount is not None and given.allocations is not None:
        raise errors.invalid("amount and allocations cannot both be given: the allocations add up to the amount.")
    if given.allocations is None:
        return None if given.amount is None else money.parse(given.amount, currency)
    ids = [one.invoice_id for one in given.allocations]
    if len(set(ids)) < len(ids):
        raise errors.invalid("allocations must name each invoice once.")
    return [Share(one.invoice_id, money.parse(one.amount, currency)) for one in given.allocations]
