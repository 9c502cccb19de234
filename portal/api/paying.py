"""An invoice is paid without its payer: by the default method that she let a gateway keep."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal import current
from portal.api import asking, errors, invoice_shapes, invoices
from portal.api.asking import asks_gateway
from portal.api.body import Schema, body
from portal.cashier import taking
from portal.gateways import Gateway
from portal.models.invoice import IllegalState, Invoice
from portal.models.paying import Part, Wanted
from portal.models.payment import Payment, refuse_live
from portal.models.saved_method import SavedMethod

routes = Blueprint("paying", __name__)


class Paying(Schema):
    shared_payment_token_id: str | None = None


@routes.post("/invoices/<id>/pay")
@asks_gateway
def pay(id: str) -> dict[str, Any]:
    """Charges what is left, once a key; answers the invoice as it is after the gateway's answer."""
    if body(Paying).shared_payment_token_id is not None:
        raise errors.constraint(
            "Shared payment tokens are not taken here: leave shared_payment_token_id out, and the customer's default "
            "payment method is charged."
        )
    invoice, gateway, now, by = invoices.by_id(id), asking.gateway(), current.now(), current.actor()
    payment = asking.once(Payment, lambda: taking.begin(gateway, _charge(gateway, invoice), now, by))
    taking.ask(gateway, payment, asking.notify_url(gateway), now, by)
    return invoice_shapes.invoice(invoices.by_id(id))


def _charge(gateway: Gateway, invoice: Invoice) -> Wanted:
    """All that is left, by the default method. Customer and invoice are held until the transaction ends."""
    invoice.customer.held()
    held = invoice.held()
    if held.status != "issued":
        raise IllegalState(f"only an issued invoice can be paid; this one is {held.status}")
    refuse_live(held)
    saved = SavedMethod.default(held.customer_id, gateway.name)
    if saved is None:
        raise IllegalState("this customer has no default payment method: she saves one when she pays in her portal")
    left = held.remaining()
    return Wanted(
        customer_id=held.customer_id,
        parts=[Part(held.id, left, left)],
        method=saved.method,
        label=saved.label,
        gateway=gateway.name,
        order=taking.order(reference=held.number or "", saved=saved, present=False),
        saved=saved,
    )
