"""A customer as Orb's clients read her, and what is ours to say: her link, her language, how she may pay."""

from __future__ import annotations

from typing import Any

from portal import current
from portal.api import shapes
from portal.domain import money
from portal.models.customer import Customer
from portal.models.link import Link


def shape(customer: Customer) -> dict[str, Any]:
    return shape_all([customer])[0]


def shape_all(customers: list[Customer]) -> list[dict[str, Any]]:
    """Each customer as the wire has it, with the links of all in one query."""
    hidden = current.account().customer_portal_sessions_only
    links = {} if hidden else Link.current("customer", [row.id for row in customers if row.permanent_portal_link])
    return [_shape(row, links.get(row.id)) for row in customers]


def _shape(customer: Customer, link: Link | None) -> dict[str, Any]:
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
        "payment_provider": customer.payment_provider,
        "payment_provider_id": customer.payment_provider_id,
        "payment_configuration": customer.payment_configuration,
        "default_payment_method": None,
        "exempt_from_automated_tax": None,
        "automatic_tax_enabled": False,
        "hierarchy": {"children": [], "parent": None},
        "accounting_sync_configuration": None,
        "reporting_configuration": None,
    }
