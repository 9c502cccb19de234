"""Who a customer is at the payment gateway, and what of hers it charges, as an operator says it."""

from __future__ import annotations

from typing import Any

from portal import current
from portal.api import errors
from portal.api.customer_shapes import LINKED, STRIPE
from portal.models.customer import Customer
from portal.models.saved_method import Payer, SavedMethod


def collected(columns: dict[str, Any], customer: Customer | None) -> dict[str, Any]:
    """`columns` of a customer to be made or changed: once linked, she is charged on due dates, unless they say not."""
    before = customer is not None and _is_linked(customer.payment_provider, customer.payment_provider_id)
    name = columns.get("payment_provider", customer.payment_provider if customer else None)
    id = columns.get("payment_provider_id", customer.payment_provider_id if customer else None)
    if _is_linked(name, id) and not before:
        return {"auto_collection": True, **columns}
    return columns


def link(customer: Customer, before: str | None = None) -> None:
    """Tells the gateway's floor of the ref that stands on a customer now. `before`: her provider until now.

    Raises Taken.
    """
    name, id = customer.payment_provider, customer.payment_provider_id
    if _is_linked(name, id):
        Payer.link(customer, STRIPE, str(id))
    elif before == LINKED:
        Payer.unlink(customer.id, STRIPE)


def choose(customer: Customer, id: str | None) -> None:
    """Makes a saved method the default, or none. The customer is held. Raises Problem."""
    gateway, now, by = current.gateway(), current.now(), current.actor()
    name = gateway.name if gateway else ""
    if id is None:
        SavedMethod.have_no_default(customer, name, now, by)
        return
    chosen = next((one for one in SavedMethod.of(customer.id, name) if one.id == id), None)
    if chosen is None:
        raise errors.invalid("default_payment_method_id must be the id of a payment method that is saved for her.")
    if not chosen.is_default:
        chosen.make_default(now, by)


def _is_linked(name: str | None, id: str | None) -> bool:
    return name == LINKED and bool(id)
