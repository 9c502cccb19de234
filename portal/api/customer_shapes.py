"""A customer as Orb's clients read her, and what is ours to say: her link, her language, how she may pay."""

from __future__ import annotations

from typing import Any

from portal import current
from portal.api import shapes
from portal.domain import money
from portal.models.customer import Customer
from portal.models.link import Link
from portal.models.saved_method import Payer, SavedMethod

STRIPE, LINKED = "stripe", "stripe_charge"  # the gateway, and what Orb calls a customer whom it charges
KNOWN_METHODS = ("card", "us_bank_account")  # Orb's clients have no word for others


def shape(customer: Customer) -> dict[str, Any]:
    return shape_all([customer])[0]


def shape_all(customers: list[Customer]) -> list[dict[str, Any]]:
    """Each customer as the wire has it. One query for the links of all; with a gateway, two more."""
    hidden = current.account().customer_portal_sessions_only
    links = {} if hidden else Link.current("customer", [row.id for row in customers if row.permanent_portal_link])
    gateway, ids = current.gateway(), [row.id for row in customers]
    defaults = SavedMethod.defaults(ids, gateway.name) if gateway else {}
    refs = Payer.refs(ids, STRIPE) if gateway and gateway.name == STRIPE else {}
    return [_shape(row, links.get(row.id), defaults.get(row.id), refs.get(row.id)) for row in customers]


def _shape(customer: Customer, link: Link | None, saved: SavedMethod | None, stripe: str | None) -> dict[str, Any]:
    return {
        "id": customer.id,
        "external_customer_id": customer.external_id,
        "name": customer.name,
        "email": customer.email,
        "additional_emails": customer.additional_emails,
        "currency": customer.currency,
        "timezone": customer.timezone,
        "locale": customer.locale,
        "billing_address": shapes.address(customer.billing_address),
        "shipping_address": shapes.address(customer.shipping_address),
        "tax_id": customer.tax_id,
        "metadata": customer.metadata,
        "created_at": shapes.stamp(customer.created_at),
        "balance": money.wire(customer.balance, customer.currency or "USD"),
        "portal_url": shapes.link_url(link),
        "permanent_portal_link": customer.permanent_portal_link,
        "payment_methods": customer.payment_methods,
        "auto_collection": customer.auto_collection,
        "auto_issuance": customer.auto_issuance,
        "email_delivery": customer.email_delivery,
        **_provider(customer, stripe),
        "payment_configuration": customer.payment_configuration,
        "default_payment_method": _default(saved) if saved and saved.method in KNOWN_METHODS else None,
        "exempt_from_automated_tax": None,
        "automatic_tax_enabled": False,
        "hierarchy": {"children": [], "parent": None},
        "accounting_sync_configuration": None,
        "reporting_configuration": None,
    }


def _provider(customer: Customer, stripe: str | None) -> dict[str, Any]:
    """As an operator has linked her; else as her first payment through Stripe did."""
    name, id = customer.payment_provider, customer.payment_provider_id
    if stripe and name in (None, LINKED):
        name, id = LINKED, stripe
    return {"payment_provider": name, "payment_provider_id": id}


def _default(saved: SavedMethod) -> dict[str, Any]:
    return {
        "id": saved.id,
        "created_at": shapes.stamp(saved.created_at),
        "customer_id": saved.customer_id,
        "default": True,
        "external_payment_method_id": saved.gateway_ref,
        "payment_method_type": saved.method,
        "provider_type": saved.gateway,
    }
