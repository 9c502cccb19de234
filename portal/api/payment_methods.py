"""The methods that a gateway keeps for a customer: listed, brought in from the gateway, removed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal import current
from portal.api import asking, customers, errors, invoices, paging, payment_shapes
from portal.api.asking import asks_gateway
from portal.api.body import Schema, body, query
from portal.cashier import taking
from portal.gateways import Gateway
from portal.models.customer import Customer
from portal.models.saved_method import SavedMethod

routes = Blueprint("payment_methods", __name__)

NOTHING: tuple[dict[str, Any], int] = ({}, 204)


@routes.get("/customers/<id>/payment_methods")
def listed(id: str) -> dict[str, Any]:
    kept = SavedMethod.select().where(SavedMethod.customer == customers.by_id(id), SavedMethod.removed_at.is_null())
    order = (SavedMethod.created_at, SavedMethod.id)
    return paging.page(kept, order, query(paging.Paged), lambda rows: [payment_shapes.method(row) for row in rows])


@routes.delete("/customers/<id>/payment_methods/<method_id>")
@asks_gateway
def remove(id: str, method_id: str) -> tuple[dict[str, Any], int]:
    """Here first, so that it is never charged again; then at the gateway. Again, it asks the gateway again."""
    body(Schema)
    mine = (SavedMethod.customer == customers.by_id(id), SavedMethod.id == method_id)
    saved: SavedMethod | None = SavedMethod.select().where(*mine).first()
    if saved is None:
        raise errors.not_found("PaymentMethod")
    gateway: Gateway | None = current.gateway()
    if gateway is not None and gateway.name == saved.gateway:
        taking.forget(gateway, saved, current.now(), current.actor())
    else:
        saved.remove(current.now(), current.actor())
    return NOTHING


@routes.post("/customers/<id>/sync_payment_methods_from_gateway")
@asks_gateway
def sync(id: str) -> tuple[dict[str, Any], int]:
    return _synced(customers.by_id(id))


@routes.post("/customers/external_customer_id/<external:external_id>/sync_payment_methods_from_gateway")
@asks_gateway
def sync_by_external_id(external_id: str) -> tuple[dict[str, Any], int]:
    return _synced(customers.by_external_id(external_id))


def _synced(customer: Customer) -> tuple[dict[str, Any], int]:
    body(invoices.Nothing)
    taking.sync(asking.gateway(), customer, current.now(), current.actor())
    return NOTHING
